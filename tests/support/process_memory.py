"""Memory of a command and of all processes that it starts."""

import subprocess
import time
from contextlib import suppress

import psutil


def run_measured(command: list[str], every_s: float = 0.05) -> tuple[int, float, str]:
    """Runs a command.

    Args:
        command: the command.
        every_s: how often its memory is looked at.

    Returns:
        (greatest sum of the proportional shares of memory of it and its descendants in bytes, seconds, its
        standard output). Pages that several processes share count once.

    Raises:
        CalledProcessError: it failed.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        root = psutil.Process(process.pid)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _together(root))
            time.sleep(every_s)
        output, errors = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output, errors)
    return peak, time.perf_counter() - started, output


def _together(root: psutil.Process) -> int:
    total = 0
    with suppress(psutil.Error):
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total
