"""Beam's own flags: defaults of a local run, and a strict check of what stands after `--`."""

import argparse
import os
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    StandardOptions,
)
from apache_beam.runners.runner import create_runner

from pipelines.outcome import UsageError
from transforms.access import SECRET_FLAGS, WHO_ASKS

LOCAL_RUNNERS: Final = frozenset({"FnApiRunner", "BundleBasedDirectRunner", "DirectRunner"})
PORTABLE_RUNNERS: Final = frozenset({"FlinkRunner", "PortableRunner", "PrismRunner", "SparkRunner"})


def beam_options(
    arguments: Sequence[str], *, processes: int = 1, threads: int = 1
) -> tuple[PipelineOptions, int]:
    """Makes Beam's options.

    Args:
        arguments: what the user wrote after `--`.
        processes: that a local run's stages are spread over.
        threads: of each process.

    Returns:
        The options, and the threads each process works with: other runners have their own.

    Raises:
        UsageError: a flag that Beam does not know, or one that is a secret.
    """
    if {"-h", "--help"} & set(arguments):
        raise UsageError("Beam's flags are told by Beam's own documentation")
    options = PipelineOptions(list(arguments))
    standard = options.view_as(StandardOptions)
    standard.runner = standard.runner or "FnApiRunner"
    runner = runner_name(options)
    try:
        create_runner(str(standard.runner))
    except (ValueError, ImportError, AttributeError) as error:
        raise UsageError(f"Beam has no runner {standard.runner}") from error
    _refuse_unknown(arguments, runner)
    _refuse_secrets(options)
    # whatever is looked up before the pipeline runs is looked up where the pipeline will
    FileSystems.set_options(options)
    if runner not in LOCAL_RUNNERS:
        return options, 1
    direct = options.view_as(DirectOptions)
    if any(argument.startswith("--direct_") for argument in arguments):
        return options, 1 if direct.direct_num_workers != 1 else threads
    direct.direct_num_workers = processes
    direct.direct_running_mode = "multi_processing" if processes > 1 else "in_memory"
    return options, threads


def workers_here(options: PipelineOptions, threads: int) -> int | None:
    """Shards worked on at once on this machine; None where a runner's own workers may be elsewhere.

    Args:
        options: Beam's options.
        threads: of each process, as `beam_options` gives them.
    """
    if runner_name(options) not in LOCAL_RUNNERS:
        return None
    # Beam takes 0 for all cores
    processes = options.view_as(DirectOptions).direct_num_workers or os.cpu_count() or 1
    return int(processes) * threads


def refuse_local_output(options: PipelineOptions, output: str) -> None:
    """Refuses a local folder where the workers may be other machines.

    Args:
        options: Beam's options.
        output: a local folder.

    Raises:
        UsageError: the runner's workers are, or may be, elsewhere.
    """
    runner = runner_name(options)
    if runner in LOCAL_RUNNERS or runner == "PrismRunner":
        return
    every = options.get_all_options()
    masters = [str(every.get(name) or "") for name in ("flink_master", "job_endpoint", "spark_master_url")]
    here = all(re.search(_THIS_MACHINE, master) for master in masters if master) and any(masters)
    if not here or every.get("environment_type") not in {"LOOPBACK", "PROCESS"}:
        raise UsageError(
            f"{output} is a folder of this machine, but {runner}'s workers may be others: name a URL they all reach"
        )


def runner_name(options: PipelineOptions) -> str:
    """The runner's class, without its module."""
    return str(options.view_as(StandardOptions).runner).rsplit(".", 1)[-1]


def clear_message(error: Exception) -> str:
    """The one line of a failed pipeline that says what went wrong.

    Args:
        error: what Beam raised; a worker's traceback arrives as its text.
    """
    lines = [line for line in str(error).splitlines() if _LAST_LINE.match(line)]
    match = _LAST_LINE.match(lines[-1]) if lines else None
    message = match["message"] if match and match["message"] else str(error).strip()
    return _WHERE.sub("", message) or type(error).__name__


_LAST_LINE: Final = re.compile(r"^[A-Za-z_][\w.]*: (?P<message>.*)$")
_WHERE: Final = re.compile(r" ?\[while running [^\]]*\]")
_THIS_MACHINE: Final = r"^(\w+://)?(localhost|127\.0\.0\.1|\[::1\]|\[local\]|local)(:|$|\[)"


def _refuse_unknown(arguments: Sequence[str], runner: str) -> None:
    """Beam only warns of flags it does not know."""
    flags = known_flags()
    named = [argument.split("=", 1)[0] for argument in arguments if argument.startswith("-")]
    unknown = [name for name in named if name not in flags]
    if unknown and runner not in PORTABLE_RUNNERS:
        raise UsageError(f"Beam does not know {', '.join(unknown)} (runner {runner})")
    for name in unknown:
        # a job server has flags that Beam's Python does not know, but hardly ones that are almost the same
        if near := get_close_matches(name, sorted(flags), n=1, cutoff=0.9):
            raise UsageError(f"Beam does not know {name}; did you mean {near[0]}?")
    stray = [argument for argument in arguments if not argument.startswith("-")]
    if len(stray) > sum("=" not in argument for argument in arguments if argument.startswith("-")):
        raise UsageError(f"after -- only Beam's flags can stand, not {stray[0]!r}")


def _refuse_secrets(options: PipelineOptions) -> None:
    """A runner hands its options on, writes them into logs and shows them on pages."""
    every = options.get_all_options()
    for name in SECRET_FLAGS:
        if every.get(name):
            raise UsageError(
                f"--{name}: no secrets on a command line; leave them to the environment, a profile or the "
                "machine's role, where the storage's own library finds them"
            )
    for name in ("s3_endpoint_url", "blob_service_endpoint"):
        if WHO_ASKS.search(every.get(name) or ""):
            raise UsageError(
                f"--{name}: no user and no password in an address: it is told in errors and by runners"
            )


def known_flags() -> set[str]:
    """Every flag that Beam's Python knows, with its dashes."""
    flags: set[str] = set()

    def collect(parser: argparse.ArgumentParser) -> None:
        flags.update(option for action in parser._actions for option in action.option_strings)  # noqa: SLF001 - argparse has no other list of its flags

    PipelineOptions([]).get_all_options(add_extra_args_fn=collect)
    return flags - {"-h", "--help"}
