import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.budget.demand.figures import Tally
from transforms.clips.refs import Failure
from transforms.tables.commits import (
    FileFacts,
    ModelFacts,
    ShardSummary,
    commit_shard,
    committed_shards,
    encode,
    file_metadata,
    is_whole,
    read_commit,
)
from transforms.tables.digests import canonical_json
from transforms.tables.schemas import SCHEMA_VERSION, SHARD_TABLES
from transforms.tables.store import LocalStore


def rows(schema: pa.Schema, count: int) -> pa.Table:
    """A table with `count` rows of plain values."""
    samples = {
        pa.string(): "x",
        pa.int64(): 1,
        pa.int32(): 1,
        pa.uint32(): 1,
        pa.uint64(): 1,
        pa.float32(): 0.5,
        pa.float64(): 0.5,
        pa.bool_(): True,
    }
    columns = {
        column.name: [samples.get(column.type, [("car", 1.0)] if pa.types.is_map(column.type) else None)]
        * count
        for column in schema
    }
    return pa.table(columns, schema)


@pytest.fixture
def summary() -> ShardSummary:
    failure = Failure(
        uri="/a", clip_id="c", stage="decode", error="damaged_packets", message="m", retryable=False
    )
    return ShardSummary(
        name="drive-m0000",
        drive_id="drive",
        label_digest="digest",
        made_from={"clips": "digest"},
        files=(),
        counts={"frames": 3},
        clips=(("c", "/a.mp4"),),
        event_ids=("e",),
        models=tuple(
            ModelFacts(
                name=name, sha256=name, digest="d", size=416, task="detection", categories=("car", "bus")
            )
            for name in ("m1", "m2")
        ),
        frames_labelled={"c": 3},
        tally=Tally(clips=1, frames=3, cameras=(("front", 640, 360, 10**9, 30),)),
        tracks=("t",),
        heads={"t": ("d", "f")},
        tail={"e": "t"},
        failures=(failure,),
    )


def tables(**counts: int) -> dict[str, pa.Table]:
    return {name: rows(schema, counts.get(name, 0)) for name, schema in SHARD_TABLES.items()}


def sizes(store: LocalStore) -> dict[str, dict[str, int]]:
    return {name: store.sizes(name) for name in SHARD_TABLES}


def test_a_commit_is_read_back_as_it_was(tmp_path, summary):
    store = LocalStore(tmp_path)
    committed = commit_shard(store, summary, tables(clips=1, frames=3, detections=2))
    assert read_commit(store, summary.name) == committed
    assert [file.path for file in committed.files] == [
        "clips/drive-m0000.parquet",
        "detections/drive-m0000.parquet",
        "frames/drive-m0000.parquet",
    ]
    assert committed_shards(store) == [summary.name]
    assert is_whole(committed, sizes(store))


def test_files_tell_what_they_depend_on(tmp_path, summary):
    commit_shard(LocalStore(tmp_path), summary, tables(clips=1, frames=3))
    metadata = pq.read_metadata(tmp_path / "clips" / "drive-m0000.parquet").metadata
    assert metadata[b"clipmill.label_digest"] == b"digest"
    assert metadata[b"clipmill.model_digests"] == b"m1,m2"
    assert metadata[b"clipmill.schema_version"] == str(SCHEMA_VERSION).encode()


def test_a_table_that_lost_its_rows_loses_its_file(tmp_path, summary):
    store = LocalStore(tmp_path)
    commit_shard(store, summary, tables(frames=3, tracks=2))
    again = commit_shard(store, summary, tables(frames=3))
    assert not (tmp_path / "tracks" / "drive-m0000.parquet").exists()
    assert is_whole(again, sizes(store))


def test_a_shard_with_a_file_missing_or_changed_is_not_whole(tmp_path, summary):
    store = LocalStore(tmp_path)
    committed = commit_shard(store, summary, tables(frames=3, tracks=2))
    path = tmp_path / "tracks" / "drive-m0000.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    assert not is_whole(committed, sizes(store))
    path.unlink()
    assert not is_whole(committed, sizes(store))


def test_a_crash_before_the_last_file_leaves_no_commit(tmp_path, summary):
    class FullDisk(LocalStore):
        def write(self, name: str, content: bytes) -> None:
            if name.startswith("tracks/"):
                raise OSError(28, "No space left on device")
            super().write(name, content)

    commit_shard(LocalStore(tmp_path), summary, tables(frames=3, tracks=2))
    with pytest.raises(OSError, match="No space left"):
        commit_shard(FullDisk(tmp_path), summary, tables(frames=3, tracks=2, clips=1))
    assert read_commit(LocalStore(tmp_path), summary.name) is None
    assert committed_shards(LocalStore(tmp_path)) == []


def test_a_commit_whose_footer_is_damaged_is_absent(tmp_path, summary):
    store = LocalStore(tmp_path)
    commit_shard(store, summary, tables(frames=3))
    path = tmp_path / "frames" / "drive-m0000.parquet"
    content = bytearray(path.read_bytes())
    content[-200:-8] = bytes(192)
    path.write_bytes(content)
    assert read_commit(store, summary.name) is None


@pytest.mark.parametrize("content", [b"", b"PAR1 but no Parquet", b"\0" * 100])
def test_rubbish_is_no_commit(tmp_path, content):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "a.parquet").write_bytes(content)
    assert read_commit(LocalStore(tmp_path), "a") is None
    assert read_commit(LocalStore(tmp_path), "b") is None


def test_parquet_of_somebody_else_is_no_commit(tmp_path):
    (tmp_path / "frames").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "frames" / "a.parquet")
    assert read_commit(LocalStore(tmp_path), "a") is None


def test_the_same_rows_give_the_same_bytes(tmp_path, summary):
    first = commit_shard(LocalStore(tmp_path / "a"), summary, tables(frames=3, detections=5))
    second = commit_shard(LocalStore(tmp_path / "b"), summary, tables(frames=3, detections=5))
    assert first == second


@pytest.mark.parametrize(
    "change",
    [
        {"tally": []},
        {"tally": {"frames": "many"}},
        {"heads": "abc"},
        {"counts": {"frames": None}},
        {"tail": {"a": 1}},
        {"failures": [{"uri": "/a"}]},
        {"files": {"path": "x"}},
        {"models": [7]},
    ],
)
def test_a_record_of_other_kinds_is_no_commit(tmp_path, summary, change):
    store = LocalStore(tmp_path)
    commit_shard(store, summary, {name: rows(SHARD_TABLES[name], 1) for name in SHARD_TABLES})
    path = tmp_path / "frames" / f"{summary.name}.parquet"
    table = pq.read_table(path)
    record = json.loads(table.schema.metadata[b"clipmill.commit"])
    for content in (json.dumps({**record, **change}), "[" * 5000):
        marks = {**table.schema.metadata, b"clipmill.commit": content.encode()}
        pq.write_table(table.replace_schema_metadata(marks), path)
        assert read_commit(store, summary.name) is None
    pq.write_table(
        table.replace_schema_metadata({**marks, b"clipmill.commit": json.dumps(record).encode()}), path
    )
    assert read_commit(store, summary.name) is not None


def test_a_commit_that_claims_another_name_is_none(tmp_path, summary):
    store = LocalStore(tmp_path)
    commit_shard(store, replace(summary, name="claimed"), tables(frames=3))
    store.write("frames/true.parquet", store.read("frames/claimed.parquet"))
    assert read_commit(store, "claimed") is not None
    assert read_commit(store, "true") is None


def test_a_commit_that_names_files_of_others_is_none(tmp_path, summary):
    store = LocalStore(tmp_path)
    outside = FileFacts(path="../clips/drive-m0000.parquet", rows=1, bytes=1, sha256="x")
    record = canonical_json(replace(summary, files=(outside,)))
    content = encode(tables(frames=3)["frames"], {**file_metadata(), "clipmill.commit": record})
    store.write("frames/drive-m0000.parquet", content)
    assert read_commit(store, summary.name) is None
