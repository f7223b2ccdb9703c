from dataclasses import replace

import pytest
from made_sets import Minute, filled, make_set

from transforms.tables.commits import encode, file_metadata, read_commit
from transforms.tables.earlier import Earlier, read_earlier
from transforms.tables.layout import DUPLICATES, table_file
from transforms.tables.schemas import CLIPS, EVENTS, FAILURES
from transforms.tables.store import LocalStore

PLACES = ["/in/1/a", "/in/1/b", "/in/2/c", "/in/2/d"]


@pytest.fixture
def store(tmp_path):
    store = LocalStore(make_set(tmp_path, [Minute("one"), Minute("two")]))
    tables = {
        table_file("failures"): filled(FAILURES, {"uri": PLACES}),
        table_file("events"): filled(
            EVENTS,
            {"event_id": list("abcd"), "uri": PLACES, "cameras_present": [[], ["front"], [], ["front"]]},
        ),
        table_file("clips", DUPLICATES): filled(
            CLIPS, {"clip_id": list("efgh"), "uri": PLACES, "duplicate_of": ["one", "gone", "one", "two"]}
        ),
    }
    for path, table in tables.items():
        store.write(path, encode(table, file_metadata()))
    return store


@pytest.fixture
def shards(store):
    one, two = (read_commit(store, f"{name}-m0000") for name in ("one", "two"))
    return [one, replace(two, event_ids=("b", "d"))]


def found(earlier: Earlier):
    return (
        [row["uri"] for row in earlier.failures],
        [row["event_id"] for row in earlier.events],
        earlier.duplicates["uri"].to_pylist(),
    )


def test_what_lies_outside_the_inputs_stays(store, shards):
    # b's shard is left, and c lies in the inputs: this run tells of it itself
    assert found(read_earlier(store, shards, shards[1:], ["/in/2"])) == (
        PLACES[:2],
        ["a", "b", "d"],
        ["/in/1/a"],
    )
    assert found(read_earlier(store, shards, [], ["/in/1"])) == (PLACES[2:], ["c"], PLACES[2:])


def test_copies_of_clips_that_are_gone_go(store, shards):
    assert found(read_earlier(store, shards[1:], [], ["/elsewhere"]))[2] == ["/in/2/d"]


def test_of_the_inputs_nothing_stays(store, shards):
    earlier = read_earlier(store, shards, [], ["/in"])
    assert found(earlier) == ([], [], [])
    assert earlier.duplicates.schema == CLIPS


def test_a_new_data_set_has_nothing_earlier(tmp_path):
    assert found(read_earlier(LocalStore(tmp_path / "new"), [], [], ["/in"])) == ([], [], [])
