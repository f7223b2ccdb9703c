import pytest
from pydantic import TypeAdapter, ValidationError

from transforms.budget.facts.networks import GraphNetwork, Network, TransformerNetwork, Workload

PER_PIXEL = ("forward_per_pixel", "activations_per_pixel")
PER_FRAME = ("forward", "activations")


def value(amount, unit):
    return {"value": amount, "unit": unit, "source": "made up", "as_of": "2026-01-01", "kind": "assumed"}


WORK = {
    "forward_per_pixel": value(2e5, "FLOP/px"),
    "forward": value(3e10, "FLOP"),
    "activations_per_pixel": value(2000, "B/px"),
    "activations": value(1e9, "B"),
}


def graph(*names):
    record = {
        "formula": "graph",
        "title": "a graph",
        "utilisation": "vision",
        "parameters": value(1e7, "parameters"),
        "multiple": value(3, "1"),
    }
    return record | {name: WORK[name] for name in names}


@pytest.mark.parametrize(
    "names",
    [PER_PIXEL, PER_FRAME, ("forward", "activations_per_pixel"), ("forward_per_pixel", "activations")],
)
def test_work_and_activations_are_told_per_pixel_or_per_frame(names):
    network = GraphNetwork.model_validate(graph(*names))
    assert [name for name in WORK if getattr(network, name) is not None] == [
        name for name in WORK if name in names
    ]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), "give one of forward and forward_per_pixel"),
        (("activations",), "give one of forward and forward_per_pixel"),
        (("forward",), "give one of activations and activations_per_pixel"),
        ((*PER_PIXEL, "forward"), "give one of forward and forward_per_pixel"),
        ((*PER_FRAME, "activations_per_pixel"), "give one of activations and activations_per_pixel"),
    ],
)
def test_neither_and_both_are_refused(names, told):
    with pytest.raises(ValidationError, match=told):
        GraphNetwork.model_validate(graph(*names))


def test_the_formula_tells_networks_apart(facts):
    assert isinstance(facts.networks["driving"], TransformerNetwork)
    assert isinstance(facts.networks["camera-detector"], GraphNetwork)
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        TypeAdapter(Network).validate_python(graph(*PER_FRAME) | {"formula": "oracle"})


@pytest.mark.parametrize("unit", ["tokens", "frames"])
def test_a_batch_is_counted_in_what_a_network_sees(facts, unit):
    record = facts.workloads["fsd"].model_dump()
    batch = {**record["batch"], "unit": unit}
    assert Workload.model_validate({**record, "batch": batch}).batch.unit == unit


def test_a_batch_of_anything_else_is_refused(facts):
    record = facts.workloads["fsd"].model_dump()
    with pytest.raises(ValidationError, match="the unit is 'samples', neither 'tokens' nor 'frames'"):
        Workload.model_validate({**record, "batch": {**record["batch"], "unit": "samples"}})


def test_transformers_have_about_twelve_layers_times_width_squared(facts):
    for name, network in facts.networks.items():
        if (
            isinstance(network, TransformerNetwork)
            and network.parameters.p50 == network.active_parameters.p50
        ):
            size = 12 * network.layers.p50 * network.width.p50**2
            assert size == pytest.approx(network.active_parameters.p50, rel=0.05), name
