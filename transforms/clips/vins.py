"""Vehicle identification numbers: they name a car, and with it a person; none is kept or shown."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from transforms.clips.refs import Failure, InputFile

__all__ = ["holds_vin", "mask_vins", "without_vins"]

_CANDIDATE: Final = re.compile(r"(?<![A-Z0-9])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])", re.IGNORECASE | re.ASCII)
"""17 letters and digits without I, O and Q (ISO 3779), with nothing of the kind around them."""

_VALUES: Final = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECK_DIGITS: Final = "0123456789X"
_CHECK_PLACE: Final = 8
_SHOWN: Final = 4


def mask_vins(text: str) -> str:
    """The text with all but the last four characters of each vehicle identification number masked.

    >>> mask_vins("/fleet/1M8GDM9AXKP042788/TeslaCam")
    '/fleet/*************2788/TeslaCam'
    """
    return _CANDIDATE.sub(_masked, text)


def holds_vin(text: str) -> bool:
    """Whether a text holds a vehicle identification number."""
    return any(_is_vin(match[0]) for match in _CANDIDATE.finditer(text))


def _masked(match: re.Match[str]) -> str:
    found = match[0]
    return "*" * (len(found) - _SHOWN) + found[-_SHOWN:] if _is_vin(found) else found


def _is_vin(text: str) -> bool:
    """Whether the check digit is right (49 CFR 565.15(c)), and the text neither a word nor a number.

    Digits alone are as a rule a time with milliseconds, of which one in eleven would pass.
    """
    number = text.upper()
    if number.isdigit() or number.isalpha():
        return False
    total = sum(_VALUES[letter] * weight for letter, weight in zip(number, _WEIGHTS, strict=True))
    return number[_CHECK_PLACE] == _CHECK_DIGITS[total % len(_CHECK_DIGITS)]


def without_vins(found: Iterable[InputFile | Failure]) -> Iterator[InputFile | Failure]:
    """Leaves out files whose paths hold a vehicle identification number: a data set keeps the paths of its clips.

    Args:
        found: files and failures of discovery.

    Yields:
        The others, and one failure for each folder or file that is called after a car.
    """
    told = set()
    for item in found:
        if not holds_vin(item.uri):
            yield item
            continue
        place = _called_after_it(item.uri)
        if place not in told:
            told.add(place)
            yield Failure(
                uri=place,
                clip_id="",
                stage="discover",
                error="unreadable",
                message=f"{place}: the name holds a vehicle identification number, which a data set would keep; "
                "rename it, or give a link to it (ln -s) with another name, and run again",
                retryable=True,
            )


def _called_after_it(uri: str) -> str:
    """The path down to the part that holds the number, masked."""
    parts = uri.split("/")
    last = next(place for place, part in enumerate(parts) if holds_vin(part))
    return mask_vins("/".join(parts[: last + 1]))
