"""What a job costs, piece by piece: what was measured, and what had to be supposed.

Both stand as data beside this module, each value with its unit, kind and source. `fleet_simulation.py --check --keep`
writes `measured.toml` anew; `assumed.toml` is kept by hand.
"""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar

HERE: Final = Path(__file__).parent
MEASURED_FILE: Final = HERE / "measured.toml"
ASSUMED_FILE: Final = HERE / "assumed.toml"

Value = float | list[float]
Numbers = TypeVar("Numbers", bound="Measured | Assumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What this project's own code took, on one core of the machine that measured.

    Attributes:
        start_s: from the command's start to its first shard, beside what grows with the clips, in s.
        list_s: listing one file of a local folder, in s.
        probe_s: probing one file, in s, however long it is.
        probe_byte_s: and for each of its bytes, in s.
        plan_s: planning and judging one file, in s.
        plan_bytes: memory that planning holds for each file.
        label_s: labelling one second of one camera, in core-seconds.
        shard_costs: what single shards took for each second of video, over what all of them took.
        begin_s: what a run does before it labels, in s for each shard: one worker does it for all.
        begin_bytes: memory it holds for each shard.
        finish_s: what a run does after it has labelled, in s for each shard: one worker does it for all.
        finish_bytes: memory it holds for each shard.
        record_s: reading what a run noted of one shard, in s: the client does it for all.
        verify_s: `clipmill verify`, in s for each shard.
        files_per_shard: files of a shard in the data set.
        file_bytes: of such a file.
        manifest_bytes: of the manifest for each file.
    """

    start_s: float
    list_s: float
    probe_s: float
    probe_byte_s: float
    plan_s: float
    plan_bytes: float
    label_s: float
    shard_costs: tuple[float, ...]
    begin_s: float
    begin_bytes: float
    finish_s: float
    finish_bytes: float
    record_s: float
    verify_s: float
    files_per_shard: float
    file_bytes: float
    manifest_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What no run of this project has measured: clouds, clusters and fleets.

    Attributes:
        cameras: of a car; each of its minutes is one shard.
        camera_hours_per_car: in one data set.
        bytes_per_camera_hour: of video.
        page_keys: names that an object store lists with one request.
        page_s: such a request, in s.
        request_s: another small request, in s.
        writes_per_s: writing requests a second below one prefix.
        read_bytes_per_s: what a store gives to all readers together.
        losses_per_core_hour: workers lost, for each core and hour.
        restart_s: until a lost worker's place is filled, in s; also until a cluster stands.
        restart_attempts: losses that a job on Flink outlives.
        hanging_share: of clips that hang a decoder.
        slow_core_share: of cores that are slower than others.
        slow_core_speed: of those, over that of others.
        worker_bytes: memory of the worker that begins and finishes a data set.
    """

    cameras: int
    camera_hours_per_car: float
    bytes_per_camera_hour: float
    page_keys: int
    page_s: float
    request_s: float
    writes_per_s: float
    read_bytes_per_s: float
    losses_per_core_hour: float
    restart_s: float
    restart_attempts: int
    hanging_share: float
    slow_core_share: float
    slow_core_speed: float
    worker_bytes: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A number as its file tells it.

    Attributes:
        name: what it is.
        value: the number, or several.
        unit: its unit.
        kind: measured, published or assumed.
        source: where it comes from; for measured ones, what was run.
    """

    name: str
    value: Value
    unit: str
    kind: str
    source: str


def read_entries(path: Path) -> list[Entry]:
    """The numbers of a file."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return [Entry(name=name, **table) for name, table in tables.items()]


def write_entries(path: Path, entries: Iterable[Entry]) -> None:
    """Writes numbers as `read_entries` reads them."""
    lines = []
    for entry in entries:
        lines.append(f"[{entry.name}]")
        lines += [f"{key} = {json.dumps(getattr(entry, key))}" for key in ("value", "unit", "kind", "source")]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def from_entries(kind: type[Numbers], entries: Iterable[Entry]) -> Numbers:
    """The numbers as the simulation takes them.

    Raises:
        TypeError: one is missing.
    """
    names = {item.name for item in fields(kind)}
    values: dict[str, Any] = {
        entry.name: tuple(entry.value) if isinstance(entry.value, list) else entry.value
        for entry in entries
        if entry.name in names
    }
    return kind(**values)
