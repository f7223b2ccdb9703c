"""What a run does before it labels."""

from unittest.mock import Mock

import pyarrow as pa
import pytest

from transforms.budget.demand.figures import Tally
from transforms.tables.beginning import Planned, Unfinished, begin, part_unplanned, unfinished
from transforms.tables.checks import find_problems
from transforms.tables.commits import ShardSummary, commit_shard, committed_shards
from transforms.tables.dataset import write_manifest
from transforms.tables.manifest import read_manifest
from transforms.tables.queries import NotADatasetError
from transforms.tables.schemas import CLIPS, SHARD_TABLES
from transforms.tables.store import LocalStore


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path)


def commit(store, name: str, clip: str, uri: str, digest: str = "one") -> ShardSummary:
    summary = ShardSummary(
        name=name,
        drive_id="drive",
        label_digest=digest,
        made_from={},
        files=(),
        counts={},
        clips=((clip, uri),),
        event_ids=(),
        models=(),
        frames_labelled={clip: 1},
        tally=Tally(),
        tracks=(),
        heads={},
        tail={},
        failures=(),
    )
    return commit_shard(store, summary, {name: schema.empty_table() for name, schema in SHARD_TABLES.items()})


def states(store) -> dict[str, str]:
    return {row["shard"]: row["state"] for row in read_manifest(store)}


def test_a_clip_leaves_its_old_shard_before_the_new_one_is_written(store):
    for name, clip, uri in (("old", "a", "/a.mp4"), ("other", "b", "/b.mp4")):
        commit(store, name, clip, uri)
    begin(store, Planned({"new": "one"}, set(), [("a", "/moved/a.mp4")], []), "run", ["demo"])
    assert committed_shards(store) == ["other"]


def test_the_shard_of_a_file_that_holds_something_else_now_goes_as_well(store):
    commit(store, "old", "a", "/a.mp4")
    begin(store, Planned({"new": "one"}, set(), [("b", "/a.mp4")], []), "run", ["demo"])
    assert committed_shards(store) == []


def test_what_is_not_among_the_inputs_stays(store):
    left = commit(store, "left", "a", "/a.mp4")
    moved = commit(store, "moved", "b", "/b.mp4")
    assert part_unplanned(store, ["new"], [("b", "/c.mp4")]) == ([moved], [left])


def test_a_first_run_that_was_killed_is_unfinished_and_not_no_data_set(store):
    with pytest.raises(NotADatasetError):
        list(find_problems(store.folder))
    begin(store, Planned({"new": "two"}, {"new"}, [("c", "/c.mp4")], []), "run", ["demo"])
    assert not (store.folder / "dataset.json").exists()
    assert list(find_problems(store.folder)) == [
        "unfinished: of 1 shards that run run labels with demo, 0 are done; run the same command again"
    ]


def test_a_file_is_no_data_set(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADatasetError):
        list(find_problems(tmp_path / "file"))


def test_the_manifest_says_what_is_to_come_and_how_far_the_run_is(store):
    same = commit(store, "same", "a", "/a.mp4")
    other = commit(store, "other", "b", "/b.mp4")
    write_manifest(store, [same, other], [])
    planned = Planned(
        {"same": "one", "other": "two", "new": "two"}, set(), [("a", "/a.mp4"), ("b", "/b.mp4")], []
    )
    begin(store, planned, "run", ["demo"])
    assert states(store) == {"same": "committed", "other": "pending", "new": "pending"}
    assert unfinished(store) == Unfinished("run", ("demo",), planned=2, labelled=0)
    commit(store, "new", "c", "/c.mp4", "two")
    assert unfinished(store) == Unfinished("run", ("demo",), planned=2, labelled=1)
    # another run with other wishes: what the first one did counts only where it is wanted still
    begin(
        store,
        Planned({"same": "one", "other": "one", "new": "two"}, set(), planned.kept, []),
        "next",
        ["demo"],
    )
    assert states(store) == {"same": "committed", "other": "pending", "new": "pending"}
    assert unfinished(store) == Unfinished("next", ("demo",), planned=2, labelled=2)
    write_manifest(store, [same, other], [])
    assert unfinished(store) is None


def test_nothing_to_do_touches_nothing(store, tmp_path):
    same = commit(store, "same", "a", "/a.mp4")
    write_manifest(store, [same], [])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    begin(store, Planned({"same": "one"}, set(), [("a", "/a.mp4")], [("a", "/copy.mp4")]), "run", ["demo"])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_duplicate_that_is_kept_now_does_not_stand_twice(store, tmp_path):
    row = dict.fromkeys(CLIPS.names) | {
        field.name: "" if field.type == pa.string() else 0 for field in CLIPS if not field.nullable
    }
    rows = [row | {"uri": uri, "clip_id": uri} for uri in ("/a.mp4", "/b.mp4")]
    from transforms.tables.commits import encode

    store.write("clips/duplicates.parquet", encode(pa.Table.from_pylist(rows, CLIPS), {}))
    begin(store, Planned({"new": "one"}, set(), [("a", "/a.mp4")], [("a", "/b.mp4")]), "run", ["demo"])
    left = pa.parquet.read_table(tmp_path / "clips" / "duplicates.parquet")
    assert left["uri"].to_pylist() == ["/b.mp4"]
    begin(store, Planned({"new": "one"}, set(), [("a", "/a.mp4"), ("b", "/b.mp4")], []), "run", ["demo"])
    assert not (tmp_path / "clips" / "duplicates.parquet").exists()


def test_a_damaged_manifest_is_written_anew(store):
    store.write("manifest.parquet", b"no Parquet")
    begin(store, Planned({"new": "one"}, set(), [], []), "run", ["demo"])
    assert states(store) == {"new": "pending"}


def test_what_must_be_made_again_is_pending_though_its_digest_is_right(store):
    same = commit(store, "same", "a", "/a.mp4")
    write_manifest(store, [same], [])
    begin(store, Planned({"same": "one"}, {"same"}, [("a", "/a.mp4")], []), "run", ["demo"])
    assert states(store) == {"same": "pending"}


def test_what_a_killed_removal_left_goes_before_its_rows_stand_anew(store, tmp_path):
    from transforms.tables.commits import encode

    commit(store, "other", "b", "/b.mp4")
    rows = encode(SHARD_TABLES["clips"].empty_table(), {"clipmill.version": "1"})
    store.write("clips/old.parquet", rows)
    store.write("clips/coming.parquet", rows)
    store.write("tracks/foreign.parquet", b"somebody else's")
    begin(store, Planned({"coming": "one"}, {"coming"}, [("a", "/a.mp4")], []), "run", ["demo"])
    left = sorted(path.name for path in tmp_path.glob("*/*.parquet"))
    assert left == ["coming.parquet", "foreign.parquet", "other.parquet"]


def test_the_manifest_tells_before_files_go(store, monkeypatch):
    old = commit(store, "old", "a", "/a.mp4")
    write_manifest(store, [old], [])

    monkeypatch.setattr(LocalStore, "delete", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        begin(store, Planned({"new": "one"}, {"new"}, [("a", "/moved.mp4")], []), "run", ["demo"])
    assert states(store) == {"new": "pending"}
