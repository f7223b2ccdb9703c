import numpy as np
import pytest

from models.families.nanodet import NANODET
from models.families.picodet import PICODET

# 72 x 96: 9 x 12, 5 x 6, 3 x 3 and 2 x 2 cells
_COUNTS = (108, 30, 9, 4)


def _outputs(levels: int) -> dict[str, np.ndarray]:
    scores = {f"s{level}": np.zeros((1, _COUNTS[level], 2), np.float32) for level in range(levels)}
    return scores | {f"d{level}": np.zeros((1, _COUNTS[level], 32), np.float32) for level in range(levels)}


def _sharp(*bins: int) -> np.ndarray:
    """Distributions so sharp that each edge lies at its bin."""
    logits = np.full((4, 8), -100, np.float32)
    logits[np.arange(4), bins] = 100
    return logits.reshape(32)


@pytest.mark.parametrize(("family", "shift"), [(NANODET, 0.5), (PICODET, 0.0)])
def test_boxes_by_hand(make_card, family, shift):
    outputs = _outputs(4)
    outputs["s0"][0, 2 * 12 + 3] = [0.2, 0.6]  # column 3, row 2, stride 8: centre (28, 20)
    outputs["d0"][0, 2 * 12 + 3] = _sharp(1, 2, 3, 0)
    outputs["s3"][0, 3] = [0.9, 0.8]  # column 1, row 1, stride 64: centre (96, 96); both classes pass
    found = family.decode(make_card(), outputs, 0, 72, 96)
    # all bins alike: the mean of 0..7 is 3.5 strides
    expected = np.array([[28 - 8, 20 - 16, 28 + 24, 20], [96 - 224, 96 - 224, 96 + 224, 96 + 224]]) - shift
    np.testing.assert_allclose(found.boxes, expected, rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.6, 0.9], rtol=1e-6)
    assert found.classes.tolist() == [1, 0]


def test_the_mean_of_a_distribution(make_card):
    outputs = _outputs(3)
    outputs["s1"][0, 0] = [0.5, 0]  # stride 16: centre (8, 8)
    logits = np.full((4, 8), -100, np.float32)
    logits[:, 0], logits[:, 2] = np.log(1), np.log(3)
    outputs["d1"][0, 0] = logits.reshape(32)
    found = PICODET.decode(make_card(), outputs, 0, 72, 96)
    # (1 * 0 + 3 * 2) / 4 = 1.5 strides
    np.testing.assert_allclose(found.boxes, [[8 - 24, 8 - 24, 8 + 24, 8 + 24]], rtol=1e-5)


def test_nothing_passes(make_card):
    found = NANODET.decode(make_card(), _outputs(3), 0, 72, 96)
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == found.classes.shape == (0,)


@pytest.mark.parametrize(("levels", "fits"), [(1, False), (2, False), (3, True), (4, True)])
def test_fit(make_card, levels, fits):
    shapes = {name: value.shape for name, value in _outputs(levels).items()}
    assert NANODET.fits(make_card(), shapes, 1, 72, 96) is fits
    assert PICODET.fits(make_card(), shapes, 1, 72, 96) is fits
    assert not PICODET.fits(make_card(), shapes, 1, 72, 88)
    assert not PICODET.fits(make_card(), {**shapes, "more": (1,)}, 1, 72, 96)
    assert "[1, 108, 2]" in PICODET.expected(make_card(), 72, 96)
    assert "[1, 108, 32]" in PICODET.expected(make_card(), 72, 96)
