"""Runs that are killed at random moments, labelling for the first time and over another network's labels.

`CLIPMILL_KILLS=50 pytest tests/e2e/test_kills.py` (or `make faults`) kills as often as that.
"""

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from running import SAMPLE, command, digests

KILLS = int(os.environ.get("CLIPMILL_KILLS", "6"))
KILLS_A_ROUND = 3
COMMON = ("--model", "demo", "--max-failed-share", "1", "--json", "--workers", "2")
JOBS = {"one": ("--fps", "1"), "other": ("--fps", "1", "--size", "320")}


@pytest.fixture(scope="module")
def undisturbed(clipmill, tmp_path_factory):
    found = {}
    for name, options in JOBS.items():
        output = tmp_path_factory.mktemp(name) / "out"
        started = time.monotonic()
        done = clipmill("label", SAMPLE, "-o", output, *COMMON, *options)
        assert done.code == 0, done.errors
        found[name] = (digests(output), time.monotonic() - started)
    return found


class Reader(threading.Thread):
    """Reads a table by glob again and again while others write, and notes ids that stand twice."""

    def __init__(self, output: Path) -> None:
        super().__init__(daemon=True)
        self.output = output
        self.stopped = threading.Event()
        self.twice: list[str] = []
        self.broken: list[str] = []
        self.reads = 0

    def run(self) -> None:
        while not self.stopped.wait(0.05):
            for table, key in (("frames", "frame_id"), ("detections", "detection_id"), ("clips", "uri")):
                ids: Counter[str] = Counter()
                for path in self.output.glob(f"{table}/*.parquet"):
                    # opened once: `pq.read_table` would open it again for the rows, when it may be another file
                    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                        ids.update(self.ids(file, key))
                self.reads += 1
                self.twice += [f"{table}: {item}" for item, count in ids.items() if count > 1]

    def ids(self, file: BinaryIO, key: str) -> list[str]:
        try:
            return pq.ParquetFile(file).read([key], use_threads=False)[key].to_pylist()
        except (pa.ArrowException, OSError) as error:
            self.broken.append(f"{file.name}: {error}")
            return []


def kill(label: list[str], until: Callable[[float], bool]) -> None:
    """Starts a run and kills it, when `until` says so of the seconds that it has had."""
    started = time.monotonic()
    process = subprocess.Popen(
        label, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while process.poll() is None and not until(time.monotonic() - started):
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def shard_records(output: Path) -> int:
    return len(list(output.glob("runs/*/shards/*.json")))


def test_killed_at_random_moments_the_same_command_ends_the_same(clipmill, tmp_path, undisturbed):
    output = tmp_path / "out"
    moments = random.Random(20)
    reader = Reader(output)
    reader.start()
    names = list(JOBS)
    states = Counter()
    for number in range(-(-KILLS // KILLS_A_ROUND)):
        name = names[number % 2]
        expected, seconds = undisturbed[name]
        label = command("label", SAMPLE, "-o", output, *COMMON, *JOBS[name])
        for kills in range(KILLS_A_ROUND):
            done, moment = shard_records(output), moments.uniform(0.5, seconds)
            if kills == 0:
                # when there is something to do and some of it is done
                kill(label, lambda _, done=done: shard_records(output) > done)
            else:
                kill(label, lambda had, moment=moment: had > moment)
            if (output / "manifest.parquet").exists():
                checked = clipmill("verify", output, "--json")
                states["sound" if checked.data["sound"] else "unfinished"] += 1
                assert checked.data["sound"] or any(
                    "run the same command again" in line or "run it again" in line
                    for line in checked.data["problems"]
                )
        done = clipmill(*label[1:])
        assert done.code == 0, done.errors
        assert digests(output) == expected
        assert not [path for path in output.rglob("*") if path.name.endswith(".tmp")]
        assert clipmill("verify", output).code == 0
    reader.stopped.set()
    reader.join()
    assert reader.reads > 0
    assert (reader.twice, reader.broken) == ([], [])
    assert states["unfinished"] > 0
