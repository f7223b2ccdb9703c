"""Which detections are the same object."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.taxonomy import CATEGORIES
from transforms.labels.camera_path import CameraPath
from transforms.labels.category_likeness import COMPATIBLE, OTHER_CATEGORY
from transforms.labels.tracking import TrackerSettings, track

CAR, TRUCK, PERSON, SIGN = (CATEGORIES.index(name) for name in ("car", "truck", "person", "traffic_sign"))
BOX = (100.0, 100.0, 140.0, 130.0)


def follow(rows, times_s, tracker=None, camera=None):
    """Tracks rows of (frame, box, score, category)."""
    frames, boxes, scores, categories = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    )
    return track(
        np.rint(np.array(times_s) * 1e9).astype(np.int64),
        np.array(frames, dtype=np.int32),
        np.array(boxes, dtype=np.float32).reshape(-1, 4),
        np.array(scores, dtype=np.float32),
        np.array(categories, dtype=np.uint8),
        tracker,
        camera,
    )


def moved(right, down=0.0, box=BOX):
    return (box[0] + right, box[1] + down, box[2] + right, box[3] + down)


def test_nothing_in_nothing_out():
    assert follow([], []).tolist() == []
    assert follow([], [0.0, 0.1]).tolist() == []
    assert follow([], [0.0]).dtype == np.int32


def test_one_frame_is_no_track():
    assert follow([(0, BOX, 0.9, CAR), (0, moved(300), 0.9, CAR)], [0.0]).tolist() == [-1, -1]
    alone = follow([(0, BOX, 0.9, CAR)], [0.0], TrackerSettings(min_detections=1))
    assert alone.tolist() == [0]


def test_first_boxes_get_the_number_once_the_track_is_long_enough():
    rows = [(frame, moved(5 * frame), 0.9, CAR) for frame in range(3)]
    times = [0.0, 0.1, 0.2]
    assert follow(rows, times, TrackerSettings(min_detections=3)).tolist() == [0, 0, 0]
    assert follow(rows, times, TrackerSettings(min_detections=4)).tolist() == [-1, -1, -1]


def test_numbers_follow_first_appearance_without_gaps():
    rows = [
        (0, moved(900), 0.95, CAR),  # seen once: no number, and no gap
        (0, BOX, 0.7, CAR),
        (1, moved(300), 0.9, CAR),
        (1, BOX, 0.7, CAR),
        (2, moved(300), 0.9, CAR),
    ]
    assert follow(rows, [0.0, 0.1, 0.2]).tolist() == [-1, 0, 1, 0, 1]


def test_crossing_objects_keep_their_identity():
    rows = []
    for frame in range(25):
        rows += [(frame, moved(12 * frame), 0.9, CAR), (frame, moved(288 - 12 * frame, 8), 0.8, CAR)]
    numbers = follow(rows, np.arange(25) / 10)
    assert numbers.tolist() == [0, 1] * 25


def test_low_scores_continue_a_track_and_begin_none():
    rows = [(frame, moved(4 * frame), score, CAR) for frame, score in enumerate((0.9, 0.9, 0.2, 0.15, 0.9))]
    rows += [(frame, moved(500), 0.45, CAR) for frame in range(5)]
    assert follow(rows, np.arange(5) / 10).tolist() == [0] * 5 + [-1] * 5


def test_scores_between_high_and_new_continue_and_begin_none():
    times = np.arange(3) / 10
    assert follow([(frame, BOX, 0.55, CAR) for frame in range(3)], times).tolist() == [-1, -1, -1]
    assert follow([(0, BOX, 0.9, CAR), (1, BOX, 0.55, CAR), (2, BOX, 0.55, CAR)], times).tolist() == [0, 0, 0]


def test_boxes_below_the_lowest_score_are_not_looked_at():
    assert follow([(0, BOX, 0.9, CAR), (1, BOX, 0.09, CAR), (2, BOX, 0.9, CAR)], [0, 0.1, 0.2]).tolist() == [
        0,
        -1,
        0,
    ]


def test_a_confident_box_goes_before_an_unsure_one_that_fits_better():
    rows = [(0, BOX, 0.9, CAR), (1, BOX, 0.4, CAR), (1, moved(10), 0.8, CAR)]
    assert follow(rows, [0.0, 0.1]).tolist() == [0, -1, 0]


@pytest.mark.parametrize(("gap_s", "same"), [(0.9, True), (1.1, False)])
def test_a_track_ends_by_time_not_by_frames(gap_s, same):
    for frames_between in (0, 30):
        empty = np.linspace(0.2, 0.1 + gap_s, frames_between + 2)[1:-1] if frames_between else []
        times = [0.0, 0.1, *empty, 0.1 + gap_s, 0.2 + gap_s]
        last = len(times) - 1
        rows = [(0, BOX, 0.9, CAR), (1, BOX, 0.9, CAR), (last - 1, BOX, 0.9, CAR), (last, BOX, 0.9, CAR)]
        assert follow(rows, times).tolist() == ([0] * 4 if same else [0, 0, 1, 1])


def test_a_single_box_waits_for_the_next_frame_but_not_for_long():
    ends = [(0, BOX, 0.9, CAR), (-1, BOX, 0.9, CAR)]
    for times, same in (
        ([0.0, 0.9], True),  # a slow sampling: the very next frame is tried
        ([0.0, 0.3, 0.6], False),  # missed once, and long ago
        ([0.0, 0.05, 0.1], True),  # missed once, just now
        ([0.0, 1.5], False),
    ):
        rows = [(frame % len(times), *rest) for frame, *rest in ends]
        assert follow(rows, times).tolist() == ([0, 0] if same else [-1, -1]), times


def test_equal_and_backward_times_are_a_step_of_no_time():
    rows = [(frame, moved(frame), 0.9, CAR) for frame in range(4)]
    assert follow(rows, [0.0, 0.1, 0.1, 0.05]).tolist() == [0, 0, 0, 0]


def test_irregular_times_do_not_break_a_fast_track():
    times = np.cumsum([0.03, 0.03, 0.2, 0.03, 0.4, 0.03, 0.25, 0.1])
    rows = [(frame, moved(80 * time), 0.9, CAR) for frame, time in enumerate(times)]
    assert follow(rows, times).tolist() == [0] * len(times)


def test_categories_of_one_group_may_change_along_a_track():
    for names in COMPATIBLE:
        for name in names:
            rows = [(0, BOX, 0.9, CATEGORIES.index(min(names))), (1, BOX, 0.9, CATEGORIES.index(name))]
            assert follow(rows, [0.0, 0.1]).tolist() == [0, 0]


def test_of_two_boxes_of_one_object_each_goes_on_with_its_own_category():
    """The truck's second box lies nearer to where the car was, but not by much."""
    rows = [
        (0, BOX, 0.9, CAR),
        (0, moved(1), 0.85, TRUCK),
        (1, moved(2), 0.9, TRUCK),
        (1, moved(3), 0.85, CAR),
        (2, moved(2), 0.9, CAR),
        (2, moved(3), 0.85, TRUCK),
    ]
    numbers = follow(rows, [0.0, 0.1, 0.2])
    assert numbers.tolist() == [0, 1, 1, 0, 0, 1]


def test_another_category_costs_a_fifth_of_the_overlap():
    assert OTHER_CATEGORY == 0.8
    # 20 of 40 px are shared: a third of the union; less a fifth that is .27
    for least, kept in ((0.26, True), (0.27, False)):
        settings = TrackerSettings(min_iou=least)
        rows = [(0, BOX, 0.9, CAR), (1, moved(20), 0.9, TRUCK)]
        assert follow(rows, [0.0, 0.1], settings).tolist() == ([0, 0] if kept else [-1, -1])
        same = [(0, BOX, 0.9, CAR), (1, moved(20), 0.9, CAR)]
        assert follow(same, [0.0, 0.1], settings).tolist() == [0, 0]


def test_the_cameras_motion_is_taken_out():
    """The picture shifts by two widths of the box every frame, and back by one."""
    places = np.cumsum([0, 80, 80, -40, 80])
    rows = [(frame, moved(place), 0.9, CAR) for frame, place in enumerate(places)]
    camera = CameraPath(np.ones(4, complex), np.diff(places).astype(complex))
    times = np.arange(5) / 10
    assert follow(rows, times, camera=camera).tolist() == [0] * 5
    assert follow(rows, times).tolist() == [-1] * 5


def test_the_camera_is_followed_over_frames_in_which_an_object_was_not_seen():
    camera = CameraPath(np.ones(5, complex), np.full(5, 30 + 10j))
    rows = [(frame, moved(30 * frame, 10 * frame), 0.9, CAR) for frame in (0, 1, 4, 5)]
    times = np.arange(6) / 10
    assert follow(rows, times, camera=camera).tolist() == [0] * 4
    assert follow(rows, times).tolist() == [-1] * 4


def test_a_zoom_makes_boxes_grow():
    """The picture grows by half around its corner: places and sides alike."""
    rows = [(frame, tuple(1.5**frame * edge for edge in BOX), 0.9, CAR) for frame in range(3)]
    camera = CameraPath(np.full(2, 1.5 + 0j), np.zeros(2, complex))
    assert follow(rows, np.arange(3) / 10, TrackerSettings(min_iou=0.95), camera).tolist() == [0] * 3
    assert follow(rows, np.arange(3) / 10, TrackerSettings(min_iou=0.95)).tolist() == [-1] * 3


def test_other_categories_and_foreign_ones_do_not_mix():
    for first, second in ((CAR, PERSON), (SIGN, CAR), (128, 129), (4, 132), (PERSON, 200)):
        rows = [(0, BOX, 0.9, first), (1, BOX, 0.9, second)]
        assert follow(rows, [0.0, 0.1]).tolist() == [-1, -1]
        assert follow([(0, BOX, 0.9, second), (1, BOX, 0.9, second)], [0.0, 0.1]).tolist() == [0, 0]


def test_scores_out_of_order_are_refused():
    with pytest.raises(ValueError, match=r"high_score 0\.7 <= new_score 0\.6"):
        TrackerSettings(high_score=0.7)


@st.composite
def scenes(draw):
    frames = draw(st.integers(1, 8))
    times = np.cumsum(
        draw(st.lists(st.sampled_from([0.0, 0.03, 0.1, 0.4, 1.5]), min_size=frames, max_size=frames))
    )
    place = st.integers(0, 12).map(lambda value: 15.0 * value)
    row = st.tuples(
        st.integers(0, frames - 1),
        st.tuples(place, place, st.sampled_from([20.0, 50.0]), st.sampled_from([20.0, 40.0])),
        st.sampled_from([0.05, 0.2, 0.5, 0.61, 0.9]),
        st.sampled_from([CAR, TRUCK, PERSON, SIGN, 130]),
    )
    rows = draw(st.lists(row, max_size=40, unique=True))
    return [(frame, (x, y, x + w, y + h), score, cat) for frame, (x, y, w, h), score, cat in rows], times


@settings(deadline=None, max_examples=60)
@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(scene, random):
    rows, times = scene
    order = list(range(len(rows)))
    random.shuffle(order)
    numbers = follow(rows, times)
    assert np.array_equal(numbers, follow(rows, times))
    assert np.array_equal(numbers[order], follow([rows[place] for place in order], times))


@settings(deadline=None, max_examples=60)
@given(scenes())
def test_what_always_holds(scene):
    rows, times = scene
    numbers = follow(rows, times)
    group_of = {CATEGORIES.index(name): min(names) for names in COMPATIBLE for name in names}
    used = numbers[numbers >= 0]
    assert np.array_equal(np.unique(used), np.arange(used.max(initial=-1) + 1))
    for number in set(used.tolist()):
        members = [row for row, own in zip(rows, numbers.tolist(), strict=True) if own == number]
        frames = [row[0] for row in members]
        assert len(members) >= 2
        assert len(set(frames)) == len(frames)
        assert len({group_of.get(row[3], row[3]) for row in members}) == 1
        assert max(row[2] for row in members) >= 0.6
        assert max(np.diff(times[sorted(frames)])) <= 1.0


@settings(deadline=None, max_examples=60)
@given(scenes(), st.integers(-(10**15), 10**15))
def test_only_differences_of_time_matter(scene, start_ns):
    rows, times = scene
    if not rows:
        return
    frames, boxes, scores, categories = (list(column) for column in zip(*rows, strict=True))
    columns = (
        np.array(frames, dtype=np.int32),
        np.array(boxes, dtype=np.float32),
        np.array(scores, dtype=np.float32),
        np.array(categories, dtype=np.uint8),
    )
    stamps = np.rint(times * 1e9).astype(np.int64)
    assert np.array_equal(track(stamps, *columns), track(stamps + start_ns, *columns))
