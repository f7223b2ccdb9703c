"""Driving telemetry inside H.264 video: one message a picture, in an SEI of "user data unregistered" type.

The message is a protobuf (proto3) behind the four bytes `BBBi`, not behind the usual 16-byte UUID:

    06 | 05 | size | "BBBi" | protobuf | 80

Zero and false are left out on the wire, so a message's missing field means 0; that a frame carries a
message at all is told by `parse` returning one.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from transforms.clips.sei_message import SeiMetadata, decode, encode

__all__ = ["MAX_MESSAGE_BYTES", "MAX_SEI_BYTES", "SeiMetadata", "build_nal", "insert", "parse"]


_MARKER: Final = b"BBBi"
_SEI: Final = 6
_USER_DATA_UNREGISTERED: Final = 5
_SLICES: Final = frozenset(range(1, 6))
_START_CODE: Final = b"\x00\x00\x00\x01"
_NAL_TYPE_BITS: Final = 0x1F
MAX_SEI_BYTES: Final = 1 << 16
"""Messages before a picture's first slice that are looked at: cars write a hundred bytes, encoders some thousand."""

MAX_MESSAGE_BYTES: Final = 1 << 10
"""Longest telemetry message: all fields at their longest take 130 bytes."""

_MAX_NALS: Final = 256
"""NAL units before a picture's first slice: parameter sets, a delimiter, a few messages."""

_BYTE: Final = 0xFF


def parse(packet: bytes | memoryview, length_size: int) -> SeiMetadata | None:
    """Reads the telemetry of one coded picture.

    Args:
        packet: the picture's NAL units, as the container holds them.
        length_size: bytes of each NAL's length, 1 to 4; 0 where start codes part the NALs (Annex B).

    Returns:
        The last message before the picture's first slice, or None where there is no whole one within the limits.
    """
    message = None
    view = memoryview(packet)
    looked_at = 0
    nals = _split_annex_b(bytes(view)) if length_size == 0 else _split_by_length(view, length_size)
    for nal in islice(nals, _MAX_NALS):
        kind = nal[0] & _NAL_TYPE_BITS
        if kind in _SLICES:
            break
        if kind == _SEI:
            looked_at += len(nal)
            if looked_at > MAX_SEI_BYTES:
                break
            for payload in _payloads(bytes(nal[1:])):
                message = decode(payload) or message
    return message


def build_nal(metadata: SeiMetadata) -> bytes:
    r"""Makes the NAL unit of a message, without start code or length.

    Args:
        metadata: the message; `float` fields of the wire keep 32 bits.

    Returns:
        A whole SEI NAL, emulation prevention included.

    >>> build_nal(SeiMetadata(version=1)).hex(" ")
    '06 05 06 42 42 42 69 08 01 80'
    >>> parse(b"\x00\x00\x01" + build_nal(SeiMetadata(version=1)), 0).version
    1
    """
    payload = _MARKER + encode(metadata)
    size = len(payload)
    coded_size = bytes([_BYTE] * (size // _BYTE) + [size % _BYTE])
    return bytes([_SEI]) + _protect(bytes([_USER_DATA_UNREGISTERED]) + coded_size + payload + b"\x80")


def insert(packet: bytes, metadata: SeiMetadata) -> bytes:
    """Puts a message before the first slice of a coded H.264 picture.

    Args:
        packet: the picture in Annex B form (what the encoder gives).
        metadata: the message.

    Returns:
        The packet with the message; without a slice it goes to the end.
    """
    at = len(packet)
    for begin, _ in _annex_b_bounds(packet):
        if packet[begin] & _NAL_TYPE_BITS in _SLICES:
            # start codes have three bytes, or four when a zero stands before them
            at = begin - (4 if begin >= len(_START_CODE) and packet[begin - 4] == 0 else 3)
            break
    return packet[:at] + _START_CODE + build_nal(metadata) + packet[at:]


def _split_by_length(packet: memoryview, length_size: int) -> Iterator[memoryview]:
    at = 0
    while at + length_size < len(packet):
        size = int.from_bytes(packet[at : at + length_size], "big")
        at += length_size
        if not 0 < size <= len(packet) - at:
            return
        yield packet[at : at + size]
        at += size


def _annex_b_bounds(packet: bytes) -> Iterator[tuple[int, int]]:
    start = packet.find(b"\x00\x00\x01")
    while start >= 0:
        begin = start + 3
        start = packet.find(b"\x00\x00\x01", begin)
        end = len(packet) if start < 0 else start
        if begin < end:
            yield begin, end


def _split_annex_b(packet: bytes) -> Iterator[memoryview]:
    for begin, end in _annex_b_bounds(packet):
        yield memoryview(packet)[begin:end]


def _payloads(coded: bytes) -> Iterator[bytes]:
    """The SEI payloads that may be telemetry, in order; stops at the first that is not whole."""
    body = _unprotect(coded)
    at = 0
    while at + 2 < len(body):  # two bytes of header and the stop bits are the least there can be
        kind, at = _run_length(body, at)
        size, at = _run_length(body, at)
        if at + size > len(body):
            return
        is_telemetry = kind == _USER_DATA_UNREGISTERED and body.startswith(_MARKER, at)
        if is_telemetry and size <= MAX_MESSAGE_BYTES:
            yield body[at + len(_MARKER) : at + size]
        at += size


def _run_length(body: bytes, at: int) -> tuple[int, int]:
    """SEI's way to write a number: bytes of 255 and a last smaller one, summed."""
    value = 0
    while at < len(body) and body[at] == _BYTE:
        value += _BYTE
        at += 1
    return (value + body[at], at + 1) if at < len(body) else (value, at)


def _protect(body: bytes) -> bytes:
    """Puts 03 where the bytes would look like a start code to a decoder."""
    out = bytearray()
    zeros = 0
    for byte in body:
        if zeros == 2 and byte <= 3:  # noqa: PLR2004 - 00 00 0[0-3] is what the standard forbids
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def _unprotect(coded: bytes) -> bytes:
    # after 00 00 03 the count of zeros starts again, which is what a replacement from the left does
    return coded.replace(b"\x00\x00\x03", b"\x00\x00")
