"""Beam's own flags: defaults of a local run, and a strict check of what stands after `--`."""

import re
from collections.abc import Sequence
from typing import Final

from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)

from pipelines.outcome import UsageError

LOCAL_RUNNERS: Final = frozenset({"FnApiRunner", "BundleBasedDirectRunner", "DirectRunner"})
PORTABLE_RUNNERS: Final = frozenset({"FlinkRunner", "PortableRunner", "PrismRunner", "SparkRunner"})

THREADS_PER_PROCESS: Final = 8
"""Python's own share of a frame feeds about this many threads; above that local runs use processes."""


def beam_options(arguments: Sequence[str], workers: int) -> tuple[PipelineOptions, int]:
    """Makes Beam's options.

    Args:
        arguments: what the user wrote after `--`.
        workers: shards worked on at once on this machine.

    Returns:
        The options, and the threads each process works with.

    Raises:
        UsageError: a flag that Beam does not know.
    """
    options = PipelineOptions(list(arguments))
    standard = options.view_as(StandardOptions)
    standard.runner = standard.runner or "FnApiRunner"
    runner = str(standard.runner).rsplit(".", 1)[-1]
    _refuse_unknown(arguments, runner)
    if runner not in LOCAL_RUNNERS:
        return options, 1
    direct = options.view_as(DirectOptions)
    if any(argument.startswith("--direct_") for argument in arguments):
        return options, 1 if direct.direct_num_workers != 1 else workers
    processes = -(-workers // THREADS_PER_PROCESS)
    direct.direct_num_workers = processes
    direct.direct_running_mode = "multi_processing" if processes > 1 else "in_memory"
    return options, -(-workers // processes)


def refuse_local_output(options: PipelineOptions, output: str) -> None:
    """Refuses a local folder where the workers may be other machines.

    Args:
        options: Beam's options.
        output: a local folder.

    Raises:
        UsageError: the runner is a cluster's.
    """
    runner = str(options.view_as(StandardOptions).runner).rsplit(".", 1)[-1]
    portable = options.view_as(PortableOptions)
    here = (
        runner in LOCAL_RUNNERS
        or runner == "PrismRunner"
        or portable.environment_type in {"LOOPBACK", "PROCESS"}
    )
    if not here:
        raise UsageError(
            f"{output} is a folder of this machine, but {runner}'s workers may be others: name a URL they all reach"
        )


def clear_message(error: Exception) -> str:
    """The one line of a failed pipeline that says what went wrong.

    Args:
        error: what Beam raised; a worker's traceback arrives as its text.
    """
    lines = [line for line in str(error).splitlines() if _LAST_LINE.match(line)]
    match = _LAST_LINE.match(lines[-1]) if lines else None
    return match["message"] if match else str(error).strip() or type(error).__name__


_LAST_LINE: Final = re.compile(
    r"^(?P<kind>[A-Za-z_][\w.]*(?:Error|Exception)): (?P<message>.*?)(?: \[while running .*)?$"
)


def _refuse_unknown(arguments: Sequence[str], runner: str) -> None:
    stray = [argument for argument in arguments if not argument.startswith("--")]
    known = PipelineOptions(list(arguments)).get_all_options(drop_default=False)
    unknown = [
        argument.split("=", 1)[0]
        for argument in arguments
        if argument.startswith("--") and argument[2:].split("=", 1)[0].removeprefix("no_") not in known
    ]
    if runner in PORTABLE_RUNNERS:
        # the job server of such a runner has flags that Beam's Python does not know
        return
    if unknown:
        raise UsageError(f"Beam does not know {', '.join(unknown)} (runner {runner})")
    if stray and len(stray) > sum("=" not in argument for argument in arguments if argument.startswith("--")):
        raise UsageError(f"after -- only Beam's flags can stand, not {stray[0]!r}")
