"""Samples per second that training code is given, against a bare loop of PyAV over the same frames in the same run.

    python tests/benchmarks/reading.py DIR [--rounds 5] [--torch]

DIR is a labelled data set whose clips are where they were. Both ways decode every clip once, in one thread, and turn the
labelled frames into RGB of full size; the bare loop does nothing else: no labels, no shuffling, no look at what the clips
hold now. They take turns; the figure is the median ratio of processor time, which other programs on the machine change
little. With --torch (extra `torch`) data loaders without, with one and with two workers give shuffled batches of eight as
well; the time of their workers counts.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import av
import numpy as np

from transforms.tables.queries import connect
from transforms.training import Selection, open_frames, open_windows, torch_samples


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


def timed(counts: Iterable[int]) -> tuple[int, float, float]:
    """How many frames, and the seconds of processors, in this process and in those that it started, and of the clock."""
    processor, clock = sum(os.times()[:4]), time.perf_counter()
    count = sum(counts)
    return count, sum(os.times()[:4]) - processor, time.perf_counter() - clock


def numpy_ways(place: str) -> dict[str, Callable[[], Iterable[int]]]:
    in_order = open_frames(place)
    shuffled = open_frames(place, Selection(seed=0))
    windows = open_windows(place, 8, Selection(seed=0))
    return {
        "in order": lambda: (1 for _ in in_order),
        "shuffled": lambda: (1 for _ in shuffled),
        "windows of 8": lambda: (len(sample.labels) for sample in windows),
    }


def torch_ways(place: str) -> dict[str, Callable[[], Iterable[int]]]:
    from torch.utils.data import DataLoader

    samples = torch_samples(open_frames(place, Selection(seed=0)))

    def way(workers: int) -> Callable[[], Iterable[int]]:
        loader = DataLoader(samples, batch_size=8, num_workers=workers, collate_fn=samples.collate)
        return lambda: (len(targets) for _, targets in loader)

    return {f"data loader, {workers} workers": way(workers) for workers in range(3)}


def measure(dataset: Path, rounds: int, *, has_torch: bool) -> None:
    frames = labelled_frames(dataset)
    ways = numpy_ways(str(dataset)) | (torch_ways(str(dataset)) if has_torch else {})
    timed(1 for _ in bare(frames))
    ratios, rates = defaultdict(list), defaultdict(list)
    for _ in range(rounds):
        count, processor, clock = timed(1 for _ in bare(frames))
        rates["bare loop"].append(count / clock)
        bare_cost = processor / count
        for name, way in ways.items():
            given, processor, clock = timed(way())
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
    parser.add_argument("--torch", action="store_true", help="data loaders of PyTorch as well")
    options = parser.parse_args()
    measure(options.dataset, options.rounds, has_torch=options.torch)


if __name__ == "__main__":
    main()
