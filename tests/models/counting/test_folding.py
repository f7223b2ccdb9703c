import numpy as np
import pytest
from onnx import numpy_helper
from onnx_graphs import node, ones

from models.counting.folding import SMALL_CONSTANT, folded
from models.counting.values import Values

VERSIONS = {"": 17}


def fold(step, shapes=None, **constants):
    tensors = {name: numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()}
    tensor = folded(step, Values(shapes or {}, {}, tensors), VERSIONS)
    return None if tensor is None else numpy_helper.to_array(tensor).tolist()


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [({}, [2, 3, 5]), ({"start": 1}, [3, 5]), ({"start": -2, "end": -1}, [3]), ({"end": 2}, [2, 3])],
)
def test_a_shape_is_a_constant(attributes, expected):
    assert fold(node("Shape", "x", **attributes), {"x": (2, 3, 5)}) == expected
    assert fold(node("Size", "x"), {"x": (2, 3, 5)}) == 30
    assert fold(node("Shape", "x", **attributes)) is None


def test_arithmetic_on_constants():
    assert fold(node("Gather", "a i"), {"y": ()}, a=[4, 5, 6], i=1) == 5
    assert fold(node("Where", "c a b"), {"y": (2,)}, c=[True, False], a=[1, 2], b=[3, 4]) == [1, 4]
    value = numpy_helper.from_array(np.array([7]))
    assert fold(node("ConstantOfShape", "a", value=value), {"y": (3,)}, a=[3]) == [7, 7, 7]
    assert fold(node("Slice", "a s e"), {"y": (1,)}, a=[4, 5, 6], s=[1], e=[2]) == [5]


def test_what_is_not_computed():
    assert fold(node("Add", "a x"), {"y": (1,), "x": (1,)}, a=[1]) is None, "x is not a constant"
    assert fold(node("Add", "a a"), a=[1]) is None, "how long the result is, is not known"
    large = (SMALL_CONSTANT + 1,)
    assert fold(node("ConstantOfShape", "a"), {"y": large}, a=list(large)) is None, "large"
    assert fold(node("Relu", "a"), {"y": (1,)}, a=[1.0]) is None, "not arithmetic on shapes"
    assert fold(node("custom:Add", "a a"), {"y": (1,)}, a=[1]) is None, "of another domain"
    assert fold(node("Split", "a", "y z"), {"y": (1,), "z": (1,)}, a=[1, 2]) is None, "two results"


@pytest.mark.parametrize(
    "step", [node("Reshape", "a b"), node("Gather", "a b"), node("Squeeze", "a b"), node("Add", "a")]
)
def test_operators_that_contradict_their_definition(step):
    assert fold(step, {"y": (2,)}, a=ones(3), b=np.array([7, 7])) is None
