"""A finished data set as the viewer reads it: its clips are held, all other rows are read when they are asked for."""

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.tables.finished import read_finished
from transforms.tables.layout import table_file
from transforms.tables.queries import NotADatasetError
from transforms.tables.schemas import TABLES
from transforms.tables.store import Store

__all__ = ["ChangedError", "Condition", "DamagedError", "ViewedClip", "ViewedSet"]

_MINUTE: Final = re.compile(r"(.+-m)(\d{4,})")
"""The name of a shard that is a minute of one clip's own time."""

_MINUTE_NS: Final = 60_000_000_000

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""What a clip's id may be made of: it stands in addresses, and a data set may come from anybody."""


Condition = tuple[str, str, Any]
"""Column, operator, value; an operator is one of `pyarrow.parquet.filters_to_expression`."""


class ChangedError(Exception):
    """A file of the data set is no longer there: a run has changed it since the viewer was started."""


class DamagedError(Exception):
    """A file of the data set cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedClip:
    """A row of `clips`.

    Attributes:
        shard: the shard of its first minute; of a compacted copy, the day.
    """

    clip_id: str
    drive_id: str
    event_id: str | None
    camera: str
    uri: str
    content_sha256: str
    bytes: int
    codec: str
    width: int
    height: int
    duration_ns: int
    fps_mean: float
    start_utc_ns: int | None
    shard: str


_COLUMNS: Final = [name for name in ViewedClip.__dataclass_fields__ if name != "shard"]
_REQUIRED: Final = [name for name in _COLUMNS if not TABLES["clips"].field(name).nullable]


class ViewedSet:
    """The data set.

    Args:
        store: where it lies.
        place: its folder, for messages.

    Attributes:
        clips: by clip_id; duplicates are not among them.
        networks: names by the networks' sha256.

    Raises:
        NotADatasetError: there is none, or one of another schema.
        UnfinishedError: a run has not ended.
        ChangedError: a file has gone meanwhile.
        DamagedError: a file cannot be read.
    """

    def __init__(self, store: Store, place: object) -> None:
        self._store = store
        finished = read_finished(store, place)
        self._is_sealed = finished.is_sealed
        self._shards = finished.shards
        self._days = sorted(finished.shards)
        self._whole = {file.path for file in finished.others}
        self.networks = {model["sha256"]: model["name"] for model in finished.facts.get("models", [])}
        self.clips: dict[str, ViewedClip] = {}
        for shard, files in finished.shards.items():
            if "clips" not in files:
                continue
            for row in self._read("clips", files["clips"].path, _COLUMNS, ()).to_pylist():
                if not _ID.fullmatch(row["clip_id"] or ""):
                    raise NotADatasetError(
                        f"{place}: clips: {(row['clip_id'] or '')[:100]!r} is no id; see clipmill verify"
                    )
                if missing := [name for name in _REQUIRED if row[name] is None]:
                    raise NotADatasetError(
                        f"{place}: clips: {row['clip_id']} has no {', '.join(missing)}; see clipmill verify"
                    )
                self.clips[row["clip_id"]] = ViewedClip(**row, shard=shard)

    def shards_of(self, clip: ViewedClip, start_ns: int, stop_ns: int) -> list[str]:
        """The shards that may hold rows of a clip's window, in the order of time.

        Args:
            clip: the clip.
            start_ns: begin of the window in the clip's time.
            stop_ns: its end, not included.
        """
        if self._is_sealed:
            # a clip's row stands in the day that it begins in; it may go on after midnight
            at = self._days.index(clip.shard)
            return self._days[at : at + 2]
        minute = _MINUTE.fullmatch(clip.shard)
        if minute is None:
            return [clip.shard]
        # no clip has more minutes than its duration tells; the last one holds whatever lies after it
        last = max(0, (clip.duration_ns - 1) // _MINUTE_NS)
        first = min(max(0, start_ns // _MINUTE_NS), last)
        names = [f"{minute[1]}{number:04d}" for number in range(first, min(last, stop_ns // _MINUTE_NS) + 1)]
        return [name for name in names if name in self._shards]

    def rows(
        self, table: str, shards: Iterable[str], columns: Sequence[str], conditions: Sequence[Condition]
    ) -> pa.Table:
        """Rows of a shard table; row groups that cannot hold any are not read.

        Args:
            table: its name.
            shards: shards to look in.
            columns: columns that are wanted.
            conditions: (column, operator, value), all of which must hold.

        Raises:
            ChangedError: a file is no longer there.
            DamagedError: a file cannot be read.
        """
        files = [self._shards[shard][table].path for shard in shards if table in self._shards[shard]]
        found = [self._read(table, path, columns, conditions) for path in files]
        return pa.concat_tables(found) if found else _no_rows(table, columns)

    def whole(self, table: str, columns: Sequence[str], conditions: Sequence[Condition]) -> pa.Table:
        """Rows of a table that is written whole.

        Args:
            table: its name.
            columns: columns that are wanted.
            conditions: as for `rows`.

        Raises:
            ChangedError: its file is no longer there.
            DamagedError: it cannot be read.
        """
        path = table_file(table)
        if path not in self._whole:
            return _no_rows(table, columns)
        return self._read(table, path, columns, conditions)

    def _read(
        self, table: str, path: str, columns: Sequence[str], conditions: Sequence[Condition]
    ) -> pa.Table:
        try:
            with closing(self._store.open(path)) as source:
                return _matching(source, table, columns, conditions)
        except FileNotFoundError as error:
            raise ChangedError(
                f"{path}: no longer there: the data set has changed, start clipmill view again"
            ) from error
        except (pa.ArrowException, OSError, KeyError, TypeError) as error:
            # damaged pages, a column that is missing, one of another type
            told = (str(error).splitlines() or [type(error).__name__])[0]
            raise DamagedError(f"{path}: cannot be read ({told}); see clipmill verify") from error


def _matching(
    source: BinaryIO, table: str, columns: Sequence[str], conditions: Sequence[Condition]
) -> pa.Table:
    wanted = list(dict.fromkeys([*columns, *(condition[0] for condition in conditions)]))
    # its type tells each operator's values apart, which a tuple of three cannot
    typed: Any = list(conditions)
    pieces = []
    with pq.ParquetFile(source) as file:
        for group in range(file.num_row_groups):
            if _may_hold(file.metadata.row_group(group), conditions):
                rows = file.read_row_group(group, wanted, use_threads=False).replace_schema_metadata()
                if conditions:
                    rows = rows.filter(pq.filters_to_expression(typed))
                pieces.append(rows.select(columns))
        return pa.concat_tables(pieces) if pieces else _no_rows(table, columns)


def _may_hold(group: pq.RowGroupMetaData, conditions: Sequence[Condition]) -> bool:
    """Whether the statistics of a row group leave room for a row that meets the conditions."""
    facts = {
        column.path_in_schema: column.statistics
        for column in (group.column(place) for place in range(group.num_columns))
    }
    for name, operator, value in conditions:
        known = facts.get(name)
        if known is None or not known.has_min_max:
            continue
        if operator in {"=", ">="} and known.max < value:
            return False
        if (operator == "=" and known.min > value) or (operator == "<" and known.min >= value):
            return False
    return True


def _no_rows(table: str, columns: Sequence[str]) -> pa.Table:
    return pa.schema([TABLES[table].field(name) for name in columns]).empty_table()
