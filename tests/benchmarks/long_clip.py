"""What `clipmill track` takes for one long clip: `python tests/benchmarks/long_clip.py`.

Generates a clip of so many minutes at 5 frames a second with some 30 boxes a frame: objects at constant velocity that
come and go, seen with noise and misses, and false boxes. Prints a JSON line a length: seconds by the clock and of the
processor, the latter in milliseconds a frame and against those of the first length, and the greatest memory.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FPS = 5
SIZE = np.array([1920.0, 1080.0])
OBJECTS_A_FRAME = 28
SEEN = 0.9
FALSE_A_FRAME = 5
LIFE_S = (2.0, 12.0)
CATEGORIES = ("car", "truck", "pedestrian", "cyclist")

_MEASURED = """
import json, resource, sys
from pipelines.cli import main
code = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
told = {"code": code, "kilobytes": used.ru_maxrss, "processor_s": used.ru_utime + used.ru_stime}
print(json.dumps(told), file=sys.stderr)
"""


def long_clip(minutes: float, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Detections and frames of one clip.

    Args:
        minutes: its length.
        seed: of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    frames = round(minutes * 60 * FPS)
    mean_life_frames = FPS * sum(LIFE_S) / 2
    objects = round(frames * OBJECTS_A_FRAME / mean_life_frames)
    begins = rng.uniform(0, frames, objects)
    lives = rng.uniform(LIFE_S[0] * FPS, LIFE_S[1] * FPS, objects)
    counts = np.ceil(lives).astype(np.int64)
    of = np.repeat(np.arange(objects), counts)
    age = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    frame = (begins[of] + age).astype(np.int64)
    kept = (frame < frames) & (rng.random(len(of)) < SEEN)
    of, age, frame = of[kept], age[kept], frame[kept]
    place, speed = rng.uniform(0, SIZE, (objects, 2)), rng.normal(0, 60 / FPS, (objects, 2))
    side = rng.uniform(20, 160, (objects, 2))
    centres = place[of] + speed[of] * age[:, None] + rng.normal(0, 0.04, (len(of), 2)) * side[of]
    sides = side[of] * rng.lognormal(0, 0.05, (len(of), 2))
    category = rng.integers(0, len(CATEGORIES), objects)[of]
    scores = np.clip(rng.normal(0.85, 0.12, len(of)), 0.1, 1)
    false = FALSE_A_FRAME * frames
    columns = {
        "frame": np.concatenate([frame, rng.integers(0, frames, false)]),
        "centres": np.concatenate([centres, rng.uniform(0, SIZE, (false, 2))]),
        "sides": np.concatenate([sides, rng.uniform(20, 160, (false, 2))]),
        "category": np.concatenate([category, rng.integers(0, len(CATEGORIES), false)]),
        "score": np.concatenate([scores, rng.beta(2, 3, false)]),
    }
    corners = np.concatenate(
        [columns["centres"] - columns["sides"] / 2, columns["centres"] + columns["sides"] / 2], axis=1
    )
    names = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
    step_ns = 1_000_000_000 // FPS
    detections = pa.table(
        {
            "clip_id": pa.array(["long"] * len(corners), pa.string()),
            "timestamp_ns": columns["frame"] * step_ns,
            "category": pa.array(CATEGORIES, pa.string()).take(pa.array(columns["category"])),
            **{name: corners[:, index].astype(np.float32) for index, name in enumerate(names)},
            "score": columns["score"].astype(np.float32),
        }
    )
    shown = pa.table(
        {"clip_id": pa.array(["long"] * frames, pa.string()), "timestamp_ns": np.arange(frames) * step_ns}
    )
    return detections, shown


def measure(minutes: float, options: list[str]) -> dict[str, float]:
    """Seconds and memory of a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        detections, frames = long_clip(minutes)
        pq.write_table(detections, folder / "detections.parquet")
        pq.write_table(frames, folder / "frames.parquet")
        began = time.perf_counter()
        command = [
            sys.executable,
            "-c",
            _MEASURED,
            "track",
            name,
            "-o",
            str(folder / "out"),
            "--json",
            *options,
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        ended = json.loads(done.stderr.splitlines()[-1])
        if ended["code"]:
            raise SystemExit(done.stderr)
        told = json.loads(done.stdout)
        return {
            "minutes": minutes,
            "frames": frames.num_rows,
            "rows_in": detections.num_rows,
            "rows_out": told["detections"],
            "tracks": told["tracks"],
            "seconds": round(seconds, 2),
            "processor_s": round(ended["processor_s"], 2),
            "ms_per_frame": round(1e3 * ended["processor_s"] / frames.num_rows, 3),
            "peak_mb": round(ended["kilobytes"] / 1024, 1),
        }


def main() -> None:
    """Measures and prints one JSON line a length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[15, 30, 60])
    parser.add_argument("--online", action="store_true")
    args = parser.parse_args()
    first = None
    for minutes in args.minutes:
        found = measure(minutes, ["--online"] if args.online else [])
        first = first or found["ms_per_frame"]
        sys.stdout.write(json.dumps({**found, "to_linear": round(found["ms_per_frame"] / first, 3)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
