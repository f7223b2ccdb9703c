"""What the splits of a data set hold, and what each tie would make of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from transforms.splits.rule import HELD_OUT, SPLITS, Drive, groups, is_known
from transforms.splits.versions import TIES, SplitVersion
from transforms.tables.queries import connect

_COUNTS: Final = {
    "drives": "SELECT split, count(*) FROM placed GROUP BY ALL",
    "camera_hours": """
        SELECT split, sum(duration_ns) / 3.6e12 FROM placed JOIN clips USING (drive_id) GROUP BY ALL""",
    "frames": """
        SELECT split, count(*) FROM placed JOIN clips USING (drive_id) JOIN frames USING (clip_id) GROUP BY ALL""",
}

_BOXES: Final = """
    SELECT split, category, count(*) FROM placed JOIN clips USING (drive_id) JOIN detections USING (clip_id)
    WHERE score > 0 GROUP BY ALL ORDER BY ALL"""

_HOURS: Final = """
    SELECT drive_id, sum(duration_ns) / 3.6e12 FROM clips WHERE drive_id IS NOT NULL GROUP BY ALL"""


def split_figures(root: Path, placed: pa.Table) -> dict[str, dict[str, Any]]:
    """Drives, camera-hours, frames and boxes by split.

    Args:
        root: the data set's folder.
        placed: rows of `splits` of one version.

    Returns:
        For train, val, test and none: `drives`, `camera_hours`, `frames`, and `boxes` by category (those that were
        set aside as no object do not count).
    """
    figures: dict[str, dict[str, Any]] = {
        split: {**dict.fromkeys(_COUNTS, 0), "boxes": {}} for split in (*SPLITS, HELD_OUT)
    }
    with connect(root) as data:
        data.register("placed", placed)
        for name, query in _COUNTS.items():
            for split, value in data.execute(query).fetchall():
                figures[split][name] = value
        for split, category, count in data.execute(_BOXES).fetchall():
            figures[split]["boxes"][category] = count
    return figures


def drive_hours(root: Path) -> dict[str, float]:
    """Camera-hours by drive.

    Args:
        root: the data set's folder.
    """
    with connect(root) as data:
        return dict(data.execute(_HOURS).fetchall())


def tie_figures(
    drives: Iterable[Drive], hours: Mapping[str, float], version: SplitVersion
) -> dict[str, dict[str, Any]]:
    """How many groups each tie alone would make of all drives, and those of a version.

    Args:
        drives: the drives.
        hours: their camera-hours.
        version: the one whose ties are looked at last.

    Returns:
        By tie: `groups`, `largest_share` (of the camera-hours, that of the largest group) and `unknown`, drives of
        which nothing is known that ties them.
    """
    drives = list(drives)
    every = {name: ((name,),) for name in TIES} | {version.tied_by: version.ties}
    figures = {}
    for name, ties in every.items():
        found = groups(drives, ties)
        sizes = [sum(hours.get(drive.drive_id, 0.0) for drive in group) for group in found]
        figures[name] = {
            "groups": len(found),
            "largest_share": max(sizes, default=0.0) / (sum(sizes) or 1.0),
            "unknown": sum(not is_known(drive, ties) for drive in drives),
        }
    return figures
