"""`clipmill doctor`: whether this machine can label."""

import argparse
from dataclasses import asdict

from pipelines.outcome import ExitCode, Outcome

HELP = "tell whether this machine can label, and what would be slow: versions, decoders, cores, memory, folders, networks"
EXAMPLES = """
clipmill doctor
clipmill doctor --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are no options."""
    del parser


def run(arguments: argparse.Namespace) -> Outcome:
    """Looks at everything."""
    del arguments
    from rich.table import Table

    from pipelines.examination import examine, versions

    found = examine()
    bad = [finding.name for finding in found if finding.state == "bad"]
    table = Table("", "what", "found", box=None, show_header=False)
    for finding in found:
        table.add_row(finding.state, finding.name, finding.text)
    last = f"something would fail: {', '.join(bad)}" if bad else "good: this machine can label"
    data = {
        "good": not bad,
        "versions": versions(),
        "findings": [asdict(finding) for finding in found],
    }
    return Outcome(data, (table, last), ExitCode.JOB_FAILED if bad else ExitCode.GOOD)
