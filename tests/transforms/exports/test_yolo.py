import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.taxonomy import CATEGORIES
from transforms.exports import yolo
from transforms.exports.frames import Box, Frame


def test_a_text_for_every_image(folder, make_clip, make_box, tmp_path):
    frames = {0: [make_box(1, (64.0, 36.0, 128.0, 72.0)), make_box(2, category="person")], 1: []}
    yolo.write(folder, [make_clip(frames, picture=b"image")], ".png")
    root = tmp_path / "out"
    assert (root / "images/clip-a/000000000000000.png").read_bytes() == b"image"
    lines = (root / "labels/clip-a/000000000000000.txt").read_text().splitlines()
    assert lines[0] == "4 0.1500000 0.1500000 0.1000000 0.1000000"
    assert lines[1].startswith("0 ")
    assert (root / "labels/clip-a/000000200000000.txt").read_text() == ""
    described = yaml.safe_load((root / "data.yaml").read_text())
    assert described["names"] == dict(enumerate(CATEGORIES))
    assert described["train"] == described["val"] == "images"


@pytest.mark.parametrize(
    ("splits", "named"),
    [
        (("train", "val", "test"), {"train": "images/train", "val": "images/val", "test": "images/test"}),
        (("train", "none"), {"train": "images/train", "val": "images/val"}),
    ],
)
def test_a_folder_for_every_split(folder, make_clip, make_box, tmp_path, splits, named):
    clips = [
        make_clip({0: [make_box()]}, clip_id=f"clip-{split}", picture=split.encode(), split=split)
        for split in splits
    ]
    yolo.write(folder, clips, ".jpg")
    root = tmp_path / "out"
    for split in splits:
        name = f"{split}/clip-{split}/000000000000000"
        assert (root / f"images/{name}.jpg").read_bytes() == split.encode()
        assert (root / f"labels/{name}.txt").read_text().startswith("4 ")
    assert sorted(path.name for path in (root / "images").iterdir()) == sorted(splits)
    described = yaml.safe_load((root / "data.yaml").read_text())
    assert {key: value for key, value in described.items() if key != "names"} == named
    assert described["names"] == dict(enumerate(CATEGORIES))


@given(st.data())
def test_edges_come_back_and_lie_within_the_image(data):
    width, height = data.draw(st.integers(16, 8192)), data.draw(st.integers(16, 4320))
    edges = []
    for size in (width, height):
        low = data.draw(st.integers(0, size * 1000 - 1))
        edges.append((low / 1000, data.draw(st.integers(low + 1, size * 1000)) / 1000))
    (left, right), (top, bottom) = edges
    box = Box("d", "net", "car", (left, top, right, bottom), 0.5, "detected", None, None)
    _, x, y, w, h = map(float, yolo._line(Frame("f", 0, 0, 0, None, width, height, (box,)), box).split())
    assert max(x, y, w, h) <= 1
    assert ((x - w / 2) * width, (x + w / 2) * width) == pytest.approx((left, right), abs=1e-3)
    assert ((y - h / 2) * height, (y + h / 2) * height) == pytest.approx((top, bottom), abs=1e-3)
