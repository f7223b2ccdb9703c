"""What never moves while the car does."""

from dataclasses import replace

import numpy as np
import pytest
from sighted import EXTENT, HEIGHT, WIDTH, pan, sightings

from transforms.labels.camera_path import CameraPath
from transforms.labels.hindsight.standing import standing

BONNET = (120.0, HEIGHT - 60.0, WIDTH - 120.0, float(HEIGHT))
RATE_HZ = 5.0


def seen_as(edges, seconds=10.0, jitter_px=0.0, strays=0):
    """One track of a box that stays, but for noise and some boxes elsewhere."""
    rng = np.random.default_rng(4)
    count = round(seconds * RATE_HZ)
    rows = [(frame, 0, np.array(edges) + rng.normal(0, jitter_px, 4), 0.8) for frame in range(count)]
    rows = [(frame, track, box - 60 * (frame < strays), score) for frame, track, box, score in rows]
    return sightings(rows, np.arange(count) / RATE_HZ)


def moving(seen, share=1.0, step=12 + 1j):
    """A camera that moves for a share of the clip."""
    count = len(seen.seen) - 1
    return pan([step * (frame < share * count) for frame in range(count)])


def test_a_bonnet_is_set_aside():
    seen = seen_as(BONNET, jitter_px=1.0, strays=2)
    assert standing(seen, moving(seen), EXTENT).all()


def test_rows_of_other_tracks_and_of_none_stay():
    seen = seen_as(BONNET)
    tracks = np.array([0, -1] * 25, np.int32)
    assert np.array_equal(standing(replace(seen, tracks=tracks), moving(seen), EXTENT), tracks == 0)


@pytest.mark.parametrize(
    ("edges", "at_edge"),
    [
        ((0.0, 100.0, 90.0, 200.0), True),
        ((200.0, 5.0, 400.0, 60.0), True),
        ((WIDTH - 90.0, 100.0, WIDTH - 8.0, 200.0), True),
        ((200.0, 150.0, 300.0, 200.0), False),
    ],
)
def test_only_what_reaches_the_pictures_edge_belongs_to_the_car(edges, at_edge):
    seen = seen_as(edges)
    assert standing(seen, moving(seen), EXTENT).all() == at_edge
    assert standing(seen, moving(seen), EXTENT).any() == at_edge


def test_a_car_ahead_that_fills_the_lower_edge_jitters_and_stays():
    seen = seen_as(BONNET, jitter_px=25.0)
    assert not standing(seen, moving(seen), EXTENT).any()


def test_boxes_that_lie_elsewhere_now_and_then_do_not_matter_but_many_do():
    few, many = (seen_as(BONNET, strays=strays) for strays in (2, 4))
    assert standing(few, moving(few), EXTENT).all()
    assert not standing(many, moving(many), EXTENT).any()


def test_a_short_track_stays():
    long, short = (seen_as(BONNET, seconds=seconds) for seconds in (5.2, 5.0))
    assert standing(long, moving(long), EXTENT).all()
    # twenty-five frames: 4.8 s from the first to the last
    assert not standing(short, moving(short), EXTENT).any()


def test_where_the_car_stands_nothing_is_set_aside():
    seen = seen_as(BONNET)
    assert not standing(seen, moving(seen, share=0.4), EXTENT).any()
    assert standing(seen, moving(seen, share=0.6), EXTENT).all()
    assert not standing(seen, moving(seen, step=0), EXTENT).any()
    # a picture that trembles by a pixel does not move
    assert not standing(seen, moving(seen, step=1), EXTENT).any()


def test_frames_between_those_looked_at_tell_nothing_of_motion():
    """Five frames for each that the network looked at, and the whole way in the last step of the five."""
    seen = seen_as(BONNET)
    count = 5 * len(seen.seen)
    looked = np.arange(count) % 5 == 0
    dense = replace(
        seen,
        timestamps_ns=np.arange(count) * 40_000_000,
        frames=(5 * seen.frames).astype(np.int32),
        seen=looked,
    )
    shifts = np.where(looked[1:], 12.0 + 0j, 0.0)
    assert standing(dense, CameraPath(np.ones(count - 1, complex), shifts), EXTENT).all()
    assert not standing(dense, CameraPath(np.ones(count - 1, complex), 0 * shifts), EXTENT).any()


def test_nothing_in_nothing_out():
    assert standing(sightings([], []), pan([]), EXTENT).tolist() == []
    assert standing(sightings([], [0.0]), pan([]), EXTENT).tolist() == []
    assert standing(sightings([(0, 0, BONNET, 0.9)], [0.0]), pan([]), EXTENT).tolist() == [False]
