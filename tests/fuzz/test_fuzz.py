"""Fuzzers of every reader of what others wrote: a few seconds here, `make fuzz MINUTES=10` for longer.

What a fuzzer finds is written to `corpus/<target>/` and read again by every later run.
"""

import hashlib
import os
import random
import resource
import time
from pathlib import Path

import pytest
from fuzz_targets import TARGETS
from hypothesis import HealthCheck, Phase, given, seed, settings

CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(path for path in CORPUS.glob("*/*") if path.is_file())

MINUTES = float(os.environ.get("CLIPMILL_FUZZ_MINUTES", "0"))
"""How long each target is fuzzed, with other dice each time; 0: the same few hundred inputs."""

EXAMPLES = 300
MAX_SECONDS = 2.0
MAX_GROWTH_MB = 300


def feed(target: str, data: bytes) -> None:
    """Gives an input to a target, and holds it to its time (of this thread's own: others may use the machine)."""
    started = time.thread_time()
    TARGETS[target].run(data)
    assert time.thread_time() - started < MAX_SECONDS


def keep(target: str, data: bytes) -> Path:
    path = CORPUS / target / hashlib.sha256(data).hexdigest()[:16]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def campaign(target: str, dice: int | None) -> None:
    """One round of Hypothesis; its smallest finding is kept."""
    found: list[bytes] = []

    @settings(
        max_examples=EXAMPLES if dice is None else 3 * EXAMPLES,
        derandomize=dice is None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(TARGETS[target].inputs())
    def run(data: bytes) -> None:
        try:
            feed(target, data)
        except BaseException:
            found.append(data)
            raise

    try:
        (run if dice is None else seed(dice)(run))()
    except BaseException as error:
        if found:
            error.add_note(f"kept as {keep(target, found[-1])}: fix the reader, and commit the file")
        raise


@pytest.mark.parametrize("target", TARGETS)
def test_only_documented_errors_in_bounded_time_and_memory(target):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if MINUTES:
        end = time.monotonic() + 60 * MINUTES
        while time.monotonic() < end:
            campaign(target, random.SystemRandom().getrandbits(64))
    else:
        campaign(target, None)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MAX_GROWTH_MB


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_stays_fixed(path):
    feed(path.parent.name, path.read_bytes())


def test_every_finding_belongs_to_a_target():
    assert {path.parent.name for path in KEPT} <= set(TARGETS)
