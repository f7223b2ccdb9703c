"""What can be wrong with a budget's question."""


class BudgetUsageError(Exception):
    """The question names something that is not there or does not go; the message says what to do."""


class FactsError(Exception):
    """A file of facts does not hold together; the message says which value and why."""
