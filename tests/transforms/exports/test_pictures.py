"""Frames found again in a small real clip."""

import hashlib

import cv2
import numpy as np
import pytest
from running import SAMPLE

from transforms.clips.decoding import ClipDecoder
from transforms.clips.reopening import reopen
from transforms.clips.sampling import Sampling
from transforms.exports.frames import Frame
from transforms.exports.pictures import encode, pictured
from transforms.storage import open_stream

CLIP = str(SAMPLE / "generic" / "variable_rate.mp4")


@pytest.fixture(scope="module")
def clip():
    with open_stream(CLIP) as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    return reopen(CLIP, digest, open_stream)


@pytest.fixture(scope="module")
def decoded(clip):
    """(PTS, time, picture) of every frame."""
    with open_stream(CLIP) as stream, ClipDecoder(stream, clip) as decoder:
        frames = decoder.frames(Sampling.parse("all"))
        return [(frame.pts, frame.timestamp_ns, frame.bgr(clip.width, clip.height)) for frame in frames]


def wanted(pts, time_ns):
    return Frame("f", 0, pts, time_ns, None, 1, 1, ())


def test_each_frame_gets_its_own_picture(clip, decoded):
    chosen = decoded[2::5]
    frames = [wanted(pts, time_ns) for pts, time_ns, _ in chosen]
    found = list(pictured(frames, clip, open_stream, "png", None))
    assert [frame.pts for frame in found] == [pts for pts, _, _ in chosen]
    for frame, (_, _, picture) in zip(found, chosen, strict=True):
        read = cv2.imdecode(np.frombuffer(frame.picture, np.uint8), cv2.IMREAD_COLOR)
        assert np.array_equal(read, picture)


def test_frames_that_are_not_there_are_left_out(clip, decoded):
    first, second, last = decoded[1], decoded[4], decoded[-1]
    frames = [
        wanted(*first[:2]),
        wanted(second[0] + 1, second[1] + 1),
        wanted(*last[:2]),
        wanted(last[0] + 1000, last[1] + 10**9),
    ]
    found = pictured(frames, clip, open_stream, "jpeg", None)
    assert [frame.pts for frame in found] == [first[0], last[0]]


def test_kinds_of_images():
    picture = np.full((40, 60, 3), 77, np.uint8)
    assert encode(picture, "jpeg").startswith(b"\xff\xd8")
    assert encode(picture, "png").startswith(b"\x89PNG")
    assert encode(picture, "jpeg") == encode(picture, "jpeg")
