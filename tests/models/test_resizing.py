import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.card import InputSpec
from models.errors import ModelUsageError
from models.resizing import ResizePlan, check_size, plan_resize

_DYNAMIC = InputSpec(width=416, height=416, dynamic=True)


@pytest.mark.parametrize(
    ("frame", "size", "expected"),
    [
        ((960, 540), 416, ResizePlan(416, 234, 416, 256, 0, 0)),
        ((1376, 1840), 416, ResizePlan(311, 416, 320, 416, 0, 0)),
        ((320, 240), 640, ResizePlan(640, 480, 640, 480, 0, 0)),
        ((10_000, 1), 416, ResizePlan(416, 1, 416, 32, 0, 0)),
    ],
)
def test_a_dynamic_input_takes_the_shape_of_the_frame(frame, size, expected):
    assert plan_resize(_DYNAMIC, size, *frame) == expected


def test_letterbox_pads_right_and_below_or_on_all_sides():
    corner = InputSpec(width=416, height=416)
    assert plan_resize(corner, 416, 960, 540) == ResizePlan(416, 234, 416, 416, 0, 0)
    centred = InputSpec(width=416, height=416, resize="letterbox_centered")
    assert plan_resize(centred, 416, 960, 540) == ResizePlan(416, 234, 416, 416, 0, 91)
    assert plan_resize(centred, 416, 540, 960) == ResizePlan(234, 416, 416, 416, 91, 0)


def test_stretch_fills_the_input():
    spec = InputSpec(width=352, height=320, resize="stretch")
    assert plan_resize(spec, 352, 1920, 1080) == ResizePlan(352, 320, 352, 320, 0, 0)


def test_a_frame_without_pixels_has_no_plan():
    with pytest.raises(ValueError, match="no picture"):
        plan_resize(_DYNAMIC, 416, 0, 540)


@given(
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.integers(1, 128).map(lambda count: 32 * count),
    st.sampled_from(["letterbox", "letterbox_centered"]),
    st.booleans(),
)
def test_the_picture_lies_in_the_input_and_keeps_its_shape(width, height, size, resize, dynamic):
    spec = InputSpec(width=416, height=288, resize=resize, dynamic=dynamic)
    plan = plan_resize(spec, size, width, height)
    assert 1 <= plan.image_width <= plan.input_width - plan.pad_left
    assert 1 <= plan.image_height <= plan.input_height - plan.pad_top
    if dynamic:
        assert max(plan.image_width, plan.image_height) == max(plan.input_width, plan.input_height) == size
        assert plan.input_width - plan.image_width < 32
        assert plan.input_height - plan.image_height < 32
    ratio = size / max(width, height) if dynamic else min(416 / width, 288 / height)
    assert abs(plan.image_width - max(1, width * ratio)) <= 0.5
    assert abs(plan.image_height - max(1, height * ratio)) <= 0.5


def test_a_size_must_go_with_the_network(make_card):
    fixed, dynamic = make_card(), make_card(input={"dynamic": True})
    assert check_size(fixed, None) == check_size(fixed, 96) == 96
    assert check_size(dynamic, 640) == 640
    with pytest.raises(ModelUsageError, match=r"fixed size \(96 x 64\)"):
        check_size(fixed, 640)
    with pytest.raises(ModelUsageError, match="nearest is 512"):
        check_size(dynamic, 500)
    with pytest.raises(ModelUsageError, match="nearest is 32"):
        check_size(dynamic, -5)
    with pytest.raises(ModelUsageError, match="nearest is 4096"):
        check_size(dynamic, 1 << 20)
