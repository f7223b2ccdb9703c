"""What a command hands back to the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType


class ExitCode(IntEnum):
    """The exit codes that scripts and schedulers rely on."""

    GOOD = 0
    JOB_FAILED = 1
    BAD_USAGE = 2
    TOO_MANY_FAILED = 3
    INTERRUPTED = 130


class UsageError(Exception):
    """The command was asked for something that is not there or does not go: exit code 2."""


class JobError(Exception):
    """The job could not be finished; what was committed stays: exit code 1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a command.

    Attributes:
        data: what `--json` prints, as one object.
        human: what is printed otherwise, in order.
        exit_code: the process's exit code.
    """

    data: Mapping[str, object]
    human: "tuple[RenderableType, ...]" = field(default=())
    exit_code: int = ExitCode.GOOD
