"""Folders of this machine, for commands that read or change files in place."""

from argparse import ArgumentTypeError
from pathlib import Path


def local_folder(text: str) -> Path:
    """A path that an option or argument names.

    Args:
        text: what the user wrote.

    Raises:
        ArgumentTypeError: it is a URL, or nothing.
    """
    if not text:
        raise ArgumentTypeError("is empty: name a folder; the one you are in is .")
    if "://" in text:
        raise ArgumentTypeError(
            f"{text}: is a URL, and this command works on a folder of this machine: copy the data set there first"
        )
    return Path(text)
