"""What a file's first bytes and box headers say, before any library is asked to open it.

The demuxer has one error for empty, encrypted, cut and random files alike. Here each gets its own; what
is read, counted and skipped is bounded, whatever the bytes claim.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from transforms.clips.errors import ClipError
from transforms.clips.mp4_index import IndexLimits, read_box

__all__ = ["MAX_FRAGMENT_BOXES", "ContainerFacts", "ContainerFormat", "triage"]

ContainerFormat = Literal["mov", "matroska", "mpegts", "avi", "h264", "hevc", "m4v"]
"""FFmpeg's names of the demuxers that are allowed to see a file; none of them opens another one."""

ORDERED_FORMATS: Final[frozenset[ContainerFormat]] = frozenset({"avi", "h264", "hevc", "m4v"})
"""Formats that hold no presentation times: pictures are as far apart as the header says."""

RAW_FORMATS: Final[frozenset[ContainerFormat]] = frozenset({"h264", "hevc", "m4v"})
"""Bare video streams: no times at all and no index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """What triage learnt.

    Attributes:
        format: which demuxer reads the file.
        created_s: `creation_time` of mvhd in seconds since 1904-01-01 UTC as it stands, or None.
        missing_bytes: how many bytes the container claims beyond the end of the file.
    """

    format: ContainerFormat
    created_s: int | None = None
    missing_bytes: int = 0


_ENCRYPTION_BLOCK: Final = 4096
_ENCRYPTION_CHECK: Final = 0x3C81B7F5
_HEAD_BYTES: Final = 1 << 16
_MAX_BOXES: Final = 4096
"""Boxes before the index: recorders write two or three."""

MAX_FRAGMENT_BOXES: Final = 1 << 17
"""Boxes of a file that has its index: 18 hours of a recording in fragments of one second."""

_MAX_MOOV_CHILDREN: Final = 64
_BOX_HEADER: Final = 8
_ENCRYPTION_HEADER: Final = 16
_FIRST_BOXES: Final = frozenset(
    {b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid", b"sidx", b"moof"}
)
_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = b"\x18\x53\x80\x67"
_TS_SYNC: Final = 0x47
_TS_PACKETS: Final = (188, 192, 204)
_TS_CHECKED: Final = 5


def triage(stream: BinaryIO, size: int) -> ContainerFacts:
    """Finds out what a file is, or why it cannot be a clip.

    Args:
        stream: the file, at any position.
        size: its length in bytes.

    Returns:
        The facts; that the rest of the file is in order is not promised.

    Raises:
        ClipError: empty, encrypted_by_vehicle, no_moov, truncated, too_large or not_a_video.
    """
    if size == 0:
        raise ClipError("empty", "0 bytes: nothing was recorded, or the copy failed")
    stream.seek(0)
    head = stream.read(min(size, _HEAD_BYTES))
    if _is_encrypted(head, size):
        raise ClipError(
            "encrypted_by_vehicle",
            "encrypted by the vehicle: decrypt it at Tesla's dashcam page with the owner's account, or switch "
            "off Controls > Safety > Encrypt Dashcam Recordings",
        )
    if head[4:8] in _FIRST_BOXES:
        return _triage_boxes(stream, size)
    if head.startswith(_EBML):
        return ContainerFacts(format="matroska", missing_bytes=_missing_of_matroska(head, size))
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        claimed = int.from_bytes(head[4:8], "little") + _BOX_HEADER
        return ContainerFacts(format="avi", missing_bytes=max(0, claimed - size))
    if _is_transport_stream(head):
        return ContainerFacts(format="mpegts")
    raw = _raw_format(head)
    if raw is None:
        what = "only zeros" if not any(head) else "neither MP4, MOV, Matroska, MPEG-TS, AVI nor raw video"
        raise ClipError("not_a_video", f"not a video: {what} at its beginning")
    return ContainerFacts(format=raw)


def _is_encrypted(head: bytes, size: int) -> bool:
    if size % _ENCRYPTION_BLOCK or len(head) < _ENCRYPTION_HEADER or head[4:8] == b"ftyp":
        return False
    first, second = struct.unpack(">II", head[8:16])
    return bool(first ^ second == _ENCRYPTION_CHECK)


def _triage_boxes(stream: BinaryIO, size: int) -> ContainerFacts:
    moov = None
    at = boxes = 0
    limits = IndexLimits(stream, size)
    while at < size and boxes < (_MAX_BOXES if moov is None else MAX_FRAGMENT_BOXES):
        box = read_box(stream, at, size)
        if box is None:
            break
        kind, header, end = box
        limits.add(kind, at + header, end)
        if kind == b"moov":
            moov = (at + header, end)
        at = end
        boxes += 1
    if boxes == MAX_FRAGMENT_BOXES and at < size:
        raise ClipError("too_large", f"more than {boxes} boxes: damaged, or cut the recording into parts")
    missing = max(0, at - size)
    if moov is None:
        cut = f", {missing} bytes are missing" if missing else ""
        raise ClipError("no_moov", f"no moov box{cut}: still being written, or cut off? retry later")
    if moov[1] > size:
        raise ClipError(
            "truncated", f"cut off inside its index (moov): {missing} bytes are missing; copy it again"
        )
    return ContainerFacts(format="mov", created_s=_creation_time(stream, *moov), missing_bytes=missing)


def _creation_time(stream: BinaryIO, at: int, end: int) -> int | None:
    for _ in range(_MAX_MOOV_CHILDREN):
        box = read_box(stream, at, end) if at < end else None
        if box is None:
            return None
        kind, header, at_next = box
        if kind == b"mvhd":
            stream.seek(at + header)
            body = stream.read(12)
            wide = body[:1] == b"\x01"
            return int.from_bytes(body[4:12] if wide else body[4:8], "big")
        at = at_next
    return None


def _missing_of_matroska(head: bytes, size: int) -> int:
    at = head.find(_SEGMENT)
    if at < 0 or at + 4 >= len(head):
        return 0
    # an EBML size: as many bytes as its first byte has leading zeros, plus one; all ones = not known
    first = head[at + 4]
    length = 9 - first.bit_length()
    value = int.from_bytes(head[at + 4 : at + 4 + length], "big") & ((1 << 7 * length) - 1)
    if first == 0 or value == (1 << 7 * length) - 1:
        return 0
    return max(0, at + 4 + length + value - size)


def _is_transport_stream(head: bytes) -> bool:
    """Whether sync bytes stand at one distance; a recording may begin in the middle of a packet."""
    start = head.find(_TS_SYNC)
    while 0 <= start < 2 * _TS_PACKETS[-1]:
        for packet in _TS_PACKETS:
            syncs = head[start::packet][:_TS_CHECKED]
            if (
                len(syncs) > 1
                and syncs == bytes([_TS_SYNC]) * len(syncs)
                and len(head) >= start + packet * len(syncs)
            ):
                return True
        start = head.find(_TS_SYNC, start + 1)
    return False


def _raw_format(head: bytes) -> ContainerFormat | None:
    """Tells bare streams apart by the unit after the first start code."""
    start = head.find(b"\x00\x00\x01")
    if start < 0 or any(head[:start]) or start + 4 >= len(head):
        return None
    first, second = head[start + 3], head[start + 4]
    if first in {0x40, 0x42, 0x44, 0x46, 0x4E} and second == 1:  # VPS, SPS, PPS, delimiter, SEI of layer 0
        return "hevc"
    if first in {0x06, 0x09, 0x27, 0x47, 0x67}:  # SEI, delimiter, SPS with its usual priorities
        return "h264"
    # visual object sequence, visual object, video object, video object layer
    return "m4v" if first in {0xB0, 0xB5} or first <= 0x2F else None  # noqa: PLR2004 - the layers' codes are 0x20 to 0x2F
