"""What networks find against what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from transforms.budget.estimates import Quantity


@dataclass(frozen=True, slots=True)
class FrontierRow:
    """A network at one input size, judged and priced.

    Attributes:
        model: the network's name.
        size: long side of the input in px.
        frames: labelled frames that were judged.
        ap: mean over IoU .50 to .95 and categories, of the final labels; None where nothing can be judged.
        ap50: the same at IoU .50.
        raw_ap: of what the network alone gave.
        raw_ap50: the same at IoU .50.
        hota: mean of the categories, each at its best score; None without tracks.
        decode_ms: decoding and scaling of all frames, for each labelled one, on one core here.
        network_ms: running the network.
        all_ms: everything.
        core_hours: of the budget's machine, for 1,000 camera-hours.
        usd: their price.
        on_front: whether no other row has as much AP for less, or more for as much.
    """

    model: str
    size: int
    frames: int
    ap: float | None
    ap50: float | None
    raw_ap: float | None
    raw_ap50: float | None
    hota: float | None
    decode_ms: float
    network_ms: float
    all_ms: float
    core_hours: Quantity
    usd: Quantity
    on_front: bool = False


def marked(rows: Sequence[FrontierRow]) -> list[FrontierRow]:
    """The rows by falling AP, with those marked that no other one beats.

    Args:
        rows: one for each trial.
    """
    judged = [row for row in rows if row.ap is not None]

    def beaten(row: FrontierRow) -> bool:
        return any(
            other.ap >= row.ap  # type: ignore[operator]  # all of these have one
            and other.core_hours.p50 <= row.core_hours.p50
            and (other.ap, other.core_hours.p50) != (row.ap, row.core_hours.p50)
            for other in judged
        )

    every = [replace(row, on_front=row.ap is not None and not beaten(row)) for row in rows]
    return sorted(every, key=lambda row: (row.ap is None, -(row.ap or 0.0), row.core_hours.p50))
