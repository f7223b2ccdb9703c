import pytest

from transforms.corrections.comparing import Told, compare
from transforms.corrections.corrected_files import CorrectedFileError, FileBox, FileClip
from transforms.exports.frames import Box, Frame

ABOUT = Told(by="Ada", at_utc_ns=1, source="annotations.xml", source_sha256="00", sequence=1)
HERE, NEAR, FAR = (10.0, 10.0, 30.0, 30.0), (12.0, 10.0, 32.0, 30.0), (100.0, 50.0, 140.0, 90.0)


def label(name, edges, category="car"):
    return Box(name, "net", category, edges, 0.5, "detected", None, None)


def frame(number, *labels):
    return Frame(f"f{number}", number, number, number * 10**9, None, 640, 360, labels)


def said(frames, boxes, known=None, *, is_timed=False):
    told = FileClip({place: [FileBox(*box) for box in own] for place, own in boxes.items()}, is_timed)
    known = {box.detection_id for item in frames for box in item.boxes} if known is None else known
    found = compare("clip", frames, told, known, "net", ABOUT)
    return [(item.frame_id, item.action, item.detection_id, item.category, item.box) for item in found]


def test_unchanged_moved_recategorised_deleted_and_added_boxes_are_told_apart():
    frames = [
        frame(0, label("a", HERE), label("b", FAR), label("c", (200.0, 10.0, 230.0, 50.0))),
        frame(1),
        frame(2),
    ]
    file = {
        # CVAT rounds to a hundredth
        0: [("car", (10.01, 10.0, 30.0, 29.99), "a"), ("truck", FAR, "")],
        1: [("person", HERE, "")],
        2: [],
    }
    assert said(frames, file) == [
        ("f0", "keep", "a", "car", HERE),
        ("f0", "change", "b", "truck", FAR),
        ("f0", "remove", "c", None, None),
        ("f1", "add", None, "person", HERE),
        ("f2", "look", None, None, None),
    ]
    assert said(frames[:1], {0: [("car", NEAR, "a")]})[0] == ("f0", "change", "a", "car", NEAR)


def test_a_box_that_was_pasted_twice_is_one():
    twice = {0: [("person", HERE, ""), ("person", HERE, ""), ("car", HERE, "")]}
    assert said([frame(0)], twice) == [
        ("f0", "add", None, "person", HERE),
        ("f0", "add", None, "car", HERE),
    ]


def test_frames_that_the_file_is_not_about_are_left_alone():
    frames = [frame(0, label("a", HERE)), frame(1, label("b", HERE))]
    assert said(frames, {1: []}) == [("f1", "remove", "b", None, None)]
    assert said(frames, {10**9: [("car", HERE, "")]}, is_timed=True) == [("f1", "keep", "b", "car", HERE)]


def test_an_id_that_was_copied_belongs_to_the_box_that_is_nearest():
    frames = [frame(0, label("a", HERE)), frame(1)]
    # drawn on to the next frame, and pasted beside itself
    file = {0: [("car", FAR, "a"), ("car", NEAR, "a")], 1: [("car", HERE, "a")]}
    assert said(frames, file) == [
        ("f0", "add", None, "car", FAR),
        ("f0", "change", "a", "car", NEAR),
        ("f1", "add", None, "car", HERE),
    ]


def test_boxes_end_at_the_frame():
    assert said([frame(0)], {0: [("car", (-5.0, 350.0, 700.0, 400.0), "")]}) == [
        ("f0", "add", None, "car", (0.0, 350.0, 640.0, 360.0))
    ]
    with pytest.raises(CorrectedFileError, match=r"clip clip: 0\.000 s: a box lies outside the frame"):
        said([frame(0)], {0: [("car", (700.0, 10.0, 800.0, 20.0), "")]})


def test_files_about_other_frames_or_labels_are_refused():
    frames = [frame(0, label("a", HERE)), frame(1, label("b", HERE)), frame(2)]
    with pytest.raises(CorrectedFileError, match="frame 3 is none of the 3 that were exported of clip clip"):
        said(frames, {3: []})
    with pytest.raises(CorrectedFileError, match=r"1 of 1 boxes were made from labels .* labelled again"):
        said(frames, {0: [("car", HERE, "of yesterday")]})
    with pytest.raises(CorrectedFileError, match="stand in other frames than their labels"):
        said(frames, {1: [("car", HERE, "a")], 2: [("car", HERE, "b")]})
    # one that was not exported, or that somebody has removed since, is known all the same
    found = said(frames, {2: [("car", HERE, "set aside")]}, {"a", "b", "set aside"})
    assert found == [("f2", "add", None, "car", HERE)]
