"""Throughput and memory of `clipmill label` against loops that do the same work by hand.

    python tests/benchmarks/throughput.py [--clips 34] [--rounds 3] [--only pool,loop,python,memory,again]

Prints ratios of interleaved runs; the first run of each pair changes places from round to round.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.dataset as ds
from bare_loops import bare_pool
from clip_sets import NETWORK, many_clips

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from process_memory import run_measured

FPS = 5.0
SIZE = 416


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=34)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="pool,loop,python,memory,again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as folder:
        for name in arguments.only.split(","):
            MEASUREMENTS[name](Path(folder), arguments)
    return 0


def against_pool(folder: Path, arguments: argparse.Namespace) -> None:
    """(a) frames a second against a bare pool of two threads."""
    from models.graphs import prepare
    from models.postprocessing import category_table
    from models.registry import find_model
    from transforms.clips.pictures import SCALER

    clips = many_clips(folder / "pool", arguments.clips)
    card = find_model(str(NETWORK)).card
    network = prepare(NETWORK.read_bytes(), card.input, NETWORK.name)
    categories = category_table(card)
    results: dict[str, object] = {}

    def bare() -> float:
        started = time.perf_counter()
        results["bare"] = bare_pool(clips, network, FPS, SIZE, SCALER, categories)
        return time.perf_counter() - started

    def clipmill() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as output:
            seconds = label_in_process(folder / "pool", output)
            results["clipmill"] = labelled(output)
        return seconds

    ratios = interleaved(arguments.rounds, bare, clipmill)
    frames, boxes = results["bare"]
    own_frames, own_boxes = results["clipmill"]
    print(f"(a) {len(clips)} clips, {len(frames)} sampled frames; the same PTS: {frames == own_frames}")
    print(f"    boxes: bare {boxes}, clipmill {own_boxes} ({own_boxes / boxes - 1:+.2%})")
    print(f"    clipmill / bare pool of 2 threads: {describe(ratios)} (wanted >= 0.85)")


def label_in_process(inputs: Path, output: str) -> float:
    """Seconds of the whole job, from listing to manifest; imports are left out, as for the bare loops."""
    from pipelines.autolabel import run
    from pipelines.jobs import AutolabelJob
    from transforms import isolated
    from transforms.set_aside import Patience

    job = AutolabelJob(inputs=(str(inputs),), output=output, models=(str(NETWORK),), workers=2)
    with ThreadPoolExecutor(2) as pool:
        # each of two children is asked while the other is busy
        list(pool.map(lambda _: isolated.call(time.sleep, 0.5, limits=Patience().limits(60)), range(2)))
    started = time.perf_counter()
    run(job, [])
    return time.perf_counter() - started


def labelled(output: str) -> tuple[list[tuple[str, int]], int]:
    """(file name, pts) of the labelled frames, and the number of boxes."""
    clips = ds.dataset(f"{output}/clips").to_table(["clip_id", "uri"]).to_pydict()
    names = {clip: Path(uri).name for clip, uri in zip(clips["clip_id"], clips["uri"], strict=True)}
    frames = ds.dataset(f"{output}/frames").to_table(["clip_id", "pts", "sample_index"]).to_pylist()
    found = sorted((names[row["clip_id"]], row["pts"]) for row in frames if row["sample_index"] is not None)
    return found, ds.dataset(f"{output}/detections").count_rows()


def against_loop(folder: Path, arguments: argparse.Namespace) -> None:
    """(b) whole commands, start-up and all, against the loop a user would write."""
    clips = many_clips(folder / "loop", arguments.clips, landscape=True)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from bare_loops import naive_loop; from pathlib import Path;"
        "print(naive_loop([Path(p) for p in sys.argv[4:]], Path(sys.argv[2]), float(sys.argv[3])))"
    )
    here = str(Path(__file__).parent)

    def loop() -> float:
        return timed([sys.executable, "-c", code, here, str(NETWORK), str(FPS), *map(str, clips)])

    def clipmill() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as output:
            return timed(label_command(folder / "loop", output))

    ratios = interleaved(arguments.rounds, loop, clipmill)
    print(
        f"(b) {len(clips)} landscape clips, end to end: clipmill is {describe(ratios)} times as fast as the loop (wanted >= 1.6)"
    )


def label_command(inputs: Path, output: str, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "pipelines.cli", "label", str(inputs), "-o", output),
        *("--model", str(NETWORK), "--workers", "2", "--json", *more),
    ]


def timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def python_share(folder: Path, _arguments: argparse.Namespace) -> None:
    """(c) time of one thread that is neither decoding and scaling nor the network, per sampled frame."""
    import av
    from av.video.reformatter import VideoReformatter
    from bare_loops import sampled

    from models.registry import find_model
    from models.sessions import load_detector
    from transforms.clips.pictures import SCALER
    from transforms.clips.refs import InputFile
    from transforms.clips.shards import plan_drives
    from transforms.labels.labelling import label_shard
    from transforms.labels.settings import LabelSettings
    from transforms.storage import open_stream
    from transforms.tasks import probe_file

    clips = many_clips(folder / "python", 8, landscape=True)
    detector = load_detector(find_model(str(NETWORK)))
    network = CountingSession(detector.network.session)
    object.__setattr__(detector.network, "session", network)
    own_s, sampled_frames = 0.0, 0
    for path in clips:
        clip = probe_file(InputFile(uri=str(path), root=str(path), bytes=path.stat().st_size), None)
        (plan,) = plan_drives([clip], 0)
        network.seconds = 0.0
        started = time.thread_time()
        rows = label_shard(plan, open_stream, [detector], LabelSettings())
        total = time.thread_time() - started
        frames = rows.tables["frames"].num_rows
        size = detector.plan(clip.width, clip.height)
        started = time.thread_time()
        with av.open(path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            reformatter = VideoReformatter()
            for frame in sampled(container, stream, FPS):
                small = reformatter.reformat(
                    frame, size.image_width, size.image_height, "yuv420p", interpolation=SCALER
                )
                small.to_ndarray(format="bgr24")
        bare = time.thread_time() - started
        own_s += total - network.seconds - bare
        sampled_frames += frames
    print(
        f"(c) Python's own share: {own_s / sampled_frames * 1000:.2f} ms a sampled frame "
        f"({sampled_frames} frames of {len(clips)} clips; wanted <= 2)"
    )


class CountingSession:
    """A session that adds up the processor time of its runs."""

    def __init__(self, session: object) -> None:
        self._session = session
        self.seconds = 0.0

    def run(self, *arguments: object) -> object:
        started = time.thread_time()
        try:
            return self._session.run(*arguments)
        finally:
            self.seconds += time.thread_time() - started

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)


def memory(folder: Path, _arguments: argparse.Namespace) -> None:
    """(d) peak memory of few and of many clips."""
    peaks = {}
    for count in (16, 160):
        clips = folder / f"memory{count}"
        many_clips(clips, count)
        with tempfile.TemporaryDirectory(dir=folder) as output:
            peaks[count], _, _ = run_measured(label_command(clips, output, "--fps", "1"))
    ratio = peaks[160] / peaks[16]
    print(
        f"(d) peak memory, all processes: 16 clips {peaks[16] / 2**20:.0f} MiB, 160 clips {peaks[160] / 2**20:.0f} MiB: {ratio - 1:+.1%} (wanted within 15 %)"
    )


def again(folder: Path, _arguments: argparse.Namespace) -> None:
    """(e) a second run that finds every shard done, against the first run's labelling."""
    many_clips(folder / "again", 64)
    many_clips(folder / "one", 1)
    seconds = {}
    first = {}
    for name in ("again", "one"):
        command = label_command(folder / name, str(folder / f"out-{name}"))
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        first[name] = json.loads(done.stdout)["seconds"]
        seconds[name] = min(timed(command) for _ in range(3))
    share = (seconds["again"] - seconds["one"]) / first["again"]
    print(
        f"(e) 64 clips again: {seconds['again']:.2f} s, 1 clip again: {seconds['one']:.2f} s; "
        f"difference / first run's labelling ({first['again']:.1f} s): {share:.2%} (wanted <= 2 %)"
    )


def interleaved(rounds: int, baseline: Callable[[], float], ours: Callable[[], float]) -> list[float]:
    """How many times as fast ours is, round by round."""
    ratios = []
    for number in range(rounds):
        if number % 2:
            mine, theirs = ours(), baseline()
        else:
            theirs, mine = baseline(), ours()
        ratios.append(theirs / mine)
    return ratios


def describe(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({', '.join(f'{ratio:.2f}' for ratio in ratios)})"


MEASUREMENTS = {
    "pool": against_pool,
    "loop": against_loop,
    "python": python_share,
    "memory": memory,
    "again": again,
}

if __name__ == "__main__":
    sys.exit(main())
