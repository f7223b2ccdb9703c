"""A fleet: the data set at hand scaled to what many vehicles record, and how that comes to a data centre."""

from dataclasses import dataclass, fields
from math import isfinite
from typing import Final

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.flops import SECONDS_PER_HOUR
from transforms.budget.demand.footage import BITS_PER_BYTE, bytes_per_camera_hour
from transforms.budget.draws import Inputs
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import Facts

_MOST: Final = {"vehicles": 1e10, "hours_per_day": 24, "days": 36_525, "keep_rate": 1}
"""More vehicles than people, all of every day, for a century, nothing thrown away."""

UPLINK_UNITS: Final = {
    "bytes_per_vehicle_hour": "B/h",
    "recorded": "PB",
    "uploaded": "PB",
    "upload_hours": "h",
    "upload_days": "d",
    "ingest": "bit/s",
}
"""The quantities of an uplink, in their order, and their units."""

_PETA: Final = 1e15


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vehicles that record as the data set's own does.

    Attributes:
        vehicles: how many.
        hours_per_day: that each of them drives and records.
        days: for how long.
        keep_rate: share of what is recorded that is uploaded and trained on, in (0, 1].

    Raises:
        BudgetUsageError: a value is no such number.
    """

    vehicles: float
    hours_per_day: float
    days: float
    keep_rate: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), _MOST[field.name]
            if not (isfinite(value) and 0 < value <= most):
                raise BudgetUsageError(f"{field.name} {value:g}: give a number above 0, {most:,.0f} at most")

    @property
    def recorded_hours(self) -> float:
        """Vehicle-hours that are recorded."""
        return self.vehicles * self.hours_per_day * self.days

    @property
    def kept_hours(self) -> float:
        """Vehicle-hours that are uploaded and trained on."""
        return self.recorded_hours * self.keep_rate


def vehicle_hours(figures: DatasetFigures) -> float:
    """Hours that the data set's vehicles drove.

    The cameras of a vehicle film at once: of the hours of each camera name, at whatever resolution, the
    most. A data set whose cameras have no names in common is taken for one vehicle.

    Args:
        figures: the data set.

    >>> vehicle_hours(DatasetFigures.of_hours(12.0))
    12.0
    """
    by_camera: dict[str, float] = {}
    for camera in figures.cameras:
        by_camera[camera.camera] = by_camera.get(camera.camera, 0.0) + camera.hours
    return max(by_camera.values(), default=0.0)


def scale(figures: DatasetFigures, fleet: Fleet) -> DatasetFigures:
    """The figures that a fleet's data set has, if the one at hand is a fair sample of it.

    Hours, labelled frames, detections, tracks and bytes grow with the vehicle-hours that are kept.

    Args:
        figures: the sample.
        fleet: what it is a sample of.

    Raises:
        BudgetUsageError: the sample has no hours.
    """
    driven = vehicle_hours(figures)
    factor = fleet.kept_hours / driven if driven > 0 else float("inf")
    if not isfinite(factor):
        raise BudgetUsageError("the data set holds no camera-hours: there is no sample to scale to a fleet")
    return figures.times(factor)


def uplink(facts: Facts, figures: DatasetFigures, fleet: Fleet, inputs: Inputs) -> dict[str, FloatArray]:
    """What it takes to bring a fleet's video to a data centre, in the units of `UPLINK_UNITS`.

    Args:
        facts: the facts.
        figures: the sample, or the fleet's own figures.
        fleet: the fleet.
        inputs: where draws come from and are noted.

    Returns:
        By quantity, float64[draws]: bytes of a vehicle-hour; petabytes that are recorded, and that are
        kept and uploaded; hours of its connection that each vehicle needs to upload its part, and the days that have so many; and
        bits a second that the data centre must take in while the fleet drives.

    Raises:
        BudgetUsageError: the data set has no hours.
    """
    driven = vehicle_hours(figures)
    if driven <= 0:
        raise BudgetUsageError("the data set holds no camera-hours: there is nothing to upload")
    cameras = figures.camera_hours / driven
    hourly = bytes_per_camera_hour(facts, figures, inputs) * inputs.given(
        "cameras", cameras, "camera-hours/h", "estimate", "camera-hours of the data set, a vehicle-hour"
    )
    uploaded = hourly * fleet.kept_hours
    rate = inputs.draw("uplink_rate", facts.uplink.rate)
    connected = np.minimum(inputs.draw("uplink_connected", facts.uplink.connected), 24.0)
    daily = rate / BITS_PER_BYTE * connected * SECONDS_PER_HOUR
    return {
        "bytes_per_vehicle_hour": hourly,
        "recorded": hourly * fleet.recorded_hours / _PETA,
        "uploaded": uploaded / _PETA,
        "upload_hours": uploaded / fleet.vehicles / daily * connected,
        "upload_days": uploaded / fleet.vehicles / daily,
        "ingest": uploaded * BITS_PER_BYTE / (fleet.days * 24 * SECONDS_PER_HOUR),
    }
