"""A moment beyond first and last sight."""

import numpy as np
import pytest
from hypothesis import given, settings
from sighted import EXTENT, HEIGHT, WIDTH, box, sightings, tracked_clips

from transforms.labels.hindsight.extrapolating import BELIEF, FARTHEST_S, LEAST_END, extrapolate
from transforms.labels.hindsight.smoothing import smoothed_paths
from transforms.labels.sightings import EXTRAPOLATED


def gone(frames=range(5, 15), speed=50.0, score=0.9, rate_hz=10.0, total=20, start=200.0, looked=None):
    """An object seen in some of the frames of a clip; where it would be in each is start + speed x time."""
    rows = [(frame, 4, box(start + speed * frame / rate_hz, 100), score) for frame in frames]
    return sightings(rows, np.arange(total) / rate_hz, looked)


def beyond(seen):
    return extrapolate(seen, smoothed_paths(seen), EXTENT)


def test_a_track_goes_on_at_its_speed_for_a_quarter_of_a_second_both_ways():
    added = beyond(gone())
    assert sorted(added.frames.tolist()) == [3, 4, 15, 16]
    assert added.source == EXTRAPOLATED
    assert added.scores.tolist() == [BELIEF] * 4
    order = np.argsort(added.frames)
    assert added.likes[order].tolist() == [0, 0, 9, 9]
    expected = [box(200 + 5.0 * frame, 100) for frame in (3, 4, 15, 16)]
    assert added.boxes[order][2:] == pytest.approx(np.array(expected[2:]), abs=0.2)
    # of its beginning less is known, for a new track is taken to stand: then it would be 10 px off
    assert added.boxes[order][:2] == pytest.approx(np.array(expected[:2]), abs=4)


@pytest.mark.parametrize(("rate_hz", "frames"), [(10.0, 4), (5.0, 2), (4.0, 2), (2.5, 0), (36.0, 18)])
def test_how_far_is_a_matter_of_time(rate_hz, frames):
    assert len(beyond(gone(frames=range(12, 20), total=32, rate_hz=rate_hz, speed=0)).frames) == frames


def test_only_frames_that_were_looked_at_get_one():
    looked = [index not in {3, 15} for index in range(20)]
    assert sorted(beyond(gone(looked=looked)).frames.tolist()) == [4, 16]


def test_a_clip_ends_where_it_ends():
    assert beyond(gone(frames=range(20))).frames.tolist() == []


def test_an_end_that_is_not_believed_is_not_carried_on():
    rows = [(frame, 0, box(200, 100), 0.9 if frame < 12 else LEAST_END - 0.01) for frame in range(5, 15)]
    added = beyond(sightings(rows, np.arange(20) / 10))
    assert sorted(added.frames.tolist()) == [3, 4]


def test_too_few_boxes_tell_no_speed():
    assert beyond(gone(frames=[7, 8])).frames.tolist() == []
    assert len(beyond(gone(frames=[7, 8, 9], speed=0)).frames) == 4


def test_what_has_left_the_picture_is_not_carried_on_and_what_is_leaving_is_cut_off():
    speed = 100.0
    # the last box ends 5 px from the edge, the next lies 5 px beyond it, the one after 15 of 40
    last = WIDTH - 25.0
    seen = gone(speed=speed, start=last - speed * 1.4)
    added = beyond(seen)
    late = added.frames > 14
    assert added.frames[late].tolist() == [15, 16]
    assert added.boxes[late, 2].tolist() == [WIDTH, WIDTH]
    assert added.boxes[late, 0] == pytest.approx([WIDTH - 35, WIDTH - 25], abs=0.5)
    faster = beyond(gone(speed=3 * speed, start=last - 3 * speed * 1.4))
    # 25 of 40 px are inside after a step, none after the second
    assert faster.frames[faster.frames > 14].tolist() == []


@settings(max_examples=60)
@given(tracked_clips())
def test_what_always_holds(seen):
    added = beyond(seen)
    assert (added.boxes >= 0).all()
    assert (added.boxes <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()
    assert (added.boxes[:, 2:] > added.boxes[:, :2]).all()
    assert seen.seen[added.frames].all()
    for frame, like in zip(added.frames.tolist(), added.likes.tolist(), strict=True):
        own = seen.frames[seen.tracks == seen.tracks[like]]
        end = own.min() if frame < own.min() else own.max()
        assert not own.min() <= frame <= own.max()
        assert seen.frames[like] == end
        assert seen.scores[like] >= LEAST_END
        assert len(own) >= 3
        assert abs(int(seen.timestamps_ns[frame] - seen.timestamps_ns[end])) <= FARTHEST_S * 1e9
    pairs = set(zip(seen.tracks[added.likes].tolist(), added.frames.tolist(), strict=True))
    assert len(pairs) == len(added.frames)
