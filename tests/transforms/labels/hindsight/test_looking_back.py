"""All of hindsight: what holds whatever the clip and the steps taken."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sighted import CAR, EXTENT, HEIGHT, TRUCK, WIDTH, box, pan, scenes, sightings, trail

from models.calibration import Calibration, Curve, calibrated
from transforms.labels.camera_path import CameraPath
from transforms.labels.hindsight.looking_back import Surroundings, _within, look_back
from transforms.labels.hindsight.settings import ONLINE, HindsightSettings
from transforms.labels.sightings import ADDED, EXTRAPOLATED, INTERPOLATED, NO_TRACK, PROPAGATED, Additions
from transforms.labels.tracking import TrackerSettings, track

TRACKER = TrackerSettings(high_score=0.5, new_score=0.5)
CURVES = Calibration(
    fallback=Curve(a=0.5, b=0.7, c=-0.4), categories={"truck": Curve(a=1.0, b=2.0, c=0.3)}, source="made up"
)
ALL = HindsightSettings()
STEPS = tuple(HindsightSettings.model_fields)
COLUMNS = ("frames", "boxes", "scores", "categories", "tracks", "sources", "origins")

switches = st.fixed_dictionaries({name: st.booleans() for name in STEPS}).map(
    HindsightSettings.model_validate
)


def around_of(seen, cuts=(), *, camera=True, dense=True, seed=0):
    """A camera that moves and points that were followed, as a clip's frames and cuts would have them."""
    rng = np.random.default_rng(seed)
    count = len(seen.seen)
    anchors = sorted({*np.flatnonzero(seen.seen).tolist(), *cuts, 0, max(count - 1, 0)})
    spans = list(itertools.pairwise(anchors))
    trails = [
        trail(first, seen.timestamps_ns[first : last + 1] / 1e9, rng.uniform(-6, 6, 2), points=12)
        for first, end in spans
        if (last := end - (end in cuts)) > first
    ]
    steps = max(count - 1, 0)
    path = CameraPath(
        (1 + rng.normal(0, 0.02, steps)) * np.exp(1j * rng.normal(0, 0.02, steps)),
        rng.normal(0, 10, steps) + 1j * rng.normal(0, 3, steps),
    )
    return Surroundings(
        extent=EXTENT, camera=path if camera else None, trails=trails if dense else (), cuts=cuts
    )


@st.composite
def clips(draw):
    seen = draw(scenes())
    cuts = sorted(draw(st.sets(st.integers(1, 11), max_size=3)) & set(range(1, len(seen.seen))))
    around = around_of(
        seen, cuts, camera=draw(st.booleans()), dense=draw(st.booleans()), seed=draw(st.integers(0, 99))
    )
    return seen, around


def assert_sound(found, detected, around, taken):
    """What holds for every clip and every choice of steps."""
    count = len(found.frames)
    assert all(len(getattr(found, name)) == count for name in COLUMNS)
    for name in (*COLUMNS, "timestamps_ns", "seen"):
        assert getattr(found, name).dtype == getattr(detected, name).dtype, name
    assert np.array_equal(found.timestamps_ns, detected.timestamps_ns)
    assert (np.diff(found.frames) >= 0).all()

    own = found.origins >= 0
    assert np.array_equal(np.sort(found.origins[own]), np.arange(len(detected.frames)))
    assert np.array_equal(found.is_detected, own)
    assert np.array_equal(found.frames[own], detected.frames[found.origins[own]])

    assert np.isfinite(found.boxes).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes <= np.tile(EXTENT[2:], 2)).all()
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()

    tracked = found.tracks != NO_TRACK
    # a box that no track holds is carried on, but nothing else is made of it
    assert (tracked | own | (found.sources == PROPAGATED)).all()
    assert np.isin(found.tracks[~own], found.tracks[own]).all()
    pairs = np.stack([found.tracks, found.frames], axis=1)[tracked]
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    scene = np.searchsorted(np.array(around.cuts, int), found.frames, side="right")
    for number in np.unique(found.tracks[tracked]):
        assert len(np.unique(scene[found.tracks == number])) == 1

    looked = detected.seen[found.frames]
    assert np.array_equal(looked, found.sources != PROPAGATED)
    allowed = {0}
    allowed |= {INTERPOLATED} if taken.gap_filling else set()
    allowed |= {EXTRAPOLATED} if taken.extrapolation else set()
    allowed |= {PROPAGATED} if around.trails else set()
    assert set(found.sources.tolist()) <= allowed

    raw = found.origins[own]
    if not taken.category_vote:
        assert np.array_equal(found.categories[own], detected.categories[raw])
    if not taken.smoothing:
        assert np.array_equal(found.boxes[own], detected.boxes[raw])
    if not (taken.rescoring or taken.calibration or taken.static_removal):
        assert np.array_equal(found.scores[own], detected.scores[raw])


@settings(max_examples=250)
@given(clips(), switches, st.sampled_from([None, CURVES]))
def test_whatever_the_clip_and_the_steps(clip, taken, calibration):
    detected, around = clip
    found = look_back(detected, taken, TRACKER, around, calibration)
    assert_sound(found, detected, around, taken)
    again = look_back(detected, taken, TRACKER, around, calibration)
    assert all(np.array_equal(getattr(found, name), getattr(again, name)) for name in COLUMNS)


ORDER = (
    *("tracking", "static_removal", "category_vote", "smoothing", "rescoring", "static_removal"),
    *("gap_filling", "extrapolation", "propagation", "calibration", "picture_edges"),
)
ALWAYS = {"tracking", "picture_edges"}


@settings(max_examples=60)
@given(clips(), switches, st.sampled_from([None, CURVES]))
def test_who_watches_is_told_of_the_steps_taken_in_order_and_changes_nothing(clip, taken, calibration):
    detected, around = clip
    told = []
    found = look_back(
        detected, taken, TRACKER, around, calibration, lambda name, seen: told.append((name, seen))
    )
    unseen = look_back(detected, taken, TRACKER, around, calibration)
    assert all(np.array_equal(getattr(found, name), getattr(unseen, name)) for name in COLUMNS)
    names = [name for name, _ in told]
    rest = iter(ORDER)
    assert all(name in rest for name in names)
    assert ALWAYS <= set(names) <= ALWAYS | {"propagation"} | {name for name in STEPS if getattr(taken, name)}
    assert all(np.array_equal(getattr(found, name), getattr(told[-1][1], name)) for name in COLUMNS)
    before = told[0][1]
    assert np.array_equal(before.boxes, detected.boxes)
    for name, seen in told[1:]:
        own, kept = before.origins >= 0, seen.origins >= 0
        changed = {
            column
            for column in ("boxes", "scores", "categories", "tracks")
            if not np.array_equal(getattr(before, column)[own], getattr(seen, column)[kept])
        }
        assert changed <= {
            "static_removal": {"tracks", "scores"},
            "category_vote": {"categories"},
            "smoothing": {"boxes"},
            "rescoring": {"scores"},
            "calibration": {"scores"},
            "picture_edges": {"boxes"},
        }.get(name, set())
        if name in {"gap_filling", "extrapolation", "propagation"}:
            assert len(seen.frames) >= len(before.frames)
        before = seen


@settings(max_examples=40)
@given(clips(), st.sampled_from([0.0, 1.0]), switches)
def test_whatever_a_network_that_gives_one_score_to_all(clip, score, taken):
    detected, around = clip
    detected = replace(detected, scores=np.full_like(detected.scores, score))
    assert_sound(look_back(detected, taken, TRACKER, around, CURVES), detected, around, taken)


@settings(max_examples=40)
@given(clips(), switches, st.integers(-(10**15), 10**15))
def test_whenever_the_clip_begins(clip, taken, start_ns):
    detected, around = clip
    later = replace(detected, timestamps_ns=detected.timestamps_ns + start_ns)
    followed = [replace(one, timestamps_ns=one.timestamps_ns + start_ns) for one in around.trails]
    found = look_back(detected, taken, TRACKER, around)
    shifted = look_back(later, taken, TRACKER, replace(around, trails=followed))
    for name in ("frames", "tracks", "sources", "origins", "categories"):
        assert np.array_equal(getattr(shifted, name), getattr(found, name)), name
    assert shifted.scores == pytest.approx(found.scores, abs=1e-4)
    assert shifted.boxes == pytest.approx(found.boxes, abs=0.05)


@settings(max_examples=40)
@given(clips())
def test_without_any_step_it_is_the_trackers_result(clip):
    detected, around = clip
    found = look_back(detected, ONLINE, TRACKER, replace(around, trails=(), cuts=()), CURVES)
    tracks = track(
        detected.timestamps_ns,
        detected.frames,
        detected.boxes,
        detected.scores,
        detected.categories,
        TRACKER,
        looked_at=detected.seen,
    )
    expected = replace(detected, tracks=tracks)
    assert all(np.array_equal(getattr(found, name), getattr(expected, name)) for name in COLUMNS)


def drive():
    """A car that is unsure at first, is called a truck once, is missed twice and leaves before the clip ends."""
    scores = [0.2, 0.3, 0.9, 0.9, 0.6, None, None, 0.9, 0.8, 0.9, 0.9, 0.9, None, None]
    rows = [
        (frame, None, box(100 + 8 * frame + frame % 2, 100), score, TRUCK if frame == 4 else CAR)
        for frame, score in enumerate(scores)
        if score is not None
    ]
    rows += [(frame, None, box(400, 200), 0.15, CAR) for frame in (3, 9)]
    return sightings(rows, np.arange(len(scores)) / 10)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_alone_does_its_own_part_and_no_other(step):
    detected = drive()
    around = replace(around_of(detected, dense=False), camera=pan([8.0] * 13))
    taken = ONLINE.model_copy(update={step: True})
    online, found = (look_back(detected, choice, TRACKER, around, CURVES) for choice in (ONLINE, taken))
    assert_sound(found, detected, around, taken)
    own = found.origins >= 0
    changed = {
        name
        for name in ("boxes", "scores", "categories", "tracks")
        if not np.array_equal(getattr(found, name)[own], getattr(online, name))
    }
    added = set(found.sources.tolist()) - {0}
    assert (changed, added) == {
        "ego_motion": (set(), set()),
        "both_directions": ({"tracks"}, set()),
        "rescoring": ({"scores"}, set()),
        "gap_filling": (set(), {INTERPOLATED}),
        "smoothing": ({"boxes"}, set()),
        "extrapolation": (set(), {EXTRAPOLATED}),
        "category_vote": ({"categories"}, set()),
        "static_removal": (set(), set()),
        "calibration": ({"scores"}, set()),
    }[step]


def test_all_steps_together():
    detected = drive()
    found = look_back(detected, ALL, TRACKER, Surroundings(extent=EXTENT))
    car = found.tracks == 0
    assert found.frames[car].tolist() == list(range(14))
    assert found.sources[car].tolist() == [0] * 5 + [INTERPOLATED] * 2 + [0] * 5 + [EXTRAPOLATED] * 2
    assert set(found.categories[car].tolist()) == {CAR}
    detected_scores, filled = found.scores[car][[2, 3, 4, 7, 8, 9, 10, 11]], found.scores[car][5:7]
    assert (detected_scores > 0.7).all()
    assert ((filled > 0.3) & (filled < 0.5)).all()
    assert found.tracks[~car].tolist() == [NO_TRACK] * 2
    assert (found.scores[~car] < 0.15).all()


def test_calibration_comes_last_and_by_category():
    detected = drive()
    around = Surroundings(extent=EXTENT)
    plain, told = (look_back(detected, ALL, TRACKER, around, curves) for curves in (None, CURVES))
    assert np.array_equal(told.scores, calibrated(plain.scores, plain.categories, CURVES))
    assert not np.array_equal(told.scores, plain.scores)
    assert np.array_equal(told.frames, plain.frames)
    without = look_back(detected, ALL.model_copy(update={"calibration": False}), TRACKER, around, CURVES)
    assert np.array_equal(without.scores, plain.scores)


def test_nothing_goes_over_a_cut():
    rows = [(frame, None, box(100, 100), 0.9) for frame in (0, 1, 2, 5, 6, 7)]
    detected = sightings(rows, np.arange(8) / 10)
    whole = look_back(detected, ALL, TRACKER, Surroundings(extent=EXTENT))
    assert whole.tracks.tolist() == [0] * 8
    cut = look_back(detected, ALL, TRACKER, Surroundings(extent=EXTENT, cuts=[4]))
    # each scene's track is carried on to the cut, and none beyond
    assert cut.frames.tolist() == list(range(8))
    assert cut.tracks.tolist() == [0] * 4 + [1] * 4
    assert cut.sources.tolist() == [0] * 3 + [EXTRAPOLATED] * 2 + [0] * 3


def test_cuts_do_not_make_a_lone_box_likelier():
    """Between most frames lies a cut: the distance of two frames is still that of two frames."""
    detected = sightings(
        [(frame, None, box(50 * frame + 30, 100), 0.4) for frame in range(6)], np.arange(6) / 5
    )
    whole, cut = (
        look_back(detected, ALL, TRACKER, Surroundings(extent=EXTENT, cuts=cuts))
        for cuts in ([], [1, 2, 3, 4])
    )
    assert np.array_equal(whole.scores, cut.scores)


def test_the_cars_own_bonnet_stays_as_a_row_that_nobody_believes():
    frames = np.arange(60)
    bonnet = [(frame, None, (100.0, 300.0, 540.0, float(HEIGHT)), 0.8) for frame in frames]
    cars = [(frame, None, box(100 + 5 * frame, 100), 0.9) for frame in frames]
    detected = sightings([*bonnet, *cars], frames / 10)
    around = Surroundings(extent=EXTENT, camera=pan([9.0] * 59))
    found = look_back(detected, ALL, TRACKER, around, CURVES)
    is_bonnet = detected.boxes[found.origins, 3] == HEIGHT
    assert len(found.frames) == 120
    assert not found.scores[is_bonnet].any()
    assert (found.tracks[is_bonnet] == NO_TRACK).all()
    assert (found.scores[~is_bonnet] > 0.5).all()
    assert (found.tracks[~is_bonnet] == found.tracks[~is_bonnet][0]).all()
    kept = look_back(detected, ALL.model_copy(update={"static_removal": False}), TRACKER, around, CURVES)
    assert (kept.scores > 0.5).all()


def test_boxes_stay_in_the_picture_and_what_leaves_it_is_no_row():
    speed = 12.0
    rows = [
        (frame, None, (max(right - 40, 0), 100.0, right, 130.0), 0.9)
        for frame in range(6)
        if (right := 60 - speed * frame) > 0
    ]
    times_s = np.arange(30) / 25
    looked = [index % 5 == 0 for index in range(30)]
    rows = [(5 * frame, *rest) for frame, *rest in rows]
    detected = sightings(rows, times_s, looked)
    followed = [trail(first, times_s[first : first + 6], (-speed / 5, 0.0)) for first in range(0, 25, 5)]
    followed.append(trail(25, times_s[25:], (-speed / 5, 0.0)))
    found = look_back(detected, ALL, TRACKER, Surroundings(extent=EXTENT, trails=followed))
    assert (found.boxes[:, [0, 2]] >= 0).all()
    assert (found.boxes[:, 2] - found.boxes[:, 0] >= 0.5).all()
    assert np.array_equal(np.sort(found.origins[found.origins >= 0]), np.arange(len(detected.frames)))
    assert found.boxes.max() <= WIDTH


def test_a_detected_box_of_which_nothing_is_left_gets_its_own_place_back():
    raw = box(2, 100, 4), box(300, 100), box(1, 50, 2)
    detected = sightings([(frame, 0, edges, 0.9) for frame, edges in enumerate(raw)], np.arange(3) / 10)
    moved = np.array([box(-20, 100, 40.8), box(630, 100), box(-30, 50)], np.float32)
    more = Additions(np.array([0, 1]), moved[[2, 1]], np.full(2, 0.5), np.array([0, 0]), INTERPOLATED)
    found = _within(replace(detected, boxes=moved).with_added([more]), detected, EXTENT)
    assert found.origins.tolist() == [0, 1, ADDED, 2]
    # what is left, what is left of the added one, and twice the network's own
    assert found.boxes[[1, 2]] == pytest.approx(np.array([(610.0, 85.0, WIDTH, 115.0)] * 2))
    assert np.array_equal(found.boxes[[0, 3]], detected.boxes[[0, 2]])


@pytest.mark.parametrize("side", [0.3, 1e-3])
def test_a_box_smaller_than_a_pixel_is_kept(side):
    rows = [(frame, None, box(100.5, 100.5, side, side), 0.9) for frame in range(4)]
    detected = sightings(rows, np.arange(4) / 10)
    found = look_back(detected, ALL, TRACKER, Surroundings(extent=EXTENT))
    assert np.array_equal(np.sort(found.origins[found.origins >= 0]), np.arange(4))
    online = look_back(detected, ONLINE, TRACKER, Surroundings(extent=EXTENT))
    assert np.array_equal(online.boxes, detected.boxes)
