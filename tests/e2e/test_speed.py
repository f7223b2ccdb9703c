import json

import pytest

from pipelines.cores import cores_here
from transforms.budget.labelling import newest_speed
from transforms.tables.store import LocalStore


def test_a_run_notes_how_fast_it_labelled(labelled_sample):
    speed = newest_speed(LocalStore(labelled_sample))
    assert speed is not None
    # other tests run the same command again: runs that label nothing measure nothing
    runs = [json.loads(path.read_text()) for path in labelled_sample.glob("runs/*/run.json")]
    (run,) = (item for item in runs if item["run_id"] == speed.run_id)
    assert run["shards"]["written"] > 0
    assert (speed.cores, speed.sampling) == (cores_here(), "5")
    assert run["speed"]["frames"] == run["frames"]
    # some clips of the sample are shorter than the distance of two samples, or have fewer frames a second
    assert speed.frames_per_camera_hour == pytest.approx(18_000, rel=0.1)
    assert speed.frames_per_second_per_core > 0
    assert 0 < speed.decode_share < 1
