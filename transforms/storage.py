"""Where the stages read and write: local folders as they are, anything with a scheme through Beam's FileSystems."""

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from transforms.access import RemoteStream, file_systems, knock, os_errors
from transforms.tables.store import LocalStore, Store

_UNCOMPRESSED = "uncompressed"
"""Beam's name for: as it is, whatever the file's ending."""


def is_remote(uri: str) -> bool:
    """Whether a path is a URL rather than a local path.

    >>> is_remote("gs://bucket/clips"), is_remote("/media/stick")
    (True, False)
    """
    return "://" in uri


def check_scheme(uri: str) -> None:
    """Makes sure that a URL's kind of storage is installed and answers.

    Raises:
        ValueError: it is not installed; the message says what to install.
        OSError: it does not answer.
    """
    if is_remote(uri):
        knock(uri)


def open_stream(uri: str) -> BinaryIO:
    """Opens a file for reading at any place.

    Raises:
        OSError: it cannot be opened.
    """
    if not is_remote(uri):
        return Path(uri).open("rb")
    with os_errors(uri):
        stream = file_systems().open(uri, compression_type=_UNCOMPRESSED)
    return cast("BinaryIO", RemoteStream(stream, uri))


def open_store(uri: str) -> Store:
    """The data set at a path or URL."""
    return RemoteStore(uri) if is_remote(uri) else LocalStore(uri)


class RemoteStore:
    """A data set on an object store or a distributed file system."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def read(self, name: str) -> bytes:
        """The whole file."""
        with self.open(name) as source:
            return source.read()

    def open(self, name: str) -> BinaryIO:
        """Opens a file for reading; some stores tell of one that is not there only when it is read."""
        return open_stream(f"{self._root}/{name}")

    def write(self, name: str, content: bytes) -> None:
        """Writes the file in place: on object stores it appears, whole, when it is closed."""
        target = f"{self._root}/{name}"
        systems = file_systems()
        with suppress(OSError):
            # object stores know no folders
            systems.mkdirs(target.rpartition("/")[0])
        with os_errors(target), systems.create(target, compression_type=_UNCOMPRESSED) as sink:
            sink.write(content)

    def take_over(self, other: Store, name: str) -> None:
        """Copies another data set's file."""
        self.write(name, other.read(name))

    def delete(self, name: str) -> None:
        """Removes a file if it is there."""
        path = f"{self._root}/{name}"
        systems = file_systems()
        try:
            with os_errors(path):
                # object stores do not mind what is not there: to ask first would be one more request
                systems.delete([path])
        except OSError:
            with os_errors(path):
                is_there = systems.exists(path)
            if is_there:
                raise

    def sizes(self, folder: str) -> dict[str, int]:
        """Files directly in a folder."""
        place = f"{self._root}/{folder}/"
        with os_errors(place):
            (found,) = file_systems().match([f"{place}*"])
        names = {entry.path.removeprefix(place): entry.size_in_bytes for entry in found.metadata_list}
        return {name: size for name, size in names.items() if name and not name.startswith(".")}


__all__ = ["RemoteStore", "check_scheme", "is_remote", "open_store", "open_stream"]
