"""The folder that an export is written into, and how it gets its name: whole, or not at all."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from transforms.exports.frames import ExportError


class Folder:
    """A folder that files are written into, one by one.

    Args:
        root: its path.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def create(self, name: str) -> BinaryIO:
        """Opens a new file for writing; its folders are made.

        Args:
            name: relative, `/`-separated.
        """
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")

    def write(self, name: str, content: bytes) -> None:
        """Writes a small file."""
        with self.create(name) as sink:
            sink.write(content)

    def scratch(self) -> IO[bytes]:
        """A file without a name on the same disk, for what is written before its place is reached."""
        return tempfile.TemporaryFile(dir=self._root)


@contextmanager
def placed(output: Path) -> Iterator[Folder]:
    """A folder beside the output that takes its place, and its name, once all has been written.

    An export that is killed leaves nothing under the output's name; the next one to the same place removes what it left
    beside.

    Args:
        output: absolute path; what stands there, an earlier export or an empty folder, is replaced.

    Raises:
        ExportError: another export is being written there.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(output)
    aside.mkdir(exist_ok=True)
    with _held(aside):
        _empty(aside)
        _restore(output)
        try:
            yield Folder(aside)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        _replace(output, aside)


def remove_export(output: Path) -> None:
    """Removes an export, and what killed ones have left beside it; the name goes first.

    Args:
        output: absolute path.
    """
    remove_leftovers(output)
    if output.is_dir():
        output.rename(_before(output))
        shutil.rmtree(_before(output))


def remove_leftovers(output: Path) -> None:
    """Removes what killed exports have left beside their place.

    Args:
        output: absolute path of the export.

    Raises:
        ExportError: an export is just being written there.
    """
    aside = _aside(output)
    if aside.is_dir():
        with _held(aside):
            shutil.rmtree(aside)
    if _before(output).is_dir():
        shutil.rmtree(_before(output))


def _aside(output: Path) -> Path:
    return output.with_name(f".{output.name}.exporting")


def _before(output: Path) -> Path:
    return output.with_name(f".{output.name}.replaced")


def _empty(folder: Path) -> None:
    for item in folder.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


def _restore(output: Path) -> None:
    """Brings back the export that a killed one was about to replace, or removes it where it has been replaced."""
    before = _before(output)
    if before.is_dir() and not output.exists():
        before.rename(output)
    elif before.is_dir():
        shutil.rmtree(before)


def _replace(output: Path, aside: Path) -> None:
    before = _before(output)
    with suppress(FileNotFoundError):
        output.rename(before)
    aside.rename(output)
    shutil.rmtree(before, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Holds a lock on a folder, which the system frees when the process ends, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.path.samestat(os.fstat(descriptor), folder.stat())
        except (BlockingIOError, FileNotFoundError) as error:
            raise ExportError(
                f"{folder}: another export is being written there; wait for it to end"
            ) from error
        if not is_there:
            # the export that had it has just taken its place
            raise ExportError(f"{folder}: another export has just been written there; run again")
        yield
    finally:
        os.close(descriptor)
