"""What the index of an MP4 claims, before a demuxer makes room for it.

A run in an index is a few bytes that may stand for four thousand million pictures, and an edit list may show
the same pictures as often as it likes: a file of a few kilobytes can ask for gigabytes. Counts are summed
here from the boxes alone; no table is kept.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from transforms.clips.errors import ClipError

__all__ = [
    "INDEX_BOXES",
    "MAX_CHILDREN",
    "MAX_EDITS",
    "MAX_SAMPLES",
    "MAX_STREAMS",
    "IndexLimits",
    "read_box",
]

MAX_SAMPLES: Final = 1 << 22
"""Pictures (or pieces of sound) of a track: 19 hours at 60 a second. The demuxer's index of so many takes 300 MB."""

MAX_PIXELS: Final = 8192 * 4320
"""Largest picture that is decoded (8K): a damaged header may claim any size, and decoders hold up to 16 pictures."""

MAX_STREAMS: Final = 64
"""Streams of a file: cars have up to eleven cameras, and sound and texts beside them."""

MAX_EDITS: Final = 256
"""Entries of an edit list: recorders write one or two, editors a few for each cut."""

MAX_CHILDREN: Final = 1024
"""Boxes inside one box of the index: tracks have about a dozen."""

INDEX_BOXES: Final = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf"}
)
"""The boxes that hold boxes of an index; the demuxer takes them in any order and depth."""

_MAX_DEPTH: Final = 10
_BOX_HEADER: Final = 8
_LARGE_BOX_HEADER: Final = 16
_PCM_CHUNK: Final = 1024
"""Of sound whose samples are one tick long the index has an entry for so many samples, not for each."""


def read_box(stream: BinaryIO, at: int, end: int) -> tuple[bytes, int, int] | None:
    """Reads the header of a box.

    Args:
        stream: the file.
        at: where the box begins.
        end: where the box around it ends.

    Returns:
        Type, length of the header and end of the box; None where there is no sound one.
    """
    stream.seek(at)
    header = stream.read(_LARGE_BOX_HEADER)
    if len(header) < _BOX_HEADER:
        return None
    length, kind = struct.unpack(">I4s", header[:_BOX_HEADER])
    if length == 0:
        return kind, _BOX_HEADER, end  # this box is the rest of the file
    used = _BOX_HEADER
    if length == 1:
        if len(header) < _LARGE_BOX_HEADER:
            return None
        used = _LARGE_BOX_HEADER
        length = int.from_bytes(header[_BOX_HEADER:], "big")
    return (kind, used, at + length) if length >= used else None


@dataclass(slots=True)
class _Track:
    handler: bytes = b""
    samples: int = 0
    chunks: int = 0
    in_chunks: float = 0
    edits: int = 1
    runs: "np.ndarray[tuple[int, int], np.dtype[np.uint32]] | None" = None
    is_pcm: bool = False

    def entries(self) -> int:
        """Entries that the demuxer's index gets."""
        if self.runs is not None and len(self.runs):
            first = np.append(self.runs[:, 0].astype(np.float64), self.chunks + 1)
            self.in_chunks = float((np.diff(first).clip(0) * self.runs[:, 1]).sum())
        unit = _PCM_CHUNK if self.handler == b"soun" and self.is_pcm else 1
        return int(max(self.samples, self.in_chunks) / unit) * self.edits


class IndexLimits:
    """Sums what the boxes of one file claim."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        """Begins a file.

        Args:
            stream: the file; its position moves.
            size: its length in bytes.
        """
        self._stream = stream
        self._size = size
        self._tracks: list[_Track] = []
        self._in_fragments = 0

    def add(self, kind: bytes, begin: int, end: int) -> None:
        """Goes through a box of the file's top level.

        Args:
            kind: its type.
            begin: where its content begins.
            end: where it ends.

        Raises:
            ClipError: too_large, if it claims more than the limits of this module.
        """
        if kind not in INDEX_BOXES:
            return
        self._walk(kind, begin, min(end, self._size), 1)
        edits = max((track.edits for track in self._tracks), default=1)
        if edits > MAX_EDITS:
            raise _too_large(f"an edit list of {edits} entries, more than {MAX_EDITS}")
        entries = max((track.entries() for track in self._tracks), default=0) + self._in_fragments
        if entries > MAX_SAMPLES:
            raise _too_large(f"its index claims {entries} pictures, more than {MAX_SAMPLES}")

    def _walk(self, kind: bytes, begin: int, end: int, depth: int) -> None:
        if kind == b"trak":
            self._tracks.append(_Track())
            if len(self._tracks) > MAX_STREAMS:
                raise _too_large(f"more than {MAX_STREAMS} tracks")
        if depth > _MAX_DEPTH:
            raise _too_large(f"its boxes lie more than {_MAX_DEPTH} deep")
        for child, at, stop in self._children(begin, end):
            if child in INDEX_BOXES:
                self._walk(child, at, stop, depth + 1)
            else:
                self._read(child, at, stop)

    def _children(self, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        at = begin
        for _ in range(MAX_CHILDREN):
            box = read_box(self._stream, at, end) if at < end else None
            if box is None:
                return
            kind, header, after = box
            yield kind, at + header, min(after, end)
            at = after
        if at < end:
            raise _too_large(f"more than {MAX_CHILDREN} boxes inside one")

    def _read(self, kind: bytes, at: int, end: int) -> None:
        track = self._tracks[-1] if self._tracks else _Track()
        match kind:
            case b"hdlr":
                track.handler = self._bytes(at + 8, 4)
            case b"stsz" | b"stz2":
                track.samples = self._number(at + 8)
            case b"stco" | b"co64":
                track.chunks = self._number(at + 4)
            case b"stsd" if track.handler == b"vide":
                self._check_size(at)
            case b"stsc":
                track.runs = self._runs(at, end)
            case b"stts":
                track.is_pcm = self._number(at + 4) == self._number(at + 12) == 1
            case b"elst":
                track.edits = max(1, self._number(at + 4))
            case b"trun":
                self._in_fragments += self._number(at + 4)

    def _check_size(self, at: int) -> None:
        # of the first entry: behind 16 bytes of the table and its header come 24 more, then two numbers
        width, height = divmod(self._number(at + 40), 1 << 16)
        if width * height > MAX_PIXELS:
            raise ClipError("too_large", f"pictures of {width} x {height}: make them smaller")

    def _runs(self, at: int, end: int) -> "np.ndarray[tuple[int, int], np.dtype[np.uint32]]":
        """First chunk and samples in a chunk, uint32[N, 2]."""
        count = min(self._number(at + 4), MAX_SAMPLES, max(0, end - at - 8) // 12)
        table = np.frombuffer(self._bytes(at + 8, 12 * count), ">u4")
        return table[: len(table) // 3 * 3].reshape(-1, 3)[:, :2].astype(np.uint32)

    def _number(self, at: int) -> int:
        return int.from_bytes(self._bytes(at, 4), "big")

    def _bytes(self, at: int, count: int) -> bytes:
        self._stream.seek(at)
        return self._stream.read(count)


def _too_large(what: str) -> ClipError:
    return ClipError("too_large", f"{what}: damaged, or cut the recording into parts")
