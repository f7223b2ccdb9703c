"""Whether this machine can label, and what would hold it up: what `clipmill doctor` looks at."""

import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

from models.card import ModelCard, known_cards
from models.downloads import cache_folder, cached_file, is_offline
from models.errors import ModelFetchError
from pipelines.cores import cores_here
from pipelines.jobs import DEFAULT_MODEL
from transforms.clips.opening import missing_decoders
from transforms.isolated import Limits, ProcessDiedError, call
from transforms.tables.dataset import LIBRARIES

State = Literal["good", "note", "bad"]

_CAMERAS_WRITE: Final = frozenset({"h264", "hevc"})
_WORKER_BYTES: Final = 500_000_000
"""A job of two workers took 424 MiB at its peak (docs/performance.md); large pictures take more."""

_ROOM_BYTES: Final = 1_000_000_000
"""Free space below which somebody should know: the largest known network and a day of a car's labels."""

_START_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        state: good; note: it works, but slower or not for everything; bad: something would fail.
        text: what was found, and what to do.
    """

    name: str
    state: State
    text: str


def examine(
    control_groups: Path = Path("/sys/fs/cgroup"), memory: Path = Path("/proc/meminfo")
) -> list[Finding]:
    """Looks at everything.

    Args:
        control_groups: where the system tells the limits of this container.
        memory: where it tells its memory.
    """
    return [
        _versions(),
        _cores(control_groups),
        _memory(control_groups, memory),
        _decoders(),
        _folder("temporary files", Path(tempfile.gettempdir()), "TMPDIR"),
        _folder("network cache", cache_folder(), "CLIPMILL_MODELS"),
        *_models(),
    ]


def versions() -> dict[str, str]:
    """Versions of what reaches the bytes of a data set."""
    return {
        "clipmill": version("clipmill"),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def _versions() -> Finding:
    return Finding("versions", "good", ", ".join(f"{name} {found}" for name, found in versions().items()))


def _cores(control_groups: Path) -> Finding:
    cores = cores_here()
    with suppress(OSError, ValueError):
        # cgroup v2: microseconds of processor time in a period, or "max"
        quota, period = (control_groups / "cpu.max").read_text(encoding="ascii").split()
        if quota != "max" and int(quota) < cores * int(period):
            share = int(quota) / int(period)
            return Finding(
                "cores",
                "note",
                f"{cores}, of which this container may use {share:g} at a time: --workers {max(1, round(share))} is as fast "
                "and takes less memory",
            )
    if cores == 1:
        return Finding("cores", "note", "1: clips are labelled one after the other")
    return Finding("cores", "good", str(cores))


def _memory(control_groups: Path, memory: Path) -> Finding:
    free = _free_bytes(control_groups, memory)
    if free is None:
        return Finding("memory", "note", "this system does not tell how much is free")
    gigabytes = f"{free / 1e9:.1f} GB are free"
    if free < _WORKER_BYTES:
        return Finding("memory", "bad", f"{gigabytes}: end other programs; a worker takes some 0.5 GB")
    if (fitting := free // _WORKER_BYTES) < cores_here():
        return Finding(
            "memory",
            "note",
            f"{gigabytes}: enough for some {fitting} workers; label with --workers {fitting}",
        )
    return Finding("memory", "good", gigabytes)


def _free_bytes(control_groups: Path, memory: Path) -> int | None:
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = memory.read_text(encoding="ascii").splitlines()
        kibibytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        found.append(int(kibibytes) * 1024)
    with suppress(OSError, ValueError):
        # "max" is no number: no limit
        limit = int((control_groups / "memory.max").read_text(encoding="ascii"))
        found.append(limit - int((control_groups / "memory.current").read_text(encoding="ascii")))
    return max(0, min(found)) if found else None


def _decoders() -> Finding:
    """Asked in a process of its own, as clips are opened: that such processes can be started is looked at as well."""
    try:
        missing = call(missing_decoders, limits=Limits(_START_S, None))
    except (ProcessDiedError, RuntimeError, OSError) as error:
        return Finding(
            "decoders", "bad", f"clips are opened in processes of their own, and none starts: {error}"
        )
    if needed := sorted(_CAMERAS_WRITE.intersection(missing)):
        return Finding(
            "decoders",
            "bad",
            f"this PyAV cannot decode {', '.join(needed)}: install its wheel (pip install av)",
        )
    if missing:
        return Finding("decoders", "note", f"clips with {', '.join(missing)} would become rows of failures")
    return Finding("decoders", "good", "all that may run are there")


def _folder(name: str, folder: Path, variable: str) -> Finding:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Finding(
            name, "bad", f"{there}: not writable ({error.strerror}); set {variable} to a folder that is"
        )
    free = shutil.disk_usage(there).free
    if free < _ROOM_BYTES:
        return Finding(name, "note", f"{folder}: only {free / 1e6:.0f} MB are free there")
    return Finding(name, "good", f"{folder}: writable, {free / 1e9:.1f} GB are free")


def _models() -> Iterator[Finding]:
    for card in known_cards().values():
        if card.bundled is None:
            yield _model(card)


def _model(card: ModelCard) -> Finding:
    name = f"network {card.name}"
    try:
        found = cached_file(card)
    except ModelFetchError as error:
        return Finding(name, "bad", str(error))
    if found is not None:
        return Finding(name, "good", f"{found}: sha256 as its card says")
    missing = f"not here, {card.bytes / 1e6:.1f} MB"
    if not is_offline():
        return Finding(name, "good", f"{missing}; downloaded once when it is first used")
    text = (
        f"{missing}, and downloads are switched off (CLIPMILL_OFFLINE): `clipmill models fetch {card.name}` where there is "
        "a connection, and copy the cache from there"
    )
    # only the one that is used without being named makes a plain command fail
    return Finding(name, "bad" if card.name == DEFAULT_MODEL else "note", text)
