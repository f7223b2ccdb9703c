import numpy as np
import pytest

from transforms.budget.chances import Chance, Limits, chances
from transforms.budget.errors import BudgetUsageError

VALUES = {"training_days": np.array([1.0, 2.0, 3.0, 4.0]), "cost_usd": np.array([10.0, 20.0, 30.0, 40.0])}


def test_a_chance_is_the_share_of_draws_that_meet_the_limit():
    assert chances(VALUES, Limits(deadline=3.0, money=9.0)) == (
        Chance("deadline", 3.0, "d", 0.75),
        Chance("money", 9.0, "USD", 0.0),
    )


def test_no_limit_has_no_chance():
    assert chances(VALUES, Limits()) == ()
    assert Limits(money=5.0).given() == {"money": 5.0}


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["deadline", "money"])
def test_a_limit_is_a_positive_number(name, value):
    with pytest.raises(BudgetUsageError, match=f"{name} .* is not a positive number"):
        Limits(**{name: value})
