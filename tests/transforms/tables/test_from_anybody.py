"""A data set may come from anybody: what it names elsewhere is neither read nor written."""

import hashlib
import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_sets import DAY_NS, Box, Minute, make_set

from transforms.tables.checks import find_problems
from transforms.tables.compacting import compact
from transforms.tables.queries import NotADatasetError, connect


@pytest.fixture
def hostile(tmp_path):
    """A data set whose manifest names a file above it, with the right digest."""
    root = tmp_path / "home" / "hostile"
    make_set(root, [Minute("clip", (Box(0, 1.0),), start_ns=DAY_NS)])
    bait = tmp_path / "home" / ".bashrc"
    bait.write_text("evil")
    rows = pq.read_table(root / "manifest.parquet").to_pylist()
    rows.append(
        rows[0]
        | {
            "path": "../.bashrc",
            "table": "x",
            "shard": "..",
            "bytes": 4,
            "sha256": hashlib.sha256(b"evil").hexdigest(),
        }
    )
    schema = pq.read_schema(root / "manifest.parquet")
    pq.write_table(pa.Table.from_pylist(rows, schema), root / "manifest.parquet")
    facts = json.loads((root / "dataset.json").read_text())
    facts["manifest_sha256"] = hashlib.sha256((root / "manifest.parquet").read_bytes()).hexdigest()
    (root / "dataset.json").write_text(json.dumps(facts))
    return root


def test_verify_tells_and_compact_refuses(hostile, tmp_path):
    assert any("'../.bashrc', which is no file of a data set" in line for line in find_problems(hostile))
    with pytest.raises(NotADatasetError, match="bashrc"):
        compact(hostile, tmp_path / "away" / "out")
    assert not list((tmp_path / "away").rglob("*bashrc"))


@pytest.mark.parametrize("folder", ["camera=front", "date=2026-01-01", "clip_id=x"])
def test_folders_above_a_data_set_are_no_columns(tmp_path, folder):
    make_set(tmp_path / "set", [Minute("clip", (Box(0, 1.0),), start_ns=DAY_NS)])
    (tmp_path / folder).mkdir()
    shutil.copytree(tmp_path / "set", tmp_path / folder / "set")
    found = []
    for root in (tmp_path / "set", tmp_path / folder / "set"):
        with connect(root) as data:
            result = data.execute("SELECT * FROM detections")
            found.append(([column[0] for column in result.description], result.fetchall()))
    assert found[0] == found[1]
