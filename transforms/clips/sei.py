"""Driving telemetry inside H.264 video: one message a picture, in an SEI of "user data unregistered" type.

The message is a protobuf (proto3) behind the four bytes `BBBi`, not behind the usual 16-byte UUID:

    06 | 05 | size | "BBBi" | protobuf | 80

Zero and false are left out on the wire, so a message's missing field means 0; that a frame carries a
message at all is told by `parse` returning one.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from typing import Final, Literal

__all__ = ["MAX_MESSAGE_BYTES", "MAX_SEI_BYTES", "SeiMetadata", "build_nal", "insert", "parse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeiMetadata:
    """One telemetry message: the vehicle's own field names, raw values and units.

    Attributes:
        version: version of the message.
        gear_state: 0 park, 1 drive, 2 reverse, 3 neutral.
        frame_seq_no: the vehicle's own frame number.
        vehicle_speed_mps: speed in m/s.
        accelerator_pedal_position: raw value (tools disagree on its scale).
        steering_wheel_angle: raw value, degrees.
        blinker_on_left: left blinker.
        blinker_on_right: right blinker.
        brake_applied: brake.
        autopilot_state: 0 none, 1 self-driving, 2 autosteer, 3 traffic-aware cruise control.
        latitude_deg: latitude; 0 together with longitude 0 is no fix.
        longitude_deg: longitude.
        heading_deg: heading.
        linear_acceleration_mps2_x: raw value, m/s² (tools disagree on the axes).
        linear_acceleration_mps2_y: the same.
        linear_acceleration_mps2_z: the same.
    """

    version: int = 0
    gear_state: int = 0
    frame_seq_no: int = 0
    vehicle_speed_mps: float = 0.0
    accelerator_pedal_position: float = 0.0
    steering_wheel_angle: float = 0.0
    blinker_on_left: bool = False
    blinker_on_right: bool = False
    brake_applied: bool = False
    autopilot_state: int = 0
    latitude_deg: float = 0.0
    longitude_deg: float = 0.0
    heading_deg: float = 0.0
    linear_acceleration_mps2_x: float = 0.0
    linear_acceleration_mps2_y: float = 0.0
    linear_acceleration_mps2_z: float = 0.0


_Kind = Literal["uint32", "uint64", "enum", "bool", "float", "double"]
_Value = int | float | bool

_FLOAT: Final[_Kind] = "float"
_BOOL: Final[_Kind] = "bool"
_DOUBLE: Final[_Kind] = "double"
_KINDS: Final[tuple[_Kind, ...]] = (
    "uint32", "enum", "uint64", *(_FLOAT,) * 3, *(_BOOL,) * 3, "enum", *(_DOUBLE,) * 6
)  # fmt: skip
_FIELDS: Final = {
    number: (field.name, kind)
    for number, (field, kind) in enumerate(zip(fields(SeiMetadata), _KINDS, strict=True), start=1)
}
"""Field number on the wire → name and kind: the message numbers its fields in their order."""

_MARKER: Final = b"BBBi"
_SEI: Final = 6
_USER_DATA_UNREGISTERED: Final = 5
_SLICES: Final = frozenset(range(1, 6))
_START_CODE: Final = b"\x00\x00\x00\x01"
_NAL_TYPE_BITS: Final = 0x1F
_VARINT, _FIXED64, _FIXED32 = 0, 1, 5
_WIRE_TYPES: Final = {"float": _FIXED32, "double": _FIXED64}
_MAX_VARINT_BYTES: Final = 10
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
                message = _decode(payload) or message
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
    payload = _MARKER + _encode(metadata)
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


def _encode(metadata: SeiMetadata) -> bytes:
    out = bytearray()
    for number, (name, kind) in _FIELDS.items():
        value: _Value = getattr(metadata, name)
        if kind == "float":
            coded = struct.pack("<f", value)
        elif kind == "double":
            coded = struct.pack("<d", value)
        else:
            coded = _varint(int(value) % 2**64)
        if any(coded):
            out += _varint(number << 3 | _WIRE_TYPES.get(kind, _VARINT)) + coded
    return bytes(out)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _decode(message: bytes) -> SeiMetadata | None:
    values: dict[str, _Value] = {}
    try:
        for number, wire_type, raw in _wire_fields(message):
            name, kind = _FIELDS.get(number, ("", "bool"))
            # a field of another wire type is an unknown field, as in every protobuf reader
            if name and wire_type == _WIRE_TYPES.get(kind, _VARINT):
                values[name] = _value(kind, raw)
    except ValueError:
        return None
    return SeiMetadata(**values)  # type: ignore[arg-type]  # `_value` gives each kind its type


def _value(kind: _Kind, raw: int) -> _Value:
    match kind:
        case "float":
            return float(struct.unpack("<f", raw.to_bytes(4, "little"))[0])
        case "double":
            return float(struct.unpack("<d", raw.to_bytes(8, "little"))[0])
        case "bool":
            return raw != 0
        case "uint32":
            return raw & 0xFFFF_FFFF
        case "enum":
            return (raw + 2**31) % 2**32 - 2**31
    return raw


def _wire_fields(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, wire type and raw value of each field; length-delimited ones are only stepped over."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        raw = 0
        match key & 7:
            case 0:
                raw, at = _read_varint(message, at)
            case 1:
                raw, at = int.from_bytes(message[at : at + 8], "little"), at + 8
            case 2:
                size, at = _read_varint(message, at)
                at += size
            case 5:
                raw, at = int.from_bytes(message[at : at + 4], "little"), at + 4
            case _:
                raise ValueError("a wire type that this message never had")
        if at > len(message):
            raise ValueError("the message ends inside a field")
        yield key >> 3, key & 7, raw


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_MAX_VARINT_BYTES):
        if at + shift >= len(message):
            raise ValueError("the message ends inside a number")
        byte = message[at + shift]
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that more follow
            return value & 2**64 - 1, at + shift + 1
    raise ValueError("a number of more than ten bytes")
