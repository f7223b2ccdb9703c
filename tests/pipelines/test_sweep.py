import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.outcome import JobError, UsageError
from pipelines.sweep import SweepJob, read_spec, run
from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.sweeps.rows import evaluate_range
from transforms.budget.sweeps.spec import SweepSpec
from transforms.sweep import RANGE, SWEEP_KEY, TABLE
from transforms.tables.commits import encode, file_metadata

HOUR_NS = 3_600_000_000_000
FIGURES = DatasetFigures(
    camera_hours=2.0, clips=1, frames=0, cameras=(CameraFigures("front", 1280, 960, 36.0, 2.0),), bytes=1000
)


@pytest.fixture
def dataset(tmp_path):
    clips = pa.table(
        {
            "camera": ["front"],
            "width": pa.array([1280], pa.int32()),
            "height": pa.array([960], pa.int32()),
            "duration_ns": [2 * HOUR_NS],
            "frame_count": [2 * 3600 * 36],
            "bytes": [1000],
            "duplicate_of": pa.array([None], pa.string()),
        }
    )
    (tmp_path / "data" / "clips").mkdir(parents=True)
    pq.write_table(clips, tmp_path / "data" / "clips" / "a.parquet")
    return tmp_path / "data"


@pytest.fixture
def sweep():
    """More than one range of scenarios, so that workers share them."""
    grid = {
        "workload": ["fsd"],
        "cluster": ["cortex"],
        "as_of": ["2024-05", "2025-08"],
        "vehicles": [1e3, 1e4, 1e5],
        "hours_per_day": [1, 2],
        "days": [float(days) for days in range(1, 25)],
    }
    sweep = SweepSpec.parse({"draws": 20, "dataset": "out", "grid": grid}).resolve()
    assert RANGE < sweep.grid.count < 2 * RANGE
    return sweep


def direct(sweep, figures=FIGURES):
    told = {**file_metadata(), SWEEP_KEY: json.dumps(sweep.as_json(figures), sort_keys=True)}
    return encode(evaluate_range(sweep, figures, 0, sweep.grid.count), told)


@pytest.mark.parametrize(
    ("beam_arguments", "workers"),
    [
        ((), 1),
        (("--direct_num_workers=2", "--direct_running_mode=multi_threading"), None),
        ((), 2),
    ],
    ids=["one", "two threads", "two processes"],
)
def test_the_pipeline_equals_the_direct_way(tmp_path, sweep, beam_arguments, workers):
    run(SweepJob(sweep=sweep, sample=FIGURES, output=str(tmp_path)), beam_arguments, workers)
    assert (tmp_path / TABLE).read_bytes() == direct(sweep)


def test_a_data_set_is_read_as_budget_reads_it(tmp_path, dataset, sweep):
    rows = run(SweepJob(sweep=sweep, sample=str(dataset), output=str(tmp_path / "out")))
    assert (tmp_path / "out" / TABLE).read_bytes() == direct(sweep)
    assert set(rows["scenario"].to_pylist()) == set(range(sweep.grid.count))
    assert "reasons" not in rows.column_names


def test_figures_take_the_place_of_a_data_set_and_a_sweep_that_of_an_earlier_one(tmp_path, sweep):
    (tmp_path / TABLE).write_bytes(b"an earlier one")
    figures = DatasetFigures.of_hours(1.0)
    run(SweepJob(sweep=sweep, sample=figures, output=str(tmp_path)))
    assert (tmp_path / TABLE).read_bytes() == direct(sweep, figures)
    assert {path.name for path in tmp_path.iterdir()} <= {TABLE, ".clipmill.lock"}


def test_a_data_set_without_hours_fails_the_job_and_leaves_the_earlier_table(tmp_path, dataset, sweep):
    clips = pq.read_table(dataset / "clips" / "a.parquet")
    empty = clips.set_column(clips.column_names.index("duration_ns"), "duration_ns", pa.array([0]))
    pq.write_table(empty, dataset / "clips" / "a.parquet")
    out = tmp_path / "out"
    out.mkdir()
    (out / TABLE).write_bytes(b"an earlier one")
    with pytest.raises(JobError, match="the data set holds no camera-hours") as caught:
        run(SweepJob(sweep=sweep, sample=str(dataset), output=str(out)))
    assert "\n" not in str(caught.value)
    assert (out / TABLE).read_bytes() == b"an earlier one"


@pytest.mark.parametrize(
    ("changed", "beam_arguments", "workers", "told"),
    [
        ({"sample": "{}/nowhere"}, (), None, "nowhere: no labelled data set here"),
        ({"sample": "ftp9://host/data"}, (), None, "ftp9"),
        ({"output": "ftp9://host/out"}, (), None, "ftp9"),
        ({}, (), 0, "--workers 0: this machine has"),
        ({}, ("--speed=9",), None, "Beam does not know --speed"),
        ({}, ("--runner=FlinkRunner", "--flink_master=far:8081"), None, "is a folder of this machine"),
    ],
)
def test_bad_usage_is_told(tmp_path, sweep, changed, beam_arguments, workers, told):
    places = {"output": str(tmp_path / "out")} | {
        name: place.format(tmp_path) for name, place in changed.items()
    }
    with pytest.raises(UsageError, match=told):
        run(
            SweepJob(**{"sweep": sweep, "sample": DatasetFigures.of_hours(1.0), **places}),
            beam_arguments,
            workers,
        )
    assert not (tmp_path / "out").exists()


SPEC = """
draws = 20
[rig]
cameras = 2
width = 1280
height = 960
fps = 36
[grid]
workload = ["fsd"]
cluster = ["cortex"]
vehicles = [10, 100]
hours_per_day = [1]
days = [1]
"""


def test_a_spec_is_read(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(SPEC)
    sweep, sample = read_spec(path)
    assert (sweep.grid.vehicles, sample.camera_hours) == ((10.0, 100.0), 2.0)
    path.write_text('dataset = "out"')
    assert read_spec(path)[1] == "out"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "sweep.toml: no such file"),
        (b"\xff", "sweep.toml:1: cannot be read"),
        (b"draws = ", "sweep.toml:1: not TOML"),
        (b"draws = 500", r"sweep.toml: give one of dataset and \[rig\]"),
        (SPEC.replace("10,", "0,").encode(), r"sweep.toml: grid.vehicles: vehicles 0: give a number"),
    ],
)
def test_what_is_wrong_with_a_spec_is_told_with_its_file(tmp_path, text, told):
    path = tmp_path / "sweep.toml"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(UsageError, match=told) as caught:
        read_spec(path)
    assert "\n" not in str(caught.value)
