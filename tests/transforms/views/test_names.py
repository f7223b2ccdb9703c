import pytest

from transforms.budget.costs import UNITS
from transforms.views.names import title_of, words


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cost_usd", "cost"),
        ("water_m3", "water"),
        ("energy_mwh", "energy"),
        ("carbon_t", "carbon (CO2e)"),
        ("training_days", "training time"),
        ("checkpoint_interval_s", "checkpoint interval"),
        ("h100_equivalents", "H100 equivalents"),
        ("goodput", "goodput"),
        ("t", "t"),
    ],
)
def test_titles_have_no_units(name, title):
    assert title_of(name) == title


def test_every_quantity_has_a_title_of_its_own():
    assert len({title_of(name) for name in UNITS}) == len(UNITS)


def test_names_become_words():
    assert words("frames_per_second") == "frames per second"
