import pyarrow as pa
import pytest

from transforms.tables import evolution
from transforms.tables.evolution import (
    EVOLUTION,
    SCHEMAS,
    EvolutionError,
    brought_forward,
    can_migrate,
    schema_problem,
)
from transforms.tables.schemas import MANIFEST, SCHEMA_VERSION


def old_manifest(rows=2, schema=MANIFEST):
    columns = {
        column.name: pa.repeat(pa.scalar(1 if pa.types.is_integer(column.type) else "x", column.type), rows)
        for column in schema
        if column.name != "state"
    }
    return pa.table(columns)


def test_every_step_adds_columns_that_are_there_and_fills_those_that_may_not_be_null():
    assert max(EVOLUTION) <= SCHEMA_VERSION
    for tables in EVOLUTION.values():
        for table, columns in tables.items():
            for column, fill in columns.items():
                field = SCHEMAS[table].field(column)
                assert fill is not None or field.nullable
                assert pa.scalar(fill, field.type).as_py() == fill


def test_added_columns_are_filled_and_the_others_stay():
    rows = brought_forward(old_manifest(), "manifest", 2)
    assert rows.schema.equals(MANIFEST, check_metadata=True)
    assert rows["state"].to_pylist() == ["committed", "committed"]
    assert rows["path"].to_pylist() == ["x", "x"]
    assert brought_forward(old_manifest(0), "manifest", 2).num_rows == 0


def test_steps_add_up(monkeypatch):
    steps = {**EVOLUTION, SCHEMA_VERSION + 1: {"manifest": {"note": None}}}
    schema = MANIFEST.append(pa.field("note", pa.string()))
    monkeypatch.setattr(evolution, "EVOLUTION", steps)
    monkeypatch.setattr(evolution, "SCHEMAS", {"manifest": schema})
    monkeypatch.setattr(evolution, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    rows = brought_forward(old_manifest(), "manifest", 2)
    assert rows.schema == schema
    assert rows["state"].to_pylist() == ["committed"] * 2
    assert rows["note"].null_count == 2
    assert can_migrate(2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows.drop_columns(["path"]), "column path is missing"),
        (lambda rows: rows.append_column("odd", pa.array([1, 2])), "column odd is none of manifest"),
        (
            lambda rows: rows.set_column(0, "path", pa.array([1, 2])),
            "column path holds int64, string is expected",
        ),
        (lambda rows: rows.set_column(0, "path", pa.array(["a", None])), "column path holds nulls"),
    ],
)
def test_rows_that_are_not_of_their_version_are_refused(spoil, message):
    with pytest.raises(EvolutionError, match=message):
        brought_forward(spoil(old_manifest()), "manifest", 2)


def test_a_column_that_may_be_null_by_now_keeps_its_values():
    rows = old_manifest().set_column(6, "label_digest", pa.array(["a", None]))
    assert brought_forward(rows, "manifest", 2)["label_digest"].to_pylist() == ["a", None]


def test_what_can_be_done_with_each_version():
    assert schema_problem("out", SCHEMA_VERSION) is None
    assert schema_problem("out", 2) == "out: schema 2; run `clipmill migrate out`"
    assert "use a newer clipmill" in schema_problem("out", SCHEMA_VERSION + 1)
    for version in (1, 0, -7, None, "2", True, 2.5):
        assert "cannot migrate it" in schema_problem("out", version)
        assert not can_migrate(version)
    assert not can_migrate(SCHEMA_VERSION)
