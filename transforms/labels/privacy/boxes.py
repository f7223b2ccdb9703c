"""The labels of one clip in which faces and plates are looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.taxonomy import CATEGORIES

_EDGES: Final = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
_TOLD: Final = ("timestamp_ns", "track_id", "category", *_EDGES)
_RAW: Final = ("timestamp_ns", "track_id", "category_raw", *(f"raw_{edge}" for edge in _EDGES))
BOX_COLUMNS: Final = (*_TOLD, *_RAW[2:])
"""Columns of `detections` that are read."""

PEOPLE: Final = ("person", "rider")
VEHICLES: Final = ("motorcycle", "car", "truck", "bus")

_MOVED: Final = 0.05
"""A box that hindsight moved by more, as a share of its longer side, is one more box where the network had it."""

_FARTHEST_PX: Final = 1e6
"""Edges beyond it are no edges of a picture; tables may come from anybody."""


@dataclass(frozen=True, slots=True)
class PeopleAndVehicles:
    """Boxes of a clip's people and vehicles, whatever their score and their network: one too many harms nobody.

    What was set aside as no object, by hindsight or by people, is among them, and so is what a network called a person or a
    vehicle, where it had it, even if it is called something else by now or lies elsewhere.

    Attributes:
        times_ns: of their frames since the clip's first one, ascending, int64[N].
        edges: xyxy in pixels of the frame as displayed, float64[N, 4].
        categories: indices into `models.taxonomy.CATEGORIES`, uint8[N].
        tracks: number of the track that holds each, -1 for none, int64[N].
    """

    times_ns: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    categories: npt.NDArray[np.uint8]
    tracks: npt.NDArray[np.int64]

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Picks people and vehicles out of rows of a clip.

        Args:
            table: with `BOX_COLUMNS`.
        """
        told = table.select(_TOLD)
        raw = (
            table.filter(pa.array(_is_elsewhere(table)))
            .select(_RAW)
            .rename_columns(list(_TOLD))
            .cast(told.schema)
        )
        both = pa.concat_tables([told, raw])
        wanted = pc.is_in(both["category"], value_set=pa.array([*PEOPLE, *VEHICLES], pa.string()))
        rows = both.filter(wanted).sort_by("timestamp_ns")
        edges = _edges(rows, _EDGES)
        sound = (np.abs(edges) <= _FARTHEST_PX).all(axis=1) & (edges[:, 2:] > edges[:, :2]).all(axis=1)
        categories = pc.index_in(rows["category"], pa.array(CATEGORIES)).to_numpy()
        numbers = {name: number for number, name in enumerate(rows["track_id"].unique().to_pylist())}
        numbers[None] = -1
        tracks = np.array([numbers[name] for name in rows["track_id"].to_pylist()], np.int64)
        return cls(
            rows["timestamp_ns"].to_numpy().astype(np.int64)[sound],
            edges[sound],
            categories.astype(np.uint8)[sound],
            tracks[sound],
        )

    def at(self, time_ns: int) -> range:
        """Indices of the boxes of a frame."""
        first, last = np.searchsorted(self.times_ns, [time_ns, time_ns + 1]).tolist()
        return range(first, last)


def _edges(table: pa.Table, names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Edges of boxes, float64[N, 4]; of a row without them NaN."""
    return np.stack([table[name].to_numpy().astype(np.float64) for name in names], axis=1).reshape(-1, 4)


def _is_elsewhere(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Whether the network called a row something else, or had its box elsewhere, bool[N]; not of rows that it did not see."""
    final, raw = _edges(table, _EDGES), _edges(table, _RAW[3:])
    longer = (final[:, 2:] - final[:, :2]).max(axis=1, initial=0)
    moved = (np.abs(raw - final) > _MOVED * longer[:, None]).any(axis=1)
    names = zip(table["category"].to_pylist(), table["category_raw"].to_pylist(), strict=True)
    renamed = np.array([called not in {None, category} for category, called in names], bool)
    elsewhere: npt.NDArray[np.bool_] = moved | renamed
    return elsewhere
