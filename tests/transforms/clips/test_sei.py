import struct
import time
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.sei import MAX_MESSAGE_BYTES, MAX_SEI_BYTES, SeiMetadata, build_nal, insert, parse

FLOATS = st.floats(width=32, allow_nan=False)
DOUBLES = st.floats(allow_nan=False)
MESSAGES = st.builds(
    SeiMetadata,
    version=st.integers(0, 2**32 - 1),
    gear_state=st.integers(-(2**31), 2**31 - 1),
    frame_seq_no=st.integers(0, 2**64 - 1),
    vehicle_speed_mps=FLOATS,
    accelerator_pedal_position=FLOATS,
    steering_wheel_angle=FLOATS,
    blinker_on_left=st.booleans(),
    blinker_on_right=st.booleans(),
    brake_applied=st.booleans(),
    autopilot_state=st.integers(0, 3),
    latitude_deg=DOUBLES,
    longitude_deg=DOUBLES,
    heading_deg=DOUBLES,
    linear_acceleration_mps2_x=DOUBLES,
    linear_acceleration_mps2_y=DOUBLES,
    linear_acceleration_mps2_z=DOUBLES,
)
SLICE = b"\x65\x88\x80"
BANNER = b"\x06\x05\x11" + bytes(range(16)) + b"x\x80"


def with_lengths(*nals: bytes, size: int = 4) -> bytes:
    return b"".join(len(nal).to_bytes(size, "big") + nal for nal in nals)


def with_start_codes(*nals: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)


def wire(body: bytes) -> bytes:
    """A NAL with these bytes as its protobuf; they must need no emulation prevention."""
    return b"\x06\x05" + bytes([len(body) + 4]) + b"BBBi" + body + b"\x80"


@given(MESSAGES, st.integers(1, 4))
def test_round_trip_in_both_packet_forms(message, size):
    nal = build_nal(message)
    if len(nal) < 256 or size > 1:
        assert parse(with_lengths(BANNER, nal, SLICE, size=size), size) == message
    assert parse(with_start_codes(BANNER, nal, SLICE), 0) == message


@given(MESSAGES)
def test_a_nal_holds_no_start_code(message):
    nal = build_nal(message)
    assert not any(bytes([0, 0, third]) in nal for third in (0, 1, 2))


@given(st.binary(max_size=200), st.integers(0, 4))
def test_garbage_gives_a_message_or_nothing(packet, size):
    assert isinstance(parse(packet, size), SeiMetadata | None)
    assert isinstance(parse(with_lengths(wire(packet[:200])), 4), SeiMetadata | None)


def test_known_bytes():
    body = (
        b"\x08\x01\x10\x01\x18\x96\x01\x25"
        + struct.pack("<f", 13.5)
        + b"\x48\x01\x59"
        + struct.pack("<d", 47.5)
    )
    expected = SeiMetadata(
        version=1,
        gear_state=1,
        frame_seq_no=150,
        vehicle_speed_mps=13.5,
        brake_applied=True,
        latitude_deg=47.5,
    )
    nal = b"\x06\x05" + bytes([len(body) + 4]) + b"BBBi" + body.replace(b"\0\0\0", b"\0\0\x03\0") + b"\x80"
    assert parse(with_lengths(nal, SLICE), 4) == expected
    assert parse(with_lengths(build_nal(expected)), 4) == expected


def test_zeros_are_left_out_and_an_empty_message_is_one():
    assert build_nal(SeiMetadata()) == b"\x06\x05\x04BBBi\x80"
    assert parse(with_lengths(build_nal(SeiMetadata())), 4) == SeiMetadata()
    assert not any(asdict(SeiMetadata()).values())


def test_the_last_message_before_the_first_slice_wins():
    first, second, late = (build_nal(SeiMetadata(version=version)) for version in (1, 2, 3))
    assert parse(with_lengths(first, second, SLICE, late), 4) == SeiMetadata(version=2)


def test_two_payloads_in_one_nal():
    one, two = (build_nal(SeiMetadata(version=version)) for version in (1, 2))
    assert parse(with_lengths(one[:-1] + two[1:], SLICE), 4) == SeiMetadata(version=2)


def test_a_payload_of_more_than_255_bytes():
    body = b"\x08\x07" + b"\xa2\x06\xac\x02" + b"\x01" * 300  # an unknown field of 300 bytes
    nal = b"\x06\x05\xff" + bytes([len(body) + 4 - 255]) + b"BBBi" + body + b"\x80"
    assert parse(with_lengths(nal), 4) == SeiMetadata(version=7)


def test_unknown_and_mistyped_fields_are_stepped_over():
    assert parse(with_lengths(wire(b"\xf8\x01\x05\x08\x02")), 4) == SeiMetadata(version=2)
    # field 1 as fixed32 and field 4 as varint are not those fields
    assert parse(with_lengths(wire(b"\x0d\x01\x01\x01\x01\x20\x05\x08\x02")), 4) == SeiMetadata(version=2)


def test_bounds_of_integers_are_the_wire_types():
    big = b"\xff" * 9 + b"\x01"
    message = parse(with_lengths(wire(b"\x08" + big + b"\x10" + big + b"\x18" + big + b"\x38" + big)), 4)
    assert message == SeiMetadata(
        version=2**32 - 1, gear_state=-1, frame_seq_no=2**64 - 1, blinker_on_left=True
    )


@pytest.mark.parametrize(
    "body",
    [b"\x08", b"\x08" + b"\xff" * 10, b"\x25\x01\x02", b"\x59\x01", b"\x0b", b"\x12\x05a", b"\x80"],
)
def test_a_broken_message_is_none_and_does_not_hide_an_earlier_one(body):
    assert parse(with_lengths(wire(body)), 4) is None
    assert parse(with_lengths(wire(b"\x08\x04"), wire(body)), 4) == SeiMetadata(version=4)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_cut_packet(cut):
    packet = with_lengths(build_nal(SeiMetadata(version=1)))
    assert parse(packet[:-cut], 4) is None


def test_payload_longer_than_its_nal_and_other_uuids_are_no_telemetry():
    assert parse(with_lengths(b"\x06\x05\x40BBBi\x08\x01\x80"), 4) is None
    assert parse(with_lengths(b"\x06\x05\xff\xff\xff"), 4) is None
    assert parse(with_lengths(BANNER, SLICE), 4) is None
    assert parse(b"", 4) is None
    assert parse(b"\x00\x00\x00\x00\x00\x00", 4) is None


@pytest.mark.parametrize("code", [b"\x00\x00\x01", b"\x00\x00\x00\x01"])
def test_insert_puts_the_message_before_the_slice_and_changes_nothing_else(code):
    message = SeiMetadata(frame_seq_no=9, heading_deg=0.1)
    packet = code + b"\x67\x42" + code + b"\x68\xce" + code + SLICE
    whole = insert(packet, message)
    assert parse(whole, 0) == message
    assert whole.replace(b"\x00\x00\x00\x01" + build_nal(message), b"") == packet
    assert whole.endswith(code + SLICE)
    assert parse(insert(code + b"\x09\xf0", message), 0) == message


def test_messages_are_bounded():
    def picture(*nals: bytes) -> bytes:
        return b"".join(b"\0\0\1" + nal for nal in nals) + b"\0\0\1\x65slice"

    good = build_nal(SeiMetadata(version=7))
    filler = bytes([6, 100, 255]) + b"\x01" * 300
    assert parse(picture(*[filler] * 100, good), 0).version == 7
    assert parse(picture(*[filler] * (MAX_SEI_BYTES // len(filler) + 1), good), 0) is None
    assert parse(picture(*[b"\x09\xf0"] * 255, good), 0).version == 7
    assert parse(picture(*[b"\x09\xf0"] * 256, good), 0) is None

    def message(size: int) -> bytes:
        # an unknown field of many bytes after the version
        body = (
            b"\x08\x07\xfa\x01" + bytes([(size - 10) & 127 | 128, (size - 10) >> 7]) + b"\x55" * (size - 10)
        )
        payload = b"BBBi" + body
        assert len(payload) == size
        return b"\x06\x05" + b"\xff" * (size // 255) + bytes([size % 255]) + payload + b"\x80"

    assert parse(picture(message(MAX_MESSAGE_BYTES)), 0).version == 7
    assert parse(picture(message(MAX_MESSAGE_BYTES + 1)), 0) is None


@pytest.mark.parametrize("length_size", [0, 4])
def test_pictures_that_are_all_messages_take_no_time(length_size):
    tiny = b"\x05\x06BBBi\x08\x01"
    nal = b"\x06" + tiny * 6000 + b"\x80"
    start = len(nal).to_bytes(4, "big") if length_size else b"\0\0\0\1"
    packet = (start + nal) * 400
    started = time.perf_counter()
    assert parse(packet, length_size).version == 1
    assert time.perf_counter() - started < 2
