"""Long clips are cut: what that does to their labels, and what it brings on two workers.

    python tests/benchmarks/cut_clips.py [--only labels,workers] [--clips 6] [--minutes 30] [--rounds 1]

Labels: rendered clips of 70 seconds, labelled in one piece, cut at whole minutes as `clipmill label` does, and cut every
15 seconds; the networks' own boxes are compared row by row, the labels with the scenes' truth. Workers: a real clip
repeated until it is so many minutes long, labelled by one worker and by two, start-up and all.
"""

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import av
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from clip_sets import NETWORK, real_clips
from demo_detector import Clip, film_clip, table, truth_rows
from throughput import describe, interleaved

from models.taxonomy import CATEGORIES
from pipelines.autolabel import run
from pipelines.cli import main as clipmill
from pipelines.jobs import AutolabelJob
from transforms.clips import shards

SECONDS = 70.0
PIECES_S = {"in one piece": 10**6, "cut every 60 s": 60, "cut every 15 s": 15}
FIRST_SEED = 11_000
FIGURES = ("hota", "idf1", "mota")
AS_THE_NETWORK_SAID = (
    "clip_id",
    "timestamp_ns",
    "category_raw",
    "raw_x_min_px",
    "raw_y_min_px",
    "raw_x_max_px",
    "raw_y_max_px",
    "score_raw",
)


def labels(folder: Path, options: argparse.Namespace) -> None:
    """The same clips in pieces of several lengths."""
    clips = [film_clip(number, SECONDS, "front", FIRST_SEED) for number in range(options.clips)]
    (folder / "clips").mkdir()
    for clip in clips:
        (folder / "clips" / Path(clip.ref.uri).name).write_bytes(clip.film.content)
    pq.write_table(truth(clips), folder / "truth.parquet")
    print(f"{len(clips)} rendered clips of {SECONDS:g} s, demo at 5 frames a second\n")
    print("| labelled | shards | AP50 | HOTA | IDF1 | MOTA | boxes of the network | not in one piece's |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    uncut: set[tuple[object, ...]] = set()
    for name, seconds in PIECES_S.items():
        output = folder / name.replace(" ", "-")
        with patch.object(shards, "MINUTE_NS", seconds * 10**9):
            run(AutolabelJob(inputs=(str(folder / "clips"),), output=str(output), models=("demo",)), [])
        rows = network_rows(output)
        uncut = uncut or rows
        mean = judged(output, folder / "truth.parquet")
        tracking = " | ".join(f"{mean['tracking']['at_score'][figure]:.3f}" for figure in FIGURES)
        pieces = len(list((output / "frames").glob("*.parquet")))
        print(f"| {name} | {pieces} | {mean['ap50']:.3f} | {tracking} | {len(rows)} | {len(rows ^ uncut)} |")


def truth(clips: list[Clip]) -> pa.Table:
    """The scenes' truth in the frames that are sampled."""
    return table(truth_rows(clips)).drop_columns(["score"])


def network_rows(output: Path) -> set[tuple[object, ...]]:
    """Every box that a network gave, as it gave it."""
    rows = ds.dataset(output / "detections").to_table()
    seen = rows.filter(pc.equal(rows["label_source"], "detected")).select(AS_THE_NETWORK_SAID)
    return set(zip(*seen.to_pydict().values(), strict=True))


def judged(output: Path, truth_file: Path) -> dict[str, object]:
    """What `clipmill evaluate` says of a data set, the mean over categories."""
    neutral = (f"--neutral={name}=ignored {name}" for name in CATEGORIES)
    with contextlib.redirect_stdout(io.StringIO()) as told:
        code = clipmill(["evaluate", str(output), "--truth", str(truth_file), "--json", *neutral])
    assert code == 0
    return json.loads(told.getvalue())["mean"]


def workers(folder: Path, options: argparse.Namespace) -> None:
    """One long clip on one worker and on two."""
    clip = folder / "long.mp4"
    repeat(max(real_clips(landscape=True), key=duration_s), clip, 60.0 * options.minutes)

    def with_workers(count: int) -> float:
        with tempfile.TemporaryDirectory(dir=folder) as output:
            command = [sys.executable, "-m", "pipelines.cli", "label", str(clip), "-o", output]
            command += ["--model", str(NETWORK), "--workers", str(count), "--json"]
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return time.perf_counter() - started

    ratios = interleaved(options.rounds, lambda: with_workers(1), lambda: with_workers(2))
    print(f"{clip_line(clip)}: two workers / one: {describe(ratios)} (wanted >= 1.70)")


def clip_line(clip: Path) -> str:
    """Length, size and codec of a clip."""
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        return f"{duration_s(clip) / 60:.1f} min of {video.width} x {video.height} {video.codec.name}"


def duration_s(clip: Path) -> float:
    with av.open(str(clip)) as container:
        return float((container.duration or 0) / av.time_base)


def repeat(source: Path, target: Path, seconds: float) -> None:
    """Writes a clip's pictures again and again, without coding them anew."""
    with av.open(str(target), "w") as output:
        with av.open(str(source)) as container:
            stream = output.add_stream_from_template(container.streams.video[0])
            length = round(Fraction(duration_s(source)).limit_denominator(1000) / stream_base(container))
        for round_number in range(int(seconds / duration_s(source)) + 1):
            for packet in packets(source):
                packet.pts += round_number * length
                packet.dts += round_number * length
                packet.stream = stream
                output.mux(packet)


def stream_base(container: av.container.InputContainer) -> Fraction:
    base = container.streams.video[0].time_base
    assert base is not None
    return base


def packets(source: Path) -> Iterator[av.Packet]:
    with av.open(str(source)) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.dts is not None:
                yield packet


MEASUREMENTS = {"labels": labels, "workers": workers}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="labels,workers")
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    for name in options.only.split(","):
        with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as folder:
            MEASUREMENTS[name](Path(folder), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
