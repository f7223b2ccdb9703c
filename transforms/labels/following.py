"""From detections to labels with tracks: ids, the context's share, and what joins neighbouring shards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.detections import Detections
from models.sessions import Detector
from transforms.clips.shards import WHOLE_CLIP_NS, Part
from transforms.labels.adaptive import picture_clock
from transforms.labels.camera_path import CameraPath
from transforms.labels.hindsight.looking_back import Surroundings, Watch, look_back, unwatched
from transforms.labels.motion.camera import camera_motions
from transforms.labels.seen import FrameRow, PartLabels
from transforms.labels.settings import LabelSettings
from transforms.labels.sightings import ADDED, LABEL_SOURCES, NO_TRACK, Sightings
from transforms.labels.tracking import TrackerSettings
from transforms.tables.ids import stable_id


@dataclass(frozen=True, slots=True)
class Tracked:
    """Labels of one camera by one network, frame by frame, those of the context first.

    Attributes:
        labels: the camera's frames.
        model_digest: sha256 of the network.
        detected: what the network said.
        seen: what is said in the end; frames of both are places in `labels.sound`.
        ids: id of each row of `seen`.
        own: number of the first row that is not of the context.
    """

    labels: PartLabels
    model_digest: str
    detected: Sightings
    seen: Sightings
    ids: list[str]
    own: int

    def frame(self, row: int) -> FrameRow:
        """The frame of a row."""
        return self.labels.frames[self.labels.sound[int(self.seen.frames[row])]]

    def track_ids(self) -> dict[int, str]:
        """Track number to track id, for tracks with a detection in the shard itself, in order of time."""
        found: dict[int, str] = {}
        for row in self._detected_rows(self.own, len(self.ids)):
            number = int(self.seen.tracks[row])
            if number not in found:
                found[number] = stable_id("track", self.ids[row])
        return found

    def previous_ids(self) -> dict[int, tuple[str, ...]]:
        """Track number to the ids of its detections in the context, the last one first."""
        found: dict[int, tuple[str, ...]] = {}
        for row in self._detected_rows(0, self.own):
            number = int(self.seen.tracks[row])
            found[number] = (self.ids[row], *found.get(number, ()))
        return found

    def tail_ids(self, start_ns: int) -> dict[str, int]:
        """Detection id to track number, for the shard's detections from a time on."""
        late = self.seen.timestamps_ns[self.seen.frames] >= start_ns
        return {
            self.ids[row]: int(self.seen.tracks[row])
            for row in self._detected_rows(self.own, len(self.ids))
            if late[row]
        }

    def _detected_rows(self, start: int, stop: int) -> list[int]:
        part = slice(start, stop)
        found = self.seen.is_detected[part] & (self.seen.tracks[part] != NO_TRACK)
        return (np.flatnonzero(found) + start).tolist()


@dataclass(frozen=True, slots=True)
class Links:
    """What joins a shard's tracks to its neighbours'.

    Attributes:
        tracks: track ids of the shard.
        heads: track id to its detections in the previous minute, the last one first.
        tail: detection id to track id, for the end of the minute that the next one sees as context.
    """

    tracks: tuple[str, ...]
    heads: dict[str, tuple[str, ...]]
    tail: dict[str, str]


def follow(
    labels: PartLabels,
    detectors: Sequence[Detector],
    settings: LabelSettings,
    watch: Watch = unwatched,
) -> list[Tracked]:
    """Labels each detector's objects over the context and the minute itself.

    Args:
        labels: one camera's frames and detections.
        detectors: the networks, in the job's order.
        settings: the job's options.
        watch: told of every step of hindsight, for one detector after the other.
    """
    return [
        _follow(labels, detector, found, settings, watch)
        for detector, found in zip(detectors, labels.detections, strict=True)
    ]


def _follow(
    labels: PartLabels,
    detector: Detector,
    found: Sequence[Detections],
    settings: LabelSettings,
    watch: Watch,
) -> Tracked:
    card = detector.card
    tracker = TrackerSettings(
        high_score=card.confident_score,
        new_score=card.confident_score,
        low_score=min(card.min_score, card.confident_score),
    )
    detected = _detected(labels, found)
    around = Surroundings(
        extent=np.array([0, 0, labels.part.clip.width, labels.part.clip.height], np.float64),
        camera=_camera_path(labels, detected) if settings.follows_points else None,
        trails=labels.trails if settings.labels_unseen_frames else (),
        cuts=labels.cuts,
    )
    timed = detected
    if settings.adaptive:
        clock = picture_clock(detected.timestamps_ns, detected.seen, settings.network_sampling)
        timed = replace(detected, timestamps_ns=clock)
    seen = look_back(timed, settings.hindsight, tracker, around, card.calibration, watch)
    seen = replace(seen, timestamps_ns=detected.timestamps_ns)
    in_context = np.array([labels.frames[at].in_context for at in labels.sound], bool)
    seen = _own_rows(seen, in_context)
    own = int(np.count_nonzero(in_context[seen.frames]))
    return Tracked(
        labels, detector.sha256, detected, seen, _ids(labels, detector.sha256, detected, seen), own
    )


def _detected(labels: PartLabels, found: Sequence[Detections]) -> Sightings:
    frames = [labels.frames[at] for at in labels.sound]
    ran = np.array([frame.network_ran for frame in frames], bool)
    counts = np.array([len(item.scores) for item in found], np.int64)
    return Sightings.detected(
        timestamps_ns=np.array([frame.timestamp_ns for frame in frames], np.int64),
        seen=ran,
        frames=np.repeat(np.flatnonzero(ran).astype(np.int32), counts),
        boxes=np.concatenate([np.empty((0, 4), np.float32), *(item.boxes for item in found)]),
        scores=np.concatenate([np.empty(0, np.float32), *(item.scores for item in found)]),
        categories=np.concatenate([np.empty(0, np.uint8), *(item.categories for item in found)]),
    )


def _camera_path(labels: PartLabels, detected: Sightings) -> CameraPath:
    """How the camera moves the picture from each frame that the networks saw to the next; still in between."""
    steps = np.tile(np.eye(2, 3), (max(len(labels.sound) - 1, 0), 1, 1))
    starts = np.searchsorted(detected.frames, np.arange(len(labels.sound) + 1))
    boxes = [detected.boxes[starts[trail.first] : starts[trail.first + 1]] for trail in labels.trails]
    motions = camera_motions(labels.trails, boxes)
    for trail, matrix in zip(labels.trails, motions.matrices, strict=True):
        steps[trail.last - 1] = matrix
    return CameraPath.of_steps(steps)


def _own_rows(seen: Sightings, in_context: npt.NDArray[np.bool_]) -> Sightings:
    """Without added rows of the context, and without those of tracks that no detection of the minute itself holds."""
    own = ~in_context[seen.frames]
    known = np.append(np.unique(seen.tracks[seen.is_detected & own]), NO_TRACK)
    return seen.take(seen.is_detected | (own & np.isin(seen.tracks, known)))


def _ids(labels: PartLabels, model: str, detected: Sightings, seen: Sightings) -> list[str]:
    """A detection's id is a function of frame, network, category and raw box; an added row's of frame and track or box."""
    frame_ids = [labels.frames[labels.sound[frame]].frame_id for frame in seen.frames.tolist()]
    ids = [""] * len(frame_ids)
    begun: dict[int, str] = {}
    for row in np.flatnonzero(seen.origins != ADDED).tolist():
        origin = int(seen.origins[row])
        category, box = int(detected.categories[origin]), detected.boxes[origin].tobytes().hex()
        ids[row] = stable_id("detection", frame_ids[row], model, category, box)
        begun.setdefault(int(seen.tracks[row]), ids[row])
    for row in np.flatnonzero(seen.origins == ADDED).tolist():
        source, track = LABEL_SOURCES[int(seen.sources[row])], int(seen.tracks[row])
        lone = (model, int(seen.categories[row]), seen.boxes[row].tobytes().hex())
        ids[row] = stable_id(source, frame_ids[row], *(lone if track == NO_TRACK else (begun[track],)))
    return ids


def links(tracked: Sequence[Sequence[Tracked]], context_ns: int) -> Links:
    """Collects what the join of neighbouring shards needs."""
    every: list[str] = []
    heads: dict[str, tuple[str, ...]] = {}
    tail: dict[str, str] = {}
    for item in (item for camera in tracked for item in camera):
        track_ids, previous = item.track_ids(), item.previous_ids()
        every += track_ids.values()
        heads |= {track_ids[number]: previous[number] for number in track_ids if number in previous}
        late = item.tail_ids(_end_ns(item.labels.part) - context_ns)
        tail |= {identity: track_ids[number] for identity, number in late.items()}
    return Links(tuple(sorted(every)), heads, tail)


def _end_ns(part: Part) -> int:
    return part.clip.duration_ns if part.stop_ns == WHOLE_CLIP_NS else part.stop_ns
