import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.splits.versions import SplitUsageError, make_version


def test_words_in_any_order_are_one_version():
    one = make_version(None, "place+day, vehicle", "80, 10, 10")
    assert one == make_version(None, "vehicle,day+place,vehicle", "80.0,10,10.00")
    assert one.name == "vehicle-place+day-80-10-10"
    assert one.tied_by == "vehicle,place+day"


@given(st.floats(0, 100), st.floats(0, 1))
def test_what_a_version_tells_makes_it_again(train, part):
    val = (100 - train) * part
    made = make_version("v", "folder", f"{train!r},{val!r},{100 - train - val!r}")
    assert made == make_version(made.name, made.tied_by, made.shares_text)


@pytest.mark.parametrize(
    ("shares", "what"),
    [
        ("80,10", "three percentages"),
        ("80,10,10,0", "three percentages"),
        ("a,b,c", "three percentages"),
        ("nan,50,50", "three percentages"),
        ("110,-5,-5", "three percentages"),
        ("inf,0,0", "three percentages"),
        ("8,1,1", "add up to 10"),
        ("", "three percentages"),
    ],
)
def test_shares_that_make_no_sense(shares, what):
    with pytest.raises(SplitUsageError, match=what):
        make_version(None, "vehicle", shares)


@pytest.mark.parametrize("by", ["", "colour", "vehicle,", "vehicle+", "vehicle;day"])
def test_ties_that_make_no_sense(by):
    with pytest.raises(SplitUsageError, match="vehicle, place, day, folder"):
        make_version(None, by, "80,10,10")


@pytest.mark.parametrize("name", ["", "a b", "../a", "x" * 101, "a\x1fb", "-a"])
def test_names_that_make_no_sense(name):
    with pytest.raises(SplitUsageError, match="a name has"):
        make_version(name, "vehicle", "80,10,10")
