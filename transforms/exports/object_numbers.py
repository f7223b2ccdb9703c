"""Numbers of the objects of an export: one for all clips and minutes of a drive's camera."""

from collections.abc import Mapping

from transforms.tables.row_groups import RowsByKey


class ObjectNumbers:
    """Numbers objects in the order in which they are first seen; holds those of one drive."""

    def __init__(self) -> None:
        self._next = 1
        self._drive: str | None = None
        self._object_of: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def of_drive(self, drive: str, objects: RowsByKey) -> Mapping[str, str]:
        """Track → object of a drive; what is known of the drive before is let go."""
        if drive != self._drive:
            self._drive = drive
            self._numbers = {}
            self._object_of = {
                row["track_id"]: row["object_id"]
                for table in objects.pieces(drive)
                for row in table.to_pylist()
            }
        return self._object_of

    def number(self, shown: str) -> int:
        """The number of an object."""
        if shown not in self._numbers:
            self._numbers[shown] = self._next
            self._next += 1
        return self._numbers[shown]
