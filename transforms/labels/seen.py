"""What was seen of one camera's minute, before it is tracked and laid out as rows."""

from dataclasses import dataclass, field

from models.detections import Detections
from transforms.clips.sei import SeiMetadata
from transforms.clips.shards import Part
from transforms.labels.motion.trails import Trail
from transforms.labels.quality import Quality


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A sampled frame without its pixels.

    Attributes:
        frame_id: its id.
        timestamp_ns: its time in the part's clip; frames of the context lie before the part's begin.
        pts: its time stamp in the container.
        sample_index: its number among the samples, None where its PTS goes back.
        is_keyframe: whether it can be decoded without others.
        is_damaged: whether it or what it depends on is damaged.
        network_ran: whether the networks saw it.
        gop_start_pts: PTS of the keyframe that decoding starts from.
        quality: figures of its luma, None for frames of the context.
        in_context: whether it belongs to the previous minute.
    """

    frame_id: str
    timestamp_ns: int
    pts: int
    sample_index: int | None
    is_keyframe: bool
    is_damaged: bool
    network_ran: bool
    gop_start_pts: int | None
    quality: Quality | None
    in_context: bool


@dataclass(slots=True)
class PartLabels:
    """All that was learnt from one camera's minute.

    Attributes:
        part: the clip and its window.
        frames: sampled frames, those of the context first.
        sound: positions in `frames` of the frames that may carry labels: not damaged, and later than all before.
        detections: for each detector, one `Detections` for each frame that the networks saw.
        trails: points followed; their frames are counted over `sound`.
        cuts: places in `sound` of frames that begin another scene.
        telemetry: (pts, timestamp_ns, message) of the window.
    """

    part: Part
    frames: list[FrameRow] = field(default_factory=list)
    sound: list[int] = field(default_factory=list)
    detections: list[list[Detections]] = field(default_factory=list)
    trails: list[Trail] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    telemetry: list[tuple[int, int, SeiMetadata]] = field(default_factory=list)
