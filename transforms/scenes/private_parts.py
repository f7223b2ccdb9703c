"""Truth of faces and number plates: where they are in a frame, and how much of them is to be seen."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from transforms.scenes.painting import NEAR_M, Canvas, clip_to_frame, hull
from transforms.scenes.shapes import PRIVATE_MATERIALS, Material, Shape

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PrivateTruth:
    """Faces and number plates in one frame.

    Attributes:
        boxes: xyxy edges of what lies within the frame, pixels, float32[N, 4].
        kinds: face or plate.
        object_ids: number of the person or vehicle, int64[N].
        visibility: share of the box that shows its person or vehicle and nothing nearer, float32[N].
    """

    boxes: npt.NDArray[np.float32]
    kinds: tuple[str, ...]
    object_ids: npt.NDArray[np.int64]
    visibility: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Part:
    kind: str
    box: tuple[float, float, float, float]
    mark: int
    number: int


class PrivateParts:
    """Keeps the truth of faces and plates while a frame is painted.

    Args:
        canvas: what is painted on.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._parts: list[_Part] = []

    def note(self, shape: Shape, eye: FloatArray, seen: FloatArray, mark: int, number: int) -> None:
        """Takes down the faces and plates of an actor that look at the camera.

        Args:
            shape: the actor's.
            eye: the camera in units of its vertices, float64[3].
            seen: its vertices in the camera's frame, float64[V, 3].
            mark: that its pixels have on the canvas.
            number: its object id.
        """
        camera = self._canvas.view.camera
        for face in np.flatnonzero(np.isin(shape.face_material, list(PRIVATE_MATERIALS))).tolist():
            corners = seen[shape.faces[face]]
            if float(corners[:, 2].min()) < NEAR_M or shape.normals[face] @ eye <= shape.offsets[face]:
                continue
            whole = hull(self._canvas.view.project(corners))
            outline = clip_to_frame(whole, camera.width, camera.height)
            if len(outline):
                left, top = np.maximum(outline.min(axis=0), 0.0).tolist()
                right, bottom = np.minimum(outline.max(axis=0), (camera.width, camera.height)).tolist()
                kind = PRIVATE_MATERIALS[Material(int(shape.face_material[face]))]
                self._parts.append(_Part(kind, (left, top, right, bottom), mark, number))

    def truth(self) -> PrivateTruth:
        """What was painted and how much of it is still to be seen."""
        shown = []
        for part in self._parts:
            left, top, right, bottom = part.box
            ids = self._canvas.ids[int(top) : ceil(bottom), int(left) : ceil(right)]
            shown.append(np.count_nonzero(ids == part.mark) / max(ids.size, 1))
        return PrivateTruth(
            boxes=np.array([part.box for part in self._parts], np.float32).reshape(-1, 4),
            kinds=tuple(part.kind for part in self._parts),
            object_ids=np.array([part.number for part in self._parts], np.int64),
            visibility=np.array(shown, np.float32),
        )
