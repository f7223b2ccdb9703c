"""Frames for training: what stands on disk is what was rendered."""

import numpy as np
import pytest

from models.taxonomy import CATEGORIES
from models.training.frames import FrameStore, read_shards
from transforms.scenes.rendering import render
from transforms.scenes.training_frames import KEPT, draw_takes, main, parse_seeds, render_shard, write_shards
from transforms.scenes.worlds import make_world


def test_a_shard_holds_the_rendered_frames_and_their_truth(tmp_path):
    (tmp_path / "7.npz").write_bytes(render_shard(7, 1))
    shards = read_shards([tmp_path / "7.npz"])
    store = FrameStore(shards, np.arange(len(CATEGORIES)))
    assert store.places == [(0, 0), (0, 1)]
    ((camera, first_s),) = draw_takes(7, 1)
    for number, kept in enumerate(KEPT):
        image, truth = render(make_world(7), camera, first_s + kept / 12)
        mine = shards[0].frame_of == number
        np.testing.assert_array_equal(shards[0].boxes[mine], truth.boxes)
        np.testing.assert_array_equal(shards[0].visibility[mine], truth.visibility)
        np.testing.assert_array_equal(shards[0].truncation[mine], truth.truncation)
        frame = store.read(0, number)
        assert frame.image.shape == image.shape
        assert np.abs(frame.image.astype(int) - image).mean() < 8
        high = truth.boxes[:, 3] - truth.boxes[:, 1] >= 12
        np.testing.assert_array_equal(frame.classes >= 0, high & (truth.visibility >= 0.4))


def test_views_spread_over_time_and_cameras():
    views = [view for seed in range(40) for view in draw_takes(seed, 4)]
    names = [camera.name for camera, _ in views]
    assert 0.4 < names.count("front") / len(names) < 0.75
    assert len(set(names)) == 6
    for seed in range(5):
        times = [time_s for _, time_s in draw_takes(seed, 6)]
        assert times == sorted(times)


def test_what_is_there_is_not_rendered_again(tmp_path):
    (tmp_path / "00003.npz").write_bytes(b"here already")
    assert write_shards(tmp_path, [3]) == 0
    assert (tmp_path / "00003.npz").read_bytes() == b"here already"


def test_the_command_writes_a_shard_a_seed(tmp_path):
    main([str(tmp_path / "frames"), "--seeds", "2000:2001"])
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["02000.npz"]


@pytest.mark.parametrize("text", ["0:10001", "5:5", "-3:2", "x", "3"])
def test_seeds_that_are_no_training_seeds_are_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_seeds(text)
