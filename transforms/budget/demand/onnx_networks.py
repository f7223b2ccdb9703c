"""Networks to train that are given as ONNX graphs, or by the name of a model."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.card import known_cards
from models.errors import ModelUsageError
from models.flops import GraphFlops, count_file
from models.registry import find_model
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import Facts
from transforms.budget.facts.own import OwnFacts


@dataclass(frozen=True, slots=True)
class CountedNetwork:
    """An ONNX graph that is to be trained.

    Attributes:
        name: what it is called.
        flops: its work and what of it was not counted.
    """

    name: str
    flops: GraphFlops

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`: that of `models show --json`, with the name."""
        return {"name": self.name, **self.flops.as_json()}


def counted_network(given: str, size: tuple[int, int] | None = None) -> CountedNetwork | None:
    """Counts a network that is given as a file or by a model's name.

    Args:
        given: NET.onnx, or the name of a model card.
        size: height and width of its input in px; None = the card's, or the graph's own.

    Returns:
        None where it is neither.

    Raises:
        ModelUsageError: the file is no ONNX network, or lengths of its inputs are open.
        ModelFetchError: the model is not here.
    """
    if given.lower().endswith(".onnx"):
        try:
            return CountedNetwork(Path(given).stem, count_file(given, size=size))
        except ModelUsageError as error:
            if size is None and "open" in str(error):
                raise ModelUsageError(f"{error}; an input size gives height and width") from error
            raise
    card = known_cards().get(given)
    if card is None:
        return None
    own = (card.input.height, card.input.width)
    return CountedNetwork(
        given, count_file(find_model(given, task=None, offline=True).path, size=size or own)
    )


def parse_size(text: str) -> tuple[int, int]:
    """Reads WIDTHxHEIGHT.

    Returns:
        Height and width.

    Raises:
        BudgetUsageError: it is no such thing.

    >>> parse_size("1280x736")
    (736, 1280)
    """
    match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
    if match is None:
        raise BudgetUsageError(f"input size {text!r}: give WIDTHxHEIGHT, as 640x384")
    return int(match[2]), int(match[1])


def add_counted(network: CountedNetwork, own: OwnFacts, facts: Facts) -> None:
    """Makes a counted network known to estimates.

    Args:
        network: the network.
        own: the caller's facts.
        facts: the package's.

    Raises:
        BudgetUsageError: nothing of it could be counted, or its figures are not those of a network.
    """
    if not network.flops.forward or not network.flops.parameters:
        held = ", ".join(dict.fromkeys(item.op_type for item in network.flops.uncounted)) or "it has none"
        raise BudgetUsageError(
            f"network {network.name}: none of its operators is counted ({held}): it cannot be trained"
        )
    record: dict[str, Any] = {
        "formula": "graph",
        "title": f"{network.name}, {network.flops.parameters:,} parameters",
        "utilisation": "vision",
        "source": f"counted in the ONNX graph {network.name}",
        "as_of": facts.newest.isoformat(),
        "kind": "estimate",
        "parameters": {"value": network.flops.parameters, "unit": "parameters"},
        "forward": {"value": network.flops.forward, "unit": "FLOP"},
        "activations": {
            "value": network.flops.activation_elements * facts.parallelism.element_bytes.p50,
            "unit": "B",
        },
        "multiple": facts.training.graph_multiple.model_dump(mode="json"),
    }
    own.add_inherited("networks", {network.name: record})
    own.facts()
