"""Painting actors, far ones first, and keeping their truth: box, visibility, distance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from transforms.scenes.actors import TREE, Actors, ActorStates
from transforms.scenes.cameras import Viewpoint
from transforms.scenes.painting import (
    NEAR_M,
    Canvas,
    FixedArray,
    clip_near,
    clip_to_frame,
    convex_outline,
    drawable,
    fixed,
    hull,
)
from transforms.scenes.private_parts import PrivateParts, PrivateTruth
from transforms.scenes.shapes import Material, Shape
from transforms.scenes.weather import SUN_DIRECTION, Lighting

FloatArray = npt.NDArray[np.float64]

MIN_HEIGHT_PX: Final = 5.0
"""Lower objects are neither painted nor in the truth."""

MIN_WIDTH_PX: Final = 2.0
"""Narrower objects, or slivers of them at the frame's edge, are in neither."""

_PALETTE: Final = np.array(
    [
        (0, 0, 0), (0, 0, 0), (74, 62, 52), (30, 30, 32), (235, 245, 250), (40, 40, 215), (150, 175, 220), (35, 45, 60),
        (150, 150, 150), (215, 225, 225), (30, 190, 225), (50, 50, 250), (60, 200, 250), (110, 235, 90), (42, 42, 44), (50, 70, 95),
        (135, 165, 215), (225, 235, 238),
    ],
    np.float64,
)  # fmt: skip
# On the road an own light is told by its glow; by day it is a mere colour.
_GLOW: Final = {
    Material.HEADLIGHT: (150, 165, 165),
    Material.TAILLIGHT: (20, 20, 150),
    Material.RED: (30, 30, 160),
    Material.YELLOW: (20, 110, 150),
    Material.GREEN: (80, 150, 40),
}


_OWN_LIGHT: Final = np.isin(np.arange(len(Material)), [Material.HEADLIGHT, Material.TAILLIGHT])
_ALWAYS_LIT: Final = np.isin(np.arange(len(Material)), [Material.RED, Material.YELLOW, Material.GREEN])


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """What is to be seen in one frame, nearest object last.

    Attributes:
        boxes: xyxy edges of the silhouette within the frame, pixels, float32[N, 4].
        categories: indices into `models.taxonomy.CATEGORIES`, uint8[N].
        object_ids: the same thing's number in every frame and camera, int64[N].
        visibility: share of the silhouette within the frame that nothing nearer hides, float32[N].
        truncation: share of the whole silhouette's box that lies outside the frame, float32[N].
        depth_m: distance along the camera's axis to the object's middle, float32[N].
        private: faces and number plates; none in worlds without.
    """

    boxes: npt.NDArray[np.float32]
    categories: npt.NDArray[np.uint8]
    object_ids: npt.NDArray[np.int64]
    visibility: npt.NDArray[np.float32]
    truncation: npt.NDArray[np.float32]
    depth_m: npt.NDArray[np.float32]
    private: PrivateTruth


@dataclass(frozen=True, slots=True)
class Poses:
    """Actors before the camera, far ones first.

    Attributes:
        rotation: their own directions to the camera's, float64[N, 3, 3].
        offset: their origins in the camera's frame, float64[N, 3].
        size: length, width and height, float64[N, 3].
        eye: the camera in units of their vertices, float64[N, 3].
        sun: direction to the sun in their own frame, float64[N, 3].
        shine: light that falls on all of them, float64[N, 3].
        clear: share of their colour that fog leaves, float64[N].
        distance_m: to the camera, float64[N].
        palette: BGR of each material, float64[N, M, 3].
    """

    rotation: FloatArray
    offset: FloatArray
    size: FloatArray
    eye: FloatArray
    sun: FloatArray
    shine: FloatArray
    clear: FloatArray
    distance_m: FloatArray
    palette: FloatArray


def pose(view: Viewpoint, light: Lighting, actors: Actors, state: ActorStates, shine: FloatArray) -> Poses:
    """Puts actors before a camera.

    Args:
        view: the camera.
        light: the lighting.
        actors: N actors, far ones first.
        state: where they are.
        shine: light that falls on them, float64[N, 3].
    """
    count = len(actors)
    cosine, sine = np.cos(state.yaw_rad), np.sin(state.yaw_rad)
    turn = np.zeros((count, 3, 3))
    turn[:, 0, 0], turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1], turn[:, 2, 2] = cosine, -sine, sine, cosine, 1
    size = np.stack([actors.length_m, actors.width_m, actors.height_m], axis=1)
    away = np.stack([state.x_m, state.y_m, actors.base_m], axis=1) - view.position
    distance = np.sqrt((away * away).sum(axis=1))
    palette = np.repeat(_PALETTE[None], count, axis=0)
    palette[:, Material.BODY], palette[:, Material.SECOND] = actors.colour, actors.second
    return Poses(
        rotation=view.rotation @ turn,
        offset=away @ view.rotation.T,
        size=size,
        eye=np.einsum("ni,nij->nj", -away, turn) / size,
        sun=np.einsum("i,nij->nj", SUN_DIRECTION, turn),
        shine=shine,
        clear=np.exp(-light.fog_per_m * distance),
        distance_m=distance,
        palette=palette,
    )


class Painter:
    """Paints the actors of one frame, far ones first, and keeps their truth."""

    def __init__(self, canvas: Canvas, light: Lighting) -> None:
        self.canvas = canvas
        self.light = light
        self.rows: list[tuple[float, ...]] = []
        self.private = PrivateParts(canvas)

    def paint(self, shape: Shape, poses: Poses, rank: int, kind: int, number: int) -> None:
        """Paints one actor; kinds below TREE go into the truth.

        Args:
            shape: what it looks like.
            poses: all actors.
            rank: which of them.
            kind: what it is.
            number: its object id.
        """
        view = self.canvas.view
        seen = (shape.vertices * poses.size[rank]) @ poses.rotation[rank].T + poses.offset[rank]
        nearest = float(seen[:, 2].min())
        pixels = view.project(seen) if nearest >= NEAR_M else None
        if pixels is not None and drawable(pixels):
            points = fixed(pixels)
            outlines = [pixels[first:last] for first, last, _ in shape.parts]
            hulls = [_fixed_hull(points[first:last]) for first, last, _ in shape.parts]
        else:
            points = None
            outlines = [convex_outline(view, seen[first:last]) for first, last, _ in shape.parts]
            hulls = [fixed(self.canvas.tame(outline)) for outline in outlines]
        extent = np.concatenate(outlines)
        if not len(extent):
            return
        box = self._box(outlines, extent, cut=nearest < NEAR_M)
        if box is None:
            return
        mark = len(self.rows) + 1 if kind < TREE else 0
        for corners in hulls:
            if len(corners):
                self.canvas.mark(corners, mark)
        if mark:
            count = np.count_nonzero(self._area(box) == mark)
            self.rows.append((*box, kind, number, float(seen[:, 2].mean()), int(count)))
            self.private.note(shape, poses.eye[rank], seen, mark, number)
        self._colour(shape, poses, rank, seen, hulls, points)

    def _box(self, outlines: list[FloatArray], extent: FloatArray, *, cut: bool) -> tuple[float, ...] | None:
        """Bounds of what lies within the frame and the share of the whole's that does not, or None if too small."""
        camera = self.canvas.view.camera
        (left, top), (right, bottom) = extent.min(axis=0).tolist(), extent.max(axis=0).tolist()
        if right <= 0 or bottom <= 0 or left >= camera.width or top >= camera.height:
            return None
        outside = 0.0
        if cut or left < 0 or top < 0 or right > camera.width or bottom > camera.height:
            cuts = [
                clip_to_frame(hull(outline), camera.width, camera.height)
                for outline in outlines
                if len(outline)
            ]
            inside = np.concatenate(cuts)
            if not len(inside):
                return None
            whole = (right - left) * (bottom - top)
            # Where a line meets the frame's edge is known to rounding only.
            left, top = np.maximum(inside.min(axis=0), 0.0).tolist()
            right, bottom = np.minimum(inside.max(axis=0), (camera.width, camera.height)).tolist()
            outside = 1.0 if cut else 1.0 - (right - left) * (bottom - top) / whole
        if bottom - top < MIN_HEIGHT_PX or right - left < MIN_WIDTH_PX:
            return None
        return left, top, right, bottom, outside

    def _area(self, box: Sequence[float]) -> npt.NDArray[np.uint8]:
        # A filled polygon covers every pixel that it touches, one beyond its edges included.
        left, top = max(int(box[0]) - 2, 0), max(int(box[1]) - 2, 0)
        return self.canvas.ids[top : int(box[3]) + 3, left : int(box[2]) + 3]

    def _colour(
        self,
        shape: Shape,
        poses: Poses,
        rank: int,
        seen: FloatArray,
        hulls: list[FixedArray],
        points: FixedArray | None,
    ) -> None:
        """Paints the parts and faces of an actor."""
        light, canvas = self.light, self.canvas
        material, palette, clear = shape.face_material, poses.palette[rank], float(poses.clear[rank])
        haze = light.fog * (1 - clear)
        flat = np.minimum(palette * ((poses.shine[rank] + 0.5 * light.sun) * clear) + haze, 255.0).tolist()
        order = list(range(len(shape.parts)))
        if shape.by_depth:
            order.sort(key=lambda part: -float(seen[shape.parts[part][0] : shape.parts[part][1], 2].mean()))
        faces: list[list[int]] = [[] for _ in order]
        colours: list[list[float]] = []
        if len(shape.faces):
            normals = shape.normals / poses.size[rank]
            lit = np.maximum(normals @ poses.sun[rank], 0.0) / np.sqrt((normals * normals).sum(axis=1))
            tones = palette[material] * (poses.shine[rank] + lit[:, None] * light.sun)
            shines = (_ALWAYS_LIT | _OWN_LIGHT)[material] if light.lamps else _ALWAYS_LIT[material]
            tones = np.where(shines[:, None], palette[material], tones)
            colours = np.minimum(tones * clear + haze, 255.0).tolist()
            for face in np.flatnonzero(shape.normals @ poses.eye[rank] > shape.offsets).tolist():
                faces[shape.face_part[face]].append(face)
        for part in order:
            if shape.parts[part][2] >= 0 and len(hulls[part]):
                canvas.fill(hulls[part], _bgr(flat[shape.parts[part][2]]))
            for face in faces[part]:
                corners = (
                    points[shape.faces[face]]
                    if points is not None
                    else self._cut_face(seen[shape.faces[face]])
                )
                if len(corners):
                    canvas.fill(corners, _bgr(colours[face]))
                    if shines[face] and light.lamps:
                        self._halo(corners, Material(int(material[face])), float(poses.distance_m[rank]))

    def _cut_face(self, seen: FloatArray) -> FixedArray:
        return fixed(self.canvas.tame(self.canvas.view.project(clip_near(seen))))

    def _halo(self, corners: FixedArray, material: Material, distance_m: float) -> None:
        reach = 0.7 if material == Material.HEADLIGHT else 0.45
        radius = self.canvas.view.camera.focal_px * reach / max(distance_m, 2.0) + 2.0
        strength = self.light.lamps * exp(-distance_m / 120)
        x, y = (corners.mean(axis=0) / 16 + 0.5).tolist()
        blue, green, red = _GLOW[material]
        self.canvas.glow(x, y, radius, (blue * strength, green * strength, red * strength))

    def truth(self) -> FrameTruth:
        """What was painted and how much of it is still to be seen."""
        table = np.array(self.rows, np.float64).reshape(-1, 9)
        seen = [
            np.count_nonzero(self._area(row) == number) / max(row[8], 1.0)
            for number, row in enumerate(table.tolist(), start=1)
        ]
        return FrameTruth(
            boxes=table[:, :4].astype(np.float32),
            categories=table[:, 5].astype(np.uint8),
            object_ids=table[:, 6].astype(np.int64),
            visibility=np.array(seen, np.float32),
            truncation=table[:, 4].astype(np.float32),
            depth_m=table[:, 7].astype(np.float32),
            private=self.private.truth(),
        )


def _fixed_hull(points: FixedArray) -> FixedArray:
    corners: FixedArray = cv2.convexHull(points)  # type: ignore[assignment]  # of int32 comes int32
    return corners


def _bgr(colour: Sequence[float]) -> tuple[float, float, float]:
    blue, green, red = colour
    return blue, green, red
