import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that, equal_to

from transforms.budget.costs import UNITS
from transforms.budget.demand.figures import CameraFigures, DatasetFigures, Tally
from transforms.budget.errors import BudgetUsageError
from transforms.budget.request import BudgetRequest
from transforms.estimate import (
    BUDGET,
    FIGURES_KEY,
    EstimateBudget,
    ReadFigures,
    WriteBudget,
    figures_of,
    holds_clips,
    list_files,
    tally_file,
)
from transforms.tables.store import LocalStore

HOUR_NS = 3_600_000_000_000
FIGURES = DatasetFigures(
    camera_hours=1.5,
    clips=2,
    frames=3,
    cameras=(CameraFigures("back", 640, 480, 30.0, 0.5), CameraFigures("front", 1280, 960, 36.0, 1.0)),
    detections=5,
    tracks=2,
    bytes=300,
)


def write(folder, name, columns):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)


def clips(camera, width, height, hours, fps, size, duplicate_of=None):
    return {
        "clip_id": [camera],
        "camera": [camera],
        "width": [width],
        "height": [height],
        "duration_ns": [round(hours * HOUR_NS)],
        "frame_count": [round(hours * 3600 * fps)],
        "bytes": [size],
        "duplicate_of": pa.array([duplicate_of], pa.string()),
    }


@pytest.fixture
def dataset(tmp_path):
    write(tmp_path, "clips/b.parquet", clips("front", 1280, 960, 1.0, 36, 200))
    write(tmp_path, "clips/a.parquet", clips("back", 640, 480, 0.5, 30, 100))
    write(tmp_path, "clips/_duplicates.parquet", clips("front", 1280, 960, 1.0, 36, 200, "front"))
    write(
        tmp_path,
        "frames/a.parquet",
        {
            "clip_id": ["c"] * 5,
            "sample_index": pa.array([0, 1, 2, 3, None], pa.int64()),
            "is_damaged": [False, False, False, True, False],
        },
    )
    write(tmp_path, "detections/a.parquet", {"detection_id": ["1", "2"]})
    write(tmp_path, "detections/b.parquet", {"detection_id": ["3", "4", "5"]})
    write(tmp_path, "tracks/a.parquet", {"track_id": ["1", "2"]})
    (tmp_path / "clips" / "notes.txt").write_text("not a table")
    (tmp_path / "clips" / ".a.parquet.tmp").write_text("of a writer that was killed")
    return str(tmp_path)


def test_the_files_of_a_table_are_listed_in_order(dataset):
    assert list(list_files("clips", dataset)) == [
        ("clips", "clips/_duplicates.parquet"),
        ("clips", "clips/a.parquet"),
        ("clips", "clips/b.parquet"),
    ]
    assert list(list_files("tracks", dataset)) == [("tracks", "tracks/a.parquet")]
    assert list(list_files("events", dataset)) == []


@pytest.mark.parametrize(
    ("file", "tally"),
    [
        (
            ("clips", "clips/a.parquet"),
            Tally(clips=1, bytes=100, cameras=(("back", 640, 480, HOUR_NS // 2, 54_000),)),
        ),
        (("clips", "clips/_duplicates.parquet"), Tally()),
        (("frames", "frames/a.parquet"), Tally(frames=3)),
        (("detections", "detections/b.parquet"), Tally(detections=3)),
        (("tracks", "tracks/a.parquet"), Tally(tracks=2)),
    ],
)
def test_a_file_is_counted(dataset, file, tally):
    assert tally_file(file, dataset) == tally


def test_a_file_without_the_columns_is_told(tmp_path):
    write(tmp_path, "clips/old.parquet", {"camera": ["front"]})
    with pytest.raises(BudgetUsageError, match="table clips lacks width, height, duration_ns, "):
        tally_file(("clips", "clips/old.parquet"), str(tmp_path))


def test_clips_are_there_or_not(dataset, tmp_path):
    assert holds_clips(LocalStore(dataset))
    assert not holds_clips(LocalStore(tmp_path / "nowhere"))
    (tmp_path / "empty" / "clips").mkdir(parents=True)
    (tmp_path / "empty" / "clips" / "notes.txt").write_text("not a table")
    assert not holds_clips(LocalStore(tmp_path / "empty"))


def test_figures_come_back_from_the_tables_metadata():
    metadata = {FIGURES_KEY.encode(): json.dumps(FIGURES.as_json()).encode(), b"other": b"x"}
    assert figures_of(metadata) == FIGURES


def test_the_stages_count_answer_and_write(dataset):
    request = BudgetRequest(workloads=("fsd",), clusters=("cortex",), draws=50)
    with beam.Pipeline("DirectRunner") as root:
        figures = root | ReadFigures(dataset)
        assert_that(figures, equal_to([FIGURES]))
        _ = figures | EstimateBudget(request) | WriteBudget(dataset)
    (file,) = LocalStore(dataset).sizes(BUDGET)
    with LocalStore(dataset).open(f"{BUDGET}/{file}") as source:
        table = pq.read_table(source)
    assert figures_of(table.schema.metadata) == FIGURES
    direct = request.answer(FIGURES)
    assert table["accelerator"].to_pylist() == [item.accelerator for item in direct for _ in UNITS]
    assert table["p50"].to_pylist() == [item.quantities[name].p50 for item in direct for name in UNITS]
