import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.amounts import amount, count, interval, measure, short


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (1, "1"),
        (0.0001, "0.0001"),
        (0.0000999, "9.99e-5"),
        (12.345, "12.3"),
        (999.4, "999"),
        (999.9, "1k"),
        (999_900, "1M"),
        (-4_200, "-4.2k"),
        (2.5e12, "2.5T"),
        (1e15, "1e15"),
        (float("nan"), "unknown"),
        (float("inf"), "infinite"),
        (float("-inf"), "-infinite"),
    ],
)
def test_numbers_have_three_digits(value, said):
    assert short(value) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.0002, "d", "17.3 s"),
        (0.01, "d", "14.4 min"),
        (0.5, "d", "12 h"),
        (1.9, "d", "45.6 h"),
        (2, "d", "2 d"),
        (730.4, "d", "730 d"),
        (731, "d", "2 years"),
        (0, "d", "0 d"),
        (0.25, "s", "250 ms"),
        (1.83, "s", "1.83 s"),
        (1621, "s", "27 min"),
        (5.2e6, "h", "5.2M h"),
        (0.0002, "MWh", "200 Wh"),
        (999.9, "MWh", "1 GWh"),
        (2.5e6, "MWh", "2.5 TWh"),
        (0.02, "MW", "20 kW"),
        (0.0004, "t", "400 g"),
        (12_300, "t", "12.3k t"),
        (0.2, "m3", "200 L"),
        (3, "m3", "3 m³"),
        (3.4e9, "USD", "$3.4B"),
        (0.07, "USD/kWh", "0.07 USD/kWh"),
        (5.4e15, "B", "5.4 PB"),
        (2.7e10, "B/h", "27 GB/h"),
        (9.894e14, "FLOP/s", "989 TFLOP/s"),
        (9.99e20, "FLOP", "999 EFLOP"),
        (3.8e25, "FLOP", "3.8e25 FLOP"),
        (17, "B/parameter", "17 B/parameter"),
        (0.005, "share", "0.5%"),
        (4.5, "a", "4.5 years"),
        (3, "1", "3"),
        (3, "", "3"),
        (7, "bananas", "7 bananas"),
        (float("nan"), "d", "unknown d"),
    ],
)
def test_units_fit_the_size(value, unit, said):
    assert amount(value, unit) == said


def test_an_interval_has_the_unit_of_its_median():
    assert interval(10, 100, 1000, "d") == "100 d (10 to 1k)"
    assert interval(0.1, 1, 9, "USD") == "$1 (0.1 to 9)"
    assert interval(3, 3, 3, "MWh") == "3 MWh"


def test_things_are_counted_to_the_last_digit():
    assert count(150_000) == "150,000"
    assert count(float("inf")) == "infinite"


@given(st.floats(1e-4, 1e14))
def test_a_number_is_right_to_half_a_percent(value):
    said = short(value)
    factor = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(said[-1], 1.0)
    assert float(said.rstrip("kMGT")) * factor == pytest.approx(value, rel=0.0051)


@given(st.sampled_from(["d", "s", "MWh", "MW", "t", "m3", "B", "FLOP/s"]), st.floats(1e-9, 1e12))
def test_a_shown_unit_keeps_the_value(unit, value):
    shown = measure(unit, value)
    assert value / shown.size * shown.size == pytest.approx(value)
    assert shown.full(value).endswith(shown.name)
