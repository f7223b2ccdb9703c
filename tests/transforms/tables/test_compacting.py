import hashlib
import json
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_sets import DAY_NS, Box, Minute, make_set
from running import digests

from transforms.tables import compacting, days
from transforms.tables.checks import find_problems
from transforms.tables.compacting import CompactionError, compact
from transforms.tables.finished import UnfinishedError
from transforms.tables.queries import NotADatasetError, connect
from transforms.tables.schemas import TABLES
from transforms.tables.store import LocalStore

BOXES = tuple(Box(frame, 40.0 * frame) for frame in range(3))
MINUTES = [
    Minute("a", BOXES),
    Minute("a", BOXES[:2], minute=1),
    Minute("b", BOXES, start_ns=DAY_NS),
    Minute("c", (), start_ns=DAY_NS + 5),
    Minute("d", BOXES, start_ns=None),
]


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def source(tmp_path):
    return make_set(tmp_path / "in", MINUTES)


def rows(root, table):
    with connect(root) as data:
        return sorted(map(str, data.table(table).fetchall()))


def files(root, table):
    return sorted(path.stem for path in (root / table).glob("*.parquet"))


def test_the_copy_is_sound_and_holds_the_same_rows(source, tmp_path):
    assert list(find_problems(source)) == []
    done = compact(source, tmp_path / "out")
    assert list(find_problems(tmp_path / "out")) == []
    for table in TABLES:
        assert rows(tmp_path / "out", table) == rows(source, table), table
    assert rows(source, "detections")
    (undated,) = (name for name in files(tmp_path / "out", "frames") if name.startswith("undated-"))
    assert files(tmp_path / "out", "frames") == ["1970-01-01", "1970-01-02", undated]
    assert files(tmp_path / "out", "detections") == ["1970-01-01", "1970-01-02", undated]
    assert files(tmp_path / "out", "telemetry") == ["empty"]
    assert done.files == done.written == len(list((tmp_path / "out").glob("*/*.parquet")))
    assert done.sources == len(list(source.glob("*/*.parquet")))


def test_rows_stand_in_the_order_of_their_shards_and_files_tell_what_they_hold(source, tmp_path):
    compact(source, tmp_path / "out")
    file = pq.ParquetFile(tmp_path / "out" / "frames" / "1970-01-01.parquet")
    assert file.schema_arrow.equals(TABLES["frames"], check_metadata=False)
    assert file.read()["frame_id"].to_pylist() == [f"a {number}" for number in (0, 1, 2, 60, 61, 62)]
    told = file.metadata.metadata
    assert json.loads(told[b"clipmill.shards"]) == ["a-m0000", "a-m0001"]
    assert told[b"clipmill.model_digests"] == b"5ha"
    assert b"clipmill.commit" not in told


def test_row_groups_do_not_depend_on_how_rows_were_spread(source, tmp_path, monkeypatch):
    monkeypatch.setattr(compacting, "_ROW_GROUP", 4)
    compact(source, tmp_path / "out")
    file = pq.ParquetFile(tmp_path / "out" / "frames" / "1970-01-01.parquet")
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [4, 2]
    assert list(find_problems(tmp_path / "out")) == []


def test_again_nothing_is_written(source, tmp_path):
    compact(source, tmp_path / "out")
    before = digests(tmp_path / "out")
    done = compact(source, tmp_path / "out")
    assert (done.written, done.removed) == (0, 0)
    assert digests(tmp_path / "out") == before


def test_only_days_that_changed_are_written_again(source, tmp_path):
    compact(source, tmp_path / "out")
    untouched = (tmp_path / "out" / "frames" / "1970-01-01.parquet").stat()
    make_set(source, [*MINUTES, Minute("e", BOXES, start_ns=DAY_NS + 7)])
    done = compact(source, tmp_path / "out")
    # clips, frames, detections and tracks of the second day; objects and coverage
    assert done.written == 6
    assert (tmp_path / "out" / "frames" / "1970-01-01.parquet").stat().st_ino == untouched.st_ino
    assert list(find_problems(tmp_path / "out")) == []
    compact(source, tmp_path / "fresh")
    assert digests(tmp_path / "out") == digests(tmp_path / "fresh")


def test_what_is_gone_from_the_data_set_goes_from_the_copy(source, tmp_path):
    compact(source, tmp_path / "out")
    make_set(source, MINUTES[:2])
    assert compact(source, tmp_path / "out").removed == 8
    compact(source, tmp_path / "fresh")
    assert digests(tmp_path / "out") == digests(tmp_path / "fresh")
    make_set(source, [Minute("c", ())])
    compact(source, tmp_path / "out")
    assert files(tmp_path / "out", "detections") == ["empty"]
    assert list(find_problems(tmp_path / "out")) == []


def watched(monkeypatch, check):
    """Calls `check` after every change of the folder."""
    replacing, delete = LocalStore.replacing, LocalStore.delete

    @contextmanager
    def looked_at(store, name):
        with replacing(store, name) as sink:
            yield sink
        check()

    def deleted(store, name):
        delete(store, name)
        check()

    monkeypatch.setattr(LocalStore, "replacing", looked_at)
    monkeypatch.setattr(LocalStore, "delete", deleted)


@pytest.mark.parametrize(
    "later",
    [
        [*MINUTES, Minute("0", BOXES), Minute("00", BOXES)],
        MINUTES[1:],
        [MINUTES[1]],
        [
            replace(MINUTES[0], start_ns=DAY_NS),
            replace(MINUTES[1], start_ns=DAY_NS),
            replace(MINUTES[2], start_ns=0),
        ],
        [*MINUTES[1:], *(Minute(f"b{number}", BOXES) for number in range(5))],
    ],
)
def test_a_reader_by_glob_never_sees_a_row_twice(source, tmp_path, monkeypatch, later):
    monkeypatch.setattr(compacting, "cut_days", lambda shards: days.cut_days(shards, most_rows=4))
    out = tmp_path / "out"
    compact(source, out)
    make_set(source, later)

    def check():
        for table, key in {"frames": "frame_id", "detections": "detection_id", "clips": "clip_id"}.items():
            paths = list((out / table).glob("*.parquet"))
            seen = [key_ for path in paths for key_ in pq.read_table(path)[key].to_pylist()]
            assert len(seen) == len(set(seen)), table

    with monkeypatch.context() as patch:
        watched(patch, check)
        compact(source, out)
    compact(source, tmp_path / "fresh")
    assert digests(out) == digests(tmp_path / "fresh")


@pytest.mark.parametrize(
    ("after", "grown"), [(0, False), (1, True), (2, False), (4, True), (8, True), (14, False), (16, False)]
)
def test_killed_and_run_again_the_bytes_are_the_same(source, tmp_path, monkeypatch, after, grown):
    compact(source, tmp_path / "fresh")
    out = tmp_path / "out"
    if grown:
        compact(make_set(tmp_path / "before", MINUTES[2:]), out)
    replacing, left = LocalStore.replacing, [after]

    def killed(store, name):
        if not left[0]:
            raise KilledError
        left[0] -= 1
        return replacing(store, name)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "replacing", killed)
        with pytest.raises(KilledError):
            compact(source, out)
    if after:
        assert "a run was cut short" in "".join(find_problems(out))
    compact(source, out)
    assert digests(out) == digests(tmp_path / "fresh")


def test_a_data_set_that_changes_under_it_is_told(source, tmp_path):
    path = source / "tracks" / "b-m0000.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(
        CompactionError, match=r"tracks/b-m0000\.parquet: not the file that the manifest names"
    ):
        compact(source, tmp_path / "out")
    (source / "manifest.parquet").unlink()
    with pytest.raises(UnfinishedError, match="a run has not finished"):
        compact(source, tmp_path / "out")


def test_files_that_are_pending_are_waited_for(source, tmp_path):
    manifest = pq.read_table(source / "manifest.parquet")
    states = ["pending", *manifest["state"].to_pylist()[1:]]
    manifest = manifest.set_column(7, manifest.schema.field("state"), pa.array(states))
    pq.write_table(manifest, source / "manifest.parquet")
    facts = json.loads((source / "dataset.json").read_text())
    facts["manifest_sha256"] = hashlib.sha256((source / "manifest.parquet").read_bytes()).hexdigest()
    (source / "dataset.json").write_text(json.dumps(facts))
    with pytest.raises(UnfinishedError, match="1 files are pending"):
        compact(source, tmp_path / "out")


def test_a_copy_is_not_copied_again_and_other_schemas_are_told(source, tmp_path):
    compact(source, tmp_path / "out")
    with pytest.raises(CompactionError, match="is compacted already"):
        compact(tmp_path / "out", tmp_path / "again")
    (source / "dataset.json").write_text('{"schema_version": 2}')
    with pytest.raises(NotADatasetError, match="clipmill migrate"):
        compact(source, tmp_path / "again")
    with pytest.raises(NotADatasetError, match="no data set here"):
        compact(tmp_path / "nowhere", tmp_path / "again")
    assert not (tmp_path / "again").exists()
