"""How the camera moves places, over one step and over several."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.labels.camera_path import CameraPath

FRAMES = 7


def similarity(grow, angle, right, down):
    turn = grow * np.exp(1j * angle)
    return np.array([[turn.real, -turn.imag, right], [turn.imag, turn.real, down]])


similarities = st.builds(
    similarity, st.floats(0.8, 1.25), st.floats(-0.3, 0.3), st.floats(-60, 60), st.floats(-60, 60)
)
steps = st.lists(similarities, min_size=FRAMES - 1, max_size=FRAMES - 1).map(np.array)
windows = st.lists(st.tuples(st.integers(0, FRAMES - 1), st.integers(0, FRAMES - 1)), max_size=6)


def boxes_at(count, seed=3):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(0, 600, (1, count, 4)), rng.uniform(0, 9, (4, count, 4))])


@settings(max_examples=60)
@given(steps, windows)
def test_several_steps_are_the_product_of_their_matrices(matrices, spans):
    before, now = np.array([sorted(span) for span in spans], np.int64).reshape(-1, 2).T
    states = boxes_at(len(spans))
    moved = CameraPath.of_steps(matrices).moved(states, before, now)
    for row, (first, last) in enumerate(zip(before, now, strict=True)):
        whole = np.eye(3)
        for frame in range(first, last):
            whole = np.vstack([matrices[frame], [0, 0, 1]]) @ whole
        grow = np.hypot(whole[0, 0], whole[1, 0])
        assert moved[0, row, :2] == pytest.approx((whole @ [*states[0, row, :2], 1])[:2], abs=1e-6)
        assert moved[0, row, 2:] == pytest.approx(grow * states[0, row, 2:])
    assert np.array_equal(moved[1:], states[1:])


@settings(max_examples=60)
@given(steps, windows)
def test_the_reversed_path_undoes_it(matrices, spans):
    before, now = np.array([sorted(span) for span in spans], np.int64).reshape(-1, 2).T
    states, path = boxes_at(len(spans)), CameraPath.of_steps(matrices)
    back = path.reversed().moved(path.moved(states, before, now), FRAMES - 1 - now, FRAMES - 1 - before)
    assert back == pytest.approx(states, abs=1e-6)


def test_standing_still_changes_nothing_and_what_was_given_is_not_changed():
    states = boxes_at(3)
    kept = states.copy()
    path = CameraPath.of_steps(np.array([similarity(1.2, 0.1, 30, -4)] * 4))
    frames = np.array([0, 2, 4])
    assert np.array_equal(path.moved(states, frames, frames), states)
    path.moved(states, np.zeros(3, np.int64), frames)
    assert np.array_equal(states, kept)


def test_a_clip_of_one_frame_or_none_has_an_empty_path():
    path = CameraPath.of_steps(np.empty((0, 2, 3)))
    states = boxes_at(2)
    assert np.array_equal(path.moved(states, np.zeros(2, np.int64), np.zeros(2, np.int64)), states)
    assert path.moved(boxes_at(0), np.empty(0, np.int64), np.empty(0, np.int64)).shape == (5, 0, 4)
    assert path.reversed().speeds(10, 10).shape == (0,)


def test_corners_tell_how_fast_the_picture_moves():
    still, aside, zoom = similarity(1, 0, 0, 0), similarity(1, 0, 3, 4), similarity(1.1, 0, 0, 0)
    speeds = CameraPath.of_steps(np.array([still, aside, zoom])).speeds(400, 300)
    # the corners of the zoom move by a tenth of their distance from the origin: 0, 400, 300 and 500 px
    assert speeds == pytest.approx([0, 5, 30])
