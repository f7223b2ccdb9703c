"""What tells one way of splitting from another: its name, what ties drives together, and the shares."""

import math
import re
from dataclasses import dataclass
from typing import Final

TIES: Final = ("vehicle", "place", "day", "folder")
"""What drives may share: `transforms.splits.drives` tells what each of them is."""

DEFAULT_TIES: Final = "vehicle,place,day"
DEFAULT_SHARES: Final = "80,10,10"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_HUNDRED: Final = 100.0
_ROUNDING: Final = 1e-6


class SplitUsageError(Exception):
    """Ties, shares or the name of a version that make no sense: what, and what would."""


@dataclass(frozen=True, slots=True)
class SplitVersion:
    """One way of splitting. All of it shapes the draw, so that a change of anything is another version.

    Attributes:
        name: its name, which also salts the draw.
        ties: what ties two drives: any of these; one of several words wants them all alike.
        shares: of the groups that fall to train, val and test, in percent; their sum is 100.
    """

    name: str
    ties: tuple[tuple[str, ...], ...]
    shares: tuple[float, float, float]

    @property
    def tied_by(self) -> str:
        """The ties as text: that of `--by`."""
        return ",".join(map("+".join, self.ties))

    @property
    def shares_text(self) -> str:
        """The shares as text: that of `--shares`, and exactly they."""
        return ",".join(repr(share).removesuffix(".0") for share in self.shares)


def make_version(name: str | None, by: str, shares: str) -> SplitVersion:
    """Reads what a user asks for.

    Args:
        name: the version's name; None: one that tells ties and shares.
        by: the ties, `vehicle,place+day`.
        shares: of train, val and test in percent, `80,10,10`.

    Raises:
        SplitUsageError: one of them makes no sense.

    >>> made = make_version(None, "vehicle,day+place", "80,10,10.0")
    >>> made.name, made.ties, made.shares_text
    ('vehicle-place+day-80-10-10', (('vehicle',), ('place', 'day')), '80,10,10')
    """
    version = SplitVersion(name or "", _ties(by), _shares(shares))
    if name is None:
        name = f"{version.tied_by}-{version.shares_text}".replace(",", "-")
    if not _NAME.fullmatch(name):
        raise SplitUsageError(
            f"version {name!r}: a name has up to 100 letters, digits, dots, dashes, pluses and underscores"
        )
    return SplitVersion(name, version.ties, version.shares)


def _ties(text: str) -> tuple[tuple[str, ...], ...]:
    ties = []
    for part in text.split(","):
        words = {word.strip() for word in part.split("+")}
        if unknown := words - set(TIES):
            raise SplitUsageError(
                f"ties {text!r}: {min(unknown)!r} is none of {', '.join(TIES)}; join them by commas, "
                "or by + where drives must agree in several"
            )
        ties.append(tuple(name for name in TIES if name in words))
    return tuple(sorted(set(ties), key=lambda tie: [TIES.index(name) for name in tie]))


def _shares(text: str) -> tuple[float, float, float]:
    wrong = (
        f"shares {text!r}: three percentages of train, val and test are expected, such as {DEFAULT_SHARES}"
    )
    try:
        train, val, test = (float(part) for part in text.split(","))
    except ValueError as error:
        raise SplitUsageError(wrong) from error
    shares = (train, val, test)
    if not all(math.isfinite(share) and share >= 0 for share in shares):
        raise SplitUsageError(wrong)
    if abs(sum(shares) - _HUNDRED) > _ROUNDING:
        raise SplitUsageError(f"{wrong}; these add up to {sum(shares):g}")
    return shares
