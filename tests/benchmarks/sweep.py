"""Seconds of `clipmill sweep` against a loop over the same scenarios in one process.

    python tests/benchmarks/sweep.py [--scenarios 10000] [--workers N]

Prints scenarios, seconds of the whole command (start of Python and Beam, table and plot included) and of the
loop, and their ratio. The loop is warm: facts and layouts are read and chosen before it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipelines.sweep import read_spec
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.sweeps.rows import evaluate_range

SPEC = """
[rig]
cameras = 8
width = 1280
height = 960
fps = 36
[grid]
workload = ["fsd"]
network = ["driving", "driving-10b"]
cluster = ["cortex"]
as_of = ["2025-01"]
allocation = ["25%", "4096"]
hours_per_day = [1]
precision = ["bf16", "fp8"]
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenarios", type=int, default=10_000, help="about so many")
    parser.add_argument("--workers", type=int)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as folder:
        spec = Path(folder) / "sweep.toml"
        # 8 combinations of the lists above, each with a square of fleets
        side = max(1, round((arguments.scenarios / 8) ** 0.5))
        steps = [round(10 ** (3 * at / side), 6) for at in range(side)]
        fleets = f"vehicles = {[1000 * step for step in steps]}\ndays = {steps}\n"
        spec.write_text(SPEC + fleets, encoding="utf-8")
        scenarios, seconds = _command(spec, Path(folder) / "out", arguments.workers)
        loop = _loop(spec)
    print(
        f"{scenarios:,} scenarios: command {seconds:.1f} s, bare loop {loop:.1f} s "
        f"({loop / scenarios * 1e3:.2f} ms a scenario), ratio {seconds / loop:.2f}"
    )
    return 0


def _command(spec: Path, output: Path, workers: int | None) -> tuple[int, float]:
    """Scenarios, and seconds of the whole command."""
    command = [sys.executable, "-m", "pipelines.cli", "sweep", str(spec), "-o", str(output), "--json"]
    if workers is not None:
        command += ["--workers", str(workers)]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["scenarios"], time.perf_counter() - started


def _loop(spec: Path) -> float:
    """Seconds of the same scenarios, one after the other."""
    sweep, figures = read_spec(spec)
    assert isinstance(figures, DatasetFigures)
    count = sweep.grid.count
    for start in range(0, count, count // 8):
        evaluate_range(sweep, figures, start, start + 1)
    started = time.perf_counter()
    evaluate_range(sweep, figures, 0, count)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
