"""Frames with boxes, made by hand."""

import pytest

from transforms.exports.folder import Folder
from transforms.exports.frames import Box, Clip, ClipFrames, Frame

STEP_NS = 200_000_000


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    return Folder(tmp_path / "out")


@pytest.fixture
def make_box():
    def make(number=1, edges=(10.5, 20.25, 50.75, 60.0), category="car", score=0.75, name=None):
        shown = None if number is None else f"object-{number}"
        name = name or f"detection-{number}-{edges[0]}"
        return Box(name, "net", category, edges, score, "detected", shown, number)

    return make


@pytest.fixture
def make_clip():
    """A clip of 640 x 360; `frames` is number → boxes."""

    def make(frames, clip_id="clip-a", rate=5.0, picture=None, uri="/in/a b.mp4", split=None):
        clip = Clip(
            clip_id=clip_id,
            drive_id="drive",
            camera="front",
            uri=uri,
            content_sha256="00",
            width=640,
            height=360,
            fps_mean=36.0,
            start_utc_ns=None,
            rate=rate,
            split=split,
        )
        made = [
            Frame(
                f"frame-{number}", number, number * 7, number * STEP_NS, None, 640, 360, tuple(boxes), picture
            )
            for number, boxes in frames.items()
        ]
        return ClipFrames(clip, iter(made))

    return make
