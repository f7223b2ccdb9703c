import threading
import time

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from transforms.concurrent import ConcurrentMap


def run_pipeline(function, elements, threads=2, prepare=None):
    with beam.Pipeline("FnApiRunner") as root:
        result = root | beam.Create(elements) | beam.ParDo(ConcurrentMap(function, threads, prepare))
        assert_that(result, equal_to([function(element) for element in elements]))


def square(number: int) -> int:
    return number * number


def test_distributed_equals_direct():
    run_pipeline(square, list(range(50)))


def bundle(function, elements, threads):
    """What a runner does with one bundle."""
    step = ConcurrentMap(function, threads)
    step.setup()
    step.start_bundle()
    for element in elements:
        step.process(element)
    try:
        return [result.value for result in step.finish_bundle()]
    finally:
        step.teardown()


def test_results_keep_the_order_of_the_elements():
    def slow_first(number: int) -> int:
        time.sleep(0.05 if number == 0 else 0)
        return number

    assert bundle(slow_first, range(5), 3) == list(range(5))


def test_a_long_element_does_not_hold_up_the_others():
    meeting = threading.Barrier(2, timeout=10)
    done: list[int] = []

    def work(number: int) -> int:
        if number == 0:
            meeting.wait()
        done.append(number)
        if number == 4:
            meeting.wait()
        return number

    assert bundle(work, range(5), 2) == list(range(5))
    assert done[:4] == [1, 2, 3, 4]


def test_the_first_error_ends_the_bundle_and_drops_what_had_not_begun():
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.02)
        raise ValueError(f"element {number}")

    with pytest.raises(ValueError, match="element 0"):
        bundle(work, range(100), 2)
    assert len(begun) < 100


def test_preparing_happens_once_a_bundle():
    calls: list[int] = []
    step = ConcurrentMap(square, 2, lambda: calls.append(1))
    step.setup()
    for _ in range(2):
        step.start_bundle()
        step.process(3)
        assert [result.value for result in step.finish_bundle()] == [9]
    step.teardown()
    assert calls == [1, 1]
