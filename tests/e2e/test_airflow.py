"""A daily schedule by Airflow: days of clips, one that arrives meanwhile, a damaged file, a run that is killed."""

import json
import os
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pyarrow.dataset as ds
import pytest
from airflow_services import Airflow, kill_with_children
from installing import installs
from running import ROOT, SAMPLE, digests

SCHEDULES = ROOT / "docs" / "schedules"
SCHEDULED_AT = timedelta(hours=2, minutes=30)
DAY_S = 600
"""Longest time that anything of one day may take; a loaded machine is slow."""


def fill(first, second, third):
    """Loose clips; clips with one that was cut off; an event over two minutes."""
    first.mkdir(parents=True)
    second.mkdir()
    for clip in (SAMPLE / "TeslaCam" / "RecentClips").glob("*_09-01-04-*.mp4"):
        shutil.copy(clip, first / clip.name.rpartition("-")[2])
    for name in ("variable_rate.mp4", "rainy night über land.mp4", "truncated.mp4"):
        shutil.copy(SAMPLE / "generic" / name, second)
    shutil.copytree(SAMPLE / "TeslaCam" / "SavedClips", third / "TeslaCam" / "SavedClips")


def write_spec(path, data):
    """The example, with other paths and a network and a share of faults for a few rendered clips."""
    text = (SCHEDULES / "daily.toml").read_text(encoding="utf-8")
    for old, new in (
        ('"/data/', f'"{data}/'),
        ('"yolox-nano"', '"demo"'),
        ("workers = 4", "workers = 1"),
        ("max_failed_share = 0.1", "max_failed_share = 0.4"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


@installs
@pytest.mark.timeout(3600)
def test_three_days_end_as_one_run_over_everything(clipmill, airflow_python, tmp_path):
    last = datetime.now(UTC) - SCHEDULED_AT
    runs = [f"{last - timedelta(days=ago):%Y-%m-%d}" for ago in (2, 1, 0)]
    data, spec, arriving = tmp_path / "data", tmp_path / "daily.toml", tmp_path / "arriving"
    # a run labels the day before it
    days = [data / "clips" / f"{last - timedelta(days=ago):%Y-%m-%d}" for ago in (3, 2, 1)]
    output = data / "labels"
    fill(*days[:2], arriving)
    write_spec(spec, data)
    dags = tmp_path / "dags"
    dags.mkdir()
    shutil.copy(SCHEDULES / "airflow_dag.py", dags)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        # Airflow is to find none of our packages
        "PYTHONPATH": "",
        "CLIPMILL_JOB": str(spec),
        "CLIPMILL_SINCE": f"{runs[0]}T00:00Z",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "2",
    }

    def shards():
        return len(list(output.glob("frames/*.parquet")))

    def ended():
        return len(list(output.glob("runs/*/run.json")))

    with Airflow(airflow_python, tmp_path / "airflow", dags, environment) as airflow:
        airflow.wait_until(lambda: shards() > 0, DAY_S, "the first day is being labelled")
        arriving.rename(days[2])
        airflow.wait_until(lambda: ended() == 2, DAY_S, "two days are labelled")
        before = shards()
        airflow.wait_until(lambda: shards() > before, DAY_S, "the third day is being labelled", 0.02)
        labelling = psutil.Process(json.loads((output / ".clipmill.lock").read_text())["process"])
        assert "clipmill" in " ".join(labelling.cmdline())
        assert kill_with_children(labelling) > 1
        assert ended() == 2

        def states():
            found = airflow.get("dags/clipmill_daily/dagRuns") or {"dag_runs": []}
            every = {run["logical_date"][:10]: run["state"] for run in found["dag_runs"]}
            # at half past two another day begins
            return [every.get(day) for day in runs]

        airflow.wait_until(lambda: {*states()} <= {"success", "failed"}, DAY_S, "three runs are over")
        assert states() == ["success"] * 3
        tasks = airflow.get("dags/clipmill_daily/dagRuns/~/taskInstances")["task_instances"]
        tries = {task["logical_date"][:10]: task["try_number"] for task in tasks}
        assert [tries[day] for day in runs] == [1, 1, 2]

    inputs = json.dumps([str(day) for day in days])
    done = clipmill("run", spec, "--set", f"inputs={inputs}", "--set", f"output={tmp_path}/once", "--json")
    assert done.code == 0, done.errors
    assert digests(output) == digests(tmp_path / "once")
    (failure,) = ds.dataset(output / "failures").to_table().to_pylist()
    assert failure["uri"] == str(days[1] / "truncated.mp4")
    assert clipmill("verify", output, "--json").data == {"sound": True, "problems": []}
    assert not [path for path in output.rglob("*") if path.name.endswith(".tmp")]
