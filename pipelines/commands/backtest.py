"""`clipmill backtest`: how well published trainings predict those of other families."""

import argparse
from pathlib import Path

from pipelines.outcome import Outcome, UsageError

HELP = "test the compute budget against published trainings, each predicted without its family"
EXAMPLES = """
clipmill backtest
clipmill backtest --json
clipmill backtest runs.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "runs",
        nargs="?",
        type=Path,
        metavar="RUNS",
        help="published runs, CSV or TOML (default: the bundled)",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Tests."""
    from transforms.budget.errors import BudgetUsageError
    from transforms.budget.evidence.backtest import backtest
    from transforms.budget.evidence.comparing import compare
    from transforms.budget.evidence.reading import read_runs
    from transforms.budget.evidence.rederive import load_published, rederive
    from transforms.budget.facts.library import load_facts
    from transforms.views.backtest_text import backtest_text

    facts, published = load_facts(), load_published()
    try:
        runs = facts.runs if arguments.runs is None else read_runs(arguments.runs, facts)
    except BudgetUsageError as error:
        raise UsageError(str(error)) from error
    found = backtest(runs, facts)
    unseen = backtest(published.runs if arguments.runs is None else runs, facts, facts.runs)
    comparisons = compare(runs, facts)
    totals = rederive(runs, found.rows, published.interruptions, facts)
    data = {
        **found.as_json(),
        "unseen": {key: unseen.as_json()[key] for key in ("kinds", "rows")},
        "comparisons": [comparison.as_json() for comparison in comparisons],
        "rederived": [total.as_json() for total in totals],
    }
    lines = backtest_text(found, unseen, comparisons, totals, bundled=arguments.runs is None)
    return Outcome(data, lines)
