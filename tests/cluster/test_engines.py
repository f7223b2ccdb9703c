"""The same job on several engines, with and without workers that die: the same bytes."""

import json
import os
import signal
import time

import pytest
from engines import PROCESSES, THREADS, workers
from flink_cluster import children_of, lives
from running import digests

pytestmark = pytest.mark.cluster


def holds(clipmill, job, output, done):
    assert done.code == 0, done.errors
    assert digests(output) == job.expected
    assert clipmill("verify", output).code == 0
    assert not [path for path in output.rglob("*") if path.name.endswith(".tmp")]


def test_the_job_has_something_to_compare(job):
    shards = [name for name in job.expected if name.startswith("frames/")]
    assert len(shards) >= 24
    assert "manifest.parquet" in job.expected


@pytest.mark.parametrize("how", [THREADS, PROCESSES], ids=["threads", "processes"])
def test_in_process(clipmill, job, tmp_path, how):
    holds(clipmill, job, tmp_path / "out", job.run(tmp_path / "out", *how))


@pytest.mark.parametrize("how", ["threads", "processes"])
def test_prism(clipmill, job, tmp_path, prism, how):
    holds(clipmill, job, tmp_path / "out", job.run(tmp_path / "out", *prism[how]))


def test_flink(clipmill, job, tmp_path, flink):
    done = job.run(tmp_path / "out", *flink.flags)
    holds(clipmill, job, tmp_path / "out", done)
    again = job.run(tmp_path / "out", *flink.flags)
    holds(clipmill, job, tmp_path / "out", again)
    assert again.data["shards"]["written"] == 0
    assert again.data["shards"]["skipped"] == sum(done.data["shards"].values())


def test_a_task_manager_is_killed(clipmill, job, tmp_path, flink):
    flink.cluster.complete()
    process = job.start(tmp_path / "out", *flink.flags)
    busy_workers(flink, process, tmp_path / "out")
    (plan,) = (tmp_path / "out").glob("runs/*/plan.json")
    seen = len(list(plan.parent.glob("shards/*.json")))
    assert 3 <= seen < json.loads(plan.read_text())["pending"], "progress is told while a run goes on"
    flink.cluster.kill_task_manager()
    done = job.finish(process)
    flink.cluster.complete()
    holds(clipmill, job, tmp_path / "out", done)


def test_a_worker_is_killed(clipmill, job, tmp_path, flink):
    flink.cluster.complete()
    process = job.start(tmp_path / "out", *flink.flags)
    victim = busy_workers(flink, process, tmp_path / "out")[0]
    children = children_of(victim)
    assert children
    os.kill(victim, signal.SIGKILL)
    done = job.finish(process)
    holds(clipmill, job, tmp_path / "out", done)
    assert not [child for child in children if lives(child)]


def busy_workers(flink, process, output):
    """Waits until both TaskManagers label; their Python processes."""
    ends = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < ends:
        living = [worker for worker in workers(flink.boot) if lives(worker) and children_of(worker)]
        if len(living) == 2 and len(list(output.glob("runs/*/shards/*.json"))) >= 3:
            assert not (output / "dataset.json").exists()
            return living
        time.sleep(0.05)
    pytest.fail(f"no two workers were seen labelling\n{flink.cluster.tail()}")
