"""Faces and plates of rendered scenes: how many are blurred in exported images, and how much of the images is.

    python tests/benchmarks/privacy_recall.py
    python tests/benchmarks/privacy_recall.py --blur-model yunet --clips 8

Renders clips of people with faces and vehicles with number plates (640 x 360), labels them with the bundled detector, exports
the images and holds the audit `blurred.parquet` against the true places. A face or plate is blurred where every pixel that it
touches lies in a blurred region. By their height in pixels, for they cannot be read when they are small; visible means
that nothing nearer hides more than half. Labelled are those whose person or vehicle has a label that overlaps it by half.
"""

import argparse
import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from pipelines.cli import main
from transforms.labels.overlap import iou
from transforms.labels.privacy.covering import pixels
from transforms.labels.privacy.regions import KINDS
from transforms.tables.queries import connect

WIDTH, HEIGHT = 640, 360
CLASSES = ((0, 4), (4, 8), (8, 16), (16, HEIGHT))
MIN_VISIBLE = 0.5
MIN_OVERLAP = 0.5
EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")


def quietly(*arguments: object) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = main([str(argument) for argument in arguments])
    if code:
        raise SystemExit(f"clipmill {arguments[0]} ended with {code}")


def covered(audit: Path) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """Blurred pixels of each picture by kind, bool[height, width]."""
    masks: dict[tuple[str, int], dict[str, np.ndarray]] = {}
    for row in pq.read_table(audit).to_pylist():
        frame = masks.setdefault((row["clip_id"], row["timestamp_ns"]), {})
        mask = frame.setdefault(row["kind"], np.zeros((HEIGHT, WIDTH), np.bool_))
        left, top, right, bottom = pixels(tuple(row[name] for name in EDGES), WIDTH, HEIGHT)
        mask[top:bottom, left:right] = True
    return masks


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=10_900)
    parser.add_argument("--fps", default="4")
    parser.add_argument("--blur-model", action="append", default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        scenes = ("--seed", options.seed, "--clips", options.clips, "--seconds", options.seconds)
        quietly("sample", place / "scenes", *scenes, "--private-parts")
        quietly(
            "label", place / "scenes/generic", "-o", place / "out", "--model", "demo", "--fps", options.fps
        )
        networks = [word for model in options.blur_model for word in ("--blur-model", model)]
        quietly("export", place / "out", "--format", "yolo", "-o", place / "yolo", *networks)
        audit = place / "yolo/blurred.parquet"
        truth = pq.read_table(place / "scenes/truth/private_parts.parquet").to_pylist()
        owners = {
            (row["clip_id"], row["timestamp_ns"], row["track_id"]): [row[name] for name in EDGES]
            for row in pq.read_table(place / "scenes/truth/boxes.parquet").to_pylist()
        }
        labels = labelled(place / "out")
        masks = covered(audit)
        models = sorted(set(pq.read_table(audit)["model"].to_pylist()))
    seen = [row for row in truth if row["visibility"] >= MIN_VISIBLE and key(row) in labels]
    for row in seen:
        own = np.array([owners[*key(row), row["track_id"]]], np.float32)
        row["labelled"] = bool((iou(own, labels[key(row)]) >= MIN_OVERLAP).any())
        row["blurred"] = is_blurred(row, masks.get(key(row), {}))
    report(seen)
    shares = {kind: sum(frame[kind].mean() for frame in masks.values() if kind in frame) for kind in KINDS}
    told = ", ".join(f"{kind}s {share / len(labels):.1%}" for kind, share in shares.items())
    print(f"{len(labels)} images, blurred by {', '.join(models)}; share of their pixels: {told}")


def key(row: dict) -> tuple[str, int]:
    return row["clip_id"], row["timestamp_ns"]


def labelled(dataset: Path) -> dict[tuple[str, int], np.ndarray]:
    """Labels of each labelled frame, float32[N, 4]."""
    with connect(dataset) as data:
        frames = data.execute("SELECT clip_id, timestamp_ns FROM frames WHERE sample_index IS NOT NULL")
        found: dict[tuple[str, int], list] = {frame: [] for frame in frames.fetchall()}
        boxes = data.execute(
            "SELECT clip_id, timestamp_ns, x_min_px, y_min_px, x_max_px, y_max_px FROM detections WHERE score > 0"
        )
        for clip, time_ns, *edges in boxes.fetchall():
            found[clip, time_ns].append(edges)
    return {frame: np.array(edges, np.float32).reshape(-1, 4) for frame, edges in found.items()}


def is_blurred(row: dict, masks: dict[str, np.ndarray]) -> bool:
    left, top, right, bottom = pixels(tuple(row[name] for name in EDGES), WIDTH, HEIGHT)
    mask = np.logical_or.reduce([np.zeros((HEIGHT, WIDTH), np.bool_), *masks.values()])
    return bool(mask[top:bottom, left:right].all())


def report(seen: list[dict]) -> None:
    print("kind   height px   visible  blurred  recall  labelled  blurred of them")
    for kind in KINDS:
        for low, high in CLASSES:
            rows = [
                row for row in seen if row["kind"] == kind and low <= row["y_max_px"] - row["y_min_px"] < high
            ]
            done = sum(row["blurred"] for row in rows)
            known = [row for row in rows if row["labelled"]]
            recall = f"{done / len(rows):.3f}" if rows else "-"
            print(
                f"{kind:5}  {f'{low} to {high}':>9}  {len(rows):8}  {done:7}  {recall:>6}  {len(known):8}"
                f"  {sum(row['blurred'] for row in known):15}"
            )


if __name__ == "__main__":
    run()
