"""Frames of a real clip with labels drawn on them."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from running import SAMPLE

from transforms.views.report.choosing import Example, Outline
from transforms.views.report.pictures import RemoteClipError, picture, pictures

CLIP = SAMPLE / "generic" / "variable_rate.mp4"
EXAMPLE = Example(
    kind="best",
    detection_id="d",
    box=Outline("car", (100.0, 100.0, 300.0, 200.0)),
    score=0.9,
    label_source="detected",
    network=Outline("car", (110.0, 90.0, 310.0, 210.0)),
    score_raw=0.8,
    others=(Outline("person", (400.0, 50.0, 420.0, 120.0)),),
    pts=0,
    timestamp_ns=0,
    width=480,
    height=270,
    camera="front",
    clip_id="c",
    uri=str(CLIP),
    bytes=CLIP.stat().st_size,
    content_sha256=hashlib.sha256(CLIP.read_bytes()).hexdigest(),
    is_dangerous=False,
)
GREY = np.full((270, 480, 3), 128, np.uint8)


def opened(uri):
    return Path(uri).open("rb")


def as_taken(clip_id, time_ns, image):
    assert (clip_id, time_ns, image.shape) == ("c", 0, (270, 480, 3))
    return image


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RemoteClipError("s3://a/b.mp4"), "the clip lies in an object store; copy it to this machine"),
        (ValueError("embedded null byte"), "the clip cannot be read any more"),
    ],
)
def test_what_cannot_be_opened_is_told(error, said):
    def refuses(_uri):
        raise error

    [shown] = pictures([EXAMPLE], refuses, as_taken)
    assert (shown.jpeg, shown.problem) == (None, said)


def test_a_file_of_another_size_is_not_read():
    class Unread(io.BytesIO):
        def read(self, _size=-1):
            pytest.fail("it was read")

    [shown] = pictures([EXAMPLE], lambda _uri: Unread(b"other"), as_taken)
    assert (shown.jpeg, shown.problem) == (
        None,
        "the file at the clip's place has changed since it was labelled",
    )


def decoded(shown):
    return cv2.imdecode(np.frombuffer(shown.jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)


def changed(one, other):
    """Where pictures differ by more than what JPEG does."""
    return np.abs(decoded(one) - decoded(other)).max(axis=2) > 60


def test_frames_come_out_of_the_clip_in_the_order_of_the_examples():
    absent = replace(EXAMPLE, pts=7, timestamp_ns=3)
    shown = pictures([absent, EXAMPLE], opened, as_taken)
    assert shown[0].problem == "the frame does not come out of the clip any more"
    assert (shown[1].width, shown[1].height) == (480, 270)
    assert decoded(shown[1]).std() > 10


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"uri": "/nowhere/a.mp4"}, "the clip is no longer where it was labelled"),
        ({"content_sha256": "0" * 64}, "the file at the clip's place has changed since it was labelled"),
        ({"uri": str(SAMPLE / "generic" / "empty.mp4"), "bytes": 0}, "the clip cannot be read any more"),
        ({"uri": str(SAMPLE)}, "the clip cannot be read any more"),
        ({"is_dangerous": True}, "the clip made the decoder crash or hang: it is not opened again"),
    ],
)
def test_a_clip_that_cannot_be_shown_is_told(changes, said):
    [shown] = pictures([replace(EXAMPLE, **changes)], opened, as_taken)
    assert (shown.jpeg, shown.problem) == (None, said)


def test_the_example_is_outlined_and_named_and_other_labels_thinly():
    plain = picture(GREY, replace(EXAMPLE, box=Outline("car", (0.0, 0.0, 0.0, 0.0)), others=()), 2**20)
    drawn = changed(picture(GREY, EXAMPLE, 2**20), plain)
    assert drawn[100, 150:290].all()
    assert drawn[199, 150:290].all()
    assert not drawn[150, 150:290].any()
    # the name's plate stands on the box
    assert drawn[80:96, 103:170].mean() > 0.75
    assert drawn[60:110, 400].any()


def test_where_hindsight_changed_a_box_the_networks_own_is_dashed():
    best, moved = (picture(GREY, replace(EXAMPLE, kind=kind), 2**20) for kind in ("best", "changed"))
    edge = changed(best, moved)[209:211, 120:300].any(axis=0)
    assert 0.5 < edge.mean() <= 1.0


def test_small_boxes_are_magnified_on_the_other_side():
    small = replace(EXAMPLE, box=Outline("car", (30.0, 200.0, 50.0, 215.0)), others=())
    drawn = decoded(picture(GREY, small, 2**20))
    corner = drawn[:97, 383:]
    assert np.abs(corner - 128).max() > 60
    assert np.abs(drawn[100:160, 100:300] - 128).max() < 30


@pytest.mark.parametrize(
    "edges",
    [(-1e6, -1e6, 1e6, 1e6), (479.0, 269.0, 480.0, 270.0), (5.0, 5.0, 5.0, 5.0), (0.0, 0.0, 480.0, 1.0)],
)
def test_boxes_of_any_shape_can_be_drawn(edges):
    for kind in ("best", "changed"):
        shown = picture(
            GREY,
            replace(EXAMPLE, kind=kind, box=Outline("x" * 500, edges), network=Outline("", edges)),
            2**20,
        )
        assert decoded(shown).shape == (270, 480, 3)


def test_a_picture_that_is_too_large_gets_coarser_and_at_last_none():
    noise = np.random.default_rng(0).integers(0, 256, (270, 480, 3), np.uint8)
    fine = picture(noise, EXAMPLE, 2**20)
    coarse = picture(noise, EXAMPLE, len(fine.jpeg) // 2)
    assert len(coarse.jpeg) <= len(fine.jpeg) // 2
    none = picture(noise, EXAMPLE, 1000)
    assert (none.jpeg, none.problem) == (None, "the picture has no room in a report of this size")
