import av
import cv2
import numpy as np
import pytest

from transforms.clips.pictures import Pictures

FORMATS = [
    "yuv420p",
    "yuvj420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv444p12le",
    "nv12",
    "rgb24",
    "gbrp",
    "gray",
    "gray10le",
]


def frame_of(width: int, height: int, pixel_format: str = "yuv420p") -> tuple[av.VideoFrame, np.ndarray]:
    x, y = np.meshgrid(np.linspace(40, 210, width), np.linspace(0, 20, height))
    gray = np.clip(x + y, 0, 255).astype(np.uint8)
    picture = np.stack([gray] * 3, axis=2)
    return av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format=pixel_format, threads=1), picture


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("size", [(208, 137), (104, 68), (1, 1), (417, 273)])
def test_every_format_and_size(pixel_format, size):
    frame, picture = frame_of(417, 273, pixel_format)
    bgr = Pictures(0).bgr(frame, *size)
    assert bgr.shape == (size[1], size[0], 3)
    assert bgr.dtype == np.uint8
    assert bgr.flags.c_contiguous
    expected = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    assert np.abs(bgr.astype(int) - expected).max() <= 6


@pytest.mark.parametrize("width", [1279, 1280])
@pytest.mark.parametrize("height", [719, 720])
def test_colours_and_odd_frames(width, height):
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = (40, 120, 200)
    frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p", threads=1)
    assert np.abs(Pictures(0).bgr(frame, 416, 234).astype(int) - (40, 120, 200)).max() <= 6


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_stand_upright(degrees):
    frame, picture = frame_of(320, 180)
    pictures = Pictures(degrees)
    upright = np.rot90(picture, -degrees // 90)
    height, width = upright.shape[:2]
    bgr = pictures.bgr(frame, width // 2, height // 2)
    expected = cv2.resize(upright, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    assert np.abs(bgr.astype(int) - expected).max() <= 6
    assert pictures.luma(frame).shape == (height, width)
    assert pictures.luma(frame).flags.c_contiguous


def test_90_degrees_are_clockwise():
    frame, _ = frame_of(320, 180)  # bright at the right
    upright = Pictures(90).bgr(frame, 90, 160)
    assert upright[-1].mean() > upright[0].mean() + 100


@pytest.mark.parametrize(
    ("size", "luma"),
    [((1280, 720), (320, 180)), ((720, 1280), (180, 320)), ((200, 100), (200, 100)), ((5000, 4), (320, 1))],
)
def test_luma_is_the_plane_made_smaller(size, luma):
    frame, _ = frame_of(*size)
    small = Pictures(0).luma(frame)
    assert small.shape == luma[::-1]
    plane = frame.to_ndarray()[: size[1]]
    assert np.abs(small.astype(int) - cv2.resize(plane, luma, interpolation=cv2.INTER_AREA)).max() <= 2


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_luma_of_every_format_is_alike(pixel_format):
    expected = Pictures(0).luma(frame_of(417, 273)[0])
    got = Pictures(0).luma(frame_of(417, 273, pixel_format)[0])
    assert np.abs(got.astype(int) - expected).max() <= 3


def test_scalers_are_kept():
    frame, _ = frame_of(320, 180)
    pictures = Pictures(0)
    for _ in range(3):
        pictures.bgr(frame, 160, 90)
        pictures.luma(frame)
    assert len(pictures._scalers) == 3
