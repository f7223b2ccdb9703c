"""What accelerator-hours cost: days, energy, carbon, water and money."""

from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from transforms.budget.arrays import FloatArray, Number
from transforms.budget.demand.flops import SECONDS_PER_HOUR
from transforms.budget.draws import Inputs
from transforms.budget.facts.catalogue import Rate, TurbineShare
from transforms.budget.facts.library import Facts

Dated = TypeVar("Dated", Rate, TurbineShare)

HOURS_PER_YEAR: Final = 8766.0
"""Of 365.25 days."""

UNITS: Final = {
    "accelerator_hours": "h",
    "training_days": "d",
    "energy_mwh": "MWh",
    "carbon_t": "t",
    "water_m3": "m3",
    "cost_usd": "USD",
}
"""The quantities of an estimate, in their order, and their units."""


def accelerator_hours(flops: Number, peak_flops: Number, utilisation: Number) -> Number:
    """Hours of one accelerator.

    Args:
        flops: FLOPs of the training.
        peak_flops: dense BF16 peak in FLOP/s.
        utilisation: share of the peak that is reached (MFU).

    >>> accelerator_hours(3.6e15, 1e12, 0.5)
    2.0
    """
    return flops / (peak_flops * utilisation * SECONDS_PER_HOUR)


def energy_kwh(hours: Number, watts: Number, power_usage_effectiveness: Number) -> Number:
    """Facility energy.

    Args:
        hours: accelerator-hours.
        watts: power of the server per accelerator.
        power_usage_effectiveness: facility energy over server energy (PUE).

    >>> energy_kwh(1_082_990.0, 400.0, 1.0)
    433196.0
    """
    return hours * watts / 1000 * power_usage_effectiveness


@dataclass(frozen=True, slots=True)
class Site:
    """Where a training takes place.

    Attributes:
        accelerator: on what.
        place: whose electricity.
        owned: whether the accelerators are written off (a cluster) or rented.
        day: the date of prices.
    """

    accelerator: str
    place: str
    owned: bool
    day: date


def quantities(
    facts: Facts, site: Site, hours: FloatArray, days: FloatArray, inputs: Inputs
) -> dict[str, FloatArray]:
    """Everything that follows from accelerator-hours, in the units of `UNITS`.

    Args:
        facts: the facts.
        site: where the training takes place.
        hours: accelerator-hours, float64[draws].
        days: from start to end, float64[draws].
        inputs: where draws come from and are noted.

    Returns:
        By quantity, float64[draws].
    """
    power = facts.accelerators[site.accelerator].server_power
    watts = inputs.draw("server_power", power, f"server_power/{site.accelerator}")
    effectiveness = inputs.draw("power_usage_effectiveness", facts.energy.power_usage_effectiveness)
    server = energy_kwh(hours, watts, effectiveness * 0 + 1)
    facility = server * effectiveness
    # PUE and WUE are both per server energy; making electricity needs water for all of it (2304.03271)
    water = server * inputs.draw("water_on_site", facts.energy.water_on_site)
    water = water + facility * inputs.draw("water_off_site", facts.energy.water_off_site)
    return {
        "accelerator_hours": hours,
        "training_days": days,
        "energy_mwh": facility / 1000,
        "carbon_t": facility * _carbon(facts, site, inputs) / 1e6,
        "water_m3": water / 1000,
        "cost_usd": _cost(facts, site, hours, facility, inputs),
    }


def _carbon(facts: Facts, site: Site, inputs: Inputs) -> FloatArray:
    """Grams of CO2 equivalent per kilowatt-hour: the grid's, or its mix with turbines on the site."""
    place = facts.places[site.place]
    grid = inputs.draw("grid_carbon", place.grid, f"grid_carbon/{site.place}")
    if not place.turbines:
        return grid
    share = inputs.draw(
        "turbine_share", newest_of(place.turbines, site.day).share, f"turbine_share/{site.place}"
    )
    return grid * (1 - share) + inputs.draw("turbine_carbon", facts.energy.turbine) * share


def _cost(facts: Facts, site: Site, hours: FloatArray, facility: FloatArray, inputs: Inputs) -> FloatArray:
    """Dollars: rent, or write-off and electricity."""
    prices, accelerator = facts.prices, facts.accelerators[site.accelerator]
    if not site.owned and accelerator.rents:
        return hours * inputs.draw("rent", newest_of(accelerator.rents, site.day).hour, "rent")
    life = inputs.draw("life", prices.life) * HOURS_PER_YEAR
    working = life * inputs.draw("use", prices.use)
    capital = inputs.draw("capital", accelerator.capital, "capital")
    return hours * capital / working + facility * inputs.draw("electricity", prices.electricity)


def newest_of(dated: tuple[Dated, ...], day: date) -> Dated:
    """The newest of some dated facts on or before a day; before the first, the first."""
    known = [item for item in dated if item.since <= day]
    return max(known or [min(dated, key=lambda item: item.since)], key=lambda item: item.since)
