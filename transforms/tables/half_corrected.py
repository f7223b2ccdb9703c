"""Data sets in which corrections are half in place: some labels have them and some do not."""

from transforms.tables.layout import CORRECTING, CORRECTING_NOTE
from transforms.tables.store import Store


def half_corrected(store: Store, place: object) -> str | None:
    """What is to be said to who would read or plan from such a data set.

    Args:
        store: the data set.
        place: its folder, for the message.

    Returns:
        The message, None where its labels are those of one time.
    """
    if CORRECTING_NOTE not in store.sizes(CORRECTING):
        return None
    return (
        f"{place}: corrections are being put into labels, or that was cut short: wait for it, or run clipmill correct "
        "again; label, split and forget finish it too"
    )
