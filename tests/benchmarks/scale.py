"""Many clips: memory, planning, verifying, and a run with nothing to do.

    python tests/benchmarks/scale.py [--clips 2000] [--listed 100000] [--only run,listing]

`run` labels a tenth of the clips and all of them, runs again with nothing to do, and verifies. `listing` plans files
that an earlier run is made to have probed: their bytes are never read.
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[2]
sys.path.insert(0, str(HERE / "tests" / "support"))

from process_memory import run_measured  # noqa: E402 - the folder is known from here on

CLIP = HERE / "sample_data" / "generic" / "variable_rate.mp4"
OPTIONS = ("--model", "demo", "--max-failed-share", "1", "--json")
CAMERAS = ("front", "back", "left_repeater", "right_repeater")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--listed", type=int, default=100_000)
    parser.add_argument("--only", default="run,listing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-scale-") as folder:
        if "run" in arguments.only:
            run(Path(folder), arguments.clips)
        if "listing" in arguments.only:
            listing(Path(folder), arguments.listed)
    return 0


def command(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", name, *map(str, arguments)]


def copies(folder: Path, count: int) -> None:
    """Short clips that differ in a box that no reader minds."""
    folder.mkdir()
    content = CLIP.read_bytes()
    for number in range(count):
        path = folder / f"{number:06d}.mp4"
        path.write_bytes(content + struct.pack(">I4sQ", 16, b"free", number))
        # written long ago, so that the time of change tells that it is the same
        os.utime(path, (1_700_000_000, 1_700_000_000 + number))


def run(folder: Path, count: int) -> None:
    peaks, seconds, verified = {}, {}, {}
    for size in (count // 10, count):
        copies(folder / f"in{size}", size)
        output = folder / f"out{size}"
        label = command("label", folder / f"in{size}", "-o", output, *OPTIONS)
        peaks[size], first, printed = run_measured(label)
        _, again, repeated = run_measured(label)
        told = [json.loads(text)["shards"] for text in (printed, repeated)]
        assert (told[0]["written"], told[1]["skipped"]) == (size, size), told
        seconds[size] = (first, again)
        started = time.perf_counter()
        subprocess.run(command("verify", output), check=True, capture_output=True)
        verified[size] = time.perf_counter() - started
    few, many = peaks
    print(
        f"peak memory, all processes: {few} clips {peaks[few] / 2**20:.0f} MiB, {many} clips "
        f"{peaks[many] / 2**20:.0f} MiB: {peaks[many] / peaks[few] - 1:+.1%} (wanted within 15 %)"
    )
    for size, (first, again) in seconds.items():
        print(
            f"{size} clips: first run {first:.1f} s, nothing to do {again:.1f} s, verify {verified[size]:.1f} s"
        )
    # what a command costs before it looks at a clip is the same for any number
    start = measured_start(folder)
    first, again = seconds[many]
    print(
        f"nothing to do on {many} clips: {again / first:.2%} of the first run, {(again - start) / first:.2%} without "
        f"the {start:.1f} s that a run on one clip with nothing to do takes (wanted < 2 %)"
    )


def measured_start(folder: Path) -> float:
    copies(folder / "one", 1)
    label = command("label", folder / "one", "-o", folder / "out-one", *OPTIONS)
    return [run_measured(label)[1] for _ in range(3)][-1]


def listing(folder: Path, count: int) -> None:
    peak, seconds, told = planned(folder, count)
    print(
        f"{told['clips']['found']} listed files planned as {told['shards']['label']} shards in {seconds:.1f} s, "
        f"{peak / 2**30:.2f} GiB (wanted < 60 s, 2 GB)"
    )


def planned(folder: Path, count: int) -> tuple[int, float, dict[str, Any]]:
    """Plans minutes of one car with four cameras, known from an earlier run: peak memory, seconds, what was said."""
    from transforms.clips.memory import remember
    from transforms.clips.refs import ClipRef, InputFile
    from transforms.tables.digests import digest
    from transforms.tables.ids import clip_id
    from transforms.tables.store import LocalStore
    from transforms.tasks import named, probe_file

    source = InputFile(uri=str(CLIP), root=str(CLIP.parent), bytes=CLIP.stat().st_size)
    model = probe_file(source, None)
    assert isinstance(model, ClipRef)
    clips, versions = [], {}
    recent = folder / "car" / "TeslaCam" / "RecentClips"
    recent.mkdir(parents=True)
    for number in range(count):
        minute = time.strftime("%Y-%m-%d_%H-%M-00", time.gmtime(1_600_000_000 + number // 4 * 60))
        path = recent / f"{minute}-{CAMERAS[number % 4]}.mp4"
        path.touch()
        os.utime(path, (1_700_000_000, 1_700_000_000))
        sha256 = digest(number)
        file = InputFile(uri=str(path), root=str(folder / "car"), bytes=0)
        clips.append(
            replace(
                model,
                uri=file.uri,
                name=named(file),
                bytes=0,
                content_sha256=sha256,
                clip_id=clip_id(sha256),
                duration_ns=60_000_000_000,
                start_utc_ns=None,
                clock_source="none",
            )
        )
        versions[file.uri] = str(path.stat().st_mtime_ns)
    output = folder / "planned"
    output.mkdir()
    store = LocalStore(output)
    remember(store, clips, versions, None)
    (output / ".clipmill.lock").touch()
    plan = command("label", folder / "car", "-o", output, *OPTIONS, "--dry-run")
    peak, seconds, printed = run_measured(plan)
    shutil.rmtree(output)
    return peak, seconds, json.loads(printed)


if __name__ == "__main__":
    sys.exit(main())
