"""Progress of a run, counted from what it has committed: Beam's own metrics are empty while it runs."""

import json
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from transforms.mill import PROGRESS
from transforms.plan import PLAN
from transforms.tables.layout import run_file
from transforms.tables.store import LocalStore, Store

_POLL_S = 0.5
_POLL_REMOTE_S = 5.0
"""Each look at an object store is a request."""


class RunProgress:
    """Watches a run from outside and draws a bar on a terminal; silent elsewhere.

    Args:
        store: the data set.
        run_id: the run.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._poll_s = _POLL_S if isinstance(store, LocalStore) else _POLL_REMOTE_S
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)
        self._console = Console(file=sys.stderr)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("reading clips", total=None, rate="")
            seen: dict[str, int] = {}
            started = time.monotonic()
            while not self._done.wait(self._poll_s):
                if progress.tasks[0].total is None:
                    total = self._planned()
                    if total is None:
                        continue
                    started = time.monotonic()
                    progress.update(task, description="labelling", total=total)
                self._count(seen)
                rate = sum(seen.values()) / max(time.monotonic() - started, 1e-3)
                progress.update(task, completed=len(seen), rate=f"{rate:.0f} frames/s")
            self._count(seen)
            progress.update(task, completed=len(seen))

    def _planned(self) -> int | None:
        try:
            return int(json.loads(self._store.read(run_file(self._run_id, PLAN)))["pending"])
        except OSError:
            # not there yet, or a store that does not answer for a moment
            return None

    def _count(self, seen: dict[str, int]) -> None:
        """Adds the labelled frames of shards that were finished since the last look."""
        folder = run_file(self._run_id, PROGRESS)
        with suppress(OSError):
            for name in self._store.sizes(folder).keys() - seen.keys():
                record = json.loads(self._store.read(f"{folder}/{name}"))
                seen[name] = record["frames"]
