"""Names of data as people read them."""

from typing import Final

_UNITS_IN_NAMES: Final = {"t", "m3", "mwh", "mw", "usd", "h", "s"}
_NAMES: Final = {
    "accelerator_hours": "accelerator-hours",
    "carbon_t": "carbon (CO2e)",
    "training_days": "training time",
}


def title_of(quantity: str) -> str:
    """What a quantity is called.

    >>> title_of("accelerator_hours"), title_of("power_mw"), title_of("h100_hours")
    ('accelerator-hours', 'power', 'H100 hours')
    """
    if quantity in _NAMES:
        return _NAMES[quantity]
    parts = quantity.split("_")
    shown = parts[:-1] if len(parts) > 1 and parts[-1] in _UNITS_IN_NAMES else parts
    return " ".join(part.upper() if any(map(str.isdigit, part)) else part for part in shown)


def words(name: str) -> str:
    """A name as words.

    >>> words("camera_hours")
    'camera hours'
    """
    return name.replace("_", " ")
