"""Memory of a command and of all processes that it starts."""

import subprocess
import tempfile
import time
from contextlib import suppress

import psutil


def run_measured(command: list[str], every_s: float = 1.0) -> tuple[int, float, str]:
    """Runs a command.

    Args:
        command: the command.
        every_s: how often its memory is looked at.

    Returns:
        (its greatest memory and that of its descendants together in bytes, seconds, its standard output). What each
        of them has for itself is added up; what they share counts once, as the most that one of them shares, so that
        other programs on the machine that happen to share the same libraries change nothing.

    Raises:
        CalledProcessError: it failed.
    """
    started = time.perf_counter()
    # files and not pipes: nobody reads while it runs
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        root = psutil.Process(process.pid)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _together(root))
            with suppress(subprocess.TimeoutExpired):
                process.wait(every_s)
        seconds = time.perf_counter() - started
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, output.read(), errors.read())
        return peak, seconds, output.read()


def _together(root: psutil.Process) -> int:
    own, shared = 0, 0
    with suppress(psutil.Error):
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                memory = process.memory_full_info()
                own += memory.uss
                shared = max(shared, memory.rss - memory.uss)
    return own + shared
