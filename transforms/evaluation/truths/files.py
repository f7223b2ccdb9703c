"""The files of a truth, and how they are read without trusting them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

_MOST_BYTES: Final = 1 << 29
"""JSON takes some ten times its size in memory."""


class TruthError(Exception):
    """The truth cannot be read: what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class TruthFile:
    """A file that can be opened.

    Attributes:
        name: what messages call it.
        bytes: its size.
        open: opens it for reading.
    """

    name: str
    bytes: int
    open: Callable[[], BinaryIO]


Files = Mapping[str, TruthFile]
"""Files by their path below the truth's folder, `/`-separated; a truth of one file has its name alone."""


def content(file: TruthFile) -> bytes:
    """The whole of a file.

    Raises:
        TruthError: the file is empty or larger.
    """
    if file.bytes > _MOST_BYTES:
        raise TruthError(f"{file.name}: {file.bytes} bytes; at most {_MOST_BYTES} are read: split it by clip")
    with file.open() as stream:
        found = stream.read(_MOST_BYTES)
    if not found:
        raise TruthError(f"{file.name}: empty")
    return found


def text(file: TruthFile) -> str:
    """A file as text.

    Raises:
        TruthError: the file is empty, too large or not UTF-8.
    """
    raw = content(file)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TruthError(f"{file.name}: line {line}: not UTF-8 text") from error


def lines(file: TruthFile) -> Iterator[tuple[int, str]]:
    """Numbers, from 1, and texts of the lines that hold anything.

    Raises:
        TruthError: as `text`.
    """
    for number, line in enumerate(text(file).splitlines(), 1):
        if stripped := line.strip():
            yield number, stripped
