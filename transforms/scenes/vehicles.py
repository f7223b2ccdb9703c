"""What cars and trucks look like."""

from functools import cache
from typing import Final

from transforms.scenes.shapes import Builder, Material, Shape, disc, quad, wheel

_LETTERS: Final = 6


def _end_lights(
    builder: Builder, x: float, y: tuple[float, float], z: tuple[float, float], material: Material
) -> None:
    for side in (-1, 1):
        near, far = sorted((side * y[0], side * y[1]))
        corners = [(x, near, z[0]), (x, far, z[0]), (x, far, z[1]), (x, near, z[1])]
        builder.detail(corners if x > 0 else corners[::-1], material)


def _plate(builder: Builder, x: float, wide: float, z: tuple[float, float]) -> None:
    """Adds a plate with letters to the end of the part that has just been added, at the rear where x is negative."""
    side = 1 if x > 0 else -1

    def part(y: tuple[float, float], share: tuple[float, float], before: float, material: Material) -> None:
        near, far = (side * wide * s for s in y)
        low, high = (z[0] + s * (z[1] - z[0]) for s in share)
        plane = x + side * before
        builder.detail(
            [(plane, near, low), (plane, far, low), (plane, far, high), (plane, near, high)], material
        )

    part((-1.0, 1.0), (0.0, 1.0), 0.0, Material.NUMBER)
    for letter in range(_LETTERS):
        first = -0.85 + 1.7 * letter / _LETTERS
        # letters of various heights: no two plates of the same grey
        part((first, first + 0.16), (0.2, 0.6 + 0.2 * (letter % 2)), 0.001, Material.DARK)


@cache
def car_shape(*, plates: bool = False) -> Shape:
    """A saloon: wheels, body, cabin with windows, lights at both ends.

    Args:
        plates: whether it has number plates at both ends.
    """
    builder = Builder()
    radius = (0.075, 0.22)
    for x in (-0.3, 0.3):
        for side in (-1, 1):
            builder.hull(wheel(x, 0.48, radius, side), Material.TYRE)
    builder.block(quad(-0.49, 0.5, 0.5, 0.16), quad(-0.5, 0.48, 0.48, 0.6), Material.BODY)
    for x in (-0.3, 0.3):
        for side in (-1, 1):
            builder.detail(disc(x, 0.505, radius, side, 1.0), Material.TYRE)
            builder.detail(disc(x, 0.507, radius, side, 0.55), Material.METAL)
    _end_lights(builder, 0.502, (0.25, 0.46), (0.4, 0.53), Material.HEADLIGHT)
    _end_lights(builder, -0.502, (0.26, 0.47), (0.42, 0.56), Material.TAILLIGHT)
    builder.detail(
        [(-0.503, 0.14, 0.3), (-0.503, -0.14, 0.3), (-0.503, -0.14, 0.4), (-0.503, 0.14, 0.4)], Material.PLATE
    )
    builder.detail(
        [(0.503, -0.22, 0.26), (0.503, 0.22, 0.26), (0.503, 0.22, 0.44), (0.503, -0.22, 0.44)], Material.DARK
    )
    if plates:
        _plate(builder, -0.504, 0.145, (0.31, 0.39))
        _plate(builder, 0.504, 0.145, (0.24, 0.32))
    builder.block(quad(-0.42, 0.25, 0.46, 0.6), quad(-0.3, 0.08, 0.38, 1.0), Material.BODY)
    builder.detail(
        [(0.24, -0.42, 0.63), (0.24, 0.42, 0.63), (0.1, 0.35, 0.96), (0.1, -0.35, 0.96)], Material.GLASS
    )
    builder.detail(
        [(-0.41, 0.42, 0.64), (-0.41, -0.42, 0.64), (-0.31, -0.35, 0.96), (-0.31, 0.35, 0.96)], Material.GLASS
    )
    for rear, front, top_rear, top_front in ((-0.37, -0.11, -0.27, -0.11), (-0.08, 0.2, -0.08, 0.06)):
        left = [(front, 0.46, 0.63), (rear, 0.46, 0.63), (top_rear, 0.4, 0.93), (top_front, 0.4, 0.93)]
        builder.detail(left, Material.GLASS)
        builder.detail([(px, -py, pz) for px, py, pz in left[::-1]], Material.GLASS)
    return builder.build()


@cache
def truck_shape(*, plates: bool = False) -> Shape:
    """A box truck: wheels, cargo box with stripes, cab with windscreen.

    Args:
        plates: whether it has number plates at both ends.
    """
    builder = Builder()
    radius = (0.06, 0.15)
    for x in (-0.35, -0.22, 0.36):
        for side in (-1, 1):
            builder.hull(wheel(x, 0.5, radius, side), Material.TYRE)
    builder.block(quad(-0.5, 0.24, 0.5, 0.24), quad(-0.5, 0.24, 0.5, 1.0), Material.SECOND)
    for x in (-0.35, -0.22):
        for side in (-1, 1):
            builder.detail(disc(x, 0.505, radius, side, 1.0), Material.TYRE)
            builder.detail(disc(x, 0.507, radius, side, 0.5), Material.METAL)
    for side in (-1, 1):
        stripe = [
            (-0.48, side * 0.505, 0.5),
            (0.22, side * 0.505, 0.5),
            (0.22, side * 0.505, 0.62),
            (-0.48, side * 0.505, 0.62),
        ]
        builder.detail(stripe if side < 0 else stripe[::-1], Material.BODY)
    builder.detail(
        [(-0.502, 0.01, 0.3), (-0.502, -0.01, 0.3), (-0.502, -0.01, 0.97), (-0.502, 0.01, 0.97)],
        Material.DARK,
    )
    builder.detail(
        [(-0.502, 0.46, 0.24), (-0.502, -0.46, 0.24), (-0.502, -0.46, 0.29), (-0.502, 0.46, 0.29)],
        Material.DARK,
    )
    _end_lights(builder, -0.503, (0.3, 0.48), (0.23, 0.29), Material.TAILLIGHT)
    if plates:
        _plate(builder, -0.504, 0.11, (0.245, 0.285))
    builder.block(quad(0.26, 0.5, 0.48, 0.12), quad(0.26, 0.47, 0.46, 0.82), Material.BODY)
    for side in (-1, 1):
        builder.detail(disc(0.36, 0.505, radius, side, 1.0), Material.TYRE)
        window = [
            (0.33, side * 0.475, 0.5),
            (0.45, side * 0.475, 0.5),
            (0.44, side * 0.465, 0.76),
            (0.33, side * 0.465, 0.76),
        ]
        builder.detail(window if side < 0 else window[::-1], Material.GLASS)
    builder.detail(
        [(0.49, -0.43, 0.48), (0.49, 0.43, 0.48), (0.478, 0.41, 0.77), (0.478, -0.41, 0.77)], Material.GLASS
    )
    _end_lights(builder, 0.502, (0.26, 0.44), (0.18, 0.25), Material.HEADLIGHT)
    builder.detail(
        [(0.503, -0.3, 0.28), (0.503, 0.3, 0.28), (0.5, 0.3, 0.38), (0.5, -0.3, 0.38)], Material.DARK
    )
    if plates:
        _plate(builder, 0.504, 0.11, (0.19, 0.23))
    return builder.build(by_depth=True)
