from dataclasses import replace

import pytest
from made_sets import DAY_NS, MODEL, Box, Minute, make_set

from transforms.evaluation.compared_sets import compare_sets
from transforms.evaluation.labellings import LabellingError, open_labelling
from transforms.tables.compacting import compact
from transforms.tables.finished import UnfinishedError
from transforms.tables.queries import NotADatasetError
from transforms.tables.store import LocalStore

BOXES = (Box(0, 10), Box(1, 60), Box(1, 200, "person"), Box(2, 110))
CHANGED = (
    Box(0, 12),
    Box(1, 60, score=0.5),
    Box(1, 200, "car"),
    Box(2, 300),
)
BEFORE = [Minute("a", BOXES), Minute("a", BOXES, minute=1), Minute("b", BOXES, start_ns=DAY_NS)]
AFTER = [BEFORE[0], Minute("a", CHANGED, minute=1), Minute("c", BOXES, start_ns=DAY_NS)]


def compared(first, second):
    return compare_sets(*(open_labelling(LocalStore(root), str(root)) for root in (first, second)))


@pytest.fixture
def sets(tmp_path):
    return make_set(tmp_path / "one", BEFORE), make_set(tmp_path / "two", AFTER)


def test_what_changed_is_told_by_kind_and_category(sets):
    found = compared(*sets)
    assert not found["equal"]
    assert found["shards"] == {"equal": 1, "different": 1, "only_first": 1, "only_second": 1}
    assert found["frames"] == {"both": 6, "only_first": 3, "only_second": 3}
    told = found["detections"]
    assert told["unchanged"] == 4
    assert {kind: told[kind] for kind in ("added", "removed", "moved", "rescored", "recategorised")} == {
        "added": 1,
        "removed": 1,
        "moved": 1,
        "rescored": 1,
        "recategorised": 1,
    }
    assert told["in_frames_of_one_only"] == [4, 4]
    none = {"added": 0, "removed": 0, "moved": 0, "rescored": 0, "recategorised": 0}
    assert told["by_category"] == {
        "car": {"added": 1, "removed": 1, "moved": 1, "rescored": 1, "recategorised": 0},
        "person": none | {"recategorised": 1},
    }
    assert told["categories"] == [{"before": "person", "after": "car", "count": 1}]
    assert found["clips"] == {
        "only_first": {"count": 1, "some": [{"clip_id": "b", "uri": "/in/b.mp4"}]},
        "only_second": {"count": 1, "some": [{"clip_id": "c", "uri": "/in/c.mp4"}]},
    }
    assert found["tables"]["detections"] == {"first": 12, "second": 12, "same": False}
    assert found["tables"]["telemetry"] == {"first": 0, "second": 0, "same": True}
    assert found["tracks"] == found["objects"] == [3, 3]
    assert found["lineage"] == {}


def test_examples_name_frame_and_time(sets):
    examples = compared(*sets)["examples"]
    assert [example["kind"] for example in examples] == [
        "added",
        "removed",
        "moved",
        "rescored",
        "recategorised",
    ]
    assert examples[2] == {
        "kind": "moved",
        "clip_id": "a",
        "frame_id": "a 60",
        "timestamp_ns": 60_000_000_000,
        "before": {"category": "car", "box": [10.0, 10.0, 30.0, 30.0], "score": 0.9},
        "after": {"category": "car", "box": [12.0, 10.0, 32.0, 30.0], "score": 0.9},
    }
    assert examples[0]["after"]["box"][0] == 300.0
    assert "before" not in examples[0]


def test_examples_are_few(tmp_path):
    many = tuple(Box(0, 25.0 * number) for number in range(20))
    first, second = (
        make_set(tmp_path / "one", [Minute("a", many)]),
        make_set(tmp_path / "two", [Minute("a", ())]),
    )
    found = compared(first, second)
    assert found["detections"]["removed"] == 20
    assert len(found["examples"]) == 5


def test_compacted_copies_tell_the_same(sets, tmp_path):
    copies = [tmp_path / "copy one", tmp_path / "copy two"]
    for root, copy in zip(sets, copies, strict=True):
        compact(root, copy)
    found, direct = compared(*copies), compared(*sets)
    for name in ("equal", "clips", "detections", "frames", "tables", "tracks", "objects", "examples"):
        assert found[name] == direct[name], name
    with pytest.raises(LabellingError, match="only one is a compacted copy"):
        compared(sets[0], copies[1])


def test_a_labelling_equals_itself_and_its_shards_are_not_read(sets, monkeypatch):
    assert compared(sets[0], sets[0])["equal"]
    opened = []
    real = LocalStore.open
    monkeypatch.setattr(LocalStore, "open", lambda store, name: opened.append(name) or real(store, name))
    compared(*sets)
    assert "detections/a-m0001.parquet" in opened
    assert not [name for name in opened if "a-m0000" in name]


def test_rows_count_and_not_what_files_tell_of_their_making(tmp_path):
    first = make_set(tmp_path / "one", BEFORE)
    second = make_set(tmp_path / "two", BEFORE, settings={"fps": "10", "hindsight": {"smoothing": False}})
    found = compared(first, second)
    assert found["equal"]
    assert found["lineage"] == {
        "settings.fps": ["5", "10"],
        "settings.hindsight.smoothing": [None, False],
    }


def test_another_network_of_the_same_job_is_compared_with_the_old_one(tmp_path):
    first = make_set(tmp_path / "one", BEFORE)
    newer = replace(MODEL, sha256="newer", digest="newer")
    second = make_set(tmp_path / "two", BEFORE, newer)
    found = compared(first, second)
    # the rows name their network: they differ, the boxes do not
    assert not found["equal"]
    assert found["shards"]["different"] == 3
    assert found["detections"]["unchanged"] == 12
    assert found["detections"]["by_category"] == {}
    assert found["lineage"] == {"models.net at 416": ["dig", "newer"]}


def test_a_clip_under_another_name_is_the_same_minute(tmp_path):
    first = make_set(tmp_path / "one", [Minute("a", BOXES, name="old-m0000")])
    second = make_set(tmp_path / "two", [Minute("a", CHANGED, name="new-m0000")])
    found = compared(first, second)
    assert found["shards"] == {"equal": 0, "different": 1, "only_first": 0, "only_second": 0}
    assert found["detections"]["moved"] == 1
    assert found["clips"]["only_first"]["count"] == 0


def test_frames_that_only_one_looked_at_are_told_apart(tmp_path):
    first = make_set(tmp_path / "one", [Minute("a", BOXES, frames=3)])
    second = make_set(tmp_path / "two", [Minute("a", BOXES[:1], frames=1)])
    found = compared(first, second)
    assert found["frames"] == {"both": 1, "only_first": 2, "only_second": 0}
    assert found["detections"]["in_frames_of_one_only"] == [3, 0]
    assert (found["detections"]["unchanged"], found["detections"]["removed"]) == (1, 0)


def test_rows_are_compared_whatever_the_row_groups(sets, tmp_path, monkeypatch):
    from transforms.tables import compacting

    compact(sets[0], tmp_path / "coarse")
    monkeypatch.setattr(compacting, "_ROW_GROUP", 2)
    compact(sets[0], tmp_path / "fine")
    found = compared(tmp_path / "coarse", tmp_path / "fine")
    assert found["equal"]
    assert found["shards"]["equal"] == 2
    compact(sets[1], tmp_path / "other")
    assert compared(tmp_path / "fine", tmp_path / "other")["detections"] == compared(*sets)["detections"]


def test_what_is_unfinished_or_no_data_set_is_told(sets, tmp_path):
    (sets[0] / "manifest.parquet").unlink()
    with pytest.raises(UnfinishedError, match="a run has not finished"):
        open_labelling(LocalStore(sets[0]), "one")
    with pytest.raises(NotADatasetError, match="no data set here"):
        open_labelling(LocalStore(tmp_path / "nowhere"), "nowhere")
    (sets[1] / "dataset.json").write_text('{"schema_version": 2}')
    with pytest.raises(NotADatasetError, match="two: schema 2; run `clipmill migrate two`"):
        open_labelling(LocalStore(sets[1]), "two")
