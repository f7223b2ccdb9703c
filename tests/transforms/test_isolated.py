"""Calls whose process crashes, hangs or eats memory."""

import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from transforms import isolated
from transforms.clips.errors import ClipError
from transforms.isolated import Limits, ProcessDiedError, call

LIMITS = Limits(stall_s=30, memory_bytes=1 << 30)


def test_a_call_gives_what_the_function_gives():
    assert call(math.sqrt, 16, limits=LIMITS) == 4
    assert call(os.getpid, limits=LIMITS) != os.getpid()


def test_children_are_used_again():
    assert call(os.getpid, limits=LIMITS) == call(os.getpid, limits=LIMITS)


def test_threads_call_side_by_side():
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda number: call(math.sqrt, number, limits=LIMITS), range(9))) == [
            math.sqrt(number) for number in range(9)
        ]


def test_an_error_is_raised_where_it_was_called_and_costs_no_child():
    before = call(os.getpid, limits=LIMITS)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        call(os.stat, "/nowhere", limits=LIMITS)
    assert call(os.getpid, limits=LIMITS) == before


def test_our_own_errors_keep_their_facts():
    with pytest.raises(ClipError) as raised:
        call(
            exec,
            "from transforms.clips.errors import ClipError\nraise ClipError('empty', 'x')",
            limits=LIMITS,
        )
    assert raised.value.fault == "empty"


def test_an_error_that_cannot_travel_arrives_as_its_words():
    with pytest.raises(RuntimeError, match="Odd: words"):
        call(exec, "class Odd(Exception): pass\nraise Odd('words')", limits=LIMITS)


def test_a_crash_is_told_with_its_signal_and_the_next_call_works():
    with pytest.raises(ProcessDiedError, match="SIGABRT") as raised:
        call(os.abort, limits=LIMITS)
    assert raised.value.kind == "crashed"
    assert raised.value.noted is None
    assert call(math.sqrt, 4, limits=LIMITS) == 2


def test_a_child_that_leaves_by_itself_has_crashed():
    with pytest.raises(ProcessDiedError, match="exit code 3"):
        call(os._exit, 3, limits=LIMITS)


def test_a_call_that_stands_still_is_killed():
    with pytest.raises(ProcessDiedError) as raised:
        call(time.sleep, 60, limits=Limits(stall_s=0.5, memory_bytes=1 << 30))
    assert raised.value.kind == "hung"


def test_a_slow_call_that_notes_lives():
    code = """
import time
from transforms import isolated
isolated.note("first")
for _ in range(8):
    time.sleep(0.3)
    isolated.note()
"""
    call(exec, code, limits=Limits(stall_s=1.5, memory_bytes=1 << 30))


def test_the_last_note_tells_what_it_died_of():
    code = "import os\nfrom transforms import isolated\nfor name in 'abc': isolated.note(name)\nos.abort()"
    with pytest.raises(ProcessDiedError) as raised:
        call(exec, code, limits=LIMITS)
    assert raised.value.noted == "c"


def test_memory_is_bounded():
    with pytest.raises(ProcessDiedError) as raised:
        call(bytearray, 4 << 30, limits=LIMITS)
    assert raised.value.kind == "out_of_memory"
    assert call(len, bytes(10), limits=LIMITS) == 10


def test_notes_without_a_caller_do_nothing():
    isolated.note("nobody listens")


@pytest.mark.timeout(300)
def test_a_child_does_not_outlive_its_parent(tmp_path):
    import subprocess
    import sys

    code = f"""
from transforms.isolated import call, Limits
call(exec, "import os, time; open({str(tmp_path / "pid")!r}, 'w').write(str(os.getpid())); time.sleep(900)",
     limits=Limits(900, 1 << 30))
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    path = tmp_path / "pid"
    try:
        while not (path.exists() and path.read_text()):
            assert parent.poll() is None
            time.sleep(0.05)
    finally:
        parent.kill()
        parent.wait()
    while Path(f"/proc/{path.read_text()}").exists():
        time.sleep(0.1)
