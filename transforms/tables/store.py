"""A data set's folder: named files that appear whole or not at all."""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from transforms.tables.layout import EXPORTS, RUNS
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

    def take_over(self, other: "Store", name: str) -> None:
        """Puts another data set's file in place under the same name, without a second copy where that can be."""
        ...

    def delete(self, name: str) -> None:
        """Removes a file; one that is not there is no error."""
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """Names directly in a folder and their sizes in bytes, without temporary files."""
        ...


def _temporary_name(target: Path) -> Path:
    """A name beside a file that no other run uses."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}{TEMPORARY_SUFFIX}")


class LocalStore:
    """A folder of this machine.

    Attributes:
        folder: its path.
    """

    def __init__(self, root: str | Path) -> None:
        self.folder = Path(root)

    def read(self, name: str) -> bytes:
        """The whole file."""
        return (self.folder / name).read_bytes()

    def open(self, name: str) -> BinaryIO:
        """Opens a file for reading."""
        return (self.folder / name).open("rb")

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
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_name(target)
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

    def take_over(self, other: Store, name: str) -> None:
        """Links another folder's file, or copies it where that cannot be; files are replaced, never written in."""
        if isinstance(other, LocalStore):
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = _temporary_name(target)
            with suppress(OSError):
                temporary.hardlink_to(other.folder / name)
                temporary.replace(target)
                # where both names are one file already, renaming does nothing
                temporary.unlink(missing_ok=True)
                return
        self.write(name, other.read(name))

    def delete(self, name: str) -> None:
        """Removes a file if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def sizes(self, folder: str) -> dict[str, int]:
        """Files directly in a folder."""
        found: dict[str, int] = {}
        with suppress(FileNotFoundError), os.scandir(self.folder / folder) as entries:
            for entry in entries:
                # one that is removed meanwhile is just not there
                with suppress(FileNotFoundError):
                    if entry.is_file() and not entry.name.startswith("."):
                        found[entry.name] = entry.stat().st_size
        return found

    def strays(self) -> Iterator[Path]:
        """Temporary files that killed writers left behind; files of others are never among them."""
        if not self.folder.is_dir():
            return
        for folder in (self.folder, *(self.folder / name for name in (*TABLES, EXPORTS, RUNS))):
            pattern = "**/*" if folder.name == RUNS else "*"
            yield from (path for path in folder.glob(pattern) if _TEMPORARY.fullmatch(path.name))
