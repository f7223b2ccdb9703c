"""The labels of one clip in which faces and plates are looked for."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.taxonomy import CATEGORIES

BOX_COLUMNS: Final = (
    "timestamp_ns",
    "track_id",
    "category",
    "x_min_px",
    "y_min_px",
    "x_max_px",
    "y_max_px",
    "category_raw",
)
"""Columns of `detections` that are read."""

PEOPLE: Final = ("person", "rider")
VEHICLES: Final = ("motorcycle", "car", "truck", "bus")

_FARTHEST_PX: Final = 1e6
"""Edges beyond it are no edges of a picture; tables may come from anybody."""


@dataclass(frozen=True, slots=True)
class PeopleAndVehicles:
    """Boxes of a clip's people and vehicles, whatever their score and their network: one too many harms nobody.

    What was set aside as no object, by hindsight or by people, is among them, and what a network called a person or a
    vehicle is one here even if it is called something else by now.

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
        told = table.select(BOX_COLUMNS[:7])
        raw = table.filter(pc.not_equal(table["category_raw"], table["category"]))
        renamed = raw.select(told.column_names).set_column(
            2, told.schema.field("category"), raw["category_raw"]
        )
        both = pa.concat_tables([told, renamed])
        wanted = pc.is_in(both["category"], value_set=pa.array([*PEOPLE, *VEHICLES], pa.string()))
        rows = both.filter(wanted).sort_by("timestamp_ns")
        edges = np.stack(
            [rows[name].to_numpy().astype(np.float64) for name in BOX_COLUMNS[3:7]],
            axis=1,
        ).reshape(-1, 4)
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
