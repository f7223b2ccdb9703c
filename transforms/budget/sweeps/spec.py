"""The spec of a sweep: what a user writes, checked to the letter before anything runs."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError, model_validator

from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.demand.fleet import Fleet
from transforms.budget.demand.onnx_networks import add_counted, counted_network
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import load_facts, told
from transforms.budget.facts.networks import Precision
from transforms.budget.facts.own import OwnFacts
from transforms.budget.request import BudgetRequest
from transforms.budget.supply.phases import Allocation, parse_as_of
from transforms.budget.sweeps.grid import Grid, Sweep

MOST_SCENARIOS: Final = 1_000_000
"""Scenarios of a sweep; a table of more rows is no longer looked at by anyone."""

_FLEET: Final = ("vehicles", "hours_per_day", "days")
_USUAL: Final = {"vehicles": 1.0, "hours_per_day": 1.0, "days": 1.0, "keep_rate": 1.0}

Value = TypeVar("Value")


def _text(value: Any) -> Any:
    """TOML has dates and whole numbers of its own where a name or a number with a sign can stand."""
    return str(value) if isinstance(value, (date, int)) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=4000)]
Real = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]


class Rig(BaseModel):
    """Cameras of a vehicle that has recorded nothing yet.

    Attributes:
        cameras: how many, all alike.
        width: of a frame in pixels.
        height: of a frame in pixels.
        fps: frames a second.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cameras: Annotated[Whole, Field(ge=1, le=100)]
    width: Annotated[Whole, Field(ge=1, le=20_000)]
    height: Annotated[Whole, Field(ge=1, le=20_000)]
    fps: Annotated[Real, Field(gt=0, le=1000)]

    def figures(self) -> DatasetFigures:
        """An hour of one such vehicle: the sample that a fleet is scaled from."""
        cameras = tuple(
            CameraFigures(f"camera-{number:03}", self.width, self.height, self.fps, 1.0)
            for number in range(1, self.cameras + 1)
        )
        return DatasetFigures(float(self.cameras), 0, 0, cameras)


class GridSpec(BaseModel):
    """Lists of which every combination is run; the names are those of the options of `clipmill budget`.

    Attributes:
        workload: names or TOML files; default: all known ones.
        network: names (of models, too), TOML files or NET.onnx; default: each workload's own.
        cluster: names or TOML files; default: the target clusters.
        as_of: YYYY-MM or YYYY-MM-DD; default: the facts' newest date.
        allocation: N accelerators or P% of each pool; default: as many accelerators as pay off.
        vehicles: that record, as the sample's own does.
        hours_per_day: that each of them drives.
        days: for how long.
        keep_rate: share of it that is trained on; default: 1.
        precision: bf16 or fp8; default: each workload's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workload: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    network: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    cluster: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    as_of: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    allocation: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    vehicles: Annotated[tuple[Real, ...], Field(min_length=1)] | None = None
    hours_per_day: Annotated[tuple[Real, ...], Field(min_length=1)] | None = None
    days: Annotated[tuple[Real, ...], Field(min_length=1)] | None = None
    keep_rate: Annotated[tuple[Real, ...], Field(min_length=1)] | None = None
    precision: Annotated[tuple[Precision, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _whole_fleet(self) -> Self:
        """A fleet is told whole or not at all."""
        missing = [name for name in _FLEET if getattr(self, name) is None]
        if self.has_fleet and missing:
            raise ValueError(f"a fleet needs {', '.join(_FLEET)}: {' and '.join(missing)} missing")
        return self

    @property
    def has_fleet(self) -> bool:
        """Whether the sample is scaled."""
        return any(getattr(self, name) is not None for name in (*_FLEET, "keep_rate"))


class SweepSpec(BaseModel):
    """A sweep.

    Attributes:
        draws: of every scenario.
        seed: of the draws, which all scenarios share.
        dataset: path or URL of a labelled data set, or
        rig: a vehicle's cameras: the sample that scenarios are made of.
        grid: what is crossed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    draws: Annotated[Whole, Field(ge=10, le=100_000)] = 500
    seed: Annotated[Whole, Field(ge=0)] = 0
    dataset: Text | None = None
    rig: Rig | None = None
    grid: GridSpec = GridSpec()

    @model_validator(mode="after")
    def _one_sample(self) -> Self:
        """Scenarios are made of one sample, and a rig alone has recorded nothing."""
        if (self.dataset is None) == (self.rig is None):
            raise ValueError("give one of dataset and [rig]")
        if self.rig is not None and not self.grid.has_fleet:
            raise ValueError(f"a [rig] has recorded nothing: give {', '.join(_FLEET)} in [grid]")
        return self

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Checks the values of a spec.

        Args:
            values: as TOML gives them.

        Raises:
            BudgetUsageError: a value is missing, unknown or out of range; the message says which.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise BudgetUsageError(told(error)) from None

    def resolve(self) -> Sweep:
        """Looks names up, reads the files that are named, and tries what can be tried.

        Raises:
            BudgetUsageError: a value of the grid does not go; the message says which.
            ModelError: an ONNX network cannot be read or counted.
        """
        own, grid = OwnFacts(), self.grid
        workloads = _each("workload", grid.workload or (), lambda name: own.name("workloads", name))
        networks = _each("network", grid.network or (), lambda name: _network(own, name))
        clusters = _each("cluster", grid.cluster or (), lambda name: own.name("clusters", name))
        days = _each("as_of", grid.as_of or (), parse_as_of)
        allocations = _each("allocation", grid.allocation or (), _allocation)
        asked = BudgetRequest(workloads=workloads, clusters=clusters, own=own.text())
        lists = Grid(
            workload=workloads or tuple(training.workload for training in asked.trainings()),
            network=networks or (None,),
            cluster=clusters or tuple(asked.targets()),
            as_of=days or (asked.facts().newest,),
            allocation=allocations or (None,),
            precision=_each("precision", grid.precision or (), _as_it_is) or (None,),
            **(self._fleets() if grid.has_fleet else {}),
        )
        if lists.count > MOST_SCENARIOS:
            raise BudgetUsageError(f"grid: {lists.count:,} scenarios; {MOST_SCENARIOS:,} at most")
        for name in lists.network:
            _trainable(lists.workload, name, own.text())
        return Sweep(grid=lists, own=own.text(), seed=self.seed, draws=self.draws)

    def _fleets(self) -> dict[str, tuple[float, ...]]:
        """The lists of a fleet, each value tried with usual ones of the others."""
        return {
            name: _each(name, getattr(self.grid, name) or (usual,), _fleet_value(name))
            for name, usual in _USUAL.items()
        }


def _each(name: str, given: Iterable[Any], read: Callable[[Any], Value]) -> tuple[Value, ...]:
    """A list of the grid, read value by value.

    Raises:
        BudgetUsageError: a value does not go, or stands twice.
    """
    found: dict[Value, None] = {}
    for item in given:
        try:
            value = read(item)
        except BudgetUsageError as error:
            raise BudgetUsageError(f"grid.{name}: {error}") from None
        if value in found:
            raise BudgetUsageError(f"grid.{name}: {item} stands twice")
        found[value] = None
    return tuple(found)


def _network(own: OwnFacts, given: str) -> str:
    """The name of a network that is given by name, as TOML, or as an ONNX graph."""
    known = load_facts()
    counted = counted_network(given) if given.lower() not in known.networks else None
    if counted is None:
        return own.name("networks", given)
    add_counted(counted, own, known)
    return counted.name


def _as_it_is(value: Value) -> Value:
    return value


def _allocation(text: str) -> str:
    """An allocation in one way of writing."""
    parsed = Allocation.parse(text)
    return str(parsed.count) if parsed.share is None else f"{parsed.share * 100:.12g}%"


def _fleet_value(name: str) -> Callable[[float], float]:
    def read(value: float) -> float:
        Fleet(**{**_USUAL, name: value})
        return float(value)

    return read


def _trainable(workloads: tuple[str, ...], network: str | None, own: str) -> None:
    try:
        BudgetRequest(workloads=workloads, network=network, own=own).check()
    except BudgetUsageError as error:
        raise BudgetUsageError(f"grid: {error}") from None
