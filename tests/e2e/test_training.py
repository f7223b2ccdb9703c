"""Samples for training, compared with the tables and with frames that are decoded by themselves."""

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import ROOT
from snippets import SNIPPETS, run_snippet

from models.taxonomy import CATEGORIES
from pipelines.cli import main
from transforms.clips.reopening import reopen
from transforms.storage import open_stream
from transforms.tables.queries import connect
from transforms.training import LoadingError, Part, Selection, open_frames, open_windows, torch_samples
from transforms.views.drawing import frames_at

SMALL = (64, 36)
FRONT = ("front",)
EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")


def rows_of(dataset, query):
    with connect(dataset) as data:
        found = data.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def frames(labelled_sample):
    """Labelled frames by id."""
    query = (
        "SELECT f.*, c.uri, c.content_sha256, c.drive_id FROM frames f JOIN clips c USING (clip_id)"
        " WHERE sample_index IS NOT NULL AND NOT is_damaged"
    )
    return {row["frame_id"]: row for row in rows_of(labelled_sample, query)}


@pytest.fixture(scope="module")
def boxes(labelled_sample):
    """Rows of the boxes by frame, by detection_id."""
    found = defaultdict(list)
    for row in rows_of(labelled_sample, "SELECT * FROM detections ORDER BY detection_id"):
        found[row["frame_id"]].append(row)
    return found


@pytest.fixture
def dataset(labelled_sample, tmp_path) -> Path:
    shutil.copytree(labelled_sample, tmp_path / "out")
    return tmp_path / "out"


def ids(samples):
    return [sample.labels.frame_id for sample in samples]


def test_frames_have_the_labels_of_the_tables(labelled_sample, frames, boxes):
    samples = open_frames(str(labelled_sample), Selection(min_score=0.5, categories=("car", "person")))
    assert len(samples) == len(frames) > 100
    seen, labels_seen = set(), 0
    for sample in samples:
        labels = sample.labels
        row = frames[labels.frame_id]
        seen.add(labels.frame_id)
        assert sample.image.shape == (row["height"], row["width"], 3)
        for name in ("clip_id", "drive_id", "camera", "timestamp_ns"):
            assert getattr(labels, name) == row[name]
        own = [
            box
            for box in boxes[labels.frame_id]
            if box["category"] in {"car", "person"} and box["score"] >= 0.5
        ]
        labels_seen += len(own)
        assert (labels.boxes.dtype, labels.categories.dtype, labels.scores.dtype) == (
            np.float32,
            np.int32,
            np.float32,
        )
        assert labels.boxes.tolist() == [[box[edge] for edge in EDGES] for box in own]
        assert [CATEGORIES[place] for place in labels.categories] == [box["category"] for box in own]
        assert labels.scores.tolist() == [box["score"] for box in own]
        assert labels.track_ids == tuple(box["track_id"] or "" for box in own)
        assert labels.detection_ids == tuple(box["detection_id"] for box in own)
    assert seen == set(frames)
    assert labels_seen > 100


def test_pictures_are_those_of_their_frames(labelled_sample, frames):
    """Bit for bit, in red, green, blue."""
    by_clip = defaultdict(dict)
    for sample in open_frames(str(labelled_sample), Selection(seed=3)):
        by_clip[sample.labels.clip_id][frames[sample.labels.frame_id]["pts"]] = sample
    compared = 0
    for clip_id, of_clip in by_clip.items():
        row = frames[next(iter(of_clip.values())).labels.frame_id]
        reference = reopen(row["uri"], row["content_sha256"], open_stream)
        for pts, picture in frames_at(reference, set(of_clip), open_stream):
            assert np.array_equal(of_clip[pts].image, picture[..., ::-1]), (clip_id, pts)
            compared += 1
    assert compared == len(frames)


def test_pictures_and_boxes_are_scaled_alike(labelled_sample):
    whole = open_frames(str(labelled_sample), Selection(cameras=FRONT))
    small = open_frames(str(labelled_sample), Selection(cameras=FRONT, size=SMALL))
    for one, other in zip(whole, small, strict=True):
        assert other.image.shape == (36, 64, 3)
        height, width, _ = one.image.shape
        scale = np.array([64 / width, 36 / height] * 2, np.float32)
        assert np.allclose(one.labels.boxes * scale, other.labels.boxes, atol=1e-3)
        assert abs(one.image.mean() - other.image.mean()) < 5


@pytest.fixture(scope="module")
def opened(labelled_sample):
    return open_frames(str(labelled_sample))


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(1, 3), st.none() | st.integers(0, 99), st.integers(0, 40))
def test_all_parts_together_are_an_epoch(opened, world_size, workers, seed, buffer):
    opened._selection = Selection(seed=seed, buffer=buffer)
    found = []
    for rank in range(world_size):
        for worker in range(workers):
            opened.set_part(Part(rank, world_size, worker, workers))
            own = _places(opened)
            assert len(own) == opened.samples_of_part()
            found += own
    assert len(found) == len(set(found)) == len(opened)


def _places(samples):
    """Which samples a pass gives, without decoding them."""
    found = []

    def read(_, places):
        for place in places:
            found.append(place)
            yield place

    samples._read, kept = read, samples._read
    given_out = list(samples._pass(0))
    samples._read = kept
    assert sorted(given_out) == sorted(found)
    return given_out


def test_an_epoch_is_the_same_again_and_the_next_one_is_another(labelled_sample):
    selection = Selection(seed=5, buffer=20, size=SMALL, cameras=FRONT)
    samples = open_frames(str(labelled_sample), selection)
    first, second = ids(samples), ids(samples)
    assert samples.epoch == 2
    assert first != second
    assert sorted(first) == sorted(second)
    again = open_frames(str(labelled_sample), selection)
    again.set_epoch(1)
    assert ids(again) == second
    assert ids(open_frames(str(labelled_sample), replace(selection, seed=6))) != first


@pytest.mark.parametrize(
    ("seed", "given_before"), [(None, 17), (2, 0), (2, 1), (2, 25), (2, 40), (2, 10_000)]
)
def test_a_pass_goes_on_where_it_was(labelled_sample, seed, given_before):
    selection = Selection(seed=seed, buffer=12, size=SMALL, cameras=FRONT)
    part = Part(1, 2)
    whole = open_frames(str(labelled_sample), selection)
    whole.set_part(part)
    whole.set_epoch(3)
    expected = list(whole)
    given_before = min(given_before, len(expected))
    broken = open_frames(str(labelled_sample), selection)
    broken.set_part(part)
    broken.set_epoch(3)
    state = broken.state_dict()
    for _, _ in zip(range(given_before), running := iter(broken), strict=False):
        state = broken.state_dict()
    running.close()
    later = open_frames(str(labelled_sample), selection)
    later.set_part(part)
    # as it comes back from a checkpoint
    later.load_state_dict(json.loads(json.dumps(state)))
    rest = list(later)
    assert ids(rest) == ids(expected)[given_before:]
    for one, other in zip(rest, expected[given_before:], strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.labels.boxes, other.labels.boxes)
    assert later.epoch == 4


def test_a_state_of_something_else_is_refused(labelled_sample):
    samples = open_frames(str(labelled_sample), Selection(seed=1))
    state = samples.state_dict()
    for other in (Selection(seed=2), Selection(seed=1, size=SMALL), Selection(seed=1, min_score=0.4)):
        with pytest.raises(LoadingError, match="other settings"):
            open_frames(str(labelled_sample), other).load_state_dict(state)
    samples.set_part(Part(0, 2))
    with pytest.raises(LoadingError, match="another number of processes"):
        samples.load_state_dict(state)


def test_windows_are_frames_that_follow_each_other(labelled_sample, frames):
    single = {
        sample.labels.frame_id: sample.image
        for sample in open_frames(str(labelled_sample), Selection(size=SMALL, cameras=FRONT))
    }
    in_time = defaultdict(list)
    for row in sorted(frames.values(), key=lambda row: row["timestamp_ns"]):
        in_time[row["clip_id"]].append(row["frame_id"])
    for stride in (None, 2):
        samples = open_windows(
            str(labelled_sample), 4, Selection(seed=0, size=SMALL, cameras=FRONT), stride=stride
        )
        found = defaultdict(list)
        for sample in samples:
            assert sample.images.shape == (4, 36, 64, 3)
            own = [labels.frame_id for labels in sample.labels]
            (clip_id,) = {labels.clip_id for labels in sample.labels}
            place = in_time[clip_id].index(own[0])
            assert in_time[clip_id][place : place + 4] == own
            found[clip_id].append(place)
            for frame_id, picture in zip(own, sample.images, strict=True):
                assert np.array_equal(single[frame_id], picture)
        assert sum(map(len, found.values())) == len(samples) > 5
        for places in found.values():
            assert min(np.diff(sorted(places)), default=9) >= (stride or 4)


def test_a_split_and_cameras(dataset):
    def clips_of(split):
        rows = rows_of(dataset, "SELECT split, unnest(clip_ids) AS clip FROM splits")
        return {row["clip"] for row in rows if row["split"] == split}

    with pytest.raises(LoadingError, match="clipmill split"):
        open_frames(str(dataset), Selection(split="train"))
    assert main(["split", str(dataset), "--by", "folder", "--shares", "50,25,25", "--version", "v1"]) == 0
    found = defaultdict(set)
    for split in sorted({row["split"] for row in rows_of(dataset, "SELECT split FROM splits")}):
        samples = open_frames(str(dataset), Selection(split=split, version="v1"))
        found[split] = {unit.clip_id for unit in samples._units}
        assert found[split] <= clips_of(split)
    whole = {unit.clip_id for unit in open_frames(str(dataset))._units}
    assert set().union(*found.values()) == whole
    assert sum(map(len, found.values())) == len(whole)
    with pytest.raises(LoadingError, match="version v1 has"):
        open_frames(str(dataset), Selection(split="training"))
    with pytest.raises(LoadingError, match="there is v1"):
        open_frames(str(dataset), Selection(split="train", version="v2"))
    front = open_frames(str(dataset), Selection(cameras=("front",)))
    assert 0 < len(front) < len(open_frames(str(dataset)))
    with pytest.raises(LoadingError, match="camera roof: there is"):
        open_frames(str(dataset), Selection(cameras=("roof",)))


def test_a_compacted_copy_gives_the_same(labelled_sample, tmp_path):
    assert main(["compact", str(labelled_sample), "-o", str(tmp_path / "copy")]) == 0
    selection = Selection(cameras=FRONT)
    by_id = {sample.labels.frame_id: sample for sample in open_frames(str(labelled_sample), selection)}
    copies = list(open_frames(str(tmp_path / "copy"), replace(selection, seed=1)))
    assert sorted(ids(copies)) == sorted(by_id)
    for copy in copies:
        own = by_id[copy.labels.frame_id]
        assert np.array_equal(copy.image, own.image)
        assert copy.labels.detection_ids == own.labels.detection_ids
        assert np.array_equal(copy.labels.boxes, own.labels.boxes)


def test_clips_that_have_changed_or_gone(dataset, tmp_path, caplog):
    query = (
        "SELECT uri, clip_id FROM clips WHERE camera = 'front' AND duplicate_of IS NULL ORDER BY uri LIMIT 1"
    )
    uri, clip_id = rows_of(dataset, query)[0].values()

    def gone(name):
        if name == uri:
            raise FileNotFoundError(2, "No such file or directory", name)
        return open_stream(name)

    def other(name):
        return (tmp_path / "other").open("rb") if name == uri else open_stream(name)

    (tmp_path / "other").write_bytes(Path(uri).read_bytes() + b"\0")
    selection = Selection(size=SMALL, cameras=FRONT)
    every = ids(open_frames(str(dataset), selection))
    for opening, words in ((gone, "cannot be opened"), (other, "no longer those that were labelled")):
        samples = open_frames(str(dataset), selection)
        samples._open = opening
        with pytest.raises(LoadingError, match=re.escape(uri) + ".*" + words):
            list(samples)
        samples = open_frames(str(dataset), replace(selection, skip_unreadable=True))
        samples._open = opening
        kept = list(samples)
        assert clip_id not in {sample.labels.clip_id for sample in kept}
        assert set(ids(kept)) < set(every)
        assert "samples are left out" in caplog.text


def test_nothing_but_what_is_needed_is_imported():
    """A worker of a data loader starts anew each epoch: without what takes seconds to import."""
    code = (
        "import sys, transforms.training;"
        "print([name for name in ('apache_beam', 'cv2', 'duckdb', 'onnxruntime', 'scipy', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"categories": ("lorry",)}, "there is person"),
        ({"min_score": 2.0}, "between 0 and 1"),
        ({"size": (0, 5)}, "between 1 and"),
        ({"buffer": -1}, "0 or more"),
    ],
)
def test_selections_that_make_no_sense(settings_, words):
    with pytest.raises(ValueError, match=words):
        Selection(**settings_)


def test_a_network_that_there_is_not(labelled_sample):
    with pytest.raises(LoadingError, match="model yolo: there is demo"):
        open_frames(str(labelled_sample), Selection(model="yolo"))
    assert len(open_frames(str(labelled_sample), Selection(model="demo")))


def test_without_pytorch_it_is_said_what_to_install(labelled_sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "transforms.loading.torch_samples", raising=False)
    with pytest.raises(LoadingError, match=re.escape("pip install 'clipmill[torch]'")):
        torch_samples(open_frames(str(labelled_sample)))


@pytest.mark.parametrize("code", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_pages_code_runs(labelled_sample, tmp_path, monkeypatch, capsys, code):
    assert run_snippet(code, labelled_sample, tmp_path, monkeypatch, capsys)
