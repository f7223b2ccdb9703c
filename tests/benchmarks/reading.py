"""Samples per second that training code is given, against a bare loop of PyAV over the same frames in the same run.

    python tests/benchmarks/reading.py DIR [--rounds 5]

DIR is a labelled data set whose clips are where they were. Both ways decode every clip once, in one thread, and turn the
labelled frames into RGB of full size; the bare loop does nothing else: no labels, no shuffling, no look at what the clips
hold now. They take turns; the figure is the median ratio of processor time, which other programs on the machine change
little.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import av
import numpy as np

from transforms.tables.queries import connect
from transforms.training import Selection, open_frames, open_windows


def labelled_frames(dataset: Path) -> dict[str, set[int]]:
    """PTS of the labelled frames by the URI of their clip."""
    found = defaultdict(set)
    with connect(dataset) as data:
        rows = data.execute(
            "SELECT uri, pts FROM frames JOIN clips USING (clip_id)"
            " WHERE sample_index IS NOT NULL AND NOT is_damaged"
        )
        for uri, pts in rows.fetchall():
            found[uri].add(pts)
    return found


def bare(frames: Mapping[str, set[int]]) -> Iterator[np.ndarray]:
    for uri, wanted in frames.items():
        with av.open(uri) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for frame in container.decode(stream):
                if frame.pts in wanted:
                    yield frame.to_ndarray(format="rgb24")


def timed(samples: Iterator[object]) -> tuple[int, float, float]:
    """How many samples, and the processor's and the clock's seconds."""
    processor, clock = time.process_time(), time.perf_counter()
    count = sum(1 for _ in samples)
    return count, time.process_time() - processor, time.perf_counter() - clock


def measure(dataset: Path, rounds: int) -> None:
    frames = labelled_frames(dataset)
    ways = {
        "in order": open_frames(str(dataset)),
        "shuffled": open_frames(str(dataset), Selection(seed=0)),
        "windows of 8": open_windows(str(dataset), 8, Selection(seed=0)),
    }
    timed(bare(frames))
    ratios, rates = defaultdict(list), defaultdict(list)
    for _ in range(rounds):
        count, processor, clock = timed(bare(frames))
        rates["bare loop"].append(count / clock)
        bare_cost = processor / count
        for name, samples in ways.items():
            given, processor, clock = timed(iter(samples))
            given *= 8 if name.startswith("windows") else 1
            rates[name].append(given / clock)
            ratios[name].append(bare_cost * given / processor)
    for name, found in rates.items():
        ratio = f", ratio {statistics.median(ratios[name]):.2f} of the bare loop" if ratios[name] else ""
        shown = " ".join(f"{value:.2f}" for value in ratios[name])
        print(f"{name}: {statistics.median(found):.0f} frames/s{ratio} {f'({shown})' if shown else ''}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    measure(options.dataset, options.rounds)


if __name__ == "__main__":
    main()
