"""Light and weather: how bright things are, and what lens and sensor make of them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.scenes.worlds import Conditions

FloatArray = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Lighting:
    """How a scene is lit. Colours are BGR, 0..255; strengths are shares.

    Attributes:
        ambient: light from everywhere, float64[3].
        sun: light from the sun's side, float64[3].
        fog: colour of the distance, float64[3].
        fog_per_m: share of fog that each metre adds.
        zenith: colour of the sky above, float64[3].
        headlights: strength of the car's own headlights.
        lamps: strength of street lamps, and of everything's own lights (glow).
        noise: standard deviation of the sensor's noise in grey levels.
        rain: whether it rains.
    """

    ambient: FloatArray
    sun: FloatArray
    fog: FloatArray
    fog_per_m: float
    zenith: FloatArray
    headlights: float
    lamps: float
    noise: float
    rain: bool


SUN_DIRECTION: Final = np.array([0.45, 0.55, 0.7]) / np.sqrt(0.995)
"""Where the sun stands: east, north, up."""

_TABLE: Final[dict[str, tuple[tuple[float, ...], ...]]] = {
    # ambient, sun, fog, zenith
    "day": ((0.62, 0.6, 0.58), (0.38, 0.42, 0.46), (225, 215, 205), (215, 160, 105)),
    "dusk": ((0.44, 0.37, 0.36), (0.08, 0.14, 0.24), (120, 140, 190), (125, 85, 65)),
    "night": ((0.15, 0.12, 0.11), (0.0, 0.0, 0.0), (34, 26, 24), (26, 17, 13)),
}


@lru_cache(maxsize=16)
def lighting(conditions: Conditions) -> Lighting:
    """The light under conditions."""
    ambient, sun, fog, zenith = (np.array(row) for row in _TABLE[conditions.light])
    night, dusk = conditions.light == "night", conditions.light == "dusk"
    if conditions.rain:
        grey = np.full(3, fog.mean())
        ambient, sun = ambient * 0.88, sun * 0.15
        fog, zenith = (fog * 0.3 + grey * 0.7) * 0.82, (zenith * 0.3 + grey * 0.7) * 0.7
    return Lighting(
        ambient=ambient,
        sun=sun,
        fog=fog.astype(np.float64),
        fog_per_m=(0.009 if conditions.rain else 0.0035) * (0.7 if night else 1.0),
        zenith=zenith.astype(np.float64),
        headlights=0.75 if night else 0.3 if dusk else 0.0,
        lamps=1.0 if night else 0.6 if dusk else 0.0,
        noise=(5.0 if night else 3.5 if dusk else 2.0) + (1.0 if conditions.rain else 0.0),
        rain=conditions.rain,
    )


def brightness(light: Lighting, ahead_m: FloatArray, left_m: FloatArray, s_m: FloatArray) -> FloatArray:
    """Light that falls on things besides the sun's.

    Args:
        light: the lighting.
        ahead_m: metres before the car, float64[N].
        left_m: metres to the left of the car's axis, float64[N].
        s_m: place along the road, for street lamps, float64[N].

    Returns:
        Share of each channel, float64[N, 3].
    """
    value = np.repeat(light.ambient[None], len(ahead_m), axis=0)
    if light.headlights:
        spread = np.exp(-((left_m / (2.5 + 0.22 * np.maximum(ahead_m, 0))) ** 2))
        beam = (
            light.headlights
            * spread
            * np.exp(-np.maximum(ahead_m - 12, 0) / 38)
            * np.clip((ahead_m - 1) / 8, 0, 1)
        )
        value = value + beam[:, None] * np.array([0.9, 1.0, 1.0])
    if light.lamps:
        pool = (0.14 + 0.14 * np.cos(2 * np.pi * s_m / 15.0)) * light.lamps
        value = value + pool[:, None] * np.array([0.55, 0.85, 1.0])
    return value


def fogged(light: Lighting, colours: FloatArray, distance_m: npt.ArrayLike) -> FloatArray:
    """Colours seen through the air, float64[..., 3], for distances that broadcast against them."""
    clear = np.exp(-light.fog_per_m * np.asarray(distance_m, np.float64))[..., None]
    seen: FloatArray = colours * clear + light.fog * (1 - clear)
    return seen


@lru_cache(maxsize=32)
def _noise_tile(width: int, height: int, sigma: float) -> Image:
    """Noise around 4 sigma, larger than the frame, so that a random cut of it is new noise every time."""
    rng = np.random.Generator(np.random.PCG64(7))
    size = (height + 64, width + 64)
    grain = (
        rng.standard_normal((*size, 1), np.float32) * 0.8 + rng.standard_normal((*size, 3), np.float32) * 0.5
    )
    return np.clip(np.round(grain * sigma + 4 * sigma), 0, 8 * sigma).astype(np.uint8)


@lru_cache(maxsize=32)
def _vignette(width: int, height: int) -> Image:
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    share = 1 - 0.2 * (x**2 + y**2) ** 1.2 / 2
    return np.repeat(np.round(share * 255).astype(np.uint8)[..., None], 3, axis=2)


@lru_cache(maxsize=32)
def _streaks(width: int, height: int, bright: int) -> Image:
    """Rain drops in flight, larger than the frame."""
    rng = np.random.Generator(np.random.PCG64(11))
    layer = np.zeros((height + 64, width + 64, 3), np.uint8)
    for _ in range(width * height // 900):
        x, y = rng.integers(0, width + 64), rng.integers(0, height + 64)
        long = int(rng.integers(height // 40, height // 12 + 2))
        tone = int(rng.integers(bright // 3, bright))
        cv2.line(
            layer, (int(x), int(y)), (int(x) + long // 6, int(y) + long), (tone, tone, tone), 1, cv2.LINE_AA
        )
    return layer


def expose(image: Image, light: Lighting, rng: np.random.Generator) -> Image:
    """What the sensor makes of a scene: rain in the air, softness, vignetting and noise.

    Args:
        image: the painted scene, BGR uint8[h, w, 3]; rain is painted into it.
        light: the lighting.
        rng: of this camera and frame.

    Returns:
        A new image of the same size.
    """
    height, width = image.shape[:2]
    if light.rain:
        y, x = (int(v) for v in rng.integers(0, 64, 2))
        bright = 40 + int(light.fog.mean() / 4)
        cv2.add(image, _streaks(width, height, bright)[y : y + height, x : x + width], dst=image)
    seen = np.empty_like(image)
    cv2.GaussianBlur(image, (3, 3), 0.9 if light.rain else 0.6, dst=seen)
    cv2.multiply(seen, _vignette(width, height), dst=seen, scale=1 / 255)
    y, x = (int(v) for v in rng.integers(0, 64, 2))
    cv2.add(seen, _noise_tile(width, height, light.noise)[y : y + height, x : x + width], dst=seen)
    cv2.subtract(seen, np.array([round(4 * light.noise)] * 4, np.float64), dst=seen)
    return seen
