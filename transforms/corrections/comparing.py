"""What a corrected file says anew: its boxes beside the labels that were exported."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from transforms.corrections.corrected_files import CorrectedFileError, FileBox, FileClip
from transforms.corrections.correction import Action, Correction, Edges
from transforms.corrections.overlay import SAME_OBJECT
from transforms.exports.frames import Box, Frame
from transforms.labels.overlap import iou

MOVED_PX: Final = 0.011
"""Edges that differ by no more are the same: exports round to a thousandth of a pixel, CVAT to a hundredth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """By whom, when, and in which file."""

    by: str
    at_utc_ns: int
    source: str
    source_sha256: str
    sequence: int


def compare(
    clip_id: str,
    frames: Sequence[Frame],
    told: FileClip,
    known: Collection[str],
    model: str | None,
    about: Told,
) -> list[Correction]:
    """What a file says of a clip.

    Args:
        clip_id: the clip.
        frames: the frames that were exported, with the boxes that were.
        told: what the file says.
        known: ids of all labels of the clip, of those that were not exported too.
        model: sha256 of the network whose labels were exported; None = those of several.
        about: by whom and when.

    Returns:
        A correction for each box of the file and each that it lacks, in frames that the file is about.

    Raises:
        CorrectedFileError: the file is about other frames or other labels.
    """
    places = {frame.timestamp_ns if told.is_timed else at: frame for at, frame in enumerate(frames)}
    if strange := sorted(told.boxes.keys() - places.keys()):
        unit = " ns" if told.is_timed else ""
        raise CorrectedFileError(
            f"{about.source}: frame {strange[0]}{unit} is none of the {len(frames)} that were exported of clip {clip_id}: "
            "is it the file of another clip, or has the clip been labelled at another rate since?"
        )
    _refuse_other_labels(clip_id, frames, told, known, places, about)
    return [
        item
        for place in sorted(told.boxes)
        for item in _frame(clip_id, places[place], told.boxes[place], model, about)
    ]


def _refuse_other_labels(
    clip_id: str,
    frames: Sequence[Frame],
    told: FileClip,
    known: Collection[str],
    places: Mapping[int, Frame],
    about: Told,
) -> None:
    """Ids of labels that are not there tell that it has been labelled anew; those of other frames, that frames are shifted."""
    frame_of = {box.detection_id: frame.frame_id for frame in frames for box in frame.boxes}
    ids = [
        (place, box.detection_id) for place, boxes in told.boxes.items() for box in boxes if box.detection_id
    ]
    unknown = sum(identity not in known for _, identity in ids)
    if unknown:
        raise CorrectedFileError(
            f"{about.source}: {unknown} of {len(ids)} boxes were made from labels that clip {clip_id} does not have: it has "
            "been labelled again since, or exported otherwise; see docs/corrections.md"
        )
    # a box that was drawn on from another frame has the id of that one
    shown = [(frame_of[identity], places[place].frame_id) for place, identity in ids if identity in frame_of]
    if 2 * sum(own == here for own, here in shown) < len(shown):
        raise CorrectedFileError(
            f"{about.source}: most boxes of clip {clip_id} stand in other frames than their labels: the task lacks images "
            "or has others; make it of all images of the export, in the order of their names"
        )


def _frame(
    clip_id: str, frame: Frame, boxes: Sequence[FileBox], model: str | None, about: Told
) -> Iterator[Correction]:
    pairs = _pairs(frame.boxes, boxes)
    place = f"{about.source}: clip {clip_id}: {frame.timestamp_ns / 1e9:.3f} s"

    def said(action: Action, drawn: FileBox | None, label: Box | None) -> Correction:
        # where a box stands, the label's own edges have more digits
        kept = label if drawn is not None and label is not None and _stands(drawn, label) else drawn
        return Correction(
            clip_id=clip_id,
            frame_id=frame.frame_id,
            timestamp_ns=frame.timestamp_ns,
            action=action,
            category=None if drawn is None else drawn.category,
            box=None if kept is None else _inside(kept.edges, frame, place),
            detection_id=None if label is None else label.detection_id,
            category_before=None if label is None else label.category,
            box_before=None if label is None else _inside(label.edges, frame, place),
            model_digest=model if label is None else label.model_digest,
            by=about.by,
            at_utc_ns=about.at_utc_ns,
            source=about.source,
            source_sha256=about.source_sha256,
            sequence=about.sequence,
        )

    drawn_new = set()
    for at, drawn in enumerate(boxes):
        label = frame.boxes[pairs[at]] if at in pairs else None
        if label is None:
            added = said("add", drawn, None)
            # a box that was pasted twice is one object
            if (added.category, added.box) not in drawn_new:
                drawn_new.add((added.category, added.box))
                yield added
        else:
            is_same = _stands(drawn, label) and drawn.category == label.category
            yield said("keep" if is_same else "change", drawn, label)
    for at, label in enumerate(frame.boxes):
        if at not in pairs.values():
            yield said("remove", None, label)
    if not boxes and not frame.boxes:
        yield said("look", None, None)


def _pairs(labels: Sequence[Box], boxes: Sequence[FileBox]) -> dict[int, int]:
    """Which label each box of the file is, by number: by id, the rest by overlap; a copied id belongs to the nearest."""
    if not labels or not boxes:
        return {}
    overlaps = iou(
        np.array([box.edges for box in boxes], np.float64),
        np.array([box.edges for box in labels], np.float64),
    )
    known = {label.detection_id: number for number, label in enumerate(labels)}
    by_id = [
        (overlaps[at, known[box.detection_id]], at, known[box.detection_id])
        for at, box in enumerate(boxes)
        if box.detection_id in known
    ]
    found = _greedy(by_id, {})
    rest = [
        (overlaps[at, number], at, number)
        for at in range(len(boxes))
        for number in range(len(labels))
        if overlaps[at, number] >= SAME_OBJECT
    ]
    return _greedy(rest, found)


def _greedy(candidates: Iterable[tuple[float, int, int]], found: Mapping[int, int]) -> dict[int, int]:
    pairs = dict(found)
    taken = set(pairs.values())
    for _, at, number in sorted(candidates, key=lambda item: (-item[0], item[1], item[2])):
        if at not in pairs and number not in taken:
            pairs[at] = number
            taken.add(number)
    return pairs


def _stands(drawn: FileBox, label: Box) -> bool:
    """Whether a box is where it was."""
    return max(abs(a - b) for a, b in zip(drawn.edges, label.edges, strict=True)) <= MOVED_PX


def _inside(edges: Sequence[float], frame: Frame, place: str) -> Edges:
    """A box as it is kept: within the frame, as float32."""
    limits = np.array([frame.width, frame.height] * 2, np.float32)
    x_min, y_min, x_max, y_max = np.clip(np.array(edges, np.float32), 0, limits).tolist()
    if not (x_min < x_max and y_min < y_max):
        raise CorrectedFileError(f"{place}: a box lies outside the frame: move or delete it in the tool")
    return (x_min, y_min, x_max, y_max)
