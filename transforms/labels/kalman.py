"""A Kalman filter for boxes, all tracks at once.

Centre, width and height each move at constant velocity with white-noise acceleration, independently of each
other. So the covariance of a track is four symmetric 2x2 matrices, and every step is plain arithmetic on arrays
of shape (5, tracks, 4): no matrix is ever inverted. Noise is a share of the box's size, so that near and far
objects are treated alike. A step depends on elapsed time only, so any frame rate and any gap will do.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def to_centres(boxes: FloatArray) -> FloatArray:
    """Centre and size of boxes.

    Args:
        boxes: xyxy edges in pixels, float64[N, 4].

    Returns:
        Centre x, centre y, width, height in pixels, float64[N, 4].
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=1)


def to_edges(centres: FloatArray) -> FloatArray:
    """The inverse of `to_centres`; sizes below a pixel are taken as one pixel.

    Args:
        centres: centre x, centre y, width, height in pixels, float64[N, 4].

    Returns:
        xyxy edges in pixels, float64[N, 4].
    """
    half = np.maximum(centres[:, 2:], 1.0) / 2
    return np.concatenate([centres[:, :2] - half, centres[:, :2] + half], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxNoise:
    """How uncertain boxes and their motion are, as shares of the box's size.

    Attributes:
        measurement: standard deviation of a measured centre or size.
        velocity_per_s: standard deviation of a new track's velocity, a second.
        acceleration: white-noise acceleration: standard deviation of the change of velocity over one second.
        point_velocity_per_s: standard deviation of a velocity that followed points tell, a second; a quarter or all
            of the size costs up to .01 AP50 where networks see 5 frames a second.
    """

    measurement: float = 0.05
    velocity_per_s: float = 1.0
    acceleration: float = 1.0
    point_velocity_per_s: float = 0.5


def started(measured: FloatArray, noise: BoxNoise, doubt: FloatArray | None = None) -> FloatArray:
    """States of boxes seen for the first time, standing still.

    Args:
        measured: centre x, centre y, width, height in pixels, float64[T, 4].
        noise: the filter's settings.
        doubt: how many times as noisy each measurement is, float64[T]; None = 1.

    Returns:
        float64[5, T, 4]: for each of the four, the place in pixels, the velocity in pixels a second, and of these
        the variance of the place, their covariance and the variance of the velocity.
    """
    still = np.zeros_like(measured)
    scale = still + _scales(measured)
    velocity_variance = (noise.velocity_per_s * scale) ** 2
    return np.stack([measured, still, _measured_variance(scale, noise, doubt), still, velocity_variance])


def predicted(states: FloatArray, elapsed_s: FloatArray, noise: BoxNoise) -> FloatArray:
    """States after some time without a measurement.

    Args:
        states: what was known, float64[5, T, 4].
        elapsed_s: seconds since then, float64[T], >= 0.
        noise: the filter's settings.

    Returns:
        float64[5, T, 4].
    """
    place, velocity, place_variance, covariance, velocity_variance = states
    step = elapsed_s[:, None]
    drift = (noise.acceleration * _scales(place)) ** 2
    spread = place_variance + step * (2 * covariance + step * (velocity_variance + drift * step / 3))
    return np.stack(
        [
            place + step * velocity,
            velocity,
            spread,
            covariance + step * (velocity_variance + drift * step / 2),
            velocity_variance + drift * step,
        ]
    )


def corrected(
    states: FloatArray, measured: FloatArray, noise: BoxNoise, doubt: FloatArray | None = None
) -> FloatArray:
    """States after a measurement of every box.

    Args:
        states: what was predicted for the time of the measurement, float64[5, T, 4].
        measured: centre x, centre y, width, height in pixels, float64[T, 4].
        noise: the filter's settings.
        doubt: how many times as noisy each measurement is, float64[T]; None = 1.

    Returns:
        float64[5, T, 4].
    """
    place, velocity, place_variance, covariance, velocity_variance = states
    total = place_variance + _measured_variance(_scales(measured), noise, doubt)
    gain, velocity_gain = place_variance / total, covariance / total
    residual = measured - place
    return np.stack(
        [
            place + gain * residual,
            velocity + velocity_gain * residual,
            place_variance * (1 - gain),
            covariance * (1 - gain),
            velocity_variance - velocity_gain * covariance,
        ]
    )


def steered(states: FloatArray, velocities: FloatArray, noise: BoxNoise) -> FloatArray:
    """States after a measurement of velocities.

    Args:
        states: float64[5, T, 4].
        velocities: of centre and size in pixels a second, float64[T, 4]; NaN = not measured.
        noise: the filter's settings.

    Returns:
        float64[5, T, 4].
    """
    place, velocity, place_variance, covariance, velocity_variance = states
    total = velocity_variance + (noise.point_velocity_per_s * _scales(place)) ** 2
    known = ~np.isnan(velocities)
    gain, place_gain = known * velocity_variance / total, known * covariance / total
    residual = np.where(known, velocities - velocity, 0.0)
    return np.stack(
        [
            place + place_gain * residual,
            velocity + gain * residual,
            place_variance - place_gain * covariance,
            covariance * (1 - gain),
            velocity_variance * (1 - gain),
        ]
    )


def _scales(centres: FloatArray) -> FloatArray:
    """The size that noise is a share of, float64[T, 1]: the mean side, at least a pixel."""
    sides: FloatArray = np.maximum((centres[:, 2:3] + centres[:, 3:4]) / 2, 1.0)
    return sides


def _measured_variance(scales: FloatArray, noise: BoxNoise, doubt: FloatArray | None) -> FloatArray:
    return (noise.measurement * scales * (1.0 if doubt is None else doubt[:, None])) ** 2
