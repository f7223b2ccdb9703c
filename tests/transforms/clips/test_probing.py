import contextlib
import hashlib
import io
import random
import struct
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import av
import numpy as np
import pytest

from transforms.clips.decoding import ClipDecoder
from transforms.clips.errors import ClipError
from transforms.clips.probing import nal_length_size, probe, raw_rate, shown_pts
from transforms.clips.refs import ClipName, InputFile
from transforms.clips.sampling import Sampling
from transforms.clips.sei import SeiMetadata
from transforms.tables.ids import clip_id

CLOCKWISE = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def turn(data: bytes, degrees: int) -> bytes:
    """Writes the matrix into tkhd by hand: x' = a x + c y, y' = b x + d y."""
    a, b, c, d = (65536 * value for value in CLOCKWISE[degrees])
    at = data.index(b"tkhd") + 4 + 40
    return data[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[at + 36 :]


def sound_only() -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return sink.getvalue()


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_plain_clip(make_video, probe_bytes, b_frames):
    data = make_video(frames=45, b_frames=b_frames)
    clip = probe_bytes(data)
    assert clip.content_sha256 == hashlib.sha256(data).hexdigest()
    assert clip.clip_id == clip_id(clip.content_sha256)
    assert (clip.uri, clip.bytes, clip.codec) == ("/in/clip.mp4", len(data), "h264")
    assert (clip.width, clip.height, clip.rotation_deg) == (160, 96, 0)
    assert (clip.time_base, clip.first_pts, clip.frame_count) == ((1, 15360), 0, 45)
    assert (clip.duration_ns, clip.fps_mean, clip.frame_jitter_ns) == (1_500_000_000, 30.0, 0)
    assert (clip.start_utc_ns, clip.clock_source, clip.telemetry_rows) == (None, "none", 0)


def test_variable_rate(make_video, probe_bytes):
    clip = probe_bytes(make_video(frames=6, times=[0, 1, 2, 4, 5, 8]))
    assert clip.frame_count == 6
    assert clip.frame_jitter_ns == 66_666_667
    assert clip.duration_ns >= 8 * 33_333_333


def test_one_frame(make_video, probe_bytes):
    clip = probe_bytes(make_video(frames=1))
    assert (clip.frame_count, clip.frame_jitter_ns, clip.duration_ns) == (1, 0, 33_333_333)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation(make_video, probe_bytes, degrees):
    clip = probe_bytes(turn(make_video(frames=3), degrees))
    assert clip.rotation_deg == degrees
    assert (clip.width, clip.height) == ((160, 96) if degrees == 180 else (96, 160))


@pytest.mark.parametrize(
    ("container", "codec", "options", "ticks"),
    [
        ("matroska", "libx264", {"b_frames": 2}, (1, 1000)),
        ("mpegts", "libx264", {"b_frames": 2}, (1, 90000)),
        ("avi", "mpeg4", {}, (1, 30)),
        ("avi", "libx264", {"b_frames": 2}, (1, 30)),
        ("mov", "mjpeg", {"pixel_format": "yuvj420p"}, (1, 15360)),
        ("h264", "libx264", {"b_frames": 2}, (1, 30)),
        ("hevc", "libx265", {"b_frames": 2}, (1, 30)),
        ("m4v", "mpeg4", {}, (1, 30)),
    ],
)
def test_other_containers_and_codecs(make_video, probe_bytes, container, codec, options, ticks):
    clip = probe_bytes(make_video(container, codec, **options))
    assert clip.frame_count == 30
    assert clip.time_base == ticks
    assert abs(clip.duration_ns - 10**9) < 5_000_000
    assert clip.frame_jitter_ns <= 1_000_000


@pytest.mark.parametrize("container", ["mp4", "mpegts", "avi", "h264"])
def test_what_is_shown_is_known_without_decoding(make_video, probe_bytes, container):
    data = make_video(container, b_frames=2)
    clip = probe_bytes(data)
    with ClipDecoder(io.BytesIO(data), clip) as decoder:
        decoded = [frame.pts for frame in decoder.frames(Sampling.parse("all"))]
    assert shown_pts(io.BytesIO(data), clip.uri) == decoded
    assert len(decoded) == clip.frame_count == 30


def test_bare_streams_of_openpilot_have_20_pictures_a_second(make_video, probe_bytes):
    data = make_video("hevc", "libx265")
    clip = probe_bytes(data, "/in/route/3/fcamera.hevc")
    assert (clip.time_base, clip.duration_ns) == ((1, 20), 1_500_000_000)
    assert raw_rate("/in/other.hevc") is None


def test_the_clock(make_video, probe_bytes):
    data = make_video(frames=3)
    at = data.index(b"mvhd") + 8
    start = datetime(2024, 7, 1, 10, 0, 1, tzinfo=UTC)
    set_clock = data[:at] + struct.pack(">I", int(start.timestamp()) + 2_082_844_800) + data[at + 4 :]
    name = ClipName(source="teslacam", vehicle="", camera="front", minute="2024-07-01_12-00-00")
    clip = probe_bytes(set_clock, name=name)
    assert clip.start_utc_ns == int(start.timestamp()) * 10**9
    assert (clip.clock_source, clip.clock_uncertainty_ns, clip.clock_offset_ns) == (
        "mvhd",
        10**9,
        -7200 * 10**9,
    )
    clip = probe_bytes(data, name=name, timezone=ZoneInfo("Europe/Berlin"))
    assert (clip.start_utc_ns, clip.clock_source) == (int(start.timestamp() - 1) * 10**9, "file_name")


def test_telemetry_is_counted(make_video, probe_bytes):
    messages = {number: SeiMetadata(frame_seq_no=number) for number in range(0, 30, 3)}
    assert probe_bytes(make_video(telemetry=messages)).telemetry_rows == 10
    assert nal_length_size("hevc", None) is None
    assert nal_length_size("h264", None) == 0
    assert nal_length_size("h264", b"\x01\x42\x00\x1e\xfd") == 2


def test_hidden_pictures_do_not_count(make_video, probe_bytes):
    data = make_video(b_frames=2)
    at = data.index(b"elst") + 4 + 4 + 4 + 4
    hidden = data[:at] + struct.pack(">i", 1024 + 7 * 512) + data[at + 4 :]
    clip = probe_bytes(hidden)
    assert clip.frame_count == 23
    assert clip.first_pts == 0
    assert clip.duration_ns == 766_666_667


def fault_of(data: bytes, uri: str = "/in/clip.mp4") -> ClipError:
    name = ClipName(source="generic", vehicle="", camera="unknown")
    with pytest.raises(ClipError) as caught:
        probe(io.BytesIO(data), InputFile(uri=uri, root="/in", bytes=len(data)), name, None)
    return caught.value


def test_each_fault_has_its_name(make_video, faststart):
    plain = make_video()
    early = faststart(plain)
    moov = plain.index(b"moov")
    unknown = plain.replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzZ")
    index = plain[: moov + 120] + bytes(len(plain) - moov - 120)
    zeros = plain.index(b"mdat") + 4
    blank = plain[:zeros] + bytes(moov - 4 - zeros) + plain[moov - 4 :]
    slow = plain.index(b"stts") + 16
    for data, fault in [
        (
            (plain[:slow] + (2**30).to_bytes(4, "big") + plain[slow + 4 :]).replace(b"edts", b"free"),
            "damaged_packets",
        ),
        (b"", "empty"),
        (plain[: moov - 4], "no_moov"),
        (plain[: len(plain) // 2], "no_moov"),
        (plain[:-30], "truncated"),
        (early[: early.index(b"mdat") + 60], "truncated"),
        (sound_only(), "no_video_stream"),
        (unknown, "unsupported_codec"),
        (index, "no_video_stream"),
        (blank, "damaged_packets"),
        (b"\x1a\x45\xdf\xa3" + random.Random(1).randbytes(4000), "not_a_video"),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x40\x50", "truncated"),
        (random.Random(2).randbytes(4000), "not_a_video"),
    ]:
        error = fault_of(data)
        assert (error.fault, str(error)[:10]) == (fault, "clip.mp4: "), str(error)


def test_pictures_larger_than_memory_are_refused(make_video):
    data = bytearray(make_video("avi", "rawvideo", frames=2, size=(16, 16)))
    # 40 bytes of BITMAPINFOHEADER: size, width, height
    at = data.index(b"strf") + 8 + 4
    data[at : at + 8] = struct.pack("<ii", 30_000, 30_000)
    assert fault_of(bytes(data)).fault in {"too_large", "damaged_packets"}


class Failing(io.BytesIO):
    """A disk that gives up after some reads."""

    def __init__(self, data: bytes, good_reads: int) -> None:
        super().__init__(data)
        self.good_reads = good_reads

    def read(self, size=-1):
        self.good_reads -= 1
        if self.good_reads < 0:
            raise OSError(5, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("good_reads", [0, 3, 8, 10])
def test_a_failing_disk_is_unreadable_and_retryable(make_video, good_reads):
    data = make_video(frames=60, size=(320, 192))
    name = ClipName(source="generic", vehicle="", camera="unknown")
    with pytest.raises(ClipError, match=r"^a\.mp4: reading failed \(Input/output error\)") as caught:
        probe(Failing(data, good_reads), InputFile(uri="/in/a.mp4", root="/in", bytes=1), name, None)
    assert caught.value.fault == "unreadable"


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "avi", "h264"])
def test_damage_anywhere_gives_a_clip_or_a_clip_error(make_video, probe_bytes, container):
    data = make_video(container, "mpeg4" if container == "avi" else "libx264", frames=12, size=(64, 64))
    dice = random.Random(7)
    for _ in range(40):
        broken = bytearray(data)
        for _ in range(dice.choice([1, 3, 20])):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        broken = broken[: dice.choice([len(broken), dice.randrange(len(broken))])]
        with contextlib.suppress(ClipError):
            assert probe_bytes(bytes(broken)).frame_count > 0
