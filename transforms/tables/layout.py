"""Where a data set's files stand."""

from typing import Final

MANIFEST: Final = "manifest.parquet"
DATASET: Final = "dataset.json"
RUNS: Final = "runs"
EXPORTS: Final = "exports"
"""Folder with a file for each export of the data set: where it was written, and how."""
REMOVAL: Final = ".removal"
"""Folder that is there only while clips are removed."""
CORRECTING: Final = ".correcting"
"""Folder that is there only while corrections are put into labels."""
CORRECTING_NOTE: Final = "correcting.json"
"""File of it that tells which labels are being replaced, from the first one on until all is done."""
WHOLE: Final = "all"
DUPLICATES: Final = "duplicates"
EMPTY: Final = "empty"
"""The shard name of the file that lets a glob read a table without rows."""


def table_file(table: str, shard: str = WHOLE) -> str:
    """The file of a shard's table, or of a whole table.

    >>> table_file("frames", "drive-m000")
    'frames/drive-m000.parquet'
    """
    return f"{table}/{shard}.parquet"


def is_place_of(path: str, table: str, shard: str) -> bool:
    """Whether a file that a manifest or a commit names lies where that shard's file of the table has to lie.

    A data set may come from anybody; a path that led elsewhere would be read, or written, there.

    >>> is_place_of("frames/a-m0000.parquet", "frames", "a-m0000"), is_place_of("../a.parquet", "..", "a")
    (True, False)
    """
    is_name = all(name and not name.startswith(".") and "/" not in name for name in (table, shard))
    return is_name and path == table_file(table, shard)


def shard_of(file_name: str) -> str:
    """The shard that a table's file belongs to.

    >>> shard_of("drive-m000.parquet")
    'drive-m000'
    """
    return file_name.removesuffix(".parquet")


def run_file(run_id: str, name: str) -> str:
    """A file of what was timed, dated or measured in one run."""
    return f"{RUNS}/{run_id}/{name}"
