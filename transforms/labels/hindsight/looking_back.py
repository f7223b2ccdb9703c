"""All of hindsight over one clip, step by step; each step is a switch of the job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from models.calibration import Calibration, calibrated
from transforms.labels.camera_path import CameraPath
from transforms.labels.hindsight.associating import associate
from transforms.labels.hindsight.carrying import carry_between
from transforms.labels.hindsight.extrapolating import extrapolate
from transforms.labels.hindsight.gaps import fill_gaps
from transforms.labels.hindsight.rescoring import rescore
from transforms.labels.hindsight.settings import HindsightSettings
from transforms.labels.hindsight.smoothing import smooth, smoothed_paths
from transforms.labels.hindsight.standing import standing
from transforms.labels.hindsight.velocities import PointVelocities
from transforms.labels.hindsight.voting import vote
from transforms.labels.motion.trails import Trail
from transforms.labels.sightings import NO_TRACK, Sightings
from transforms.labels.tracking import TrackerSettings

_SCENE_NS: Final = 3_600_000_000_000
"""Put between two scenes of a clip while it is looked back on: no track lives that long without being seen."""

_LEAST_SIDE_PX: Final = 0.5
"""Of a box of which less is left in the picture there is nothing to be seen."""

BoolArray = npt.NDArray[np.bool_]

Watch = Callable[[str, Sightings], None]
"""Told the name of each step that was taken, in order, and what is said of the clip after it."""


def unwatched(_step: str, _seen: Sightings) -> None:
    """The watch that nobody keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of a clip beside its boxes.

    Attributes:
        extent: xyxy edges of the picture in pixels, float64[4].
        camera: how the camera moved the picture; None = not known.
        trails: points followed between frames that the network looked at; empty = labels for those frames only.
        cuts: frames that begin another scene.
    """

    extent: npt.NDArray[np.float64]
    camera: CameraPath | None = None
    trails: Sequence[Trail] = ()
    cuts: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The objects of a clip, before anything is improved by them.

    Attributes:
        seen: the rows that the network saw, with tracks and their categories.
        aside: rows set aside as no objects, bool[N].
        detected: what they were found in.
        settings: the steps to take.
        tracker: the tracker's settings.
        around: what is known of the clip beside its boxes.
    """

    seen: Sightings
    aside: BoolArray
    detected: Sightings
    settings: HindsightSettings
    tracker: TrackerSettings
    around: Surroundings

    @property
    def camera(self) -> CameraPath | None:
        """The camera's motion, where it counts."""
        return self.around.camera if self.settings.ego_motion else None


def look_back(
    detected: Sightings,
    settings: HindsightSettings,
    tracker: TrackerSettings,
    around: Surroundings,
    calibration: Calibration | None = None,
    watch: Watch = unwatched,
) -> Sightings:
    """Labels with the whole clip at hand.

    Args:
        detected: what the network said.
        settings: the steps to take.
        tracker: the tracker's settings.
        around: what is known of the clip beside its boxes.
        calibration: of the network's card, if it has one.
        watch: told of every step. Rows keep their `frames`, those that the network saw their `origins`.

    Returns:
        The same rows, changed, and more; by frame. Rows that the network saw keep their `origins`.
    """
    return improve(find_objects(detected, settings, tracker, around, watch), calibration, watch=watch)


def find_objects(
    detected: Sightings,
    settings: HindsightSettings,
    tracker: TrackerSettings,
    around: Surroundings,
    watch: Watch = unwatched,
) -> Found:
    """The first half of `look_back`: who is who, and what.

    Args:
        detected: what the network said.
        settings: the steps to take.
        tracker: the tracker's settings.
        around: what is known of the clip beside its boxes.
        watch: told of every step.
    """
    scenes = np.zeros(len(detected.timestamps_ns), np.int64)
    scenes[list(around.cuts)] = _SCENE_NS
    seen = replace(detected, timestamps_ns=detected.timestamps_ns + np.cumsum(scenes))
    camera = around.camera if settings.ego_motion else None
    velocities = PointVelocities.measured(seen, around.trails, camera) if camera and around.trails else None
    seen = associate(seen, tracker, camera, velocities, both_directions=settings.both_directions)
    watch("tracking", seen)
    aside = np.zeros(len(seen.frames), bool)
    if settings.static_removal and around.camera is not None:
        aside = standing(seen, around.camera, around.extent)
        seen = replace(seen, tracks=np.where(aside, np.int32(NO_TRACK), seen.tracks))
        watch("static_removal", seen)
    if settings.category_vote:
        seen = vote(seen)
        watch("category_vote", seen)
    return Found(seen=seen, aside=aside, detected=detected, settings=settings, tracker=tracker, around=around)


def improve(
    found: Found,
    calibration: Calibration | None = None,
    bias: float = 0.0,
    watch: Watch = unwatched,
) -> Sightings:
    """The second half of `look_back`: boxes, scores and added rows by the objects found.

    Args:
        found: the objects.
        calibration: of the network's card, if it has one.
        bias: of the rescoring.
        watch: told of every step.

    Returns:
        As `look_back`.
    """
    seen, detected, settings, around = found.seen, found.detected, found.settings, found.around
    paths = smoothed_paths(seen, found.camera) if settings.smoothing or settings.extrapolation else None
    if settings.smoothing and paths is not None:
        seen = smooth(seen, paths)
        watch("smoothing", seen)
    if settings.rescoring:
        # by the clip's own times: what is put between scenes is no step
        scores = rescore(replace(seen, timestamps_ns=detected.timestamps_ns), bias).scores
        seen = replace(seen, scores=scores)
        watch("rescoring", seen)
    if found.aside.any():
        seen = replace(seen, scores=np.where(found.aside, np.float32(0), seen.scores))
        watch("static_removal", seen)
    additions = []
    if settings.gap_filling:
        along = paths if settings.smoothing else None
        additions.append(fill_gaps(seen, along, found.tracker.max_gap_s, around.extent))
        watch("gap_filling", seen.with_added(additions))
    if settings.extrapolation and paths is not None:
        additions.append(extrapolate(seen, paths, around.extent))
    seen = seen.with_added(additions)
    if settings.extrapolation:
        watch("extrapolation", seen)
    if around.trails:
        seen = seen.with_added([carry_between(seen, around.trails)])
        watch("propagation", seen)
    if settings.calibration and calibration is not None:
        scores = calibrated(seen.scores, seen.categories, calibration)
        seen = replace(seen, scores=np.where(seen.scores > 0, scores, np.float32(0)))
        watch("calibration", seen)
    seen = _within(seen, detected, around.extent)
    watch("picture_edges", seen)
    return replace(seen, timestamps_ns=detected.timestamps_ns)


def _within(seen: Sightings, detected: Sightings, extent: npt.NDArray[np.float64]) -> Sightings:
    """Keeps boxes in the picture: a row of which nothing is left goes, one that was detected gets its own box back."""
    low, high = (np.tile(edge, 2).astype(np.float32) for edge in (extent[:2], extent[2:]))
    boxes = np.clip(seen.boxes, low, high)
    sides = boxes[:, 2:] - boxes[:, :2]
    lost = (sides < _LEAST_SIDE_PX).any(axis=1)
    own = lost & (seen.origins >= 0)
    boxes[own] = detected.boxes[seen.origins[own]]
    return replace(seen, boxes=boxes).take(~lost | own)
