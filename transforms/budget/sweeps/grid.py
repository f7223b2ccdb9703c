"""A grid of scenarios: every combination of some lists, each known by its index alone."""

from dataclasses import asdict, dataclass, fields
from datetime import date
from math import prod
from typing import Any

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import Fleet
from transforms.budget.facts.networks import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One combination of a grid.

    Attributes:
        workload: name of a workload.
        network: name of the network that is trained; None = the workload's own.
        cluster: name of a cluster.
        as_of: chooses phases and prices.
        allocation: part of each pool, as `Allocation.parse` reads it; None = as many accelerators as pay off.
        vehicles: that record; None = the sample stays as it is.
        hours_per_day: that each of them drives.
        days: for how long.
        keep_rate: share of what is recorded that is trained on.
        precision: number format; None = the workload's own.
    """

    workload: str
    network: str | None
    cluster: str
    as_of: date
    allocation: str | None
    vehicles: float | None
    hours_per_day: float | None
    days: float | None
    keep_rate: float | None
    precision: Precision | None

    @property
    def fleet(self) -> Fleet | None:
        """What the sample is scaled to; None where it stays as it is."""
        if self.vehicles is None or self.hours_per_day is None or self.days is None:
            return None
        return Fleet(self.vehicles, self.hours_per_day, self.days, self.keep_rate or 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The lists whose product a sweep runs; their meaning is that of the attributes of `Setting`.

    The last list turns fastest. Layouts depend on what stands before the fleet alone, so that scenarios
    that share one follow each other.
    """

    workload: tuple[str, ...]
    network: tuple[str | None, ...] = (None,)
    cluster: tuple[str, ...]
    as_of: tuple[date, ...]
    allocation: tuple[str | None, ...] = (None,)
    vehicles: tuple[float | None, ...] = (None,)
    hours_per_day: tuple[float | None, ...] = (None,)
    days: tuple[float | None, ...] = (None,)
    keep_rate: tuple[float | None, ...] = (None,)
    precision: tuple[Precision | None, ...] = (None,)

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """The lists by name, the slowest first."""
        return {axis.name: getattr(self, axis.name) for axis in fields(self)}

    @property
    def count(self) -> int:
        """Scenarios: the product of the lists' lengths."""
        return prod(map(len, self.axes.values()))

    def setting(self, index: int) -> Setting:
        """The combination of an index.

        Args:
            index: in [0, count).

        Raises:
            IndexError: the grid has no such combination.
        """
        if not 0 <= index < self.count:
            raise IndexError(f"scenario {index} of {self.count}")
        chosen = {}
        for name, values in reversed(self.axes.items()):
            index, at = divmod(index, len(values))
            chosen[name] = values[at]
        return Setting(**chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Everything that workers need to evaluate any part of a grid, but for the sample.

    Attributes:
        grid: what is crossed.
        own: facts of the caller's own, as `OwnFacts.text` writes them.
        seed: of the draws.
        draws: how many.
    """

    grid: Grid
    own: str = ""
    seed: int = 0
    draws: int

    def as_json(self, figures: DatasetFigures) -> dict[str, object]:
        """What a table of the sweep's rows tells about where they come from.

        Args:
            figures: the sample.
        """
        axes = {name: [_plain(value) for value in values] for name, values in self.grid.axes.items()}
        return {**asdict(self), "grid": axes, "figures": figures.as_json()}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
