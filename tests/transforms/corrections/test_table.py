import io

import pyarrow.parquet as pq
import pytest

from transforms.corrections.table import (
    Corrections,
    CorrectionsError,
    corrections_table,
    groups_digest,
    joined,
    read_corrections,
)
from transforms.tables.commits import encode, file_metadata
from transforms.tables.schemas import CORRECTIONS
from transforms.tables.store import LocalStore

HERE = (10.5, 10.0, 30.0, 30.25)


@pytest.fixture
def said(make_correction):
    before = {"detection_id": "d", "box_before": HERE, "category_before": "car"}
    return (
        make_correction("keep", 0, box=HERE, **before),
        make_correction("change", 0, box=HERE, category="bus", **before),
        make_correction("remove", 70, sequence=2, **before),
        make_correction("add", 1, sequence=2, box=HERE, model_digest="net"),
        make_correction("look", 2, clip="b", sequence=2),
    )


def test_rows_say_what_was_said_in_any_order(tmp_path, said):
    store = LocalStore(tmp_path)
    assert read_corrections(store) == ()
    table = corrections_table(reversed(said), {said[2].correction_id: "no_frame"})
    assert table.schema.equals(CORRECTIONS)
    assert table.equals(corrections_table(said, {said[2].correction_id: "no_frame"}))
    store.write("corrections/all.parquet", encode(table, file_metadata()))
    assert set(read_corrections(store)) == set(said)
    assert [row["conflict"] for row in table.to_pylist() if row["action"] == "remove"] == ["no_frame"]
    assert len({item.correction_id for item in said}) == len(said)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("action", "improve", "no action is called 'improve'"),
        ("category", "van", "box or category does not fit its action"),
        ("x_max_px", 1.0, "is no box"),
        ("category", "truck", "is not the id of what the row says"),
    ],
)
def test_a_table_that_was_tampered_with_is_not_read(tmp_path, said, column, value, says):
    rows = corrections_table(said[1:2]).to_pylist()
    rows[0][column] = value
    sink = io.BytesIO()
    pq.write_table(corrections_table(()).from_pylist(rows, CORRECTIONS), sink)
    LocalStore(tmp_path).write("corrections/all.parquet", sink.getvalue())
    with pytest.raises(CorrectionsError, match=says):
        read_corrections(LocalStore(tmp_path))


def test_a_shard_is_made_of_the_corrections_of_its_clips_and_minute(said):
    corrections = Corrections(reversed(said))
    assert corrections.groups("drive", ["a"]) == [
        said[:2] if said[0].correction_id < said[1].correction_id else said[1::-1],
        (said[3], said[2]),
    ]
    assert [len(group) for group in corrections.groups("a-m0000", ["a"])] == [2, 1]
    assert corrections.groups("a-m0001", ["a"]) == [(said[2],)]
    assert corrections.groups("a-m0002", ["a"]) == []
    # nobody changes anything where people only looked
    assert corrections.groups("drive", ["b"]) == []
    assert groups_digest([]) is None
    digests = {groups_digest(corrections.groups(name, ["a"])) for name in ("drive", "a-m0000", "a-m0001")}
    assert len(digests) == 3


def test_corrections_of_another_data_set_come_after_its_own(said, make_correction):
    own = (said[0], make_correction("add", 5, sequence=4, box=HERE))
    both = joined(own, said)
    assert both[:2] == own
    assert [(item.action, item.sequence) for item in both[2:]] == [
        ("change", 5),
        ("remove", 6),
        ("add", 6),
        ("look", 6),
    ]
    assert joined(both, said) == both
    # their numbers are no part of what a shard is made of
    assert groups_digest(Corrections(both[2:]).groups("drive", ["a"])) == groups_digest(
        Corrections(said[1:]).groups("drive", ["a"])
    )
