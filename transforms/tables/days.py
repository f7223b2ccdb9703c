"""Which minutes go into which file of a compacted data set."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from transforms.tables.commits import FileFacts

MOST_BYTES: Final = 512_000_000
"""Most bytes of sources behind one file: what object stores and readers like; the file itself is smaller."""

MOST_ROWS: Final = 50_000_000
"""Most rows of one file: small rows compress so well that bytes alone would not bound them."""

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A minute of the data set that is merged.

    Attributes:
        name: the shard.
        start_ns: Unix time at which its clips begin, None where no clock tells.
        files: its files by table.
    """

    name: str
    start_ns: int | None
    files: Mapping[str, FileFacts]


@dataclass(frozen=True, slots=True)
class Day:
    """Shards whose rows stand in one file a table.

    Attributes:
        name: the files' name without its ending: the day, or `undated-` and a digit; parts beyond the first are numbered.
        shards: by name.
    """

    name: str
    shards: tuple[Shard, ...]


def cut_days(shards: Iterable[Shard], most_bytes: int = MOST_BYTES, most_rows: int = MOST_ROWS) -> list[Day]:
    """Deals shards out to files.

    Shards go by the UTC day on which their clips begin. Those without a clock go into sixteen sets by their name
    without the minute, so that a clip stays together and a new clip changes one set only. A day beyond the
    bounds is cut into parts, in order of the shards' names.

    Args:
        shards: in any order.
        most_bytes: of the sources of one file.
        most_rows: of one file.

    Returns:
        The days, by name; the same ones for any order of the shards.
    """
    days: dict[str, list[Shard]] = defaultdict(list)
    for shard in sorted(shards, key=lambda shard: shard.name):
        days[_day(shard)].append(shard)
    return [
        Day(f"{day}_{number:03d}" if number else day, tuple(part))
        for day in sorted(days)
        for number, part in enumerate(_parts(days[day], most_bytes, most_rows))
    ]


def _day(shard: Shard) -> str:
    if shard.start_ns is None:
        clip, _, _minute = shard.name.rpartition("-")
        return f"undated-{hashlib.sha256(clip.encode()).hexdigest()[0]}"
    return f"{datetime.fromtimestamp(shard.start_ns // _SECOND_NS, UTC):%Y-%m-%d}"


def _parts(shards: Iterable[Shard], most_bytes: int, most_rows: int) -> Iterator[list[Shard]]:
    part: list[Shard] = []
    size: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for shard in shards:
        added = {table: file.bytes for table, file in shard.files.items()}
        more = {table: file.rows for table, file in shard.files.items()}
        too_large = any(size[table] + added[table] > most_bytes for table in added)
        if part and (too_large or any(rows[table] + more[table] > most_rows for table in more)):
            yield part
            part, size, rows = [], Counter(), Counter()
        part.append(shard)
        size.update(added)
        rows.update(more)
    if part:
        yield part
