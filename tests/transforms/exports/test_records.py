"""What an export tells of itself, and where the data set remembers it."""

import json

import pytest
from made_sets import Box, Minute, make_set

from transforms.exports.exporting import export
from transforms.exports.folder import RECORD
from transforms.exports.labelled_set import LabelledSet
from transforms.exports.record import read_record
from transforms.exports.remembered import RememberedExport, forget_export, remember, remembered
from transforms.exports.settings import ExportSettings
from transforms.tables.store import LocalStore


def refuse(uri):
    raise AssertionError(uri)


@pytest.fixture
def source(tmp_path):
    boxes = (Box(0, 1.0), Box(2, 3.0, score=0.1))
    return make_set(tmp_path / "in", [Minute("a", boxes), Minute("b", ())])


def test_an_export_tells_what_it_is(source, tmp_path):
    settings = ExportSettings(form="kitti")
    done = export(LabelledSet(LocalStore(source), source), source, tmp_path / "out", settings, refuse)
    assert (len(done.clips), done.frames, done.boxes, done.skipped) == (2, 6, 1, [])
    told = json.loads((tmp_path / "out" / RECORD).read_text())
    assert (told["format"], told["dataset"]) == ("kitti", str(source))
    assert told["counts"] == {"clips": 2, "frames": 6, "boxes": 1, "images": 0, "blurred": 0}
    assert told["clips"][0] == {
        "clip_id": "a",
        "camera": "x",
        "uri": "/in/a.mp4",
        "frames": 3,
        "boxes": 1,
        "rate": 5.0,
    }
    assert told["settings"]["min_score"] == 0.3
    assert told["settings_digest"] == settings.digest != ExportSettings(form="kitti", min_score=0.4).digest
    assert "left, top, right, bottom" in told["conventions"]["box"]
    found = read_record(tmp_path / "out")
    assert (found.settings, found.dataset, found.clip_ids) == (settings, str(source), {"a", "b"})


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[]",
        b'{"clips": 1}',
        b'{"clips": [], "skipped": [], "dataset": "/d", "settings": {"form": "nonsense"}}',
        b'{"clips": [], "skipped": [], "dataset": "/d", "settings": {"form": "coco", "min_score": "much"}}',
        b'{"clips": [1], "skipped": [], "dataset": "/d", "settings": {"form": "coco"}}',
    ],
)
def test_what_is_no_record_of_ours_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / RECORD).write_bytes(content)
    assert read_record(tmp_path) is None


def test_exports_are_remembered_by_their_place(source):
    store = LocalStore(source)
    first, second = RememberedExport("/a", "coco"), RememberedExport("/b", "mot")
    for export_ in (second, first):
        remember(store, export_)
    assert remembered(store) == [first, second]
    again = RememberedExport("/a", "yolo")
    remember(store, again)
    assert remembered(store) == [again, second]
    forget_export(store, "/a")
    forget_export(store, "/a")
    assert remembered(store) == [second]


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"output": "/a"}', '{"output": "a", "form": "coco"}', '{"output": 1, "form": "coco"}'],
)
def test_what_is_not_as_we_write_it_is_not_remembered(source, content):
    (source / "exports").mkdir()
    (source / "exports" / "x.json").write_text(content)
    assert remembered(LocalStore(source)) == []
