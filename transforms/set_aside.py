"""Clips that the process which works on them dies of, or waits for in vain, are set aside: the others go on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from models.refs import ModelRef
from transforms.access import StorageFlags
from transforms.clips.errors import ClipError, ClipFault
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.clips.shards import ShardPlan
from transforms.isolated import FaultKind, Limits, ProcessDiedError, call
from transforms.labels.settings import LabelSettings

if TYPE_CHECKING:
    from transforms.labels.labelling import ShardRows

MAX_ATTEMPTS: Final = 2
"""How often a process may die of a clip before the clip is at fault: once may be the machine's doing."""

_SLOWEST_BYTES_S: Final = 1 << 20
"""A file that is read more slowly than this is taken to hang."""

_FAULTS: Final[dict[FaultKind, ClipFault]] = {
    "crashed": "crashed_decoder",
    "hung": "timeout",
    "out_of_memory": "too_large",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """What one clip may cost.

    Attributes:
        stall_s: seconds without progress, beside a second for each second, or each MiB, of the clip.
        memory_bytes: private memory of the process that works on it; None = no bound of ours.
    """

    stall_s: float = 60.0
    memory_bytes: int | None = 4 << 30

    def limits(self, length_s: float) -> Limits:
        """The limits of a call.

        Args:
            length_s: how long the clip is, or how long reading it may take.
        """
        return Limits(stall_s=self.stall_s + length_s, memory_bytes=self.memory_bytes)


def probe_apart(
    file: InputFile, timezone: str | None, patience: Patience, storage: StorageFlags = ()
) -> ClipRef | Failure:
    """Probes a file in a process of its own.

    Args:
        file: the file.
        timezone: zone of the times in file names, or None.
        patience: what it may cost.
        storage: how URLs are reached.

    Returns:
        Its reference, or what is wrong with it.
    """
    # decoders and networks come with it: a run that knows all files does without them
    from transforms.tasks import probe_failure, probe_file

    deaths = 0
    while True:
        try:
            limits = patience.limits(file.bytes / _SLOWEST_BYTES_S)
            return call(probe_file, file, timezone, storage, limits=limits)
        except ProcessDiedError as fault:
            deaths += 1
            if deaths == MAX_ATTEMPTS:
                return probe_failure(file, _clip_error(fault, "left out of this run").at(file.uri))


def label_apart(
    plan: ShardPlan,
    models: Sequence[ModelRef],
    settings: LabelSettings,
    patience: Patience,
    storage: StorageFlags = (),
) -> "ShardRows":
    """Labels a shard in a process of its own; a clip that the process dies of is left out.

    Args:
        plan: the clips and windows.
        models: the networks.
        settings: the job's options.
        patience: what a clip may cost.
        storage: how URLs are reached.

    Returns:
        The rows; clips that were left out are among the failures.

    Raises:
        RuntimeError: the process dies before it has opened a clip.
    """
    from transforms.tasks import label_plan

    clips = {clip.clip_id: clip for clip in plan.clips()}
    limits = patience.limits(max(clip.duration_ns for clip in clips.values()) / 1e9)
    deaths: Counter[str | None] = Counter()
    set_aside: dict[str, ClipError] = {}
    while True:
        try:
            return call(label_plan, plan, tuple(models), settings, set_aside, storage, limits=limits)
        except ProcessDiedError as fault:
            deaths[fault.noted] += 1
            if deaths[fault.noted] < MAX_ATTEMPTS:
                continue
            if fault.noted is None:
                raise RuntimeError(
                    f"labelling died before it opened a clip ({fault}): do the networks fit clip_memory_gb?"
                ) from fault
            error = _clip_error(fault, "set aside until `clipmill retry`")
            set_aside[fault.noted] = error.at(clips[fault.noted].uri)


def _clip_error(fault: ProcessDiedError, fate: str) -> ClipError:
    what = {
        "crashed": f"the process that read it died ({fault})",
        "hung": f"reading it came to a stop ({fault})",
        "out_of_memory": "reading it took more memory than a clip may have",
    }[fault.kind]
    return ClipError(_FAULTS[fault.kind], f"{what}, {MAX_ATTEMPTS} times: {fate}")
