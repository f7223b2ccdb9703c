"""Labels that are made to be judged by a truth, and gone afterwards."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.autolabel import run
from pipelines.interrupts import interrupts
from pipelines.jobs import AutolabelJob
from pipelines.outcome import UsageError
from pipelines.truth_files import truth_files
from transforms.evaluation.truths.files import TruthError
from transforms.evaluation.truths.forms import read_truth
from transforms.evaluation.truths.truth import Truth

_TRIES = 20
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class TrialLabels:
    """A data set for as long as it is needed.

    Attributes:
        folder: where it is.
        run_id: the run that made it.
        frames: labelled frames.
        failed: clips that could not be labelled.
        notes: what is to be known of the network.
    """

    folder: Path
    run_id: str
    frames: int
    failed: int
    notes: Sequence[str]


@contextmanager
def trial_labels(job: AutolabelJob) -> Iterator[TrialLabels]:
    """Labels clips into a folder that is removed at the end, however it comes.

    Args:
        job: what to label; its output does not count.

    Yields:
        The labels.

    Raises:
        UsageError: an input is not there or holds no clip, or none could be labelled.
        JobError: labelling failed.
        ModelError: the network is not there or does not fit its card.
        KeyboardInterrupt: the user, or a scheduler, stopped it.
    """
    with interrupts():
        place = Path(tempfile.mkdtemp(prefix="clipmill-"))
        try:
            folder = place / "labels"
            data = run(job.model_copy(update={"output": str(folder)}), ()).data
            if not data["frames"]:
                raise UsageError(f"no frame of {', '.join(job.inputs)} could be labelled")
            yield TrialLabels(
                folder, data["run_id"], data["frames"], data["clips"]["failed"], tuple(data["notes"])
            )
        finally:
            _remove(place)


def truth_at(path: Path, fps: float | None) -> Truth:
    """Reads a truth.

    Args:
        path: a file or a folder.
        fps: frames a second, where it numbers its frames.

    Raises:
        UsageError: it is not there or cannot be read.
    """
    try:
        return read_truth(truth_files(path), fps)
    except TruthError as error:
        raise UsageError(str(error)) from error


def _remove(place: Path) -> None:
    """Removes a folder, once more where it comes back: after an interrupt a shard in work still writes its files."""
    for _ in range(_TRIES):
        shutil.rmtree(place, ignore_errors=True)
        time.sleep(_PAUSE_S)
        if not place.exists():
            return
