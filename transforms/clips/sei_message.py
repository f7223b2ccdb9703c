"""The vehicle's telemetry message: a protobuf (proto3) of scalar fields, numbered in their order.

Zero and false are left out on the wire, so a message's missing field means 0.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, Literal

__all__ = ["SeiMetadata", "decode", "encode"]


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

_VARINT, _FIXED64, _FIXED32 = 0, 1, 5
_WIRE_TYPES: Final = {"float": _FIXED32, "double": _FIXED64}
_MAX_VARINT_BYTES: Final = 10


def encode(metadata: SeiMetadata) -> bytes:
    """The message on the wire; what is zero or false is left out."""
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


def decode(message: bytes) -> SeiMetadata | None:
    """The message of some bytes, None where they are none; unknown fields are stepped over."""
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
