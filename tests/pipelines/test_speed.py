import pytest

from pipelines.cores import cores_here
from pipelines.jobs import AutolabelJob
from pipelines.speed import measured_speed

JOB = AutolabelJob(inputs=("clips",), output="out", models=("demo",))


def shard(**changes):
    return {"frames": 10, "camera_ns": 2_000_000_000, "seconds": 1.5, "decode_s": 0.25, **changes}


def test_shards_add_up():
    speed = measured_speed(JOB, "20260102T030405Z-abc", 4, [shard(), shard(frames=0, seconds=0.5)])
    assert speed is not None
    assert speed.model_dump(exclude={"cpu"}) == {
        "run_id": "20260102T030405Z-abc",
        "device": "cpu",
        "sampling": "5",
        "frames": 10,
        "camera_seconds": 4.0,
        "worker_seconds": 2.0,
        "decode_seconds": 0.5,
        "workers": 4,
        "cores": cores_here(),
    }


def test_this_machine_says_nothing_of_workers_elsewhere():
    speed = measured_speed(JOB, "20260102T030405Z-abc", None, [shard()])
    assert speed is not None
    assert (speed.workers, speed.cores, speed.cpu) == (None, None, None)


@pytest.mark.parametrize("written", [[], [shard(frames=0)], [shard(camera_ns=0)]])
def test_no_frames_no_speed(written):
    assert measured_speed(JOB, "20260102T030405Z-abc", 1, written) is None


def test_systems_that_tell_less(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_, **__: "processor : 0\n")
    monkeypatch.setattr("platform.processor", lambda: "")
    speed = measured_speed(JOB, "20260102T030405Z-abc", 1, [shard()])
    assert speed is not None
    assert (speed.cores, speed.cpu) == (1, None)
