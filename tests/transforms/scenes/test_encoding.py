from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest

from transforms.clips.sei import SeiMetadata, parse
from transforms.scenes.encoding import ClipFrame, Encoding, encode, versions

PTS = [0, 3000, 7000, 21000, 22500, 40000, 52000, 60001]
HOW = Encoding(fps=Fraction(12), duration_ticks=66000, start_utc="2025-06-14T16:00:56.000000Z")


def frames(*, telemetry=True):
    rng = np.random.Generator(np.random.PCG64(5))
    for number, pts in enumerate(PTS):
        image = rng.integers(0, 255, (48, 64, 3), np.uint8)
        yield ClipFrame(pts, image, SeiMetadata(version=1, frame_seq_no=number + 256) if telemetry else None)


def test_a_clip_reads_back_with_its_times_and_telemetry():
    content = encode(frames(), HOW)
    assert content.find(b"moov") > content.find(b"mdat") > 0
    with av.open(BytesIO(content)) as container:
        stream = container.streams.video[0]
        assert container.metadata["creation_time"] == HOW.start_utc
        assert (stream.width, stream.height) == (64, 48)
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert [p.pts for p in packets] == PTS
        assert [p.dts for p in packets] == PTS
        assert [p.duration for p in packets] == [*np.diff(PTS).tolist(), 66000 - 60001]
        assert [p.is_keyframe for p in packets] == [True, *[False] * 5, True, False]
        assert [parse(bytes(p), 4).frame_seq_no for p in packets] == list(range(256, 264))


def test_frames_without_telemetry_have_none_and_the_picture_is_the_same():
    with av.open(BytesIO(encode(frames(telemetry=False), HOW))) as container:
        assert all(parse(bytes(p), 4) is None for p in container.demux(video=0) if p.size)
    pictures = []
    for telemetry in (True, False):
        with av.open(BytesIO(encode(frames(telemetry=telemetry), HOW))) as container:
            pictures.append([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)])
    assert len(pictures[0]) == len(PTS)
    assert np.array_equal(pictures[0], pictures[1])


def test_the_same_frames_give_the_same_bytes():
    assert encode(frames(), HOW) == encode(frames(), HOW)


def test_a_clip_without_a_clock_tells_none():
    with av.open(BytesIO(encode(frames(), Encoding(fps=Fraction(12), duration_ticks=66000)))) as container:
        assert "creation_time" not in container.metadata


def test_no_frames_are_no_clip():
    with pytest.raises(ValueError, match="at least one frame"):
        encode(iter(()), HOW)


def test_versions_name_what_the_bytes_depend_on():
    assert set(versions()) == {"av", "ffmpeg", "numpy", "opencv"}
