from datetime import date

import pytest
from pydantic import ValidationError

from transforms.budget.facts.values import Assumption, Fact, Record, Share, inherit

SOURCE = {"source": "data sheet", "as_of": date(2025, 1, 1), "kind": "published"}


def fact(**values):
    return Fact.model_validate({"unit": "W", **SOURCE, **values})


def test_a_value_is_exact():
    assert (fact(value=400).p10, fact(value=400).p90, fact(value=400).is_exact) == (400, 400, True)


def test_low_and_high_keep_the_range_with_the_geometric_mean_between():
    spread = fact(low=1, high=4)
    assert (spread.p10, spread.p50, spread.p90, spread.is_exact) == (1, 2, 4, False)


@pytest.mark.parametrize(
    "values",
    [
        {"value": 0},
        {"value": -1},
        {"value": float("inf")},
        {"low": -1, "high": 4},
        {"low": 5, "high": 4},
        {"p10": 1, "p50": 3, "p90": 2},
        {"value": 1, "source": ""},
        {"value": 1, "kind": "guess"},
        {"value": 1, "as_of": "yesterday"},
        {"value": 1, "colour": "red"},
        {"low": 1},
    ],
)
def test_what_is_no_fact_is_refused(values):
    with pytest.raises(ValidationError):
        fact(**values)


def test_text_is_no_fact():
    with pytest.raises(ValidationError):
        Fact.model_validate("400 W")


@pytest.mark.parametrize(
    ("value", "unit", "told"), [(0.5, "1", "not 'share'"), (1.5, "share", "leaves the range")]
)
def test_a_wrong_unit_or_range_is_told(value, unit, told):
    class Mine(Record):
        part: Share

    with pytest.raises(ValidationError, match=told):
        Mine.model_validate({"part": {"value": value, "unit": unit, **SOURCE}})


def test_values_inherit_from_the_table_around_them_unless_they_say_their_own():
    table = {
        "source": "outer",
        "kind": "published",
        "power": {"value": 1, "unit": "W"},
        "inner": {"source": "inner", "items": [{"rate": {"value": 2, "unit": "W", "kind": "assumed"}}, 3]},
    }
    complete = inherit(table)
    assert complete["power"] == {"source": "outer", "kind": "published", "value": 1, "unit": "W"}
    assert complete["inner"]["items"] == [
        {"rate": {"source": "inner", "kind": "assumed", "value": 2, "unit": "W"}},
        3,
    ]


def test_an_assumption_is_a_number_or_a_range():
    assert Assumption("power", 4, 4, 4, "W", "published", "data sheet").as_json() == {
        "name": "power",
        "value": 4,
        "unit": "W",
        "kind": "published",
        "source": "data sheet",
    }
    assert Assumption("power", 3, 4, 5, "W", "user", "x").as_json()["value"] == {"p10": 3, "p50": 4, "p90": 5}
