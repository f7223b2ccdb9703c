"""Types of values that are computed one by one, or by draw."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

Number = TypeVar("Number", float, FloatArray)
"""One value, or one a draw."""
