"""A call in a process of its own: it may crash, hang or eat all memory, and its caller goes on.

A native decoder that meets a file made to break it takes its process along. So files are opened in child
processes only, which are kept and used again; a child that dies or stands still costs one call.
"""

import atexit
import copy
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

__all__ = ["FaultKind", "Limits", "ProcessDiedError", "call", "note", "serve", "start"]

Result = TypeVar("Result")
if TYPE_CHECKING:
    Channel = Connection[Any, Any]
FaultKind = Literal["crashed", "hung", "out_of_memory"]

_NOTE_S: Final = 0.5
"""Notes that follow each other faster are not sent: one a frame would cost more than it tells."""

_PARENT_POLL_S: Final = 1.0

_GREETING: Final = "ready"
_END_S: Final = 5.0
_START_S: Final = 300.0
"""Time a child has for its imports, on a machine that is busy with others."""

_NO_MEMORY: Final = re.compile(
    r"bad_alloc|insufficient memory|failed to allocate|cannot allocate memory", re.IGNORECASE
)
"""How native libraries say that there is none left."""

_LIFE: Final = "import transforms.tasks; from transforms.isolated import serve; serve({})"
"""A child's program: what it will be asked to do is imported before it is asked."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may use.

    Attributes:
        stall_s: seconds without a note after which it is taken to hang.
        memory_bytes: private memory of its process; None = no bound of ours.
    """

    stall_s: float
    memory_bytes: int | None


class ProcessDiedError(Exception):
    """The call's process did not live to give a result.

    Attributes:
        kind: what became of it.
        noted: the last note it sent, None where there was none.
    """

    def __init__(self, kind: FaultKind, detail: str, noted: str | None) -> None:
        super().__init__(detail)
        self.kind: FaultKind = kind
        self.noted = noted


@dataclass(slots=True)
class _Child:
    process: "subprocess.Popen[bytes]"
    connection: "Channel"
    has_greeted: bool = False

    def await_greeting(self) -> None:
        """Waits until its imports are done, which is no part of any call.

        Raises:
            RuntimeError: it could not start.
        """
        if self.has_greeted:
            return
        with suppress(EOFError, ConnectionResetError):
            self.has_greeted = self.connection.poll(_START_S) and self.connection.recv() == _GREETING
        if not self.has_greeted:
            raise RuntimeError(
                "a process for clips could not be started: no memory, or a broken installation"
            )

    def end(self) -> None:
        self.process.kill()
        self.connection.close()
        with suppress(subprocess.TimeoutExpired):
            # one that waits for a disk that does not answer cannot be killed yet; it does not hold us up
            self.process.wait(_END_S)


_idle: Final[list[_Child]] = []
_lock: Final = threading.Lock()


def call(function: Callable[..., Result], *arguments: object, limits: Limits) -> Result:
    """Runs a function in a child process; several threads may call at once, each has its own child.

    Args:
        function: of a module that the child can import.
        arguments: its arguments; they and the result are pickled on their way, between our own processes.
        limits: what it may use.

    Returns:
        What the function returned.

    Raises:
        ProcessDiedError: the child died, stood still or ran out of memory.
        Exception: whatever the function raised.
    """
    child = _borrow()
    try:
        result: Any = _converse(child, (function, arguments, limits.memory_bytes), limits.stall_s)
    except BaseException:
        child.end()
        raise
    with _lock:
        _idle.append(child)
    if isinstance(result, Exception):
        raise result
    given: Result = result
    return given


def start(children: int) -> None:
    """Starts children ahead of the calls, so that their imports run beside the caller's own.

    Args:
        children: how many will be wanted at once.
    """
    with _lock:
        _idle.extend(_spawn() for _ in range(children - len(_idle)))


def note(text: str | None = None) -> None:
    """Tells the caller, from within a call, that it goes on; without a caller it does nothing.

    Args:
        text: what is worked on from now on; None = still the same.
    """
    global _noted, _noted_s
    now = time.monotonic()
    if _to_parent is not None and (text not in {None, _noted} or now - _noted_s > _NOTE_S):
        _noted, _noted_s = text or _noted, now
        _to_parent.send(("note", _noted))


_to_parent: "Channel | None" = None
_noted: str | None = None
_noted_s = 0.0


def _borrow() -> _Child:
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.process.poll() is None:
                return child
            child.connection.close()
    return _spawn()


def _spawn() -> _Child:
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-c", _LIFE.format(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return _Child(process, ours)


def _converse(child: _Child, task: object, stall_s: float) -> Any:
    """Sends a task and waits for its result, as long as notes keep coming."""
    noted: str | None = None
    try:
        child.await_greeting()
        child.connection.send(task)
        while True:
            if not child.connection.poll(stall_s):
                raise ProcessDiedError("hung", f"no progress for {stall_s:.0f} s", noted)
            kind, value = child.connection.recv()
            if kind == "memory":
                raise ProcessDiedError("out_of_memory", str(value), noted)
            if kind != "note":
                return value
            noted = None if value is None else str(value)
    except (EOFError, BrokenPipeError, ConnectionResetError) as error:
        raise ProcessDiedError("crashed", _death(child.process.wait()), noted) from error


def _death(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"


def _end_idle() -> None:
    with _lock:
        while _idle:
            _idle.pop().end()


atexit.register(_end_idle)


def serve(descriptor: int) -> None:
    """The child's life: tasks in, notes and results out, until the parent closes its end or is gone.

    Args:
        descriptor: the child's end of the channel.
    """
    global _to_parent, _noted  # noqa: PLW0603 - a child works on one call at a time
    # an interrupt from the terminal reaches the whole group; the parent decides what becomes of its children
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection: Channel = Connection(descriptor)
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()
    _to_parent = connection
    connection.send(_GREETING)
    while True:
        try:
            function, arguments, memory_bytes = connection.recv()
        except (EOFError, OSError):
            return
        _limit_memory(memory_bytes)
        _noted = None
        reply: tuple[str, object]
        try:
            reply = ("result", function(*arguments))
        except MemoryError as error:
            reply = ("memory", str(error) or "out of memory")
        except Exception as error:  # noqa: BLE001 - it is raised again where it was called
            reply = ("memory" if _NO_MEMORY.search(str(error)) else "result", error)
        _answer(connection, reply)


def _limit_memory(memory_bytes: int | None) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard if memory_bytes is None else memory_bytes
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _answer(connection: "Channel", reply: tuple[str, object]) -> None:
    """Sends a reply; an error that cannot travel goes as one of the same words."""
    kind, value = reply
    try:
        if isinstance(value, Exception):
            # it is made anew from its arguments at the other end, which not every error allows
            copy.copy(value)
        connection.send(reply)
    except Exception as error:
        if not isinstance(value, Exception) or isinstance(error, BrokenPipeError):
            raise
        connection.send((kind, RuntimeError(f"{type(value).__name__}: {value}")))


def _watch_parent(parent: int) -> None:
    """Ends a child in mid-task when its parent has been killed."""
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_S)
    os._exit(1)
