"""The command line: `clipmill COMMAND ... [-- BEAM FLAGS]`."""

import argparse
import io
import json
import logging
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pipelines import logs
from pipelines.outcome import ExitCode, JobError, Outcome, UsageError
from transforms.clips.vins import mask_vins

if TYPE_CHECKING:
    from types import ModuleType
    from typing import NoReturn

COMMANDS: Final = (
    "label",
    "run",
    "retry",
    "budget",
    "backtest",
    "sweep",
    "track",
    "evaluate",
    "inspect",
    "report",
    "explain",
    "view",
    "sql",
    "verify",
    "export",
    "correct",
    "diff",
    "compact",
    "split",
    "migrate",
    "forget",
    "prune",
    "models",
    "sample",
    "completion",
    "doctor",
)

_PIPED_WIDTH: Final = 100

_SUMMARY: Final = "Car-camera clips in; labelled Parquet shards and a training-compute budget out."


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing, so that --json and the exit codes hold for every error."""

    def error(self, message: str) -> "NoReturn":
        raise UsageError(f"{message} (see {self.prog} --help)")


class _Notes(logging.Formatter):
    """Log lines without vehicle identification numbers."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_vins(super().format(record))


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; no heavy module is imported for it."""
    parser = _Parser(prog="clipmill", description=_SUMMARY, allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name in COMMANDS:
        module = _module(name)
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=f"examples:\n{_indented(module.EXAMPLES)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        module.add_arguments(command)
    return parser


def _module(name: str) -> "ModuleType":
    return import_module(f"pipelines.commands.{name}")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())


def split_arguments(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Splits the command line at the first `--`: ours, and Beam's.

    >>> split_arguments(["label", "x", "--", "--runner=PrismRunner"])
    (['label', 'x'], ['--runner=PrismRunner'])
    """
    if "--" not in argv:
        return list(argv), []
    at = argv.index("--")
    return list(argv[:at]), list(argv[at + 1 :])


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: arguments without the program's name; default: the process's own.

    Returns:
        The exit code.
    """
    if "_ARGCOMPLETE" in os.environ:
        # a shell asks what can follow; this ends the process
        import argcomplete

        argcomplete.autocomplete(build_parser())
    own, beam_arguments = split_arguments(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in own
    # errors of usage come before options are known
    logs.configure("json" if _asks_for_json_lines(own) else "text", None)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a file's name may hold what the terminal's encoding lacks
            stream.reconfigure(errors="backslashreplace")
    try:
        outcome = _run(own, beam_arguments)
        _print(outcome, as_json=as_json)
    except UsageError as error:
        return _fail(ExitCode.BAD_USAGE, str(error), as_json=as_json)
    except JobError as error:
        return _fail(ExitCode.JOB_FAILED, str(error), as_json=as_json)
    except BrokenPipeError:
        # the reader of our output (head, less) has gone; nothing more can be said to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.GOOD
    except OSError as error:
        return _fail(ExitCode.JOB_FAILED, str(error), as_json=as_json)
    except KeyboardInterrupt:
        message = "interrupted; what was committed stays, the same command goes on from there"
        code = _fail(ExitCode.INTERRUPTED, message, as_json=as_json)
        if threading.active_count() > 1:
            # shards in work would be finished first; whatever they have not committed is not in the data set
            os._exit(code)
        return code
    return outcome.exit_code


def _asks_for_json_lines(own: Sequence[str]) -> bool:
    """Whether standard error is to hold JSON lines only.

    >>> _asks_for_json_lines(["run", "job.toml", "--log-format", "json"])
    True
    """
    return "--log-format=json" in own or ("--log-format", "json") in pairwise(own)


def _run(own: list[str], beam_arguments: list[str]) -> Outcome:
    parser = build_parser()
    arguments = parser.parse_args(own)
    if arguments.version:
        from importlib.metadata import version

        return Outcome({"version": version("clipmill")}, (f"clipmill {version('clipmill')}",))
    if arguments.command is None:
        return Outcome({}, (parser.format_help().rstrip(),), ExitCode.BAD_USAGE)
    module = _module(arguments.command)
    arguments.beam_arguments = beam_arguments
    if beam_arguments and not getattr(module, "TAKES_BEAM_FLAGS", False):
        raise UsageError(f"{arguments.command} takes no Beam flags after --")
    # what concerns the user is told in one line; libraries would add their tracebacks to it
    logging.basicConfig(level=logging.CRITICAL)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Notes("note: %(message)s"))
    logging.getLogger("models").setLevel(logging.WARNING)
    logs.configure(getattr(arguments, "log_format", "text"), getattr(arguments, "log_level", None))
    from models.errors import ModelError, ModelUsageError

    try:
        outcome: Outcome = module.run(arguments)
    except ModelUsageError as error:
        raise UsageError(str(error)) from error
    except ModelError as error:
        raise JobError(str(error)) from error
    return outcome


def _print(outcome: Outcome, *, as_json: bool) -> None:
    if sys.stdout is None:
        # started with standard output closed: nobody wants to read
        return
    if as_json:
        print(json.dumps(outcome.data, ensure_ascii=False), flush=True)
        return
    if all(isinstance(item, str) for item in outcome.human):
        for item in outcome.human:
            print(mask_vins(str(item)), flush=True)
        return
    from rich.console import Console

    piped = not sys.stdout.isatty()
    # a table that goes into a file has no terminal to fit
    console = Console(soft_wrap=piped, width=_PIPED_WIDTH if piped and "COLUMNS" not in os.environ else None)
    for item in outcome.human:
        console.print(item, highlight=False, markup=False)


def _fail(code: ExitCode, message: str, *, as_json: bool) -> int:
    message = mask_vins(message)
    if as_json and sys.stdout is not None:
        print(json.dumps({"error": {"code": int(code), "message": message}}, ensure_ascii=False), flush=True)
    if logs.is_json():
        logs.event("failed", logging.ERROR, exit_code=int(code), message=message)
        return code
    # a key of a job spec or a file's name may hold what steers a terminal
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in message
    )
    print(f"clipmill: {shown}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
