"""The video that a training reads: how much, what an hour of it weighs, and what it costs to decode."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.flops import SECONDS_PER_HOUR
from transforms.budget.draws import Inputs
from transforms.budget.facts.library import Facts

BITS_PER_BYTE: Final = 8


@dataclass(frozen=True, slots=True)
class Footage:
    """What a training reads of a data set's video.

    Attributes:
        hours: camera-hours, each once.
        stored_bytes: bytes that are read of a camera-hour, float64[draws].
        decode_core_s: core-seconds that decoding them takes, float64[draws].
    """

    hours: float
    stored_bytes: FloatArray
    decode_core_s: FloatArray


def footage_of(facts: Facts, figures: DatasetFigures, inputs: Inputs) -> Footage | None:
    """Video as it was recorded.

    Every frame is decoded whenever an hour is seen, however few of them are wanted: a frame leans on those
    before it. Decoders on the accelerators are not counted.

    Args:
        facts: the facts.
        figures: the data set.
        inputs: where draws come from and are noted.

    Returns:
        None where there is no video to read.
    """
    if figures.camera_hours <= 0:
        return None
    shown = sum(camera.hours * camera.width * camera.height * camera.fps_mean for camera in figures.cameras)
    pixels = inputs.given(
        "decoded_pixels",
        shown * SECONDS_PER_HOUR / figures.camera_hours,
        "px/h",
        "estimate",
        f"all frames of a camera-hour, mean over {figures.source}",
    )
    return Footage(
        hours=figures.camera_hours,
        stored_bytes=bytes_per_camera_hour(facts, figures, inputs),
        decode_core_s=pixels / inputs.draw("decoding_speed", facts.decoding.speed),
    )


def pictures_of(facts: Facts, figures: DatasetFigures, frames: float, inputs: Inputs) -> Footage | None:
    """Frames that were taken out of the video once and are kept as pictures: labelled ones, mostly.

    Args:
        facts: the facts.
        figures: the data set.
        frames: how many of its frames, at their full resolution.
        inputs: where draws come from and are noted.

    Returns:
        None where there is no picture to read.
    """
    if figures.camera_hours <= 0 or frames <= 0:
        return None
    area = sum(camera.hours * camera.width * camera.height for camera in figures.cameras)
    pixels = inputs.given(
        "picture_pixels",
        frames / figures.camera_hours * area / figures.camera_hours,
        "px/h",
        "estimate",
        "frames kept of a camera-hour, of the data set's mean size",
    )
    return Footage(
        hours=figures.camera_hours,
        stored_bytes=pixels * inputs.draw("picture_bytes", facts.storage.picture_bytes),
        decode_core_s=pixels / inputs.draw("picture_decoding_speed", facts.decoding.picture_speed),
    )


def bytes_per_camera_hour(facts: Facts, figures: DatasetFigures, inputs: Inputs) -> FloatArray:
    """Bytes of a camera-hour: the data set's own, or those of a usual bit rate where it has none.

    Args:
        facts: the facts.
        figures: a data set with camera-hours.
        inputs: where draws come from and are noted.

    Returns:
        Bytes, float64[draws].
    """
    if figures.bytes:
        size = figures.bytes / figures.camera_hours
        source = "size of the data set's clips over their length"
        inputs.given("bytes_per_camera_hour", size, "B/h", "measured", source)
        return np.full(inputs.count, size)
    bitrate = inputs.draw("camera_bitrate", facts.storage.camera_bitrate)
    return bitrate / BITS_PER_BYTE * SECONDS_PER_HOUR
