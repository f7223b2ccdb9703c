"""How the camera's own motion moves the picture, from frame to frame of a clip."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.labels.kalman import to_centres

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class CameraPath:
    """Similarities that bring places of the static background from each frame to the next.

    With places as complex numbers, x + iy in pixels, a similarity is z -> turn * z + shift: a turn is a rotation and
    a scale.

    Attributes:
        turns: complex128[F - 1].
        shifts: complex128[F - 1] in pixels.
    """

    turns: npt.NDArray[np.complex128]
    shifts: npt.NDArray[np.complex128]

    @classmethod
    def of_steps(cls, steps: FloatArray) -> "CameraPath":
        """Reads similarities.

        Args:
            steps: from each frame to the next, 2 x 3 matrices on x, y, 1 in pixels, float64[F - 1, 2, 3].
        """
        return cls(steps[:, 0, 0] + 1j * steps[:, 1, 0], steps[:, 0, 2] + 1j * steps[:, 1, 2])

    def reversed(self) -> "CameraPath":
        """The same for the frames in reverse order."""
        return CameraPath(1 / self.turns[::-1], -self.shifts[::-1] / self.turns[::-1])

    def moved(self, states: FloatArray, before: IndexArray, now: IndexArray) -> FloatArray:
        """States of boxes after the camera has moved.

        Args:
            states: centre and size, their velocities and variances as in `kalman.py`, float64[5, T, 4].
            before: frame that each state is of, int[T].
            now: frame that each is wanted for, int[T], not before that.
        """
        places = states[0, :, 0] + 1j * states[0, :, 1]
        scales = np.ones(len(places))
        for step in range(int((now - before).max(initial=0))):
            moving = np.flatnonzero(before + step < now)
            turns, shifts = self.turns[before[moving] + step], self.shifts[before[moving] + step]
            places[moving] = turns * places[moving] + shifts
            scales[moving] *= np.abs(turns)
        result = states.copy()
        result[0, :, 0], result[0, :, 1] = places.real, places.imag
        result[0, :, 2:] *= scales[:, None]
        return result

    def moved_boxes(self, boxes: npt.NDArray[np.floating], before: int, now: int) -> FloatArray:
        """Centre and size of boxes that stand still, after the camera has moved, float64[N, 4] in pixels.

        Args:
            boxes: xyxy edges in pixels, float[N, 4].
            before: their frame.
            now: the frame that they are wanted for, not before that.
        """
        states = np.zeros((5, len(boxes), 4))
        states[0] = to_centres(boxes.astype(np.float64))
        moved = self.moved(states, np.full(len(boxes), before), np.full(len(boxes), now))
        result: FloatArray = moved[0]
        return result

    def speeds(self, width: float, height: float) -> FloatArray:
        """How far the corners of the picture move from each frame to the next on average, float64[F - 1] in pixels.

        Args:
            width: of the picture in pixels.
            height: of the picture in pixels.
        """
        corners = np.array([0, width, 1j * height, width + 1j * height])
        moves = (self.turns[:, None] - 1) * corners + self.shifts[:, None]
        result: FloatArray = np.abs(moves).mean(axis=1)
        return result
