"""How fast two TaskManagers of a Flink cluster label, against two workers of a local run, in interleaved rounds.

    python tests/benchmarks/engines.py

Needs Java and Maven; the jars are fetched once (`CLIPMILL_ENGINES` names their folder). Start-up is left out: a rate is
frames over seconds from the end of the fourth shard to the end of the last one, by what each run notes of its shards.
By then both workers, the processes that open clips, and the networks in them are up; and neither the job server, nor
probing, nor what comes after the last shard is in it. That the last worker may be alone at the end is.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from engine_downloads import flink_launcher
from engines import THREADS, boot_script, copied_clips, flink_flags
from flink_cluster import FlinkCluster
from running import ROOT, command, digests

STARTING = 4
"""Shards that may hold the start of something: two for each worker."""
WANTED = 0.85


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--fps", default="2")
    parser.add_argument("--size", default="320")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    launcher = flink_launcher()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as name:
        folder = Path(name)
        clips = copied_clips(folder, arguments.clips)
        boot = boot_script(folder / "workers")
        ratios, outputs = [], []
        with FlinkCluster(launcher.parent, folder / "flink", dict(os.environ)) as cluster:
            how = {"local": THREADS, "flink": flink_flags(cluster.address, launcher, boot)}
            for number in range(arguments.rounds):
                rates = {}
                for engine in sorted(how, reverse=bool(number % 2)):
                    outputs.append(folder / f"{engine}-{number}")
                    rates[engine] = rate(clips, outputs[-1], arguments, how[engine])
                ratios.append(rates["flink"] / rates["local"])
                print(f"round {number + 1}: {rates}, ratio {ratios[-1]:.2f}", file=sys.stderr)
        same = all(digests(output) == digests(outputs[0]) for output in outputs)
    rounds = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"{arguments.clips} clips, {arguments.fps} frames/s; the same bytes: {same}")
    print(
        f"two TaskManagers / two local workers: {statistics.median(ratios):.2f} ({rounds}; wanted >= {WANTED})"
    )
    return 0


def rate(clips: Path, output: Path, arguments: argparse.Namespace, how: tuple[str, ...]) -> float:
    """Frames a second once everything is up."""
    job = ("--model", "demo", "--fps", arguments.fps, "--size", arguments.size, "--json")
    subprocess.run(
        command("label", clips, "-o", output, *job, *how),
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=1800,
        cwd=ROOT,
    )
    records = [json.loads(path.read_text()) for path in output.glob("runs/*/shards/*.json")]
    records.sort(key=lambda record: record["ended"])
    steady = records[STARTING:]
    seconds = steady[-1]["ended"] - records[STARTING - 1]["ended"]
    return sum(record["frames"] for record in steady) / seconds


if __name__ == "__main__":
    sys.exit(main())
