"""Tracks side by side."""

import numpy as np
import pytest
from hypothesis import given
from sighted import box, sightings, tracked_clips

from transforms.labels.hindsight import grids
from transforms.labels.hindsight.grids import EMPTY, track_grids, track_order
from transforms.labels.sightings import NO_TRACK


@given(tracked_clips())
def test_rows_with_a_track_are_ordered_by_track_and_frame(seen):
    order = track_order(seen)
    keys = list(zip(seen.tracks[order].tolist(), seen.frames[order].tolist(), strict=True))
    assert keys == sorted(keys)
    assert sorted(order.tolist()) == np.flatnonzero(seen.tracks != NO_TRACK).tolist()


@pytest.mark.parametrize("most_cells", [1, 12, 1 << 16])
@given(seen=tracked_clips())
def test_every_row_with_a_track_stands_in_one_cell_of_its_frame(most_cells, seen):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grids, "_MOST_CELLS", most_cells)
        laid = list(track_grids(seen))
    stands = [row for grid in laid for row in grid.rows[grid.filled].tolist()]
    assert sorted(stands) == np.flatnonzero(seen.tracks != NO_TRACK).tolist()
    for grid in laid:
        assert grid.frames.size <= most_cells or len(grid.frames) == 1
        assert np.array_equal(grid.frames[grid.filled], seen.frames[grid.rows[grid.filled]])
        for frames, rows in zip(grid.frames, grid.rows, strict=True):
            own = rows[rows != EMPTY]
            assert rows[0] != EMPTY
            assert len(np.unique(seen.tracks[own])) == 1
            assert np.array_equal(np.unique(frames), _looked(seen, seen.frames[own[0]], seen.frames[own[-1]]))
            assert (np.diff(frames) >= 0).all()
            assert (frames[len(np.unique(frames)) :] == seen.frames[own[-1]]).all()


def _looked(seen, first, last):
    frames = np.flatnonzero(seen.seen)
    return frames[(frames >= first) & (frames <= last)]


def test_a_line_after_its_end_repeats_its_last_frame():
    rows = [(0, 0, box(9, 9), 0.5), (3, 0, box(9, 9), 0.5), (1, 1, box(9, 9), 0.5), (0, 7, box(9, 9), 0.5)]
    (grid,) = track_grids(sightings(rows, [0.0, 0.1, 0.2, 0.3], [True, True, False, True]))
    # the shortest first; the frame that was not looked at has no cell
    assert grid.frames.tolist() == [[1, 1, 1], [0, 0, 0], [0, 1, 3]]
    assert grid.rows.tolist() == [[2, EMPTY, EMPTY], [1, EMPTY, EMPTY], [0, EMPTY, 3]]


def test_no_tracks_no_grids():
    assert list(track_grids(sightings([(0, None, box(9, 9), 0.5)], [0.0]))) == []
    assert list(track_grids(sightings([], []))) == []
