"""The audit of what was blurred: `blurred.parquet` beside pictures that have left."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import BinaryIO, Final, Self

import pyarrow as pa

from transforms.tables.fields import field
from transforms.tables.files import RowGroups

BLURRED_VERSION: Final = 1

_TEXT: Final = pa.string()

BLURRED: Final = pa.schema(
    [
        field("picture", _TEXT, "the picture: path below the folder of this file, or name in a tar there"),
        field("clip_id", _TEXT, "the clip that it was taken from"),
        field("timestamp_ns", pa.int64(), "the frame's time since the clip's first", "ns"),
        field("kind", _TEXT, "face or plate"),
        field("x_min_px", pa.float32(), "left edge of what was blurred, in the frame as displayed", "px"),
        field("y_min_px", pa.float32(), "top edge; regions may reach beyond the frame", "px"),
        field("x_max_px", pa.float32(), "right edge", "px"),
        field("y_max_px", pa.float32(), "bottom edge", "px"),
        field("model", _TEXT, "network that found it, or rule that covers it"),
        field("model_digest", _TEXT, "sha256 of the network; null of a rule", nullable=True),
        field("carried", pa.bool_(), "whether the network found it in another frame of the same track"),
    ]
)
"""A row a region and picture; pictures in which nothing was blurred have none."""

_AT_ONCE: Final = 65_536


class BlurredRows:
    """Writes an audit, piece by piece.

    Args:
        sink: an open binary file; it is not closed.
    """

    def __init__(self, sink: BinaryIO) -> None:
        self._groups = RowGroups(sink, BLURRED, {"blurred_version": str(BLURRED_VERSION)})
        self._rows: list[Mapping[str, object]] = []
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._groups.__exit__(kind, error, trace)

    def add(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Adds the rows of a picture."""
        self._rows += rows
        if len(self._rows) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self.count += len(self._rows)
        self._groups.write(pa.Table.from_pylist(self._rows, BLURRED))
        self._rows = []
