"""The frames on which labels can be judged by a truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from transforms.evaluation.labels import Labels
from transforms.evaluation.naming import ClipNames
from transforms.evaluation.times import IntArray, default_tolerance_ns, match_times, moved, times_by_clip
from transforms.evaluation.truths.truth import Truth

_NAMED: Final = 3


class NothingInCommonError(Exception):
    """Labels and truth have no clip or no frame in common: what is on either side."""


@dataclass(frozen=True, slots=True)
class CommonFrames:
    """Frames of the labels that the truth has too.

    Attributes:
        clips: which clip of the truth is which of the labels.
        frames: clip_id, timestamp_ns (of the labels' clips and, where they are known, frames) and luma_mean (null =
            not known) of every frame, sorted.
        labels: rows on these frames.
        truth: boxes on these frames, with the labels' clips and times.
        truth_frames: frames of the truth in the matched clips.
        label_frames: frames of the labels in the matched clips.
        tolerance_ns: greatest difference of times that was allowed.
    """

    clips: ClipNames
    frames: pa.Table
    labels: pa.Table
    truth: pa.Table
    truth_frames: int
    label_frames: int
    tolerance_ns: int


def common_frames(labels: Labels, truth: Truth, clips: ClipNames, tolerance_ns: int | None) -> CommonFrames:
    """Finds the frames that both sides have.

    Labels that do not tell which frames were labelled count on all frames of the truth.

    Args:
        labels: what is judged.
        truth: what it is judged by.
        clips: which clip of the truth is which of the labels.
        tolerance_ns: how far the times of a frame may differ; None = half of the smaller frame distance, at most
            50 ms.

    Raises:
        NothingInCommonError: there is none.
        LabelsError: the labels cannot be read.
    """
    if not clips.label_of:
        raise NothingInCommonError(_no_clip(labels, clips))
    rows = labels.rows(clips.label_of.values())
    own = times_by_clip(rows if labels.frames is None else labels.frames)
    theirs = times_by_clip(truth.labelled_frames())
    none = np.zeros(0, dtype=np.int64)
    of_labels, of_truth, used = {}, {}, {}
    widest = 0
    for name, clip in sorted(clips.label_of.items()):
        told, seen = theirs.get(name, none), own.get(clip, none)
        allowed = default_tolerance_ns(told, seen) if tolerance_ns is None else tolerance_ns
        widest = max(widest, allowed)
        first, second = match_times(told, seen, allowed)
        if labels.frames is None:
            # All frames of the truth count, in the truth's time.
            of_labels[clip] = (seen[second], told[first])
            of_truth[name] = (told, told)
            used[clip] = told
        else:
            of_labels[clip] = (seen[second], seen[second])
            of_truth[name] = (told[first], seen[second])
            used[clip] = seen[second]
    judged = {clip: times for clip, times in used.items() if len(times)}
    truth_count = sum(len(theirs.get(name, none)) for name in clips.label_of)
    label_count = sum(len(own.get(clip, none)) for clip in used)
    if not judged:
        raise NothingInCommonError(_no_frame(clips, theirs, own, widest))
    boxes = moved(truth.boxes, of_truth)
    renamed = [clips.label_of[str(name)] for name in boxes["clip_id"].to_pylist()]
    return CommonFrames(
        clips=clips,
        frames=_with_luma(judged, labels),
        labels=moved(rows, of_labels),
        truth=boxes.set_column(
            boxes.column_names.index("clip_id"), "clip_id", pa.array(renamed, pa.string())
        ),
        truth_frames=truth_count,
        label_frames=label_count,
        tolerance_ns=widest,
    )


def _with_luma(judged: dict[str, IntArray], labels: Labels) -> pa.Table:
    """The frames, sorted by clip and time, with what is known of their brightness."""
    clips = [clip for clip in sorted(judged) for _ in range(len(judged[clip]))]
    times = np.concatenate([judged[clip] for clip in sorted(judged)])
    lumas: list[float | None] = [None] * len(clips)
    if labels.frames is not None and "luma_mean" in labels.frames.column_names:
        known = labels.frames.to_pydict()
        luma_of = dict(
            zip(zip(known["clip_id"], known["timestamp_ns"], strict=True), known["luma_mean"], strict=True)
        )
        lumas = [luma_of.get(key) for key in zip(clips, times.tolist(), strict=True)]
    return pa.table(
        {
            "clip_id": pa.array(clips, pa.string()),
            "timestamp_ns": pa.array(times),
            "luma_mean": pa.array(lumas, pa.float64()),
        }
    )


def _no_clip(labels: Labels, clips: ClipNames) -> str:
    theirs = [*clips.unmatched, *clips.ambiguous]
    own = [clip.uri or name for name, clip in labels.clips.items()]
    hint = f"; several clips are called like {_some(clips.ambiguous)}" if clips.ambiguous else ""
    return f"no clip in common: the truth has {_some(theirs)}, {labels.root} has {_some(own)}{hint}"


def _no_frame(
    clips: ClipNames, theirs: dict[str, IntArray], own: dict[str, IntArray], tolerance_ns: int
) -> str:
    name, clip = min(clips.label_of.items())
    return (
        f"no frame in common: {name}: the truth has {_span(theirs.get(name))}, the labels have {_span(own.get(clip))}; "
        f"{tolerance_ns / 1e6:g} ms apart they would be one (--tolerance-ms, --truth-fps)"
    )


def _span(times: IntArray | None) -> str:
    if times is None or not len(times):
        return "no frame"
    return f"{len(times)} frames from {times[0] / 1e9:.3f} to {times[-1] / 1e9:.3f} s"


def _some(names: Sequence[str]) -> str:
    """A count and the first few names."""
    shown = ", ".join(names[:_NAMED])
    return f"{len(names)} ({shown}{', …' if len(names) > _NAMED else ''})" if names else "none"
