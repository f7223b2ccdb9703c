"""One run at a time writes a local data set."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipelines.outcome import JobError

LOCK = ".clipmill.lock"


@contextmanager
def output_lock(folder: Path) -> Iterator[None]:
    """Holds a data set's lock; the system frees it when the process ends, however it ends.

    Args:
        folder: the data set, made if it is not there.

    Raises:
        JobError: another run holds it, or the folder cannot be written.
    """
    with _open(folder) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JobError(f"{folder}: another run is writing this data set; wait for it to end") from error
        yield


def _open(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / LOCK).open("ab")
    except OSError as error:
        raise JobError(f"{folder}: not writable: {error.strerror}") from error
