import pytest

from transforms.splits.rule import RULES, Placed, place
from transforms.splits.table import (
    SplitsError,
    kept_up,
    read_splits,
    splits_by_version,
    splits_table,
    splits_without,
)
from transforms.splits.versions import make_version
from transforms.tables.commits import encode, file_metadata
from transforms.tables.layout import table_file
from transforms.tables.schemas import CLIPS, EVENTS, SPLITS

ONE, TWO = make_version("v1", "vehicle", "50,25,25"), make_version("v2", "folder,place+day", "100,0,0")
NO_COPIES, NO_EVENTS = CLIPS.empty_table(), EVENTS.empty_table()


def write(store, table):
    store.write(table_file("splits"), encode(table, file_metadata()))


def test_the_column_tells_every_rule():
    told = SPLITS.field("rule").metadata[b"description"].decode()
    assert not [rule for rule in RULES if rule not in told]


def test_a_table_gives_back_what_it_was_made_of():
    said = {
        TWO: [Placed("b", "train", "drawn", frozenset({"y", "x"}))],
        ONE: [
            Placed("b", "none", "bridges", frozenset({"x"})),
            Placed("a", "val", "joined", frozenset({"z"})),
        ],
    }
    table = splits_table(said)
    assert table.schema == SPLITS
    assert list(zip(table["version"].to_pylist(), table["drive_id"].to_pylist(), strict=True)) == [
        ("v1", "a"),
        ("v1", "b"),
        ("v2", "b"),
    ]
    assert table["clip_ids"].to_pylist()[2] == ["x", "y"]
    found = splits_by_version(table)
    assert {version: set(items) for version, items in found.items()} == {
        version: set(items) for version, items in said.items()
    }


def test_without_clips_drives_that_have_none_are_gone():
    said = {
        version: [
            Placed("a", "val", "drawn", frozenset({"x", "y"})),
            Placed("b", "test", "drawn", frozenset({"x"})),
        ]
        for version in (ONE, TWO)
    }
    found = splits_by_version(splits_without(splits_table(said), {"x"}))
    assert found == {version: [Placed("a", "val", "drawn", frozenset({"y"}))] for version in (ONE, TWO)}


@pytest.mark.parametrize(
    "rows",
    [
        {"split": "testing"},
        {"rule": "tossed"},
        {"tied_by": "colour"},
        {"shares": "80,10"},
        {"version": "../v"},
    ],
)
def test_a_table_that_makes_no_sense_is_told_rather_than_lost(store, rows):
    row = {
        "version": "v1",
        "drive_id": "a",
        "split": "train",
        "rule": "drawn",
        "tied_by": "vehicle",
        "shares": "80,10,10",
        "clip_ids": [],
    }
    write(store, SPLITS.empty_table().from_pylist([row | rows], SPLITS))
    with pytest.raises(SplitsError, match=r"splits/all.parquet: not a table of splits \(.*put it back"):
        read_splits(store)


def test_two_sets_of_ties_in_one_version_are_told(store):
    other = make_version("v1", "place", "50,25,25")
    items = [Placed("a", "val", "drawn", frozenset())]
    write(store, splits_table({ONE: items, other: items}))
    with pytest.raises(SplitsError, match="several ties or shares"):
        read_splits(store)


@pytest.mark.parametrize("content", [b"", b"PAR1 no PAR1", encode(CLIPS.empty_table(), {})])
def test_a_file_that_is_something_else_is_told(store, content):
    store.write(table_file("splits"), content)
    with pytest.raises(SplitsError, match="not a table of splits"):
        read_splits(store)


def test_where_nobody_split_nothing_is_said(store, make_shard):
    shards = [make_shard("a-0a1b2c3d4e-m0000", "a", ["/in/a.mp4"])]
    assert kept_up(store, shards, NO_COPIES, NO_EVENTS).num_rows == 0


def test_new_drives_are_placed_by_every_version_and_lost_ones_go(store, make_shard):
    shards = [
        make_shard(
            f"car{car}-2025-06-14_09-0{minute}-00-0000000{car}",
            f"d{car}{minute}",
            [f"/f/car{car}/2025-06-14_09-0{minute}-00-front.mp4"],
        )
        for car in range(4)
        for minute in (0, 5)
    ]
    said = {ONE: [Placed("lost", "test", "drawn", frozenset({"gone"}))], TWO: []}
    for version in said:
        said[version] += [
            Placed("d00", "test" if version is ONE else "train", "drawn", frozenset({shards[0].clips[0][0]}))
        ]
    write(store, splits_table(said))
    found = splits_by_version(kept_up(store, shards, NO_COPIES, NO_EVENTS))
    assert set(found) == {ONE, TWO}
    for items in found.values():
        assert [item.drive_id for item in items] == sorted(shard.drive_id for shard in shards)
    one = {item.drive_id: item for item in found[ONE]}
    # the same car joins, whatever the draw would say
    assert (one["d00"].split, one["d00"].rule) == ("test", "drawn")
    assert (one["d05"].split, one["d05"].rule) == ("test", "joined")
    write(store, splits_table(found))
    assert kept_up(store, shards, NO_COPIES, NO_EVENTS).equals(splits_table(found))


def test_a_drive_with_another_id_is_kept_up_too(store, make_shard):
    shard = make_shard("car-2025-06-14_09-00-00-00000000", "new id", ["/f/car/2025-06-14_09-00-00-front.mp4"])
    write(store, splits_table({ONE: [Placed("old id", "val", "joined", frozenset({shard.clips[0][0]}))]}))
    (items,) = splits_by_version(kept_up(store, [shard], NO_COPIES, NO_EVENTS)).values()
    assert items == [Placed("new id", "val", "kept", frozenset({shard.clips[0][0]}))]
    assert place([], items, ONE) == []
