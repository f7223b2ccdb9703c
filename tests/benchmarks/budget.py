"""Estimates of 10,000 draws: three workloads on all pools of three clusters, beside the bare arithmetic of their draws.

Run: python tests/benchmarks/budget.py
"""

import time

import numpy as np

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.request import BudgetRequest

DRAWS = 10_000
ROUNDS = 3


def bare(pools: int) -> None:
    """What no estimate can do without: as many draws of twenty inputs, multiplied, and six quantities' quantiles."""
    generator = np.random.default_rng(0)
    inputs = np.exp(generator.normal(size=(20, DRAWS)))
    for _ in range(pools):
        product = inputs.prod(axis=0)
        for _ in range(6):
            np.percentile(product, (10, 50, 90))


def seconds(work) -> float:
    """Wall time of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Prints the first call, with all facts and layouts to find, and the ratio of later ones."""
    figures = DatasetFigures.of_hours(1e5)
    request = BudgetRequest(workloads=("fsd", "autopilot", "grok"), draws=DRAWS)
    first = seconds(lambda: request.answer(figures))
    pools = len(request.answer(figures))
    again = min(seconds(lambda: request.answer(figures)) for _ in range(ROUNDS))
    floor = min(seconds(lambda: bare(pools)) for _ in range(ROUNDS))
    print(f"{pools} estimates of {DRAWS:,} draws: first {first:.2f} s, later {again:.2f} s")
    print(f"{again / floor:.1f} x the bare arithmetic of their draws ({floor:.2f} s)")


if __name__ == "__main__":
    main()
