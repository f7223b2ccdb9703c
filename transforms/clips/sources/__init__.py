"""One module per clip format, and the table of them."""

from collections.abc import Callable
from typing import Final

from transforms.clips.refs import ClipName, InputFile
from transforms.clips.sources import generic, teslacam

__all__ = ["SOURCES", "VIDEO_SUFFIXES", "name_clip", "named"]

VIDEO_SUFFIXES: Final = frozenset({".mp4", ".mov", ".mkv", ".ts", ".avi", ".hevc", ".m4v"})
"""Files found in a folder count as clips by these endings, in any case of letters."""

NameClip = Callable[[str, str], ClipName | None]

SOURCES: Final[dict[str, NameClip]] = {"teslacam": teslacam.name_clip, "generic": generic.name_clip}
"""What knows each format; the first that names a clip has it, and `generic` names any."""


def name_clip(uri: str, root: str) -> ClipName | None:
    """Says what a file's place and name tell.

    Args:
        uri: absolute path or URL of the file.
        root: the input under which it was found; the same as `uri` for a file that was named itself.

    Returns:
        The name; None for what is no clip: other files, hidden ones, and what a car derives from its clips.
        A file that was named itself always counts.

    >>> name_clip("/media/usb/TeslaCam/SavedClips/2024-05-01_10-20-30/event.mp4", "/media/usb") is None
    True
    """
    base = uri.rsplit("/", 1)[-1]
    is_video = "".join(base.rpartition(".")[1:]).lower() in VIDEO_SUFFIXES and not base.startswith(".")
    is_named_itself = uri.rstrip("/") == root.rstrip("/")
    if not is_video and not is_named_itself:
        return None
    if not is_named_itself and teslacam.is_derived(uri):
        return None
    return next(name for source in SOURCES.values() if (name := source(uri, root)) is not None)


def named(file: InputFile) -> ClipName:
    """What the place and name of a file that counts as a clip tell."""
    name = name_clip(file.uri, file.root)
    assert name is not None, "discovery lists only what has a name"
    return name
