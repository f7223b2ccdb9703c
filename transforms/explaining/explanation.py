"""What is told of a row: where it is, what the network said, and what each step made of it."""

from dataclasses import asdict, dataclass
from typing import Any

from transforms.clips.refs import ClipRef
from transforms.corrections.correction import Correction
from transforms.explaining.stored import Row
from transforms.explaining.tracing import Box, Neighbour, Step

__all__ = ["Explanation", "Network", "Output", "Where"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The frame of a row.

    Attributes:
        uri: the clip's place.
        clip_id: the clip.
        camera: its camera.
        shard: the shard that holds the row.
        frame_id: the frame.
        timestamp_ns: its time since the clip's first shown frame.
        pts: its time stamp in the container; None where the frame does not come out any more.
        frame_number: its place among the clip's shown frames, from 0; None as well.
        sample_index: its number among the samples.
        network_ran: whether the network saw it.
    """

    uri: str
    clip_id: str
    camera: str
    shard: str
    frame_id: str
    timestamp_ns: int
    pts: int | None
    frame_number: int | None
    sample_index: int | None
    network_ran: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The network that found a row, or the track that it was added to.

    Attributes:
        name: its card's name.
        sha256: of its file.
        digest: of all that shapes its detections: file, card, size, processing.
        input_width: of what it is shown, in pixels.
        input_height: the same.
    """

    name: str
    sha256: str
    digest: str
    input_width: int
    input_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What the network itself said.

    Attributes:
        box: xyxy edges in pixels of the frame.
        score: its confidence, 0..1.
        category: of the taxonomy.
        rank: place among the frame's boxes by score, from 1.
        boxes: how many the network gave for the frame.
    """

    box: Box
    score: float
    category: str
    rank: int
    boxes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A row and where it comes from.

    Attributes:
        detection_id: its id.
        differs: columns in which what comes out is not what is stored, `row` where no row of the id comes out; empty
            where they are the same, floating-point numbers bit for bit.
        where: its frame.
        network: the network.
        output: what the network said; None of a row that no network saw.
        neighbours: of such a row, the boxes of its track that the network saw around it.
        steps: what each step of hindsight made of it.
        row: the row that comes out.
        stored: the row that the data set has.
        notes: what to know about the comparison.
        clip: the clip, as it has just been read.
        corrections: what people said of the row, in the order in which it was applied.
    """

    detection_id: str
    differs: tuple[str, ...]
    where: Where
    network: Network
    output: Output | None
    neighbours: tuple[Neighbour, ...]
    steps: tuple[Step, ...]
    row: Row | None
    stored: Row
    notes: tuple[str, ...]
    clip: ClipRef
    corrections: tuple[Correction, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The form of `explain --json`."""
        told = asdict(self)
        told.pop("clip")
        for item, said in zip(told["corrections"], self.corrections, strict=True):
            item["correction_id"] = said.correction_id
        return {"detection_id": told.pop("detection_id"), "same": not self.differs, **told}
