"""What Beam is told of a run, past the threads that do the work."""

import json
import shutil
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from running import SAMPLE

from models.registry import find_model
from pipelines.autolabel import Resources, build
from pipelines.jobs import check_job
from transforms.metrics import COUNTERS, DISTRIBUTIONS, NAMESPACE


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    clips = tmp_path_factory.mktemp("clips")
    for clip in SAMPLE.glob("TeslaCam/SavedClips/*/*-front.mp4"):
        shutil.copy(clip, clips)
    (clips / "2025-06-14_09-05-00-front.mp4").write_bytes(b"no video")
    values = {"inputs": [str(clips)], "models": ["demo"], "labels": {"fps": "1"}}
    return check_job({**values, "output": str(tmp_path_factory.mktemp("out"))}, "options")


def told(job, run_id):
    root = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    build(root, job, Resources([find_model("demo")], run_id, threads=2, workers=2))
    result = root.run()
    result.wait_until_finish()
    found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))
    counters = {item.key.metric.name: item.committed for item in found["counters"] if item.committed}
    distributions = {item.key.metric.name: item.committed for item in found["distributions"]}
    return counters, {name: item for name, item in distributions.items() if item.count}


def test_counts_are_those_of_the_work(job):
    counters, distributions = told(job, "20260101T000000Z-000000")
    clips = len(list(Path(job.inputs[0]).iterdir()))
    assert counters["clips_unreadable"] == 1
    assert counters["clips_probed"] == counters["shards_written"] == clips - 1
    assert counters["frames"] > 0
    assert counters["detections"] > 0
    assert set(distributions) == set(DISTRIBUTIONS)
    assert distributions["shard_milliseconds"].count == counters["shards_written"]
    assert distributions["shard_milliseconds"].sum >= distributions["detect_milliseconds"].sum > 0
    again, _ = told(job, "20260101T000001Z-000000")
    assert again["shards_kept"] == counters["shards_written"]
    assert not {"frames", "shards_written"} & again.keys()


def plan_of(job, run_id):
    return json.loads((Path(job.output) / "runs" / run_id / "plan.json").read_bytes())


def test_what_stands_after_a_killed_run_is_kept_and_not_pending(job):
    begun = plan_of(job, "20260101T000000Z-000000")
    assert begun["pending"] == begun["shards"] == 2
    # of a run that was killed at its end the manifest knows nothing yet
    (Path(job.output) / "manifest.parquet").unlink()
    counters, _ = told(job, "20260101T000002Z-000000")
    assert counters["shards_kept"] == begun["shards"]
    assert plan_of(job, "20260101T000002Z-000000") == {**begun, "pending": 0}


def test_what_is_taken_over_from_a_base_is_counted_as_that(job, tmp_path):
    new = job.model_copy(update={"output": str(tmp_path / "new"), "base": job.output})
    counters, distributions = told(new, "20260101T000003Z-000000")
    assert counters["shards_taken_over"] == 2
    assert not {"frames", "shards_kept", "shards_written"} & counters.keys()
    assert not distributions


def test_every_name_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert not [name for name in (*COUNTERS, *DISTRIBUTIONS) if f"`{name}`" not in page]
