"""Branches, loops and scans."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_graphs import graph, info, network, node, ones

from models.flops import count_flops

WEIGHTS = {"w": ones(8, 8), "wide": ones(8, 80), "on": np.array(True), "three": np.array(3)}
PASS = 2 * 4 * 8 * 8


def test_the_dearer_branch_counts():
    dear = graph(
        [node("MatMul", "x wide", "m"), node("ReduceMax", "m", "t", axes=[-1], keepdims=1)], {}, ("t",)
    )
    cheap = graph(
        [node("MatMul", "x w", "m"), node("ReduceMax", "m", "t", axes=[-1], keepdims=1)], {}, ("t",)
    )
    inputs = {"x": [4, 8], "c": info("c", [], TensorProto.BOOL)}
    for branches in (
        {"then_branch": dear, "else_branch": cheap},
        {"then_branch": cheap, "else_branch": dear},
    ):
        counted = count_flops(network([node("If", "c", **branches)], inputs, weights=WEIGHTS))
        assert counted.forward == 2 * 4 * 8 * 80
        rows = {row.op_type: (row.nodes, row.output_elements, row.unknown) for row in counted.uncounted}
        assert rows == {"ReduceMax": (1, 4, False), "If": (1, 4, False)}


def test_what_is_unknown_in_the_cheaper_branch_is_told():
    result = info("t", None)
    dear = helper.make_graph([node("MatMul", "x w", "t")], "dear", [], [result])
    cheap = helper.make_graph([node("custom:Blur", "x", "t")], "cheap", [], [result])
    nodes = [node("If", "c", then_branch=dear, else_branch=cheap), node("custom:Blur", "y", "z")]
    inputs = {"x": [4, 8], "c": info("c", [], TensorProto.BOOL)}
    counted = count_flops(network(nodes, inputs, ("z",), WEIGHTS))
    assert counted.forward == PASS
    assert {row.op_type: (row.nodes, row.unknown) for row in counted.uncounted} == {
        "Blur": (2, True),
        "If": (1, True),
    }


def test_a_branch_depends_on_what_it_reads():
    """The condition is a constant; the input is read inside."""
    branch = graph([node("MatMul", "x w", "t")], {}, ("t",))
    step = node("If", "on", then_branch=branch, else_branch=branch)
    counted = count_flops(network([step], {"x": [4, 8]}, weights=WEIGHTS))
    assert counted.activation_elements == 32 + 32


def loop(nodes, states="s", results="s2", goes_on="c"):
    """A body that takes the pass, the condition and the states."""
    inputs = {"i": info("i", [], TensorProto.INT64), "c": info("c", [], TensorProto.BOOL)}
    inputs |= {name: info(name, None) for name in states.split()}
    return graph(nodes, inputs, (goes_on, *results.split()))


STEP = [node("Identity", "c", "c2"), node("MatMul", "s w", "m"), node("Relu", "m", "s2")]


def test_a_loop_of_known_length():
    body = loop(STEP, goes_on="c2")
    nodes = [node("Loop", "three on x", "z", body=body), node("MatMul", "z wide")]
    counted = count_flops(network(nodes, {"x": [4, 8]}, weights=WEIGHTS))
    assert counted.forward == 3 * PASS + 2 * 4 * 8 * 80
    assert [(row.op_type, row.nodes, row.flops) for row in counted.counted] == [
        ("MatMul", 2, 3 * PASS + 2 * 4 * 8 * 80)
    ]
    rows = {row.op_type: (row.output_elements, row.flops, row.unknown) for row in counted.uncounted}
    assert rows == {"Relu": (3 * 32, None, False), "Identity": (3, None, False), "Loop": (32, None, False)}
    # Three times the product and its activation, the loop's result, the last product.
    assert counted.activation_elements == 3 * (32 + 32) + 32 + 4 * 80


@pytest.mark.parametrize("condition", ["_", "on"])
def test_a_loop_without_a_condition(condition):
    body = loop([node("MatMul", "s w", "s2")])
    counted = count_flops(
        network([node("Loop", f"three {condition} x", body=body)], {"x": [4, 8]}, weights=WEIGHTS)
    )
    assert counted.forward == 3 * PASS


def test_a_loop_that_collects():
    """The result of every pass, one upon the other."""
    body = loop([node("MatMul", "s w", "s2"), node("ReduceSum", "s2", "sum", keepdims=0)], results="s2 sum")
    nodes = [
        node("Loop", "three on x", "last sums", body=body),
        node("Einsum", "sums sums", equation="i,i->"),
    ]
    counted = count_flops(network(nodes, {"x": [4, 8]}, weights=WEIGHTS))
    assert counted.forward == 3 * PASS + 2 * 3


def test_a_length_that_is_computed():
    """Passes from the shape of the input, as exporters write it."""
    nodes = [
        node("Shape", "x", "shape", start=0, end=1),
        node("Squeeze", "shape", "count"),
        node("Loop", "count on x", body=loop([node("MatMul", "s w", "s2")])),
    ]
    counted = count_flops(network(nodes, {"x": [4, 8]}, weights=WEIGHTS))
    assert counted.forward == 4 * PASS
    rows = {row.op_type: row.nodes for row in counted.uncounted}
    assert rows == {"Shape": 1, "Squeeze": 1, "Loop": 1}


@pytest.mark.parametrize(
    ("nodes", "goes_on", "trips", "weights"),
    [
        pytest.param([], "c", "n", {}, id="a count that goes in"),
        pytest.param([], "c", "_", {}, id="no count"),
        pytest.param([], "c", "three", {"three": np.array([3, 4])}, id="two counts"),
        pytest.param([], "c", "three", {"on": np.array(False)}, id="a condition that is false at once"),
        pytest.param([node("Not", "c", "c2")], "c2", "three", {}, id="a condition that changes"),
    ],
)
def test_a_loop_of_unknown_length_tells_a_single_pass(nodes, goes_on, trips, weights):
    body = loop([*nodes, node("MatMul", "s w", "m"), node("Relu", "m", "s2")], goes_on=goes_on)
    inputs = {"x": [4, 8], "n": info("n", [], TensorProto.INT64)}
    model = network([node("Loop", f"{trips} on x", body=body)], inputs, weights={**WEIGHTS, **weights})
    counted = count_flops(model)
    assert counted.forward == 0
    assert counted.counted == ()
    first, *others = counted.uncounted
    assert (first.op_type, first.nodes, first.flops, first.unknown) == ("Loop", 1, PASS, True)
    assert ("Relu", 32, None, False) in [
        (row.op_type, row.output_elements, row.flops, row.unknown) for row in others
    ]


def test_a_loop_that_grows_is_unknown():
    body = loop([node("Concat", "s s", "s2", axis=0), node("MatMul", "s w", "m")])
    counted = count_flops(network([node("Loop", "three on x", body=body)], {"x": [4, 8]}, weights=WEIGHTS))
    assert counted.forward == 0
    assert (counted.uncounted[0].op_type, counted.uncounted[0].flops, counted.uncounted[0].unknown) == (
        "Loop",
        PASS,
        True,
    )


def test_a_loop_inside_a_loop():
    inner = loop([node("MatMul", "t w", "t2")], "t", "t2")
    inner.input[0].name, inner.input[1].name, inner.output[0].name = "j", "d", "d"
    outer = loop([node("Loop", "three on s", "s2", body=inner)])
    counted = count_flops(network([node("Loop", "three on x", body=outer)], {"x": [4, 8]}, weights=WEIGHTS))
    assert counted.forward == 9 * PASS
    assert [(row.op_type, row.nodes, row.output_elements) for row in counted.uncounted] == [
        ("Loop", 2, 32 + 3 * 32)
    ]


@pytest.mark.parametrize(("axis", "shape"), [(0, [5, 1, 8]), (1, [1, 5, 8]), (-2, [1, 5, 8])])
def test_a_scan(axis, shape):
    """A recurrence over five elements: state and element times a matrix each."""
    body = graph(
        [node("MatMul", "s w", "a"), node("MatMul", "e wide", "b"), node("Add", "a e", "s2")],
        {"s": info("s", None), "e": info("e", None)},
        ("s2", "b"),
    )
    attributes = {"num_scan_inputs": 1, "scan_input_axes": [axis], "body": body}
    model = network(
        [node("Scan", "x sequence", "y ys", **attributes)],
        {"x": [1, 8], "sequence": shape},
        ("y", "ys"),
        WEIGHTS,
    )
    counted = count_flops(model)
    assert counted.forward == 5 * (2 * 8 * 8 + 2 * 8 * 80)
    rows = {row.op_type: (row.output_elements, row.unknown) for row in counted.uncounted}
    assert rows == {"Add": (5 * 8, False), "Scan": (8 + 5 * 80, False)}


def test_a_scan_along_an_unknown_axis():
    body = graph([node("MatMul", "s w", "s2")], {"s": info("s", None), "e": info("e", None)}, ("s2",))
    nodes = [node("custom:Cut", "x", "sequence"), node("Scan", "x sequence", num_scan_inputs=1, body=body)]
    counted = count_flops(network(nodes, {"x": [4, 8]}, weights=WEIGHTS))
    assert {row.op_type: row.unknown for row in counted.uncounted} == {
        "Cut": True,
        "Scan": True,
        "MatMul": True,
    }


def test_bodies_that_do_not_fit_are_unknown():
    body = graph([node("MatMul", "s w", "s2")], {"s": info("s", None)}, ("s2",))
    counted = count_flops(network([node("Loop", "three on x", body=body)], {"x": [4, 8]}, weights=WEIGHTS))
    assert next((row.op_type, row.unknown) for row in counted.uncounted) == ("Loop", True)
    assert counted.forward == 0


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(node("Loop", "three on x"), id="no body"),
        pytest.param(
            node("Loop", "three on x", body=graph([], {"s": [1]}, ("s",))), id="a body with too few inputs"
        ),
        pytest.param(
            node("Scan", "x", num_scan_inputs=[1], body=graph([], {"s": [1]}, ())), id="a list for a number"
        ),
        pytest.param(
            node(
                "Loop",
                "three on x",
                body=loop([node("Identity", "d", "e"), node("Identity", "e", "d")], goes_on="d"),
            ),
            id="a circle",
        ),
    ],
)
def test_graphs_that_contradict_themselves(step):
    counted = count_flops(network([step], {"x": [4, 8]}, weights=WEIGHTS))
    assert {row.op_type: row.unknown for row in counted.uncounted}[step.op_type]
