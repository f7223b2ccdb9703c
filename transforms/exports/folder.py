"""The folder that an export is written into, and how it gets its name: whole, or not at all."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, Final

from transforms.exports.frames import ExportError

RECORD: Final = "clipmill_export.json"
"""The file by which an export is known; it is written last."""

AUDIT: Final = "blurred.parquet"
"""The file that tells what was blurred in the images; only where images are blurred."""

_MARK: Final = ".clipmill_exporting"
"""The file by which a folder is known that an export is being written into."""


class ForeignFolderError(ExportError):
    """What stands in the way of an export is not clipmill's to remove."""


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
        ExportError: another export is being written there, or what stands there or beside is no export.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(output)
    with suppress(FileExistsError):
        aside.mkdir()
        (aside / _MARK).touch()
    with _held(aside):
        _restore(output)
        (aside / _MARK).touch()
        _empty(aside)
        (aside / RECORD).unlink(missing_ok=True)
        try:
            yield Folder(aside)
        except BaseException:
            with suppress(OSError):
                _remove(aside)
            raise
        (aside / _MARK).unlink()
        _replace(output, aside)


def remove_export(output: Path) -> None:
    """Removes an export, and what killed ones have left beside it; the name goes first.

    Args:
        output: absolute path.

    Raises:
        ExportError: it is no export, or one is just being written there.
        OSError: something of it cannot be removed.
    """
    finish_killed(output)
    _refuse_foreign(output)
    with suppress(FileNotFoundError):
        output.rename(_before(output))
        _remove(_before(output))


def finish_killed(output: Path) -> None:
    """Removes what killed exports have left beside their place; an export that was about to be replaced comes back.

    Args:
        output: absolute path of the export.

    Raises:
        ExportError: an export is just being written there, or what stands beside is no export.
        OSError: something cannot be removed.
    """
    aside = _aside(output)
    if aside.is_dir():
        with _held(aside):
            _restore(output)
            _remove(aside)
    else:
        _restore(output)


def _aside(output: Path) -> Path:
    return output.with_name(f".{output.name}.exporting")


def _before(output: Path) -> Path:
    return output.with_name(f".{output.name}.replaced")


def _is_foreign(folder: Path, *marks: str) -> bool:
    """Whether something stands there that clipmill has not made: no folder, or one with content but no mark of ours."""
    if not folder.is_symlink() and not folder.exists():
        return False
    if folder.is_symlink() or not folder.is_dir():
        return True
    return any(folder.iterdir()) and not any((folder / mark).is_file() for mark in marks)


def _refuse_foreign(folder: Path, *marks: str) -> None:
    if _is_foreign(folder, RECORD, *marks):
        raise ForeignFolderError(f"{folder}: is no export and in its way; move it elsewhere, then run again")


def _remove(folder: Path) -> None:
    """Removes a folder of ours; what tells that it is goes last, so that a removal that is killed can be finished."""
    _empty(folder)
    for mark in (RECORD, _MARK):
        (folder / mark).unlink(missing_ok=True)
    folder.rmdir()


def _empty(folder: Path) -> None:
    for item in folder.iterdir():
        if item.name in {RECORD, _MARK}:
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


def _restore(output: Path) -> None:
    """Brings back the export that a killed one was about to replace, or removes it where it has been replaced."""
    before = _before(output)
    _refuse_foreign(before)
    if before.is_dir() and not output.exists():
        before.rename(output)
    elif before.is_dir():
        _remove(before)


def _replace(output: Path, aside: Path) -> None:
    """Puts the new export in its place, where still nothing stands but an earlier one."""
    before = _before(output)
    if _is_foreign(output, RECORD):
        _remove(aside)
        raise ForeignFolderError(f"{output}: files were put there meanwhile; choose a new or empty folder")
    with suppress(FileNotFoundError):
        output.rename(before)
    aside.rename(output)
    if before.is_dir():
        _remove(before)


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
        if is_there:
            _refuse_foreign(folder, _MARK)
        else:
            # the export that had it has just taken its place
            raise ExportError(f"{folder}: another export has just been written there; run again")
        yield
    finally:
        os.close(descriptor)
