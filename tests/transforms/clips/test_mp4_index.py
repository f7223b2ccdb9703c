import io
import struct
import tracemalloc

import pytest

from transforms.clips.containers import MAX_FRAGMENT_BOXES, triage
from transforms.clips.errors import ClipError
from transforms.clips.mp4_index import MAX_CHILDREN, MAX_EDITS, MAX_SAMPLES, MAX_STREAMS


def box(kind: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def table(kind: bytes, *numbers: int, count: int = 1) -> bytes:
    return box(kind, bytes(4), struct.pack(f">I{len(numbers)}I", count, *numbers))


def track(*tables: bytes, handler: bytes = b"vide") -> bytes:
    hdlr = box(b"hdlr", bytes(8), handler, bytes(12))
    return box(b"trak", box(b"mdia", hdlr, box(b"minf", box(b"stbl", *tables))))


def stsz(samples: int) -> bytes:
    return box(b"stsz", bytes(4), struct.pack(">II", 1, samples))


def file_of(*boxes: bytes) -> bytes:
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", *boxes)


def fault_of(data: bytes) -> str:
    with pytest.raises(ClipError) as caught:
        triage(io.BytesIO(data), len(data))
    assert caught.value.fault == "too_large"
    return str(caught.value)


def passes(data: bytes) -> bool:
    return triage(io.BytesIO(data), len(data)).format == "mov"


def test_samples_of_a_constant_size_are_counted():
    assert passes(file_of(track(stsz(MAX_SAMPLES))))
    assert f"claims {MAX_SAMPLES + 1} pictures" in fault_of(file_of(track(stsz(MAX_SAMPLES + 1))))
    assert "claims 4294967295 pictures" in fault_of(file_of(track(stsz(2**32 - 1))))


def test_chunks_are_counted_with_their_runs():
    runs = table(b"stsc", 1, 1000, 1, 11, 2**20, 1, count=2)
    assert passes(file_of(track(runs, table(b"stco", count=10))))
    assert passes(file_of(track(runs, table(b"stco", count=13))))
    assert f"claims {10_000 + 4 * 2**20} pictures" in fault_of(file_of(track(runs, table(b"co64", count=14))))


def test_plain_sound_of_many_hours_is_no_fault():
    sound = (stsz(48_000 * 3600 * 10), table(b"stts", 48_000 * 3600 * 10, 1))
    assert passes(file_of(track(stsz(36_000)), track(*sound, handler=b"soun")))
    assert "pictures" in fault_of(file_of(track(*sound, handler=b"vide")))
    runs = table(b"stsc", 1, 2**32 - 1, 1)
    assert "pictures" in fault_of(file_of(track(*sound, runs, table(b"stco", count=9), handler=b"soun")))


def test_edits_repeat_pictures():
    def edited(edits: int, samples: int) -> bytes:
        return file_of(
            box(b"trak", box(b"edts", table(b"elst", *[0] * 9, count=edits))) + box(b"stbl", stsz(samples))
        )

    assert passes(edited(2, MAX_SAMPLES // 2))
    assert "pictures" in fault_of(edited(3, MAX_SAMPLES // 2))
    assert passes(edited(MAX_EDITS, 1))
    assert f"edit list of {MAX_EDITS + 1} entries" in fault_of(edited(MAX_EDITS + 1, 1))


def test_fragments_are_summed():
    def fragment(samples: int) -> bytes:
        return box(b"moof", box(b"traf", table(b"trun", count=samples)))

    assert passes(file_of() + fragment(MAX_SAMPLES // 2) * 2)
    assert "pictures" in fault_of(file_of() + fragment(MAX_SAMPLES // 2) * 2 + fragment(1))


def test_tracks_boxes_and_depth_are_bounded():
    assert passes(file_of(track() * MAX_STREAMS))
    assert f"more than {MAX_STREAMS} tracks" in fault_of(file_of(track() * (MAX_STREAMS + 1)))
    assert passes(file_of(box(b"free") * MAX_CHILDREN))
    assert f"more than {MAX_CHILDREN} boxes inside" in fault_of(file_of(box(b"free") * (MAX_CHILDREN + 1)))
    nested = b""
    for _ in range(11):
        nested = box(b"mdia", nested)
    assert "more than 10 deep" in fault_of(file_of(nested))
    many = file_of() + box(b"moof") * (MAX_FRAGMENT_BOXES - 2)
    assert passes(many)
    assert f"more than {MAX_FRAGMENT_BOXES} boxes" in fault_of(many + box(b"free"))


def test_a_second_index_counts_as_well():
    assert "pictures" in fault_of(file_of(track(stsz(2**31))) + box(b"moov", track(stsz(3))))


def test_an_index_of_lies_takes_no_memory():
    lies = [
        box(kind, bytes(4), struct.pack(">III", 2**32 - 1, 2**32 - 1, 2**32 - 1))
        for kind in (b"stco", b"stsc", b"stts", b"stss", b"ctts")
    ]
    data = file_of(track(*lies))
    tracemalloc.start()
    try:
        triage(io.BytesIO(data), len(data))
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20


def test_a_file_of_kilobytes_that_asks_for_gigabytes_is_refused(make_video, probe_bytes):
    data = bytearray(make_video())
    at = data.index(b"stsz")
    data[at + 8 : at + 16] = struct.pack(">II", 1, 30_000_000)
    runs = data.index(b"stsc")
    data[runs + 12 : runs + 24] = struct.pack(">III", 1, 30_000_000, 1)
    with pytest.raises(ClipError, match=r"clip\.mp4: its index claims 30000000 pictures") as caught:
        probe_bytes(bytes(data))
    assert caught.value.fault == "too_large"
