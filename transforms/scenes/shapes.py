"""What things look like: convex parts, made of faces or filled as one."""

from dataclasses import dataclass
from enum import IntEnum
from math import cos, pi, sin
from typing import Final

import numpy as np
import numpy.typing as npt

Vertices = npt.NDArray[np.float64]

CORNERS: Final = 8
"""Corners a face may have; shorter faces repeat their last one."""

GAITS: Final = 12
"""Positions of the legs within a step cycle."""


class Material(IntEnum):
    """What a face is made of: an index into an object's palette."""

    BODY = 0
    SECOND = 1
    GLASS = 2
    TYRE = 3
    HEADLIGHT = 4
    TAILLIGHT = 5
    SKIN = 6
    HAIR = 7
    METAL = 8
    PLATE = 9
    HOUSING = 10
    RED = 11
    YELLOW = 12
    GREEN = 13
    DARK = 14
    BARK = 15
    FACE = 16
    NUMBER = 17


PRIVATE_MATERIALS: Final = {Material.FACE: "face", Material.NUMBER: "plate"}
"""Materials of faces that have truth of their own: what is to be blurred."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A thing of convex parts in its own frame: forward, left, up, origin on the ground under its middle.

    Attributes:
        vertices: in units of the thing's length, width and height, float64[V, 3].
        parts: first and last+1 vertex of each convex part, and the material of a part without faces (else -1).
        faces: corners of each face, anticlockwise from outside, intp[F, CORNERS].
        face_part: the part a face lies on, intp[F].
        face_material: intp[F].
        normals: outward, not of unit length, in the vertices' units, float64[F, 3].
        offsets: a point p is before face f when normals[f] @ p > offsets[f], float64[F].
        by_depth: parts are painted far to near; else in the order they stand.
    """

    vertices: Vertices
    parts: tuple[tuple[int, int, int], ...]
    faces: npt.NDArray[np.intp]
    face_part: npt.NDArray[np.intp]
    face_material: npt.NDArray[np.intp]
    normals: Vertices
    offsets: Vertices
    by_depth: bool


class Builder:
    """Collects the parts and faces of a shape."""

    def __init__(self) -> None:
        self.vertices: list[Vertices] = []
        self.parts: list[tuple[int, int, int]] = []
        self.faces: list[tuple[list[int], int, int]] = []

    @property
    def _count(self) -> int:
        return sum(len(v) for v in self.vertices)

    def hull(self, points: object, material: Material) -> None:
        """Adds a part that is filled as one."""
        array = np.asarray(points, np.float64).reshape(-1, 3)
        first = self._count
        self.vertices.append(array)
        self.parts.append((first, first + len(array), int(material)))

    def block(self, bottom: Vertices, top: Vertices, material: Material) -> None:
        """Adds a part between two quads (corners anticlockwise seen from above) with six faces."""
        first = self._count
        self.vertices.append(np.concatenate([bottom, top]))
        self.parts.append((first, first + 8, -1))
        part = len(self.parts) - 1
        for corners in ((0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7)):
            self.faces.append(([first + c for c in corners], part, int(material)))

    def detail(self, points: object, material: Material) -> None:
        """Adds a face that lies on the last part."""
        array = np.asarray(points, np.float64).reshape(-1, 3)
        first = self._count
        self.vertices.append(array)
        self.faces.append((list(range(first, first + len(array))), len(self.parts) - 1, int(material)))

    def build(self, *, by_depth: bool = False) -> Shape:
        """The shape; `by_depth` where its parts may hide each other either way."""
        vertices = np.concatenate(self.vertices)
        padded = [c + c[-1:] * (CORNERS - len(c)) for c, _, _ in self.faces]
        faces = np.array(padded, np.intp).reshape(-1, CORNERS)
        first = vertices[faces[:, 0]]
        normals = np.cross(vertices[faces[:, 1]] - first, vertices[faces[:, 2]] - first)
        return Shape(
            vertices,
            tuple(self.parts),
            faces,
            np.array([part for _, part, _ in self.faces], np.intp),
            np.array([material for _, _, material in self.faces], np.intp),
            normals,
            (normals * first).sum(axis=1),
            by_depth,
        )


def quad(x0: float, x1: float, y: float, z: float) -> Vertices:
    """A level rectangle, anticlockwise from above."""
    return np.array([(x0, -y, z), (x1, -y, z), (x1, y, z), (x0, y, z)])


def wheel(
    x: float, y: float, radius: tuple[float, float], side: int, width: float = 0.1
) -> list[tuple[float, ...]]:
    """Corners of a wheel that stands on the ground, one side's outer face at y."""
    ring = [(x + radius[0] * cos(a), radius[1] * (1 + sin(a))) for a in np.arange(8) * pi / 4 + pi / 8]
    return [(px, yy, pz) for yy in (y * side, (y - width) * side) for px, pz in ring]


def disc(x: float, y: float, radius: tuple[float, float], side: int, share: float) -> list[tuple[float, ...]]:
    """Corners of a disc on a wheel's outer face, of a share of its radius."""
    angles = np.arange(8) * pi / 4 + pi / 8
    return [
        (x + share * radius[0] * cos(a), y * side, radius[1] * (1 + share * sin(a)))
        for a in (angles if side < 0 else -angles)
    ]


def limb(
    start: tuple[float, float, float], stop: tuple[float, float, float], thick: tuple[float, float, float]
) -> Vertices:
    """A bar between two points: boxes around both, as one convex part."""
    corners = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]) * 0.5 * np.array(thick)
    return np.concatenate([corners + start, corners + stop])


def ball(x: float, z: float, radius: tuple[float, float, float], lowest: float = -1.0) -> Vertices:
    """Corners of a ball around (x, 0, z); cut off below `lowest` (-1 to 1) for a cap."""
    rings = [(cos(b), sin(b)) for b in np.linspace(-pi / 2, pi / 2, 5) if sin(b) >= lowest]
    ring = np.arange(8) * pi / 4
    return np.array(
        [
            (x + radius[0] * c * cos(a), radius[1] * c * sin(a), z + radius[2] * h)
            for c, h in rings
            for a in ring
        ]
    )
