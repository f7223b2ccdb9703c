"""What Beam is told of a run, past the threads that do the work."""

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


def test_every_name_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert not [name for name in (*COUNTERS, *DISTRIBUTIONS) if f"`{name}`" not in page]
