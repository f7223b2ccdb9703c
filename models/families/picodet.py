"""PicoDet: the centre of cell i is `(i + 0.5) * stride`; Yu et al. 2021, arXiv 2111.00902."""

from typing import Final

from models.families.distances import EdgeDistances

PICODET: Final = EdgeDistances(centre_shift_px=0.0)
