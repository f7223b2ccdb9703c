"""The inverse question: how much data can be trained on within a deadline or a sum of money."""

from dataclasses import asdict, dataclass

import numpy as np

from transforms.budget.amounts import amount, measure
from transforms.budget.arrays import FloatArray
from transforms.budget.chances import LIMITED, Limits
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import Fleet, vehicle_hours
from transforms.budget.errors import BudgetUsageError
from transforms.budget.estimates import Quantity, summary
from transforms.budget.evaluating import Evaluation
from transforms.budget.questions.growth import Growth, days_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainable:
    """What can be trained on within limits.

    Attributes:
        limits: all of which are met.
        accelerators: that the training uses.
        camera_hours: of data like the data set at hand, each seen as often; None where it holds none.
        vehicle_hours: the same in hours of vehicles with the data set's cameras.
        vehicles: that record so much in a fleet's hours and days; None where no fleet is given.
        bound_by: the limit that is the tighter one in most draws.
        reason: why it is nothing, at 90 % certainty; None where it is something.
    """

    limits: Limits
    accelerators: int
    camera_hours: Quantity | None
    vehicle_hours: Quantity | None
    vehicles: Quantity | None
    bound_by: str
    reason: str | None

    @property
    def sure(self) -> float:
        """Camera-hours that can be trained on with a probability of 90 %."""
        return self.camera_hours.p10 if self.camera_hours else 0.0

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return {**asdict(self), "sure_camera_hours": self.sure}

    def says(self) -> str:
        """The answer in a few words."""
        within = " and ".join(amount(value, LIMITED[name][1]) for name, value in self.limits.given().items())
        if self.camera_hours is None or not self.camera_hours.p50:
            return f"{within} train nothing: {self.reason}"
        scale = measure("camera-hours", self.camera_hours.p50)
        driven = f", or {amount(self.vehicles.p50, 'vehicles')}" if self.vehicles else ""
        sure = scale.number(self.sure) if self.sure else "none"
        return f"{within} train {scale.full(self.camera_hours.p50)} ({sure} sure at 90%){driven}"


def trainable(
    found: Evaluation, figures: DatasetFigures, limits: Limits, fleet: Fleet | None = None
) -> Trainable:
    """How much data can be trained on within limits, on the accelerators that the training uses.

    In closed form by draw: days = max(fixed + growing·x, reading·x) / goodput, and money is proportional to days.

    Args:
        found: the evaluation of a training on a target.
        figures: the data set that it trains on.
        limits: of time and money, one at least.
        fleet: whose vehicles record the data; None = vehicles are not counted.

    Raises:
        BudgetUsageError: there is no limit.
    """
    given = limits.given()
    if not given:
        raise BudgetUsageError("how much can be trained on needs a limit: a deadline or money")
    names = list(given)
    if not found.demand.data_flops.all():
        return Trainable(
            limits=limits,
            accelerators=found.used,
            camera_hours=None,
            vehicle_hours=None,
            vehicles=None,
            bound_by=names[0],
            reason="the data set holds no camera-hours: there is nothing to multiply",
        )
    days = np.array([days_for(found, LIMITED[name][0], value) for name, value in given.items()])
    tighter = np.bincount(days.argmin(axis=0), minlength=len(names))
    multiple = Growth.of(found).multiple(days.min(axis=0))
    driven = vehicle_hours(figures)
    shares = fleet.hours_per_day * fleet.days * fleet.keep_rate if fleet else None
    camera_hours = summary(multiple * figures.camera_hours, "h")
    return Trainable(
        limits=limits,
        accelerators=found.used,
        camera_hours=camera_hours,
        vehicle_hours=summary(multiple * driven, "h"),
        vehicles=summary(multiple * driven / shares, "vehicles") if shares else None,
        bound_by=names[int(tighter.argmax())],
        reason=_reason(found, multiple, camera_hours.p10),
    )


def _reason(found: Evaluation, multiple: FloatArray, sure: float) -> str | None:
    """Why nothing can be trained on in some draws, or at all."""
    if found.layouts is not None and found.layouts.best is None:
        return found.layouts.reasons[0]
    return None if sure else f"text alone takes more in {(multiple == 0).mean():.0%} of draws"
