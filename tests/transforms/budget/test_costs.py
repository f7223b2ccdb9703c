from datetime import date

import numpy as np
import pytest

from transforms.budget.costs import UNITS, Site, accelerator_hours, energy_kwh, newest_of, quantities
from transforms.budget.draws import Draws, Inputs


def medians(facts, hours=1000.0, **changes):
    site = Site(
        **{
            "accelerator": "H100-SXM",
            "place": "austin",
            "owned": True,
            "day": facts.newest,
            **changes,
        }
    )
    inputs = Inputs(Draws(0))
    values = quantities(facts, site, np.full(4000, hours), np.full(4000, hours / 24 / 10), inputs)
    assert list(values) == list(UNITS)
    return {name: float(np.median(value)) for name, value in values.items()}


def test_the_published_energy_of_bloom_is_hours_times_400_watts():
    assert energy_kwh(1_082_990.0, 400.0, 1.0) == 433_196.0


def test_the_measured_energy_of_t5():
    # 245,760 chip-hours of 310 W at a PUE of 1.12 (arXiv:2104.10350, Table 4)
    assert energy_kwh(245_760.0, 310.0, 1.12) / 1000 == pytest.approx(85.7, rel=0.005)


def test_hours_of_llama_7b_at_its_own_utilisation():
    assert accelerator_hours(4.1811e22, 312e12, 0.452) == pytest.approx(82_432, rel=0.01)


def test_everything_follows_from_hours(facts):
    found = medians(facts)
    energy = 1000 * 1.275 * 1.15 / 1000
    assert found["accelerator_hours"] == 1000
    assert found["training_days"] == pytest.approx(1000 / 24 / 10)
    assert found["energy_mwh"] == pytest.approx(energy, rel=0.01)
    assert found["carbon_t"] == pytest.approx(energy * 0.350, rel=0.01)
    assert found["water_m3"] == pytest.approx(1.275 * (0.42 + 1.15 * 3.14), rel=0.05)  # skewed, so above


def test_an_owned_accelerator_is_written_off_and_powered(facts):
    hour = (38e3 * 52.9e3) ** 0.5 / (20**0.5 * 8766 * 0.7) + 1.275 * 1.15 * 0.07
    assert medians(facts)["cost_usd"] / 1000 == pytest.approx(hour, rel=0.03)


def test_a_rented_accelerator_costs_its_rent(facts):
    assert medians(facts, owned=False)["cost_usd"] / 1000 == pytest.approx(5.1**0.5, rel=0.01)
    assert medians(facts, owned=False, day=date(2023, 6, 1))["cost_usd"] / 1000 == pytest.approx(
        96**0.5, rel=0.01
    )


def test_what_nobody_rents_out_is_written_off(facts):
    rented, owned = (medians(facts, accelerator="D1", owned=owned) for owned in (False, True))
    assert rented["cost_usd"] == owned["cost_usd"] > 0


@pytest.mark.parametrize(
    ("place", "day", "grid", "share"),
    [
        ("memphis", date(2024, 9, 30), 0.300, 0.70),
        ("memphis", date(2025, 6, 1), 0.300, 0.50),
        ("memphis", date(2026, 5, 6), 0.300, 0.20),
        ("southaven", date(2026, 5, 6), 0.376, 0.90),
        ("austin", date(2024, 9, 30), 0.350, 0.0),
    ],
)
def test_turbines_stand_beside_the_grid_as_of_the_day(facts, place, day, grid, share):
    found = medians(facts, place=place, day=day)
    mix = grid * (1 - share) + 0.743 * share
    assert found["carbon_t"] / found["energy_mwh"] == pytest.approx(mix, rel=0.03)


def test_before_the_first_rent_the_first_holds(facts):
    rents = facts.accelerators["H100-SXM"].rents
    assert newest_of(rents, date(2020, 1, 1)).since == date(2023, 1, 1)
    assert newest_of(tuple(reversed(rents)), date(2024, 6, 1)).since == date(2024, 1, 1)
