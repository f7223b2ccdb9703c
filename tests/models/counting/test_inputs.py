import pytest
from onnx import TensorProto, helper
from onnx_graphs import graph, info, node

from models.counting.inputs import settle_inputs
from models.errors import ModelUsageError


def settle(inputs, size=None, **dimensions):
    return settle_inputs(graph([node("Relu", "x")], inputs), size, dimensions)


def shapes(inputs, size=None, **dimensions):
    return dict(settle(inputs, size, **dimensions).shapes)


def test_own_lengths_stand():
    settled = settle({"x": [1, 3, 32, 48], "y": [5]})
    assert settled.shapes == (("x", (1, 3, 32, 48)), ("y", (5,)))
    assert not settled.overrides


@pytest.mark.parametrize("batch", ["batch", "N", "unk__12", None, -1, 0])
def test_an_open_batch_is_one(batch):
    assert shapes({"x": [batch, 3, 32, 48]}) == {"x": (1, 3, 32, 48)}


def test_a_batch_by_name_is_one_wherever_it_stands():
    assert shapes({"x": [7, "batch_size", 5]}) == {"x": (7, 1, 5)}
    assert shapes({"x": ["N", 5], "h": [2, "N", 5]}) == {"x": (1, 5), "h": (2, 1, 5)}


def test_a_first_axis_that_speaks_of_a_length_is_no_batch():
    with pytest.raises(ModelUsageError, match=r"x \[sequence, batch, 5\]\): give sequence=N$"):
        settle({"x": ["sequence", "batch", 5]})
    assert shapes({"x": ["sequence", "batch", 5]}, sequence=9) == {"x": (9, 1, 5)}


def test_every_open_axis_is_named():
    with pytest.raises(ModelUsageError, match=r"give tokens=N, mask:1=N$"):
        settle({"x": ["batch", "tokens"], "mask": ["batch", None], "z": [1, "tokens"]})
    given = {"tokens": 8, "mask:1": 9}
    assert shapes({"x": ["batch", "tokens"], "mask": ["batch", None], "z": [1, "tokens"]}, **given) == {
        "x": (1, 8),
        "mask": (1, 9),
        "z": (1, 8),
    }


def test_a_place_beats_the_graph_and_gives_its_name_a_length():
    settled = settle({"x": ["batch", 3, 8, 8], "y": ["batch", 4]}, **{"x:0": 6})
    assert dict(settled.shapes) == {"x": (6, 3, 8, 8), "y": (6, 4)}
    assert settled.lengths == {"batch": 6}
    assert not settled.overrides
    assert settle({"x": [2, 3, 8, 8]}, **{"x:0": 6}).overrides
    assert not settle({"x": [6, 3, 8, 8]}, **{"x:0": 6}).overrides


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ([1, 3, 32, 48], (1, 3, 64, 96)),
        (["b", 3, "h", "w"], (1, 3, 64, 96)),
        ([1, 32, 48, 3], (1, 64, 96, 3)),
        ([1, 1, 32, 48], (1, 1, 64, 96)),
        ([1, 32, 48, 4], (1, 64, 96, 4)),
        ([1, 12, 32, 48], (1, 12, 64, 96)),
        ([3, 32, 48], (3, 64, 96)),
        ([1, 8, 3, 32, 48], (1, 8, 3, 64, 96)),
        ([1, 8, 32, 48, 3], (1, 8, 64, 96, 3)),
    ],
)
def test_a_size_is_that_of_the_pictures(declared, expected):
    assert shapes({"x": declared}, size=(64, 96)) == {"x": expected}


def test_a_size_leaves_other_inputs_alone():
    inputs = {"x": [1, 3, "h", "w"], "past": [1, 4, 16, 8], "tokens": [1, 77, 512], "scale": ["batch", "w"]}
    assert shapes(inputs, size=(64, 96)) == {
        "x": (1, 3, 64, 96),
        "past": (1, 4, 16, 8),
        "tokens": (1, 77, 512),
        "scale": (1, 96),
    }


def test_a_size_without_a_picture():
    with pytest.raises(ModelUsageError, match=r"no input is a picture.*x \[1, 77, 512\]"):
        settle({"x": [1, 77, 512]}, size=(64, 96))
    with pytest.raises(ModelUsageError, match="no input is a picture"):
        settle({"x": [1, 12, 16, 8], "z": [1, 12, 16, 8]}, size=(64, 96))


def test_lengths_that_go_with_no_axis():
    with pytest.raises(ModelUsageError, match=r"no input has an axis h, x:7; the inputs are x \[1, \?\]"):
        settle({"x": [1, None]}, h=4, **{"x:7": 1, "x:1": 3})
    for wrong in (0, -3, 1 << 40):
        with pytest.raises(ModelUsageError, match=r"x:1=.*: a length is between 1 and"):
            settle({"x": [1, None]}, **{"x:1": wrong})
    with pytest.raises(ModelUsageError, match="height=0: a length"):
        settle({"x": [1, 3, 4, 4]}, size=(0, 4))


def test_an_input_without_a_shape():
    with pytest.raises(ModelUsageError, match="how many axes its input x has"):
        settle({"x": info("x", None)})


def test_inputs_that_are_no_tensors_are_left_out():
    tensors = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [1]))
    assert shapes({"x": [1, 2], "s": helper.make_value_info("s", tensors)}) == {"x": (1, 2)}


def test_an_empty_axis_that_is_not_the_first_stays_empty():
    assert shapes({"past": [1, 4, 0, 8]}) == {"past": (1, 4, 0, 8)}
