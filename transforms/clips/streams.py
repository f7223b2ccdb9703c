"""Byte streams as the demuxer needs them: no names, and no exceptions inside its callbacks."""

import hashlib
from typing import BinaryIO, Final

from transforms.clips.errors import unreadable

_CHUNK: Final = 1 << 20
_FILLED_GAP: Final = 1 << 20
"""Gaps up to this many bytes are read at once: they are audio between pictures, not a `moov` at the end."""


class QuietReader:
    """Hands a stream to the demuxer, which knows no exceptions: a failed read looks like the end.

    The stream's name is kept from the demuxer: it would guess formats from it and repeat it in messages.

    Attributes:
        error: the first error of the stream, or None.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def read(self, size: int) -> bytes:
        """Reads up to `size` bytes; none after an error."""
        try:
            return b"" if self.error else self._stream.read(size)
        except OSError as error:
            self.error = error
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves to `offset`; after an error nothing moves."""
        try:
            return -1 if self.error else self._stream.seek(offset, whence)
        except OSError as error:
            self.error = error
            return -1

    def tell(self) -> int:
        """The position of the stream."""
        return self._stream.tell()

    def check(self) -> None:
        """Tells of an error that the demuxer could not be told of.

        Raises:
            ClipError: `unreadable`, if the stream failed.
        """
        if self.error:
            raise unreadable(self.error)


class HashingReader(QuietReader):
    """Digests the stream while the demuxer reads it, so that most bytes are fetched once."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._digest = hashlib.sha256()
        self._digested = 0
        self._at = stream.seek(0)

    def read(self, size: int) -> bytes:
        """Reads up to `size` bytes and digests those that follow the digested ones."""
        if 0 < self._at - self._digested <= _FILLED_GAP:
            self._fill_gap()
        data = super().read(size)
        begin, self._at = self._at, self._at + len(data)
        if begin <= self._digested < self._at:
            self._digest.update(memoryview(data)[self._digested - begin :])
            self._digested = self._at
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves to `offset`."""
        at = super().seek(offset, whence)
        self._at = max(at, 0)
        return at

    def finish(self) -> tuple[str, int]:
        """Digests what the demuxer left out.

        Returns:
            sha256 of the whole stream (hexadecimal) and its length in bytes.

        Raises:
            ClipError: `unreadable`, if the stream failed.
        """
        self.seek(self._digested)
        while self.read(_CHUNK):
            pass
        self.check()
        return self._digest.hexdigest(), self._digested

    def _fill_gap(self) -> None:
        wanted = self._at
        self.seek(self._digested)
        while self._at < wanted and self.read(wanted - self._at):
            pass
        self.seek(wanted)
