"""One thing that a person said of one frame."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from transforms.tables.ids import stable_id

Action = Literal["keep", "change", "add", "remove", "look"]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
"""What may be said; `keep` and `look` change no label: they tell what is true of a frame."""

CORRECTING: Final = frozenset({"change", "add", "remove"})

NO_FRAME: Final = "no_frame"
"""The frame is not among the labelled ones: the correction is not applied."""

NO_COUNTERPART: Final = "no_counterpart"
"""No label is where the corrected one was: a changed box stands on its own, and there is nothing to remove."""

NO_CLIP: Final = "no_clip"
"""The clip has no labels at all."""

Edges = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person said of a box, or of a frame without one.

    Attributes:
        clip_id: the clip.
        frame_id: the frame.
        timestamp_ns: its time since the clip's first shown frame.
        action: one of `ACTIONS`.
        category: what the box shows; None where there is none.
        box: xyxy edges in pixels of the frame, as float32 holds them; None where there is none.
        detection_id: the label that it was said of; None for what was added.
        category_before: what the label said.
        box_before: where it was.
        model_digest: sha256 of the network whose labels were corrected; None = those of all.
        by: who.
        at_utc_ns: when, Unix time in ns.
        source: name of the file that told it.
        source_sha256: digest of that file.
        sequence: number of the file, from 1, in the order in which files were taken in.
    """

    clip_id: str
    frame_id: str
    timestamp_ns: int
    action: Action
    category: str | None = None
    box: Edges | None = None
    detection_id: str | None = None
    category_before: str | None = None
    box_before: Edges | None = None
    model_digest: str | None = None
    by: str
    at_utc_ns: int
    source: str
    source_sha256: str
    sequence: int

    @property
    def correction_id(self) -> str:
        """Its id: a function of what was said, of what, and by which file."""
        return stable_id(
            "correction",
            self.source_sha256,
            self.frame_id,
            self.action,
            self.category,
            self.box,
            self.detection_id,
            self.category_before,
            self.box_before,
            self.model_digest,
        )
