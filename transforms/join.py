"""Stage: the tracks of neighbouring minutes that show one object."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.labels.joining import first_tracks
from transforms.storage import open_store
from transforms.tables.commits import ShardSummary, read_commit


class JoinTracks(beam.PTransform[PCollection[ShardSummary], PCollection[tuple[str, str]]]):
    """Finds the tracks that go on with those of earlier minutes.

    What links tracks is most of a commit, so it is read again, drive by drive, rather than carried along.

    Args:
        output: the data set.

    Returns:
        Each such track, and the first track of its object.
    """

    def __init__(self, output: str) -> None:
        super().__init__()
        self._output = output

    def expand(self, summaries: PCollection[ShardSummary]) -> PCollection[tuple[str, str]]:
        """Joins drive by drive."""
        return (
            summaries
            | "Drive" >> beam.Map(_drive_and_name)
            | "By drive" >> beam.GroupByKey()
            | "Join" >> beam.FlatMap(_join, self._output)
        )


def _drive_and_name(summary: ShardSummary) -> tuple[str, str]:
    return summary.drive_id, summary.name


def _join(drive: tuple[str, Iterable[str]], output: str) -> Iterator[tuple[str, str]]:
    names = list(drive[1])
    # a shard that is a drive by itself goes on with none
    if len(names) > 1:
        store = open_store(output)
        shards = [shard for name in names if (shard := read_commit(store, name))]
        yield from first_tracks(shards).items()
