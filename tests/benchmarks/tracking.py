"""Figures and time a frame on KITTI tracking, online and with hindsight: `python tests/benchmarks/tracking.py`.

For every rate and category: AP50 of all labels; of those with a track HOTA, IDF1 and MOTA, each at its own best score.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.evaluation.ap import category_precision
from transforms.evaluation.mot import figures_at
from transforms.evaluation.pairing import pair
from transforms.labels.hindsight.settings import ONLINE, HindsightSettings
from transforms.labels.tabular import label_table

DEFAULT_SET = Path(__file__).resolve().parents[3] / "shared" / "gt" / "kitti_tracking"
NATIVE_STEP_NS = 100_000_000
SCORES = (0.0, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95)


def subsampled(table: pa.Table, every: int) -> pa.Table:
    """The rows of every so-many-th frame of the 10 Hz set."""
    frames = np.rint(table["timestamp_ns"].to_numpy() / NATIVE_STEP_NS).astype(np.int64)
    return table.filter(pa.array(frames % every == 0))


def measure(
    tables: dict[str, pa.Table], categories: list[str], settings: HindsightSettings
) -> dict[str, object]:
    """Figures of one rate."""
    frames = tables["frames"]
    began = time.perf_counter()
    found = label_table(tables["detections"], frames, settings)
    seconds = time.perf_counter() - began
    pairing = pair(found.detections, tables["truth"], frames)
    result: dict[str, object] = {
        "ms_per_frame": round(1e3 * seconds / frames.num_rows, 3),
        "score_bias": round(found.score_bias, 2),
    }
    for category in categories:
        own = pairing.of(category)
        figures = figures_at(own, SCORES)
        result[category] = {
            "ap50": round(category_precision(own).ap50, 4),
            "hota": round(max(one.hota for one in figures), 4),
            "idf1": round(max(one.idf1 for one in figures), 4),
            "mota": round(max(one.mota for one in figures), 4),
        }
    return result


def main() -> None:
    """Measures and prints two JSON lines a rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--set", type=Path, default=DEFAULT_SET, help="folder with detections, frames and truth"
    )
    parser.add_argument("--categories", nargs="+", default=["car", "pedestrian", "cyclist"])
    args = parser.parse_args()
    whole = {name: pq.read_table(args.set / f"{name}.parquet") for name in ("detections", "frames", "truth")}
    for every in (1, 2, 4):
        tables = {name: subsampled(table, every) for name, table in whole.items()}
        for name, settings in (("online", ONLINE), ("hindsight", HindsightSettings())):
            figures = measure(tables, args.categories, settings)
            sys.stdout.write(json.dumps({"hz": 10 / every, "labels": name, **figures}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
