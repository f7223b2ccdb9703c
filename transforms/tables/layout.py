"""Where a data set's files stand."""

from typing import Final

MANIFEST: Final = "manifest.parquet"
DATASET: Final = "dataset.json"
RUNS: Final = "runs"
REMOVAL: Final = ".removal"
"""Folder that is there only while clips are removed."""
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


def shard_of(file_name: str) -> str:
    """The shard that a table's file belongs to.

    >>> shard_of("drive-m000.parquet")
    'drive-m000'
    """
    return file_name.removesuffix(".parquet")


def run_file(run_id: str, name: str) -> str:
    """A file of what was timed, dated or measured in one run."""
    return f"{RUNS}/{run_id}/{name}"
