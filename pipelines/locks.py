"""One run at a time writes a data set."""

import fcntl
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from pipelines.logs import event, is_json
from pipelines.outcome import JobError
from transforms.storage import is_remote, open_store
from transforms.tables.store import Store

LOCK: Final = ".clipmill.lock"

LEASE_S: Final = 180.0
"""A run that has not renewed its lease for so long is taken to be dead."""

_RENEW_S: Final = 45.0
_SETTLE_S: Final = 2.0
"""Two runs that begin at once both write a lease; the one that stands after this has the data set."""

_POLL_S: Final = 1.0


def output_lock(output: str, *, waits: bool = False) -> AbstractContextManager[None]:
    """Holds a data set's lock.

    In a folder the system frees it when the process ends, however it ends, on network file systems too. An
    object store has no such thing: there a lease is renewed while the run goes on, and runs out after it died
    (on the system that it ran on, that it died is seen at once).

    Args:
        output: folder or URL of the data set; a folder is made if it is not there.
        waits: whether to wait for another run to end.

    Raises:
        JobError: another run holds it, or the output cannot be written.
    """
    return (
        _lease(open_store(output), output, waits=waits) if is_remote(output) else _held(Path(output), waits)
    )


@contextmanager
def _held(folder: Path, waits: bool) -> Iterator[None]:  # noqa: FBT001 - private
    with _open(folder) as handle:
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                with suppress(OSError):
                    told = _wait_or_refuse(
                        folder, (folder / LOCK).read_bytes(), error, waits=waits, told=told
                    )
        handle.truncate(0)
        handle.write(_holder())
        handle.flush()
        yield


def _open(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # a link would have its target emptied
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        return os.fdopen(os.open(folder / LOCK, flags, 0o666), "ab")
    except OSError as error:
        raise JobError(f"{folder}: not writable: {error.strerror}") from error


@contextmanager
def _lease(store: Store, output: str, *, waits: bool) -> Iterator[None]:
    token = secrets.token_hex(8)
    told = False
    while True:
        try:
            other = _standing_lease(store)
            if other is None:
                store.write(LOCK, _holder(token))
                time.sleep(_SETTLE_S)
                if _is_ours(store, token):
                    break
                continue
        except OSError as error:
            raise JobError(f"{output}: not writable: {error.strerror}") from error
        told = _wait_or_refuse(output, other, None, waits=waits, told=told)
    ended, lost = threading.Event(), threading.Event()

    def renew() -> None:
        while not (ended.wait(_RENEW_S) or lost.is_set()):
            with suppress(OSError):
                if _is_of_another(store, token):
                    lost.set()
                else:
                    store.write(LOCK, _holder(token))

    keeper = threading.Thread(target=renew, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
        with suppress(OSError):
            if _is_ours(store, token):
                store.delete(LOCK)
    if lost.is_set():
        raise JobError(
            f"{output}: this run was silent for so long that another one took over; run the same command again"
        )


def _is_ours(store: Store, token: str) -> bool:
    """Whether the lease that stands is the one with this token, run out or not."""
    with suppress(FileNotFoundError):
        return token.encode() in store.read(LOCK)
    return False


def _is_of_another(store: Store, token: str) -> bool:
    other = _standing_lease(store)
    return other is not None and token.encode() not in other


def _standing_lease(store: Store) -> bytes | None:
    """The lease that holds, None where there is none, it has run out, or its process is known to have died."""
    try:
        content = store.read(LOCK)
        facts = json.loads(content)
        renewed_s = float(facts["renewed_s"])
        is_dead = (
            facts.get("system") == _system() != "" and not Path(f"/proc/{int(facts['process'])}").exists()
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        # no lease of this version; nobody renews it
        return None
    return content if time.time() - renewed_s < LEASE_S and not is_dead else None


def _system() -> str:
    """What tells the process ids of this system, since it started, from those of others; "" where nothing does."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - it is no path
    return ""


def _holder(token: str = "") -> bytes:
    return json.dumps(
        {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "system": _system(),
            "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "renewed_s": time.time(),
            "token": token,
        }
    ).encode()


def _wait_or_refuse(
    output: Path | str, content: bytes, error: OSError | None, *, waits: bool, told: bool
) -> bool:
    """Waits a moment, or says who writes the data set.

    Returns:
        True: the user has been told.

    Raises:
        JobError: waiting is not wanted.
    """
    try:
        facts = json.loads(content)
        who = f"process {int(facts['process'])} on {str(facts['host'])[:80]} since {str(facts['since'])[:40]}"
    except (ValueError, KeyError, TypeError):
        who = "of an older version"
    message = f"{output}: another run is writing this data set ({who})"
    if not waits:
        raise JobError(f"{message}; wait for it to end (label, run and retry do so with --wait)") from error
    if not told and is_json():
        event("waiting", message=message)
    elif not told:
        print(f"note: {message}; waiting for it to end", file=sys.stderr, flush=True)
    time.sleep(_POLL_S)
    return True
