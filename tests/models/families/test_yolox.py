import numpy as np
import pytest

from models.families.yolox import Yolox, cell_count


def _output(cells: int, classes: int = 2) -> np.ndarray:
    return np.zeros((1, cells, 5 + classes), np.float32)


def test_boxes_by_hand(make_card):
    # 64 x 96: 8 x 12 cells of stride 8, then 4 x 6 of 16, then 2 x 3 of 32
    output = _output(cell_count(64, 96))
    output[0, 1 * 12 + 2] = [0.5, 0.25, np.log(2), np.log(3), 0.9, 0.2, 0.8]  # column 2, row 1, stride 8
    output[0, 96 + 3 * 6 + 5] = [-0.5, 0.5, 0, np.log(0.5), 0.5, 0.7, 0.1]  # column 5, row 3, stride 16
    output[0, 96 + 24 + 3] = [0, 0, 0, 0, 0.6, 0.49, 0.4]  # 0.6 * 0.49 < 0.3
    output[0, 0] = [0, 0, 0, 0, 0.29, 1, 1]  # objectness alone is too low
    found = Yolox().decode(make_card(), {"output": output}, 0, 64, 96)
    np.testing.assert_allclose(
        found.boxes,
        [[20 - 8, 10 - 12, 20 + 8, 10 + 12], [72 - 8, 56 - 4, 72 + 8, 56 + 4]],
        rtol=1e-5,
    )
    np.testing.assert_allclose(found.scores, [0.72, 0.35], rtol=1e-6)
    assert found.classes.tolist() == [1, 0]


def test_the_wanted_picture_of_a_batch_is_read(make_card):
    output = np.concatenate([_output(126), _output(126)])
    output[1, 0, 4:6] = 1
    assert len(Yolox().decode(make_card(), {"output": output}, 0, 64, 96).scores) == 0
    found = Yolox().decode(make_card(), {"output": output}, 1, 64, 96)
    np.testing.assert_array_equal(found.boxes, [[-4, -4, 4, 4]])


def test_huge_sizes_do_not_overflow(make_card):
    output = _output(126)
    output[0, 0] = [0, 0, 1e9, 1e9, 1, 1, 0]
    with np.errstate(all="raise"):
        found = Yolox().decode(make_card(), {"output": output}, 0, 64, 96)
    assert np.isfinite(found.boxes).all()


@pytest.mark.parametrize(
    ("shapes", "fits"),
    [
        ({"o": (1, 126, 7)}, True),
        ({"o": (2, 126, 7)}, False),
        ({"o": (1, 125, 7)}, False),
        ({"o": (1, 126, 85)}, False),
        ({"o": (1, 126, 7), "p": (1, 126, 7)}, False),
        ({}, False),
    ],
)
def test_fit(make_card, shapes, fits):
    assert Yolox().fits(make_card(), shapes, 1, 64, 96) is fits
    assert Yolox().expected(make_card(), 64, 96) == "one output [1, 126, 7]"
