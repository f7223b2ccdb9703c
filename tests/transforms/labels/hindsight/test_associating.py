"""Who is who, with the whole clip at hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sighted import CAR, PERSON, box, pan, scenes, sightings

from transforms.labels.hindsight.associating import associate
from transforms.labels.sightings import NO_TRACK
from transforms.labels.tracking import TrackerSettings, track

TRACKER = TrackerSettings()


def numbered(scores, boxes=None, category=CAR, tracker=TRACKER, **options):
    """Tracks of one box a frame at 10 Hz."""
    boxes = [box(100 + 2 * frame, 100) for frame in range(len(scores))] if boxes is None else boxes
    rows = [
        (frame, None, edges, score, category)
        for frame, (edges, score) in enumerate(zip(boxes, scores, strict=True))
        if score is not None
    ]
    return associate(sightings(rows, np.arange(len(scores)) / 10), tracker, **options).tracks.tolist()


def test_boxes_from_before_an_object_was_sure_are_its_own():
    scores = [0.15, 0.2, 0.15, 0.4, 0.9, 0.9, 0.9]
    assert numbered(scores) == [0] * 7
    # of what was seen so far nobody could tell
    assert numbered(scores, both_directions=False) == [NO_TRACK] * 4 + [0] * 3


def test_a_gap_before_the_sure_boxes_is_bridged_backwards():
    assert numbered([0.2, None, None, 0.2, 0.9, 0.9]) == [0] * 4
    # but no longer than a track may go unseen
    assert numbered([0.2, 0.2, *[None] * 11, 0.9, 0.9]) == [NO_TRACK] * 2 + [0] * 2


def test_what_no_sure_object_took_is_tracked_on_its_own():
    assert numbered([0.35] * 4) == [0] * 4
    assert numbered([0.35, 0.2, 0.35]) == [0] * 3
    # noise begins no track
    assert numbered([0.25] * 4) == [NO_TRACK] * 4
    assert numbered([0.35, None, None, None]) == [NO_TRACK]


def test_sure_objects_choose_first():
    """Beside a sure object an unsure one ends, nearer to where the sure one is seen next."""
    places = (100, 100, 106, 106)
    sure = [(frame, None, box(100, place), 0.9) for frame, place in enumerate(places)]
    unsure = [(frame, None, box(100, 110), 0.65) for frame in (0, 1)]
    seen = sightings([*sure, *unsure], np.arange(4) / 10)
    both, one = (
        associate(seen, TRACKER, both_directions=both).tracks[seen.scores > 0.8] for both in (True, False)
    )
    assert both.tolist() == [0] * 4
    assert len(set(one.tolist())) == 2


def test_two_objects_that_share_boxes_before_they_part_stay_two():
    rows = [(frame, None, box(100 + 2 * frame, 100), 0.2) for frame in range(3)]
    rows += [(frame, None, box(100 + 2 * frame, 96), 0.9) for frame in range(3, 7)]
    rows += [(frame, None, box(100 + 2 * frame, 130), 0.9) for frame in range(3, 7)]
    seen = associate(sightings(rows, np.arange(7) / 10), TRACKER)
    upper = seen.tracks[seen.boxes[:, 1] < 100]
    lower = seen.tracks[seen.boxes[:, 1] > 100]
    assert len(set(upper[3:].tolist())) == 1
    assert len(set(lower.tolist())) == 1
    assert upper[0] == upper[3] != lower[0]


def test_a_pan_is_followed_backwards_as_well():
    """The picture shifts by more than a box's width each frame: only who knows that finds the object again."""
    boxes = [box(100 + 50 * frame, 100) for frame in range(6)]
    scores = [0.2, 0.2, 0.2, 0.9, 0.9, 0.9]
    rows = [
        (frame, None, edges, score) for frame, (edges, score) in enumerate(zip(boxes, scores, strict=True))
    ]
    seen = sightings(rows, np.arange(6) / 10)
    assert associate(seen, TRACKER, pan([50.0] * 5)).tracks.tolist() == [0] * 6
    assert associate(seen, TRACKER).tracks.tolist() == [NO_TRACK] * 6


def test_tracks_are_numbered_by_their_first_rows():
    rows = [(frame, None, box(300, 200), 0.9) for frame in range(1, 4)]
    rows += [(frame, None, box(100, 100), 0.35) for frame in range(4)]
    assert associate(sightings(rows, np.arange(4) / 10), TRACKER).tracks.tolist() == [0, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("high", [0.05, 0.2, 0.5, 0.95])
def test_a_network_may_be_sure_at_any_score(high):
    tracker = TrackerSettings(high_score=high, new_score=high, low_score=0.05)
    assert numbered([high] * 4, tracker=tracker) == [0] * 4


def test_nothing_in_nothing_out():
    assert associate(sightings([], []), TRACKER).tracks.tolist() == []
    assert associate(sightings([], [0.0]), TRACKER, pan([])).tracks.tolist() == []


@settings(max_examples=60)
@given(scenes())
def test_one_direction_is_the_tracker(seen):
    found = associate(seen, TRACKER, both_directions=False).tracks
    expected = track(seen.timestamps_ns, seen.frames, seen.boxes, seen.scores, seen.categories, TRACKER)
    assert np.array_equal(found, expected)


@settings(max_examples=60)
@given(scenes(), st.booleans())
def test_what_always_holds(seen, both):
    found = associate(seen, TRACKER, both_directions=both)
    numbers = found.tracks
    used, first, counts = np.unique(numbers[numbers >= 0], return_index=True, return_counts=True)
    assert used.tolist() == list(range(len(used)))
    assert (np.diff(first) > 0).all() or not both
    assert (counts >= 2).all()
    for number in used:
        own = numbers == number
        frames = seen.frames[own]
        assert len(np.unique(frames)) == len(frames)
        assert np.diff(seen.timestamps_ns[frames]).max() <= TRACKER.max_gap_s * 1e9
        assert seen.scores[own].min() >= TRACKER.low_score
        assert seen.scores[own].max() >= 0.3
        assert len({category == PERSON for category in seen.categories[own].tolist()}) == 1
    assert replace(found, tracks=seen.tracks).frames is seen.frames


@settings(max_examples=60)
@given(scenes(), st.integers(0, 99))
def test_the_order_of_rows_within_a_frame_does_not_matter(seen, seed):
    rng = np.random.default_rng(seed)
    # of rows that are alike in all either may be the track's
    seen = replace(seen, boxes=seen.boxes + rng.uniform(0, 0.1, seen.boxes.shape).astype(np.float32))
    order = np.lexsort((rng.random(len(seen.frames)), seen.frames))
    columns = {
        name: getattr(seen, name)[order]
        for name in ("frames", "boxes", "scores", "categories", "tracks", "sources", "origins")
    }
    found, other = associate(seen, TRACKER).tracks[order], associate(replace(seen, **columns), TRACKER).tracks
    assert np.array_equal(found == NO_TRACK, other == NO_TRACK)
    # the same groups, whatever their numbers
    pairs = set(zip(found.tolist(), other.tolist(), strict=True))
    assert len(pairs) == len(set(found.tolist())) == len(set(other.tolist()))


@pytest.mark.parametrize("both_directions", [True, False])
def test_frames_that_only_get_labels_do_not_make_a_young_track_wait(both_directions):
    rows = [(frame, None, box(100, 100), 0.9, CAR) for frame in (0, 7, 14)]
    looked = [frame % 7 == 0 for frame in range(15)]
    # 0.28 s from look to look: longer than a track of one box waits, were it not the very next look
    seen = sightings(rows, np.arange(15) / 25, looked)
    assert associate(seen, TRACKER, both_directions=both_directions).tracks.tolist() == [0, 0, 0]
