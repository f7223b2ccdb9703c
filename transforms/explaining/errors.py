"""Why a row cannot be explained."""


class NoSuchRowError(LookupError):
    """An id that is none, that no row has, or that several rows begin with."""


class CannotExplainError(Exception):
    """What the row was made of is not here, or not as it was; the message says what, where, and what to do."""
