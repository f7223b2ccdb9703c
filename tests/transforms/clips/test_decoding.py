import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clip_formats import FORMS

from transforms.clips.decoding import ClipDecoder
from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, InputFile
from transforms.clips.sampling import Sampling
from transforms.clips.sei import SeiMetadata


def row(frame):
    return (frame.pts, frame.timestamp_ns, frame.is_keyframe, frame.is_damaged, frame.gop_start_pts)


def look(frame):
    return frame.bgr(80, 48).tobytes()


def reference(data: bytes) -> list[np.ndarray]:
    """What a plain loop over the library's frames shows."""
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@pytest.mark.parametrize(("container", "codec", "options"), FORMS)
def test_all_frames_come_in_order_with_their_times(make_video, decode_all, container, codec, options):
    data = make_video(container, codec, frames=40, **options)
    frames, decoder = decode_all(data)
    truth = reference(data)
    assert len(frames) == len(truth) == decoder.shown_frames == 40
    assert decoder.fault is None
    assert decoder.damaged_frames == 0
    for number, (frame, expected) in enumerate(zip(frames, truth, strict=True)):
        assert abs(frame.timestamp_ns - number * 10**9 / 30) <= 1_000_000
        assert frame.sample_index == number
        assert np.abs(frame.bgr(160, 96).astype(int) - expected).max() <= 12
        assert frame.gop_start_pts <= frame.pts or not frame.is_keyframe
    assert frames[0].is_keyframe
    assert sum(frame.is_keyframe for frame in frames) >= 4


@pytest.mark.parametrize(("container", "codec", "options"), FORMS)
@pytest.mark.parametrize(
    "window", [(0, 500), (500, 900), (701, 10**7), (1234, 1300), (10**6, 10**7), (33, 34)]
)
def test_windows_are_slices_of_the_whole(
    make_video, decode_all, probe_bytes, container, codec, options, window
):
    data = make_video(container, codec, frames=40, **options)
    clip = probe_bytes(data)
    start, stop = window[0] * 10**6, window[1] * 10**6
    for sampling in ("all", "7.5", "keyframes"):
        whole, _ = decode_all(data, sampling, clip=clip)
        part, decoder = decode_all(data, sampling, start, stop, clip=clip)
        expected = [frame for frame in whole if start <= frame.timestamp_ns < stop]
        assert [row(frame) for frame in part] == [row(frame) for frame in expected]
        assert [look(frame) for frame in part] == [look(frame) for frame in expected]
        assert decoder.fault is None
        if sampling == "7.5":
            assert [frame.sample_index for frame in part] == [frame.sample_index for frame in expected]


def test_windows_meet_without_gap_or_overlap(make_video, decode_all):
    data = make_video("mp4", "libx264", frames=40, b_frames=2)
    whole, _ = decode_all(data, "5")
    parts = [
        decode_all(data, "5", start, start + 300_000_000)[0] for start in range(0, 1_500_000_000, 300_000_000)
    ]
    assert [row(frame) for part in parts for frame in part] == [row(frame) for frame in whole]
    assert [frame.sample_index for part in parts for frame in part] == list(range(7))


def test_keyframes_are_those_of_all(make_video, decode_all):
    data = make_video("mp4", "libx264", frames=40, b_frames=2)
    whole, _ = decode_all(data)
    keys, decoder = decode_all(data, "keyframes")
    assert [row(frame) for frame in keys] == [row(frame) for frame in whole if frame.is_keyframe]
    assert [look(frame) for frame in keys] == [look(frame) for frame in whole if frame.is_keyframe]
    assert [frame.sample_index for frame in keys] == list(range(len(keys)))
    assert decoder.shown_frames == len(keys)


def test_variable_rate_is_sampled_by_time(make_video, decode_all):
    data = make_video(frames=7, times=[0, 1, 2, 9, 10, 18, 40])
    frames, _ = decode_all(data, "10")
    assert [(round(frame.timestamp_ns * 30 / 10**9), frame.sample_index) for frame in frames] == [
        (0, 0), (9, 3), (18, 6), (40, 13)
    ]  # fmt: skip


# times by another way: the tables of the mp4 read by hand


def boxes(data: bytes, at: int, end: int):
    while at + 8 <= end:
        length, kind, used = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, used = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        yield kind, at + used, at + (length or end - at)
        at += length or end - at


def find(data: bytes, path: str, at: int = 0, end: int | None = None):
    for kind, begin, stop in boxes(data, at, len(data) if end is None else end):
        if kind.decode("latin1") == path[:4]:
            return (begin, stop) if len(path) == 4 else find(data, path[5:], begin, stop)
    return None


def table(data: bytes, where, width: int) -> list[list[int]]:
    begin = where[0] + 4
    count = int.from_bytes(data[begin : begin + 4], "big")
    return np.frombuffer(data, ">i4", count * width, begin + 4).reshape(count, width).tolist()


def shown_times_by_hand(data: bytes) -> list[int]:
    """Sorted times in ns since the first shown picture, by stts, ctts, elst and mdhd alone."""
    moov = find(data, "moov")
    track = next(
        (begin, end)
        for kind, begin, end in boxes(data, *moov)
        if kind == b"trak" and data[find(data, "mdia/hdlr", begin, end)[0] + 8 :][:4] == b"vide"
    )
    media = find(data, "mdia/mdhd", *track)[0]
    scale = int.from_bytes(data[media + 12 : media + 16], "big")
    samples = "mdia/minf/stbl/"
    distances = [
        delta for count, delta in table(data, find(data, samples + "stts", *track), 2) for _ in range(count)
    ]
    offsets_at = find(data, samples + "ctts", *track)
    offsets = [0] * len(distances)
    if offsets_at:
        offsets = [offset for count, offset in table(data, offsets_at, 2) for _ in range(count)]
    edits_at = find(data, "edts/elst", *track)
    edits = [edit for edit in table(data, edits_at, 3) if edit[1] >= 0] if edits_at else [[0, 0, 1]]
    assert len(edits) == 1
    begin = edits[0][1]
    decoding = np.cumsum([0, *distances[:-1]]).tolist()
    presented = sorted(time + offset - begin for time, offset in zip(decoding, offsets, strict=True))
    shown = [time for time in presented if time >= 0]
    return [round((time - shown[0]) * Fraction(10**9, scale)) for time in shown]


@pytest.mark.parametrize(
    "options", [{}, {"b_frames": 2}, {"times": [0, 1, 2, 5, 9, 11], "frames": 6}, {"rate": 24}]
)
def test_times_are_the_containers(make_video, decode_all, options):
    data = make_video(**options)
    frames, _ = decode_all(data)
    assert [frame.timestamp_ns for frame in frames] == shown_times_by_hand(data)


def test_hidden_pictures_stay_hidden(make_video, decode_all):
    data = make_video(b_frames=2)
    at = data.index(b"elst") + 16
    hidden = data[:at] + (1024 + 7 * 512).to_bytes(4, "big") + data[at + 4 :]
    frames, decoder = decode_all(hidden)
    assert [frame.timestamp_ns for frame in frames] == shown_times_by_hand(hidden)
    assert len(frames) == 23
    assert not frames[0].is_keyframe
    assert frames[0].gop_start_pts < 0
    later, _ = decode_all(hidden, "all", 10**8, 2 * 10**8)
    assert [row(frame) for frame in later] == [row(frame) for frame in frames[3:6]]
    assert [look(frame) for frame in later] == [look(frame) for frame in frames[3:6]]
    assert decoder.fault is None


@pytest.mark.parametrize(
    "name",
    [
        "udacity_project_018s_1280x720.mp4",
        "mapillary_london_1376x1840_hevc.mp4",
        "muchlisin_dusk_highway_640x360.mp4",
        "yolop_beijing_320x240.mp4",
    ],
)
def test_times_of_real_clips(shared_clips: Path, name):
    data = (shared_clips / name).read_bytes()
    generic = ClipName(source="generic", vehicle="", camera="unknown")
    clip = probe(io.BytesIO(data), InputFile(uri=name, root="", bytes=len(data)), generic, None)
    truth = shown_times_by_hand(data)
    assert clip.frame_count == len(truth)
    stop_ns = 2 * 10**9
    with ClipDecoder(io.BytesIO(data), clip) as decoder:
        frames = list(decoder.frames(Sampling.parse("all"), 0, stop_ns))
    assert sorted(frame.timestamp_ns for frame in frames) == [
        time_ns for time_ns in truth if time_ns < stop_ns
    ]
    assert len(frames) == decoder.shown_frames
    if name.startswith("mapillary"):
        assert clip.frame_count == 146
        assert [round(frame.timestamp_ns / 10**6) for frame in frames[5:7]] == [234, 150]
    if name.startswith("udacity_project_018s"):
        assert (clip.frame_count, clip.duration_ns) == (139, 5_560_000_000)


# telemetry


def test_telemetry_is_keyed_by_pts(make_video, decode_all, probe_bytes):
    messages = {n: SeiMetadata(frame_seq_no=n, vehicle_speed_mps=n / 4) for n in range(40) if n % 3}
    data = make_video(frames=40, telemetry=messages)
    clip = probe_bytes(data)
    assert clip.telemetry_rows == len(messages)
    for sampling in ("2", "all", "keyframes"):
        _, decoder = decode_all(data, sampling, clip=clip)
        assert {pts // 512: message for pts, _, message in decoder.telemetry} == messages
        assert all(time_ns == round(pts * Fraction(10**9, 15360)) for pts, time_ns, _ in decoder.telemetry)
    _, decoder = decode_all(data, "5", 500_000_000, 10**9, clip=clip)
    assert [pts // 512 for pts, _, _ in decoder.telemetry] == [n for n in range(15, 30) if n % 3]


def test_clips_without_telemetry_have_none(make_video, decode_all):
    assert decode_all(make_video())[1].telemetry == []
    assert decode_all(make_video("matroska", "libx265", b_frames=2))[1].telemetry == []
