import contextlib
import io
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.containers import ContainerFacts, triage
from transforms.clips.errors import ClipError


def box(kind: bytes, body: bytes = b"", *, length: int | None = None, wide: bool = False) -> bytes:
    if wide:
        return struct.pack(">I4sQ", 1, kind, 16 + len(body) if length is None else length) + body
    return struct.pack(">I4s", 8 + len(body) if length is None else length, kind) + body


FTYP = box(b"ftyp", b"isom\0\0\0\0")
MVHD = box(b"mvhd", struct.pack(">B3xI", 0, 3_800_000_000) + bytes(92))
MVHD_WIDE = box(b"mvhd", struct.pack(">B3xQ", 1, 3_800_000_001) + bytes(92))
MOOV = box(b"moov", MVHD)
VIN = b"5YJ3E1EA7KF000316"


def facts_of(data: bytes) -> ContainerFacts:
    return triage(io.BytesIO(data), len(data))


def fault_of(data: bytes) -> ClipError:
    with pytest.raises(ClipError) as caught:
        facts_of(data)
    return caught.value


def encrypted(first: int = 0x12345678) -> bytes:
    head = random.Random(1).randbytes(8) + struct.pack(">II", first, first ^ 0x3C81B7F5) + b"\0" * 12
    return head.ljust(4096, b"\x5a") + VIN.ljust(4096, b"\xa5")


def test_a_whole_file():
    assert facts_of(FTYP + box(b"mdat", bytes(50)) + MOOV) == ContainerFacts(
        format="mov", created_s=3_800_000_000
    )
    assert (
        facts_of(FTYP + box(b"mdat", bytes(50), wide=True) + box(b"moov", MVHD_WIDE)).created_s
        == 3_800_000_001
    )
    assert facts_of(MOOV + box(b"mdat", bytes(50), length=0)) == ContainerFacts(
        format="mov", created_s=3_800_000_000
    )


@pytest.mark.parametrize("first", [b"ftyp", b"free", b"skip", b"wide", b"moov", b"mdat"])
def test_files_may_begin_with_several_boxes(first):
    assert facts_of(box(first) + MOOV).format == "mov"


def test_missing_bytes_are_counted():
    assert facts_of(FTYP + MOOV + box(b"mdat", bytes(50), length=158)).missing_bytes == 100
    assert facts_of(FTYP + MOOV + box(b"mdat", bytes(50), length=1066, wide=True)).missing_bytes == 1000


def test_a_moov_without_a_readable_mvhd_has_no_time():
    for inside in (b"", box(b"udta"), box(b"udta", length=3), box(b"free") * 100 + MVHD, b"abc"):
        assert facts_of(FTYP + box(b"moov", inside)).created_s is None


def test_trailing_garbage_is_none_of_our_business():
    assert facts_of(FTYP + MOOV + b"\0\0\0\x03junk").missing_bytes == 0
    assert facts_of(FTYP + MOOV + b"ab").missing_bytes == 0


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "empty"),
        (b"a", "not_a_video"),
        (bytes(5000), "not_a_video"),
        (b"Just a text file that somebody called front.mp4" * 99, "not_a_video"),
        (random.Random(3).randbytes(70_000), "not_a_video"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(99), "not_a_video"),
        (FTYP, "no_moov"),
        (FTYP + box(b"mdat", bytes(99)), "no_moov"),
        (FTYP + box(b"mdat", bytes(99), length=9999), "no_moov"),
        (FTYP + box(b"mdat", length=0) + bytes(99), "no_moov"),
        (FTYP + struct.pack(">I4sI", 1, b"mdat", 0), "no_moov"),
        (FTYP + box(b"mdat", length=5), "no_moov"),
        (FTYP + (FTYP + box(b"mdat", bytes(99)) + MOOV)[:-20], "truncated"),
        (encrypted(), "encrypted_by_vehicle"),
    ],
)
def test_each_fault_has_its_name(data, fault):
    assert fault_of(data).fault == fault


def test_messages_tell_what_to_do_and_never_the_vin():
    error = fault_of(encrypted())
    assert "decrypt" in str(error)
    assert VIN.decode() not in str(error)
    assert "retry" in str(fault_of(FTYP))
    assert fault_of(FTYP).retryable
    assert "9900 bytes are missing" in str(fault_of(FTYP + box(b"mdat", bytes(99), length=9999 + 8)))
    assert "zeros" in str(fault_of(bytes(5000)))


def test_encryption_needs_all_three_signs():
    assert fault_of(encrypted()[:-1]).fault == "not_a_video"
    assert fault_of(encrypted()[:12] + b"\0" + encrypted()[13:]).fault == "not_a_video"
    plain = FTYP + box(b"free", bytes(4096 - len(FTYP) - len(MOOV) - 8)) + MOOV
    signed = plain[:8] + struct.pack(">II", 1, 1 ^ 0x3C81B7F5) + plain[16:]
    assert len(signed) == 4096
    assert facts_of(signed).format == "mov"


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\x1a\x45\xdf\xa3" + bytes(40), "matroska"),
        (b"RIFF" + struct.pack("<I", 32) + b"AVI " + bytes(28), "avi"),
        ((b"\x47" + bytes(187)) * 6, "mpegts"),
        (bytes(100) + (b"\x47" + bytes(187)) * 6, "mpegts"),
        ((bytes(4) + b"\x47" + bytes(187)) * 6, "mpegts"),
        (b"\0\0\0\x01\x67\x42" + bytes(40), "h264"),
        (b"\0\0\x01\x09\xf0" + bytes(40), "h264"),
        (b"\0\0\0\x01\x40\x01" + bytes(40), "hevc"),
        (b"\0\0\0\x01\x46\x01" + bytes(40), "hevc"),
        (b"\0\0\x01\xb0\x01" + bytes(40), "m4v"),
        (b"\0\0\x01\x20\x01" + bytes(40), "m4v"),
    ],
)
def test_other_containers(head, container):
    assert facts_of(head) == ContainerFacts(format=container)


@pytest.mark.parametrize(
    "head", [b"\0\0\x01\xba" + bytes(9), b"\0\0\x01", b"a\0\0\x01\x67\x42ab", b"\x47" * 100]
)
def test_near_misses(head):
    assert fault_of(head).fault == "not_a_video"


def test_cut_matroska_and_avi():
    ebml = b"\x1a\x45\xdf\xa3\x80"
    assert facts_of(ebml + b"\x18\x53\x80\x67\x40\x50" + bytes(0x50)).missing_bytes == 0
    assert facts_of(ebml + b"\x18\x53\x80\x67\x40\x50" + bytes(0x40)).missing_bytes == 0x10
    assert facts_of(ebml + b"\x18\x53\x80\x67\x01" + (99).to_bytes(7, "big")).missing_bytes == 99
    assert facts_of(ebml + b"\x18\x53\x80\x67\x01" + b"\xff" * 7).missing_bytes == 0
    assert facts_of(ebml + b"\x18\x53\x80\x67\x00" + b"\xff" * 7).missing_bytes == 0
    assert facts_of(b"RIFF" + struct.pack("<I", 100) + b"AVI " + bytes(28)).missing_bytes == 68


@given(
    st.sampled_from([b"", FTYP, FTYP + MOOV, MOOV, b"\0\0\x01", b"\x1a\x45\xdf\xa3", b"RIFF\0\0\0\0AVI "]),
    st.binary(max_size=400),
)
def test_random_bytes_give_facts_or_a_clip_error(head, tail):
    with contextlib.suppress(ClipError):
        assert facts_of(head + tail).missing_bytes >= 0


def test_an_endless_chain_of_boxes_is_left_in_the_middle():
    class Counting(io.BytesIO):
        reads = 0

        def read(self, size=-1):
            self.reads += 1
            return super().read(size)

    data = FTYP + box(b"free") * 100_000
    stream = Counting(data)
    with pytest.raises(ClipError):
        triage(stream, len(data))
    assert stream.reads < 5000


def test_boxes_may_claim_any_length():
    assert fault_of(FTYP + box(b"mdat", length=2**64 - 1, wide=True)).fault == "no_moov"
    assert fault_of(FTYP + box(b"moov", length=2**63, wide=True)).fault == "truncated"
