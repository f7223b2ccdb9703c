"""A step that works on several elements of a bundle at once, whatever the runner's own parallelism."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

Element = TypeVar("Element")
Result = TypeVar("Result")


class ConcurrentMap(beam.DoFn, Generic[Element, Result]):
    """Hands the elements of a bundle to a few threads as each gets free.

    A runner deals the elements of a bundle out before it knows how long each takes; one long clip would
    leave the other threads idle. Decoding and networks release Python's lock, so threads keep all cores busy.

    Args:
        function: turns an element into a result; it must be safe to call from several threads.
        threads: how many elements are worked on at once.
        prepare: called once before the first element of a bundle, by the bundle's own thread.
    """

    def __init__(
        self,
        function: Callable[[Element], Result],
        threads: int,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        self._function = function
        self._threads = threads
        self._prepare = prepare
        self._pending: deque[Future[Result]] = deque()

    def setup(self) -> None:
        """Starts the threads' pool (threads themselves start with the first elements)."""
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="clipmill")

    def start_bundle(self) -> None:
        """Forgets what an earlier, failed bundle left."""
        self._pending.clear()
        if self._prepare:
            self._prepare()

    def process(self, element: Element) -> None:
        """Queues an element."""
        self._pending.append(self._pool.submit(self._function, element))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yields the results in the order of the elements, and keeps none that has been yielded.

        Raises:
            Exception: the first error of the function; elements that had not begun are dropped.
        """
        try:
            while self._pending:
                yield WindowedValue(self._pending[0].result(), Timestamp(0), (GlobalWindow(),))
                self._pending.popleft()
        except Exception:
            for future in self._pending:
                future.cancel()
            # nothing may be written any more when the failure is told
            wait(self._pending)
            raise

    def teardown(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
