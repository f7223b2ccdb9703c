"""What people look like, on foot and on bicycles."""

from functools import cache
from math import cos, pi, sin

from transforms.scenes.shapes import GAITS, Builder, Material, Shape, ball, disc, limb, wheel


def _face(builder: Builder, x: float, z: tuple[float, float], wide: float) -> None:
    """Adds a face, with eyes and a mouth, to the head that has just been added."""

    def part(y: tuple[float, float], share: tuple[float, float], before: float, material: Material) -> None:
        low, high = (z[0] + s * (z[1] - z[0]) for s in share)
        left, right = (s * wide for s in y)
        builder.detail(
            [
                (x + before, left, low),
                (x + before, right, low),
                (x + before, right, high),
                (x + before, left, high),
            ],
            material,
        )

    part((-1.0, 1.0), (0.0, 1.0), 0.0, Material.FACE)
    for side in (-1, 1):
        near, far = sorted((0.2 * side, 0.7 * side))
        part((near, far), (0.6, 0.8), 0.002, Material.DARK)
    part((-0.5, 0.5), (0.18, 0.3), 0.002, Material.BARK)


@cache
def person_shape(gait: int, *, face: bool = False) -> Shape:
    """A person walking.

    Args:
        gait: 0 to GAITS - 1; legs and arms swing once in GAITS.
        face: whether the head has one.
    """
    swing = sin(2 * pi * gait / GAITS)
    builder = Builder()
    for side in (-1, 1):
        builder.hull(
            limb((0, 0.2 * side, 0.47), (0.42 * swing * side, 0.18 * side, 0.03), (0.22, 0.3, 0.06)),
            Material.SECOND,
        )
    for side in (-1, 1):
        builder.hull(
            limb((0, 0.42 * side, 0.77), (-0.34 * swing * side, 0.42 * side, 0.45), (0.16, 0.16, 0.05)),
            Material.BODY,
        )
    builder.hull(limb((0, 0, 0.47), (0, 0, 0.79), (0.36, 0.72, 0.05)), Material.BODY)
    builder.hull(ball(0, 0.905, (0.2, 0.19, 0.085)), Material.SKIN)
    if face:
        _face(builder, 0.2, (0.845, 0.945), 0.15)
    builder.hull(ball(-0.02, 0.915, (0.21, 0.2, 0.085), lowest=0.3), Material.HAIR)
    return builder.build()


@cache
def rider_shape(gait: int, *, face: bool = False) -> Shape:
    """A person on a bicycle, both as one thing.

    Args:
        gait: 0 to GAITS - 1; the pedals turn once in GAITS.
        face: whether the head has one.
    """
    angle = 2 * pi * gait / GAITS
    builder = Builder()
    radius = (0.19, 0.19)
    for x in (-0.31, 0.31):
        builder.hull(wheel(x, 0.05, radius, 1, 0.1), Material.TYRE)
        builder.hull(
            [
                (px, py * 1.3, pz)
                for px, py, pz in disc(x, 0.06, radius, 1, 0.72) + disc(x, 0.06, radius, -1, 0.72)
            ],
            Material.METAL,
        )
    for start, stop in (
        ((-0.31, 0, 0.19), (0.02, 0, 0.2)),
        ((0.02, 0, 0.2), (-0.1, 0, 0.5)),
        ((-0.08, 0, 0.45), (0.22, 0, 0.48)),
        ((0.31, 0, 0.19), (0.2, 0, 0.56)),
        ((0.02, 0, 0.2), (0.22, 0, 0.46)),
    ):
        builder.hull(limb(start, stop, (0.04, 0.07, 0.03)), Material.PLATE)
    builder.hull(limb((0.2, -0.42, 0.57), (0.2, 0.42, 0.57), (0.04, 0.08, 0.03)), Material.DARK)
    for side in (-1, 1):
        foot = (0.02 + 0.08 * cos(angle) * side, 0.2 * side, 0.2 + 0.09 * sin(angle) * side)
        knee = (0.12 + 0.05 * cos(angle) * side, 0.24 * side, 0.42 + 0.05 * sin(angle) * side)
        builder.hull(limb((-0.1, 0.2 * side, 0.53), knee, (0.09, 0.24, 0.05)), Material.SECOND)
        builder.hull(limb(knee, foot, (0.07, 0.2, 0.04)), Material.SECOND)
        builder.hull(
            limb((0.02, 0.38 * side, 0.78), (0.18, 0.4 * side, 0.59), (0.06, 0.16, 0.04)), Material.BODY
        )
    builder.hull(limb((-0.1, 0, 0.54), (0.03, 0, 0.8), (0.13, 0.68, 0.05)), Material.BODY)
    builder.hull(limb((-0.02, 0, 0.555), (0.02, 0, 0.56), (0.24, 0.3, 0.02)), Material.DARK)
    builder.hull(ball(0.07, 0.905, (0.065, 0.2, 0.08)), Material.SKIN)
    if face:
        _face(builder, 0.135, (0.845, 0.925), 0.16)
    builder.hull(ball(0.07, 0.925, (0.075, 0.24, 0.075), lowest=0.0), Material.HAIR)
    return builder.build()
