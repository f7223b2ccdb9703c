"""What stands at the roadside: traffic lights, trees and masts."""

from functools import cache
from math import cos, pi, sin

import numpy as np

from transforms.scenes.shapes import Builder, Material, Shape, ball, limb, quad


@cache
def light_shape(lamp: Material) -> Shape:
    """The housing of a traffic light that faces its own +x side.

    Args:
        lamp: the lamp that shines.
    """
    builder = Builder()
    builder.block(quad(-0.5, 0.5, 0.5, 0.0), quad(-0.5, 0.5, 0.5, 1.0), Material.HOUSING)
    rim = [(0.52, -0.4, 0.03), (0.52, 0.4, 0.03), (0.52, 0.4, 0.97), (0.52, -0.4, 0.97)]
    builder.detail(rim, Material.DARK)
    for middle, colour in ((0.82, Material.RED), (0.5, Material.YELLOW), (0.18, Material.GREEN)):
        ring = [(0.54, 0.34 * cos(a), middle + 0.135 * sin(a)) for a in np.arange(8) * pi / 4 + pi / 8]
        builder.detail(ring, colour if colour == lamp else Material.TYRE)
    return builder.build()


@cache
def tree_shape() -> Shape:
    """A tree: trunk and two crowns."""
    builder = Builder()
    builder.hull(limb((0, 0, 0.0), (0, 0, 0.45), (0.09, 0.09, 0.02)), Material.BARK)
    builder.hull(ball(0.05, 0.58, (0.5, 0.5, 0.24)), Material.SECOND)
    builder.hull(ball(-0.05, 0.78, (0.38, 0.38, 0.22)), Material.BODY)
    return builder.build()


@cache
def pole_shape() -> Shape:
    """A mast with an arm to its left, as long as the thing is wide, and a head at the arm's end."""
    builder = Builder()
    builder.hull(limb((0, 0, 0.0), (0, 0, 0.98), (1.0, 0.03, 0.02)), Material.METAL)
    builder.hull(limb((0, 0, 0.98), (0, 1.0, 0.985), (0.7, 0.02, 0.015)), Material.METAL)
    return builder.build()
