"""Stage: the tracks of neighbouring minutes that show one object."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.labels.joining import join_drive
from transforms.tables.commits import ShardSummary


class JoinTracks(beam.PTransform[PCollection[ShardSummary], PCollection[tuple[str, str, str]]]):
    """Maps every track of a drive to its object.

    Returns:
        Rows of `objects` as (drive_id, track_id, object_id).
    """

    def expand(self, summaries: PCollection[ShardSummary]) -> PCollection[tuple[str, str, str]]:
        """Joins drive by drive."""
        return summaries | "By drive" >> beam.GroupBy(_drive) | "Join" >> beam.FlatMap(_join)


def _drive(summary: ShardSummary) -> str:
    return summary.drive_id


def _join(group: tuple[str, Iterable[ShardSummary]]) -> Iterator[tuple[str, str, str]]:
    drive_id, summaries = group
    for track_id, object_id in join_drive(list(summaries)).items():
        yield drive_id, track_id, object_id
