"""An evaluation on a terminal."""

import io

import pytest
from evaluated import STEP_NS, detections, truth, write, write_dataset
from rich.console import Console

from transforms.evaluation.evaluating import evaluate
from transforms.evaluation.labels import open_labels
from transforms.evaluation.pairing import NEUTRAL
from transforms.evaluation.truths.files import TruthFile
from transforms.evaluation.truths.parquet import read
from transforms.views.evaluation_text import WIDTH, evaluation_text

BOX = (0.0, 0.0, 50.0, 50.0)
MANY = [f"a very long category, number {number}" for number in range(12)]


def shown(folder, score=0.5):
    path = folder / "truth.parquet"
    by = read(
        {"truth.parquet": TruthFile("truth.parquet", path.stat().st_size, lambda: path.open("rb"))}, None
    )
    labels = open_labels(folder / "out", None)
    found = evaluate(labels, by, score=score, tolerance_ns=None, neutral=NEUTRAL)
    console = Console(file=io.StringIO(), width=WIDTH, soft_wrap=True)
    for item in evaluation_text(found, "labels", "truth"):
        console.print(item, highlight=False, markup=False)
    return console.file.getvalue()


def row(frame, category="car", source="detected", track="t1"):
    return ("clip-a", frame, category, track, BOX, 0.9, 0.8, source)


def true(frame, category="car", clip="drive.mp4", track="1"):
    return (clip, frame * STEP_NS, category, track, BOX)


def test_lines_fit_whatever_the_names(tmp_path):
    write_dataset(tmp_path / "out", [row(0, name) for name in MANY], categories=tuple(MANY))
    rows = [true(0, name, track=name) for name in MANY] + [
        true(0, clip=f"a long name of a clip {n}.mp4") for n in range(9)
    ]
    write(tmp_path, "truth", truth(rows))
    lines = shown(tmp_path).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert any("a very long categor…" in line for line in lines)


def test_what_stands_where(tmp_path):
    write_dataset(tmp_path / "out", [row(0), row(1, source="interpolated"), row(2)])
    write(
        tmp_path,
        "truth",
        truth([true(frame) for frame in range(3)] + [true(0, "bus"), true(0, clip="gone.mp4")]),
    )
    text = shown(tmp_path)
    lines = text.splitlines()
    assert lines[0].startswith("AP50 1.000, AP 1.000 (network alone: .6")
    assert lines[0].endswith("HOTA 1.000, IDF1 1.000 at score 0.5; 1 category")
    assert lines[1] == "labels against truth: 1 clip, 3 frames"
    assert "note: 1 clip of the truth not among the labels: gone.mp4" in lines
    assert "not looked for, and not in the mean: bus" in lines
    for title in ("boxes", "tracks at score 0.5", "AP50 by", "hindsight at score 0.5"):
        assert any(line.startswith(title) for line in lines), title
    assert any(line.split()[:4] == ["interpolated", "1", "1", "0"] for line in lines)
    assert any(line.split()[:5] == ["missed,", "recovered", "1", "1", "0"] for line in lines)
    assert lines[-1].startswith("expected calibration error: .100 (network alone: .200)")


def test_without_tracks_or_categories_it_is_said(tmp_path):
    write_dataset(tmp_path / "out", [row(0, track=None)])
    write(tmp_path, "truth", truth([true(0)]))
    assert "no tracking figures" in shown(tmp_path)
    write(tmp_path, "truth", truth([true(0, "bus")]))
    assert shown(tmp_path).startswith("nothing to judge")


@pytest.mark.parametrize("frames", [[0], [0, 3]])
def test_frames_without_labels_are_counted(tmp_path, frames):
    write(tmp_path / "out", "detections/all", detections([row(0)]))
    write(
        tmp_path / "out",
        "frames/all",
        truth([("clip-a", 0, "car", "1", BOX)]).select(["clip_id", "timestamp_ns"]),
    )
    write(tmp_path, "truth", truth([true(frame, clip="clip-a") for frame in frames]))
    assert ("1 of 2 frames of the truth" in shown(tmp_path)) == (len(frames) == 2)
