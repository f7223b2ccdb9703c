import cv2
import numpy as np
import pytest

from transforms.labels.quality import measure


def test_figures_are_those_of_numpy():
    luma = np.random.default_rng(1).integers(0, 256, (180, 320)).astype(np.uint8)
    quality = measure(luma)
    assert quality.luma_mean == pytest.approx(luma.mean())
    assert quality.luma_std == pytest.approx(luma.std())
    padded = np.pad(luma.astype(int), 1, mode="reflect")
    laplacian = (
        padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * luma.astype(int)
    )
    assert quality.sharpness == pytest.approx(laplacian.var())


def test_blur_lowers_sharpness():
    luma = np.random.default_rng(1).integers(0, 256, (180, 320)).astype(np.uint8)
    assert measure(cv2.GaussianBlur(luma, (5, 5), 2)).sharpness < measure(luma).sharpness / 10


@pytest.mark.parametrize("shape", [(1, 1), (1, 320), (2, 2), (3, 3)])
def test_tiny_pictures(shape):
    assert measure(np.full(shape, 9, np.uint8)).sharpness == 0
