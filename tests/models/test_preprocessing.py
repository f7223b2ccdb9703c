import threading

import numpy as np
import pytest

from models.card import InputSpec
from models.preprocessing import InputFiller
from models.resizing import ResizePlan

_PLAN = ResizePlan(image_width=5, image_height=3, input_width=8, input_height=6, pad_left=2, pad_top=1)
_IMAGES = [np.arange(45, dtype=np.uint8).reshape(3, 5, 3), np.full((3, 5, 3), 200, np.uint8)]


def test_pixels_as_they_are_with_padding_around():
    filled = InputFiller(InputSpec(width=8, height=6, pad_value=114)).fill(_IMAGES, _PLAN)
    assert filled.shape == (2, 3, 6, 8)
    assert filled.dtype == np.float32
    expected = np.full((2, 3, 6, 8), 114, np.float32)
    for item, image in enumerate(_IMAGES):
        expected[item, :, 1:4, 2:7] = image.transpose(2, 0, 1)
    np.testing.assert_array_equal(filled, expected)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", ["BGR", "RGB"])
def test_scaling_mean_and_deviation_in_the_order_of_the_channels(layout, channels):
    spec = InputSpec(
        width=8,
        height=6,
        layout=layout,
        channels=channels,
        pad_value=50,
        scale=0.5,
        mean=(10, 20, 30),
        std=(2, 4, 8),
    )
    padded = np.full((2, 6, 8, 3), 50, np.float64)
    for item, image in enumerate(_IMAGES):
        padded[item, 1:4, 2:7] = image if channels == "BGR" else image[:, :, ::-1]
    expected = (padded * 0.5 - [10, 20, 30]) / [2, 4, 8]
    if layout == "NCHW":
        expected = expected.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(InputFiller(spec).fill(_IMAGES, _PLAN), expected, rtol=1e-5)


def test_memory_is_used_again_within_a_thread_only():
    filler = InputFiller(InputSpec(width=8, height=6))
    first = filler.fill(_IMAGES[:1], _PLAN)
    assert np.shares_memory(first, filler.fill(_IMAGES[1:], _PLAN))
    others = []
    thread = threading.Thread(target=lambda: others.append(filler.fill(_IMAGES[:1], _PLAN)))
    thread.start()
    thread.join()
    assert not np.shares_memory(first, others[0])


def test_memory_is_bounded():
    filler = InputFiller(InputSpec(width=64, height=64))
    for width in range(1, 30):
        plan = ResizePlan(width, 2, 32, 32, 0, 0)
        assert filler.fill([np.full((2, width, 3), 7, np.uint8)], plan)[0, 0, 1, width - 1] == 7
    assert len(filler._memory.buffers) <= 8


def test_a_picture_of_another_size_is_refused():
    filler = InputFiller(InputSpec(width=8, height=6))
    with pytest.raises(ValueError, match="the plan wants"):
        filler.fill([np.zeros((3, 4, 3), np.uint8)], _PLAN)
    with pytest.raises(ValueError, match="the plan wants"):
        filler.fill([np.zeros((3, 5, 3), np.float32)], _PLAN)
