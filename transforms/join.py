"""Stage: the tracks of neighbouring minutes that show one object."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from transforms.labels.joining import join_drive
from transforms.storage import open_store
from transforms.tables.commits import ShardSummary, read_commit
from transforms.tables.schemas import OBJECTS


class JoinTracks(beam.PTransform[PCollection[ShardSummary], PCollection[pa.Table]]):
    """Maps every track of a drive to its object.

    What links tracks is most of a commit, so it is read again, drive by drive, rather than carried along.

    Args:
        output: the data set.

    Returns:
        Rows of `objects`, a table for each drive.
    """

    def __init__(self, output: str) -> None:
        super().__init__()
        self._output = output

    def expand(self, summaries: PCollection[ShardSummary]) -> PCollection[pa.Table]:
        """Joins drive by drive."""
        return summaries | "By drive" >> beam.GroupBy(_drive) | "Join" >> beam.FlatMap(_join, self._output)


def _drive(summary: ShardSummary) -> str:
    return summary.drive_id


def _join(group: tuple[str, Iterable[ShardSummary]], output: str) -> Iterator[pa.Table]:
    drive_id, summaries = group
    shards = list(summaries)
    if len(shards) > 1:
        store = open_store(output)
        shards = [read_commit(store, shard.name) or shard for shard in shards]
    objects = join_drive(shards)
    columns = {
        "track_id": list(objects),
        "object_id": list(objects.values()),
        "drive_id": [drive_id] * len(objects),
    }
    yield pa.table(columns, OBJECTS)
