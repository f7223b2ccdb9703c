"""What a training must compute of which only the FLOPs are known, and perhaps the network's size."""

import numpy as np

from transforms.budget.demand.flops import CAUSAL_ATTENTION, transformer_flops
from transforms.budget.demand.shape import TrainingShape
from transforms.budget.demand.workloads import Demand
from transforms.budget.draws import Inputs
from transforms.budget.facts.library import Facts


def demand_of_flops(
    facts: Facts, flops: float, kind: str, parameters: float | None, inputs: Inputs
) -> Demand:
    """What a training of known FLOPs must compute.

    Args:
        facts: the facts.
        flops: of the training.
        kind: kind of network.
        parameters: of the network; None = unknown, and with them its shape.
        inputs: where draws come from and are noted.
    """
    inputs.given("training_flops", flops, "FLOP", "user", "given by the caller")
    values = np.full(inputs.count, flops)
    shape = None
    if parameters is not None:
        inputs.given("parameters", parameters, "parameters", "user", "given by the caller")
        # the shape of a vision network does not follow from its size
        shape = None if kind == "vision" else _dense(facts, parameters, inputs)
    return Demand(
        flops=values,
        data_flops=values,
        kind=kind,
        parameters=parameters,
        passes=None,
        footage=None,
        tokens=None,
        shape=shape,
        batch_ratio=None,
        precision="bf16",
    )


def _dense(facts: Facts, parameters: float, inputs: Inputs) -> TrainingShape:
    """A dense transformer of that size: N = 12 L d², d / L as usual."""
    rules = facts.training
    ratio = inputs.note("width_per_layer", rules.width_per_layer)
    layers = max(1.0, (parameters / (12 * ratio**2)) ** (1 / 3))
    width = (parameters / (12 * layers)) ** 0.5
    context = inputs.note("context", rules.context)
    return TrainingShape(
        parameters=parameters,
        active_parameters=parameters,
        layers=round(layers),
        width=max(1, round(width)),
        context=round(context),
        batch=max(1.0, inputs.note("critical_batch", rules.batch) / context),
        flops=transformer_flops(parameters, context, layers, width, context, CAUSAL_ATTENTION),
        state_bytes=inputs.note("state_bytes", rules.state_bytes),
    )
