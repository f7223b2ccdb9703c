"""What is blurred: places of faces and plates in a picture, and who said so."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal["face", "plate"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Everything that can be blurred, in the order of `models.taxonomy.PRIVATE_PARTS`."""

Edges = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Region:
    """A place that is blurred.

    Attributes:
        kind: what is, or may be, to be seen there.
        edges: x_min, y_min, x_max, y_max in pixels of the frame as displayed; may reach beyond it.
        model: name of the network that found it, or of the rule that covers it.
        model_digest: sha256 of the network; "" of a rule.
        carried: whether the network found it in a frame nearby, in the same track.
    """

    kind: Kind
    edges: Edges
    model: str
    model_digest: str = ""
    carried: bool = False


def grown(edges: Edges, share: float) -> Edges:
    """A box with more room on every side.

    Args:
        edges: x_min, y_min, x_max, y_max.
        share: of its width to the left and the right, of its height above and below.

    >>> grown((10.0, 10.0, 20.0, 30.0), 0.5)
    (5.0, 0.0, 25.0, 40.0)
    """
    x_min, y_min, x_max, y_max = edges
    aside, above = share * (x_max - x_min), share * (y_max - y_min)
    return x_min - aside, y_min - above, x_max + aside, y_max + above
