"""How the days of a training grow with its data set, and how far so many days reach."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.evaluating import Evaluation


@dataclass(frozen=True, slots=True)
class Growth:
    """The days of a training of which one part is fixed and the rest grows with the data set; float64[draws].

    Attributes:
        fixed: days of computing what does not grow: text.
        growing: days of computing what does, for the data set as it is.
        reading: days of reading and decoding it, while others compute.
        goodput: share of all days that is progress, over that of the published runs.
    """

    fixed: FloatArray
    growing: FloatArray
    reading: FloatArray
    goodput: FloatArray

    @classmethod
    def of(cls, found: Evaluation) -> Self:
        """The growth of an evaluated training.

        Args:
            found: an evaluation of a training that computes something.
        """
        growing = found.compute_days * (found.demand.data_flops / found.demand.flops)
        return cls(found.compute_days - growing, growing, found.loader_days, found.progress)

    @property
    def grows(self) -> bool:
        """Whether anything depends on the size of the data set."""
        return bool(self.growing.all())

    def multiple(self, days: FloatArray) -> FloatArray:
        """The data set that fits into some days, as a multiple of the one at hand.

        Training on a multiple x takes max(fixed + growing·x, reading·x) / goodput; this is its inverse.

        Args:
            days: what may be used, float64[draws].

        Returns:
            float64[draws]; 0 where the fixed part alone takes longer.
        """
        progress = days * self.goodput
        computed = np.maximum(progress - self.fixed, 0.0) / self.growing
        with np.errstate(divide="ignore"):
            read = progress / self.reading
        return np.minimum(computed, read)


def days_for(found: Evaluation, quantity: str, amount: float | FloatArray) -> FloatArray:
    """Days that an amount pays for: on given accelerators, each quantity is proportional to the days.

    Args:
        found: an evaluation of a training that takes some days.
        quantity: a name of `costs.UNITS`.
        amount: in its unit; one, or float64[draws].

    Returns:
        Days, float64[draws].
    """
    return amount * (found.values["training_days"] / found.values[quantity])
