"""What became of each box between two labellings of the same frames."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.evaluation.overlaps import assign, overlapping
from transforms.evaluation.pairing import BOX_COLUMNS, Boxes

SAME_OVERLAP: Final = 0.5
"""Least intersection over union of two boxes that show the same thing."""

MOVED_PX: Final = 0.5
"""An edge that moved by more than this is told; less is rounding to no one's harm."""

RESCORED: Final = 0.001
"""A score that changed by more than this is told."""

COLUMNS: Final = ("frame_id", "clip_id", "timestamp_ns", "category", *BOX_COLUMNS, "score", "model_digest")
"""Columns of `detections` that are compared."""

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BoxChanges:
    """The boxes of two labellings, side by side.

    Attributes:
        first: row in the first, of boxes that both have, int64[P].
        second: its row in the second, int64[P].
        moved: whether an edge moved, bool[P].
        rescored: whether the score changed, bool[P].
        recategorised: whether the category changed, bool[P].
        removed: rows that only the first has, int64[R].
        added: rows that only the second has, int64[A].
    """

    first: IntArray
    second: IntArray
    moved: BoolArray
    rescored: BoolArray
    recategorised: BoolArray
    removed: IntArray
    added: IntArray


def box_changes(first: pa.Table, second: pa.Table, networks: frozenset[str]) -> BoxChanges:
    """Finds each box of one labelling again in the other.

    Boxes of a frame are paired so that their summed overlap is greatest: those of one category first, what is left
    across categories. Networks that both labellings know are compared with themselves, all others with each other.

    Args:
        first: rows with `COLUMNS`, of frames that both labellings have.
        second: the same.
        networks: digests of the networks that both know.
    """
    boxes = [_boxes(table) for table in (first, second)]
    frames = _codes(first["frame_id"], second["frame_id"])
    categories = _codes(first["category"], second["category"])
    models = _codes(*(_known_network(table["model_digest"], networks) for table in (first, second)))
    many = 1 + max((int(codes.max(initial=0)) for codes in (*categories, *models)), default=0)
    frame_keys = [frame * many + model for frame, model in zip(frames, models, strict=True)]
    keys = [key * many + category for key, category in zip(frame_keys, categories, strict=True)]
    everything = [np.arange(len(key)) for key in keys]
    one, two = _pair(keys, boxes, everything)
    left = [np.setdiff1d(rows, paired) for rows, paired in zip(everything, (one, two), strict=True)]
    more_one, more_two = _pair(frame_keys, boxes, left)
    ones, twos = np.concatenate([one, more_one]), np.concatenate([two, more_two])
    scores = [table["score"].to_numpy().astype(np.float64) for table in (first, second)]
    return BoxChanges(
        first=ones,
        second=twos,
        moved=(np.abs(boxes[0][ones] - boxes[1][twos]) > MOVED_PX).any(axis=1),
        rescored=np.abs(scores[0][ones] - scores[1][twos]) > RESCORED,
        recategorised=categories[0][ones] != categories[1][twos],
        removed=np.setdiff1d(everything[0], ones),
        added=np.setdiff1d(everything[1], twos),
    )


def _pair(keys: list[IntArray], boxes: list[FloatArray], rows: list[IntArray]) -> tuple[IntArray, IntArray]:
    """Pairs the boxes of these rows whose keys are equal: rows int64[P] and int64[P]."""
    one, two = (
        _sorted_boxes(key[own], box[own], own) for key, box, own in zip(keys, boxes, rows, strict=True)
    )
    pairs = overlapping(one, two)
    near = pairs.take(pairs.overlaps >= SAME_OVERLAP)
    chosen = assign(one.frames[near.labels], near.labels, near.others, near.overlaps)
    return one.rows[near.labels[chosen]], two.rows[near.others[chosen]]


def _sorted_boxes(keys: IntArray, boxes: FloatArray, rows: IntArray) -> Boxes:
    order = np.argsort(keys, kind="stable")
    return Boxes(
        frames=keys[order],
        boxes=boxes[order],
        categories=np.zeros(len(order), dtype=object),
        tracks=np.zeros(len(order), dtype=np.int64),
        scores=np.ones(len(order)),
        rows=rows[order],
    )


def _boxes(table: pa.Table) -> FloatArray:
    return np.stack([table[name].to_numpy().astype(np.float64) for name in BOX_COLUMNS], axis=1)


def _codes(first: "pa.ChunkedArray[Any]", second: "pa.ChunkedArray[Any]") -> tuple[IntArray, IntArray]:
    """Numbers for the texts of two columns, equal where the texts are."""
    together = pa.chunked_array([*first.chunks, *second.chunks], type=pa.string()).combine_chunks()
    codes = together.dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes[: len(first)], codes[len(first) :]


def _known_network(digests: "pa.ChunkedArray[Any]", networks: frozenset[str]) -> "pa.ChunkedArray[Any]":
    known = pc.is_in(digests, pa.array(sorted(networks), pa.string()))
    chosen: pa.ChunkedArray[Any] = pc.if_else(known, digests, pa.scalar(""))
    return chosen
