"""What can be wrong with a network, told apart by who has to act."""


class ModelError(Exception):
    """A network cannot be used; the message says what, where and what to do."""


class ModelUsageError(ModelError):
    """The caller named something that is not there or does not go: exit code 2."""


class ModelMismatchError(ModelError):
    """The network's inputs or outputs do not fit its card: exit code 1."""


class ModelFetchError(ModelError):
    """The network's file could not be had, or is not the file the card names: exit code 1."""
