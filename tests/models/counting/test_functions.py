import pytest
from onnx import helper
from onnx_graphs import graph, network, node, ones

from models.errors import ModelUsageError
from models.flops import count_flops

PASS = 2 * 4 * 8 * 8
WEIGHTS = {"w": ones(8, 8)}
# Of another version than the graph's.
OPSETS = [helper.make_opsetid("", 16), helper.make_opsetid("local", 1)]


def function(name, inputs, nodes):
    return helper.make_function("local", name, inputs.split(), ["c"], nodes, OPSETS)


DENSE = function("Dense", "a b", [node("MatMul", "a b", "m"), node("Relu", "m", "c")])
TWICE = function("Twice", "a b", [node("local:Dense", "a b", "m"), node("local:Dense", "m b", "c")])


def test_functions_are_looked_into():
    model = network(
        [node("local:Twice", "x w", "h"), node("local:Dense", "h w")],
        {"x": [4, 8]},
        weights=WEIGHTS,
        functions=[TWICE, DENSE],
    )
    before = model.SerializeToString(deterministic=True)
    counted = count_flops(model)
    assert counted.forward == 3 * PASS
    assert [(row.op_type, row.domain, row.nodes) for row in counted.uncounted] == [("Relu", "", 3)]
    assert model.SerializeToString(deterministic=True) == before


def test_functions_inside_a_branch():
    branch = graph([node("local:Dense", "x w", "t")], {}, ("t",))
    step = node("If", "on", then_branch=branch, else_branch=branch)
    model = network([step], {"x": [4, 8]}, weights={**WEIGHTS, "on": ones(kind=bool)}, functions=[DENSE])
    model.opset_import.append(helper.make_opsetid("local", 1))
    assert count_flops(model).forward == PASS


@pytest.mark.parametrize("inside", [False, True])
def test_functions_that_call_each_other_in_a_circle(inside):
    call = node("local:There", "a", "c")
    if inside:
        branch = graph([node("local:There", "a", "t")], {}, ("t",))
        call = node("If", "a", "c", then_branch=branch, else_branch=branch)
    functions = [function("Here", "a", [call]), function("There", "a", [node("local:Here", "a", "c")])]
    model = network([node("local:Here", "x")], {"x": [1]}, functions=functions)
    with pytest.raises(ModelUsageError, match="functions call each other in a circle"):
        count_flops(model)


def test_a_function_that_cannot_be_inlined():
    """Two results, where the call takes three."""
    model = network([node("local:Dense", "x w", "y z u")], {"x": [4, 8]}, weights=WEIGHTS, functions=[DENSE])
    with pytest.raises(ModelUsageError, match="functions cannot be inlined"):
        count_flops(model)
