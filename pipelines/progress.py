"""Progress of a run, counted from what it has committed: Beam's own metrics are empty while it runs."""

import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.logs import event, is_json, tells_steps
from transforms.mill import PROGRESS
from transforms.plan import PLAN
from transforms.tables.layout import run_file
from transforms.tables.store import LocalStore, Store

_POLL_S = 0.5
_POLL_REMOTE_S = 5.0
"""The same where a look is a request that costs money."""


class RunProgress:
    """Watches a run from outside: draws a bar on a terminal, or tells of each shard where that is wanted.

    Args:
        store: the data set.
        run_id: the run.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._poll_s = _POLL_S if isinstance(store, LocalStore) else _POLL_REMOTE_S
        self._done = threading.Event()
        self._console = Console(file=sys.stderr)
        self._seen: set[str] = set()
        self._has_plan = False
        watch = None
        if tells_steps():
            watch = self._tell
        elif self._console.is_terminal and not is_json():
            watch = self._draw
        self._thread = watch and threading.Thread(target=watch, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()

    def _tell(self) -> None:
        while not self._done.wait(self._poll_s):
            self._tell_news()
        self._tell_news()

    def _tell_news(self) -> None:
        if not self._has_plan:
            plan = self._plan()
            if plan is None:
                return
            self._has_plan = True
            event("plan_made", run_id=self._run_id, shards=plan["shards"], pending=plan["pending"])
        for record in self._news():
            level = logging.INFO if record["frames"] else logging.WARNING
            facts = {key: value for key, value in record.items() if key not in {"ended", "camera_ns"}}
            event("shard_done", level, run_id=self._run_id, **_rounded(facts))

    def _draw(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("reading clips", total=None, rate="")
            frames = 0
            started = time.monotonic()
            while not self._done.wait(self._poll_s):
                if progress.tasks[0].total is None:
                    plan = self._plan()
                    if plan is None:
                        continue
                    started = time.monotonic()
                    progress.update(task, description="labelling", total=plan["pending"])
                frames += sum(record["frames"] for record in self._news())
                rate = frames / max(time.monotonic() - started, 1e-3)
                progress.update(task, completed=len(self._seen), rate=f"{rate:.0f} frames/s")
            progress.update(task, completed=len(self._seen) + len(list(self._news())))

    def _plan(self) -> dict[str, Any] | None:
        try:
            plan: dict[str, Any] = json.loads(self._store.read(run_file(self._run_id, PLAN)))
        except OSError:
            # not there yet, or a store that does not answer for a moment
            return None
        return plan

    def _news(self) -> Iterator[dict[str, Any]]:
        """Records of shards that were finished since the last look."""
        folder = run_file(self._run_id, PROGRESS)
        # a store that does not answer for a moment is asked again at the next look
        with suppress(OSError):
            for name in sorted(self._store.sizes(folder).keys() - self._seen):
                record = json.loads(self._store.read(f"{folder}/{name}"))
                self._seen.add(name)
                yield record


def _rounded(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in facts.items()}
