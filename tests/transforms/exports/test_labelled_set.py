from dataclasses import replace

import pyarrow as pa
import pytest
from made_sets import DAY_NS, MODEL, Box, Minute, make_set

from transforms.exports.frames import ExportError
from transforms.exports.labelled_set import LabelledSet
from transforms.exports.settings import ExportSettings
from transforms.splits.rule import Placed
from transforms.splits.table import splits_table
from transforms.splits.versions import make_version
from transforms.tables.commits import encode
from transforms.tables.compacting import compact
from transforms.tables.replacing import replace_whole
from transforms.tables.row_groups import RowsByKey
from transforms.tables.store import LocalStore

BOXES = (
    Box(0, 1.0, score=0.7),
    Box(0, 50.0, category="person", score=0.2),
    Box(2, 2.1234567, score=0.3),
    Box(2, 60.0, score=0.0),
)
MINUTES = [
    Minute("a", BOXES),
    Minute("a", (Box(1, 5.0, score=0.9),), minute=1),
    Minute("b", (Box(0, 9.0, category="bus", score=0.4),), start_ns=DAY_NS),
    Minute("c", (), start_ns=None),
]
ALL = ExportSettings(form="coco", min_score=0.0)


def everything(root, settings=ALL):
    labels = LabelledSet(LocalStore(root), root)
    return {clip.clip_id: list(labels.frames(clip, settings)) for clip in labels.chosen(settings)}


@pytest.fixture
def source(tmp_path):
    return make_set(tmp_path / "in", MINUTES)


def lefts(frames):
    return [[box.edges[0] for box in frame.boxes] for frame in frames]


def test_frames_come_in_the_order_of_time_with_and_without_boxes(source):
    found = everything(source)
    assert {clip: len(frames) for clip, frames in found.items()} == {"a": 6, "b": 3, "c": 3}
    assert [frame.timestamp_ns // 10**9 for frame in found["a"]] == [0, 1, 2, 60, 61, 62]
    assert lefts(found["a"]) == [[1.0, 50.0], [], [2.123], [], [5.0], []]
    # the set says fps = 5, and its frames are a second apart
    assert [frame.number for frame in found["a"]] == [0, 5, 10, 300, 305, 310]
    (box,) = found["a"][2].boxes
    assert (box.category, box.score, box.label_source) == ("car", 0.3, "detected")
    assert (box.width, box.height) == (20.0, 20.0)


@pytest.mark.parametrize("left", [float("nan"), float("inf")])
def test_a_box_without_an_end_is_refused(tmp_path, left):
    root = make_set(tmp_path / "in", [Minute("a", (Box(0, left),))])
    with pytest.raises(ExportError, match="a box without an end"):
        everything(root)


def test_boxes_are_chosen(source):
    def chosen(**wanted):
        return lefts(everything(source, ExportSettings(form="coco", **wanted))["a"])

    # .7 and .3 as the column has them, not as a double has them
    assert chosen(min_score=0.7) == [[1.0], [], [], [], [5.0], []]
    assert chosen(min_score=0.3) == [[1.0], [], [2.123], [], [5.0], []]
    assert chosen(min_score=0.0, categories=("person", "bus")) == [[50.0], [], [], [], [], []]
    assert chosen(label_sources=("human",)) == [[]] * 6
    assert chosen(model=MODEL.sha256) == chosen()
    assert chosen(model="another") == [[]] * 6


def test_clips_and_cameras_are_chosen(source):
    assert list(everything(source, ExportSettings(form="coco", clips=("b", "c")))) == ["b", "c"]
    assert everything(source, ExportSettings(form="coco", cameras=("front",))) == {}
    assert LabelledSet(LocalStore(source), source).cameras == {"x"}


def test_objects_are_numbered_as_they_come(source):
    found = everything(source)
    boxes = [box for frames in found.values() for frame in frames for box in frame.boxes]
    # two boxes of one frame are no one object: the second goes by its track
    assert [(box.object_id, box.object_number) for box in boxes] == [
        ("object track a-m0000", 1),
        ("track a-m0000", 2),
        ("object track a-m0000", 1),
        ("object track a-m0001", 3),
        ("object track b-m0000", 4),
    ]


@pytest.mark.parametrize(("fps", "numbers"), [("1", [0, 1, 2]), ("all", [0, 1, 2]), ("0.25", [0, 1, 2])])
def test_numbers_never_repeat(tmp_path, fps, numbers):
    source = make_set(tmp_path / "in", [Minute("a", ())], settings={"fps": fps})
    assert [frame.number for frame in everything(source)["a"]] == numbers


def test_a_compacted_copy_gives_the_same(source, tmp_path):
    compact(source, tmp_path / "copy")
    assert everything(tmp_path / "copy") == everything(source)


def test_it_knows_when_a_run_has_changed_the_set(source):
    labels = LabelledSet(LocalStore(source), source)
    assert labels.is_unchanged()
    make_set(source, MINUTES[:2])
    assert not labels.is_unchanged()


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".a", "ü", "a\n"])
def test_files_are_called_after_nothing_but_ids(tmp_path, name):
    source = make_set(tmp_path / "in", [Minute(name, (), name="shard-m0000")])
    with pytest.raises(ExportError, match="is no id"):
        everything(source)


def test_a_category_that_is_none_is_told(tmp_path):
    source = make_set(tmp_path / "in", [Minute("a", (Box(0, 1.0, category="kite"),))])
    with pytest.raises(ExportError, match="'kite' is no category of the taxonomy"):
        everything(source)


def test_only_row_groups_that_hold_a_key_are_read(tmp_path):
    store = LocalStore(tmp_path)
    for name, keys in (("a-m9", "xy"), ("a-m10", "x"), ("b", "z")):
        store.write(f"t/{name}.parquet", encode(pa.table({"key": list(keys), "n": [name] * len(keys)}), {}))
    rows = RowsByKey(
        store, [f"t/{name}" for name in ("b.parquet", "a-m10.parquet", "a-m9.parquet")], "key", ["n"]
    )
    assert rows.keys() == ["x", "y", "z"]
    (tmp_path / "t" / "b.parquet").unlink()
    assert [piece["n"].to_pylist() for piece in rows.pieces("x")] == [["a-m9"], ["a-m10"]]
    assert list(rows.pieces("unknown")) == []


def test_clips_have_the_split_of_the_version_that_is_asked_for(source):
    labels = LabelledSet(LocalStore(source), source)
    assert labels.split_versions() == {}
    assert {clip.split for clip in labels.chosen(ALL)} == {None}
    places = {"drive a": "train", "drive b": "val"}
    placed = [Placed(drive, split, "drawn", frozenset(drive[-1])) for drive, split in places.items()]
    moved = [replace(item, split="test") for item in placed]
    table = splits_table(
        {
            make_version("v1", "folder", "50,50,0"): placed,
            make_version("v2", "folder", "0,0,100"): moved,
        }
    )
    replace_whole(LocalStore(source), "splits", table)
    labels = LabelledSet(LocalStore(source), source)
    asked = replace(ALL, form="yolo", split_version="v1")
    # a clip that no row names is in no split
    assert {clip.clip_id: clip.split for clip in labels.chosen(asked)} == {
        "a": "train",
        "b": "val",
        "c": "none",
    }
    assert {clip.split for clip in labels.chosen(replace(asked, split_version="v2"))} == {"test", "none"}
    with pytest.raises(ExportError, match="no version v3"):
        labels.chosen(replace(asked, split_version="v3"))
