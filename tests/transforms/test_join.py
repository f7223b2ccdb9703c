import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from transforms.budget.demand.figures import Tally
from transforms.join import JoinTracks
from transforms.tables.commits import ShardSummary, commit_shard, without_links
from transforms.tables.schemas import SHARD_TABLES
from transforms.tables.store import LocalStore


@pytest.fixture
def shards(tmp_path):
    """Two minutes of a drive, the second of which goes on with a track of the first, and a drive of its own."""

    def committed(name, drive, tracks, heads=None, tail=None):
        summary = ShardSummary(
            name=name,
            drive_id=drive,
            label_digest="digest",
            files=(),
            counts={},
            clips=(),
            event_ids=(),
            models=(),
            frames_labelled={},
            tally=Tally(),
            tracks=tracks,
            heads=heads or {},
            tail=tail or {},
            failures=(),
        )
        tables = {table: schema.empty_table() for table, schema in SHARD_TABLES.items()}
        return commit_shard(LocalStore(tmp_path), summary, tables)

    return [
        committed("first", "long", ("a", "b"), tail={"d1": "a", "d2": "b"}),
        committed("second", "long", ("c", "d"), heads={"c": ("d2",)}),
        committed("other", "short", ("e",), tail={"d3": "e"}),
    ]


def test_links_are_read_from_the_data_set(shards, tmp_path):
    with TestPipeline() as root:
        light = root | beam.Create([without_links(shard) for shard in shards])
        assert_that(light | JoinTracks(str(tmp_path)), equal_to([("c", "b")]))
