"""NanoDet: the centre of cell i is the middle of its pixels, `i * stride + (stride - 1) / 2`."""

from typing import Final

from models.families.distances import EdgeDistances

NANODET: Final = EdgeDistances(centre_shift_px=0.5)
