"""The rows of one clip, or one drive, out of tables that are too large to be held."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.tables.store import Store

_MINUTE: Final = re.compile(r"(.*-m)(\d+)\.parquet")


class RowsByKey:
    """Knows which row groups of some files hold the rows of a key, and reads no others.

    Args:
        store: the data set.
        paths: the files of a table.
        key: the column that rows are asked by.
        columns: columns that are read.
    """

    def __init__(self, store: Store, paths: Sequence[str], key: str, columns: Sequence[str]) -> None:
        self._store = store
        self._key = key
        self._columns = [key, *(name for name in columns if name != key)]
        self._places: dict[str, list[tuple[str, int]]] = {}
        # the clips of a minute stand in one row group and are asked for one after the other
        self._held: tuple[tuple[str, int], pa.Table] | None = None
        for path in sorted(paths, key=_in_time):
            with closing(store.open(path)) as source, pq.ParquetFile(source) as file:
                for group in range(file.num_row_groups):
                    column = file.read_row_group(group, [key], use_threads=False)[key]
                    for value in pc.unique(column).to_pylist():
                        self._places.setdefault(str(value), []).append((path, group))

    def keys(self) -> list[str]:
        """Every key, in the order in which they first stand."""
        return list(self._places)

    def pieces(self, key: str) -> Iterator[pa.Table]:
        """The rows of a key, row group by row group, each in the order in which they stand."""
        for place in self._places.get(key, ()):
            table = self._read(place)
            yield table.filter(pc.equal(table[self._key], pa.scalar(key)))

    def _read(self, place: tuple[str, int]) -> pa.Table:
        if self._held is None or self._held[0] != place:
            path, group = place
            with closing(self._store.open(path)) as source, pq.ParquetFile(source) as file:
                self._held = place, file.read_row_group(group, self._columns, use_threads=False)
        return self._held[1]


def _in_time(path: str) -> tuple[str, int]:
    """Orders the minutes of a clip; as texts the 10000th would stand before the 1001st.

    >>> sorted(["a-m1001.parquet", "a-m10000.parquet"], key=_in_time)
    ['a-m1001.parquet', 'a-m10000.parquet']
    """
    match = _MINUTE.fullmatch(path)
    return (match[1], int(match[2])) if match else (path, 0)
