import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.budget import BudgetJob, run
from pipelines.outcome import JobError, UsageError
from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.estimates import estimates_table
from transforms.budget.request import BudgetRequest
from transforms.estimate import FIGURES_KEY
from transforms.tables.commits import encode, facts_of, file_metadata
from transforms.tables.digests import canonical_json
from transforms.tables.schemas import BUDGET, MANIFEST, SCHEMA_VERSION, TABLES

FIGURES = DatasetFigures(
    camera_hours=3.0,
    clips=2,
    frames=150,
    cameras=(CameraFigures("back", 1280, 960, 36.0, 1.0), CameraFigures("front", 1280, 960, 36.0, 2.0)),
    detections=11,
    tracks=3,
    bytes=2000,
)


def test_the_pipeline_equals_the_direct_way(dataset):
    request = BudgetRequest(seed=3, draws=200)
    assert run(BudgetJob(str(dataset), request)) == FIGURES
    told = {**file_metadata(), FIGURES_KEY: json.dumps(FIGURES.as_json())}
    content = (dataset / "budget" / "all.parquet").read_bytes()
    assert content == encode(estimates_table(request.answer(FIGURES)), told)
    assert sorted(path.name for path in (dataset / "budget").iterdir()) == ["all.parquet"]


def test_every_column_of_the_table_tells_what_it_is():
    assert all(field.metadata[b"description"] for field in BUDGET)


def test_the_manifest_and_dataset_json_follow(dataset):
    old = encode(BUDGET.empty_table(), file_metadata())
    rows = [
        {"table": path.split("/")[0], "shard": "x", "label_digest": None, "state": "committed"}
        | {"path": facts.path, "rows": facts.rows, "bytes": facts.bytes, "sha256": facts.sha256}
        for path, facts in (
            ("budget", facts_of("budget/all.parquet", 0, old)),
            ("tracks", facts_of("tracks/a.parquet", 3, b"")),
        )
    ]
    (dataset / "manifest.parquet").write_bytes(encode(pa.Table.from_pylist(rows, MANIFEST), file_metadata()))
    described = {"schema_version": SCHEMA_VERSION, "manifest_sha256": "", "tables": dict.fromkeys(TABLES, 0)}
    (dataset / "dataset.json").write_text(canonical_json(described))

    run(BudgetJob(str(dataset), BudgetRequest(workloads=("fsd",), clusters=("dojo",), draws=100)))

    listed = {row["path"]: row for row in pq.read_table(dataset / "manifest.parquet").to_pylist()}
    content = (dataset / "budget" / "all.parquet").read_bytes()
    mine = facts_of("budget/all.parquet", 6, content)
    assert listed["budget/all.parquet"] == {
        "path": mine.path,
        "table": "budget",
        "shard": "all",
        "rows": 6,
        "bytes": mine.bytes,
        "sha256": mine.sha256,
        "label_digest": None,
        "state": "committed",
    }
    assert listed["tracks/a.parquet"]["rows"] == 3
    told = json.loads((dataset / "dataset.json").read_text())
    assert told["manifest_sha256"] == facts_of("", 0, (dataset / "manifest.parquet").read_bytes()).sha256
    assert told["tables"]["budget"] == 6


def test_what_is_no_data_set_is_told(tmp_path):
    with pytest.raises(UsageError, match="no labelled data set here"):
        run(BudgetJob(str(tmp_path / "nowhere"), BudgetRequest()))
    assert not (tmp_path / "nowhere").exists()


def test_a_broken_table_fails_the_job_with_one_line(dataset):
    (dataset / "frames" / "b.parquet").write_bytes(b"nonsense")
    with pytest.raises(JobError) as caught:
        run(BudgetJob(str(dataset), BudgetRequest(draws=100)))
    assert "\n" not in str(caught.value)
    assert "arquet" in str(caught.value)
