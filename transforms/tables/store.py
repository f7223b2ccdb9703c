"""A data set's folder: named files that appear whole or not at all."""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from transforms.tables.layout import RUNS
from transforms.tables.schemas import TABLES

TEMPORARY_SUFFIX: Final = ".tmp"

_TEMPORARY: Final = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")


class Store(Protocol):
    """Where a data set lies. Names are relative, `/`-separated."""

    def read(self, name: str) -> bytes:
        """The whole file.

        Raises:
            FileNotFoundError: there is no such file.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """Opens a file for reading at any place.

        Raises:
            FileNotFoundError: there is no such file.
        """
        ...

    def write(self, name: str, content: bytes) -> None:
        """Puts a file in place, replacing what was there; readers see the old or the new one."""
        ...

    def delete(self, name: str) -> None:
        """Removes a file; one that is not there is no error."""
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """Names directly in a folder and their sizes in bytes, without temporary files."""
        ...


class LocalStore:
    """A folder of this machine."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def read(self, name: str) -> bytes:
        """The whole file."""
        return (self._root / name).read_bytes()

    def open(self, name: str) -> BinaryIO:
        """Opens a file for reading."""
        return (self._root / name).open("rb")

    def write(self, name: str, content: bytes) -> None:
        """Writes under a name that no other run uses, then renames."""
        with self.replacing(name) as sink:
            sink.write(content)

    @contextmanager
    def replacing(self, name: str) -> Iterator[BinaryIO]:
        """Opens a file that gets its name, and replaces what was there, once it has been written without an error.

        Args:
            name: the file.
        """
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}{TEMPORARY_SUFFIX}")
        try:
            with temporary.open("wb") as sink:
                yield sink
                sink.flush()
                os.fsync(sink.fileno())
            temporary.replace(target)
        except BaseException as error:
            with suppress(OSError):
                temporary.unlink()
            if isinstance(error, OSError) and error.filename is None:
                raise OSError(error.errno, error.strerror, str(target)) from error
            raise

    def delete(self, name: str) -> None:
        """Removes a file if it is there."""
        (self._root / name).unlink(missing_ok=True)

    def sizes(self, folder: str) -> dict[str, int]:
        """Files directly in a folder."""
        with suppress(FileNotFoundError), os.scandir(self._root / folder) as entries:
            return {
                entry.name: entry.stat().st_size
                for entry in entries
                if entry.is_file() and not entry.name.startswith(".")
            }
        return {}

    def strays(self) -> Iterator[Path]:
        """Temporary files that killed writers left behind; files of others are never among them."""
        if not self._root.is_dir():
            return
        for folder in (self._root, *(self._root / name for name in TABLES), self._root / RUNS):
            pattern = "**/*" if folder.name == RUNS else "*"
            yield from (path for path in folder.glob(pattern) if _TEMPORARY.fullmatch(path.name))
