"""CVAT for video 1.1: a folder a clip, in it `annotations.xml` with a track an object.

CVAT draws a track on from box to box: every box is a keyframe, and where the object is not in the next frame a box that is
`outside` ends it. Frames are counted without gaps, as a task made of the exported images counts them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as ET

from transforms.exports.folder import Folder
from transforms.exports.frames import CATEGORY_INDEX, Box, Clip, ClipFrames, Frame

CONVENTIONS: Final = {
    "box": "xtl, ytl, xbr, ybr: edges in pixels, 0 at the frame's own edge",
    "category": "label by name; all categories of the taxonomy are declared",
    "frame": "number from 0, counting the exported frames of the clip; attribute timestamp_ns since its first shown one",
    "object": "a track an object, id from 0 within the clip; a box that no track holds is a track of one frame",
    "score": "attribute of each box, as are label_source, detection_id and object_id",
}

_ATTRIBUTES: Final = {
    "score": True,
    "label_source": True,
    "timestamp_ns": True,
    "detection_id": True,
    "object_id": False,
}
"""What boxes tell beside their edges, and whether it changes along a track."""


@dataclass(slots=True)
class _Track:
    """The boxes of an object, or one that no track holds.

    Attributes:
        category: of its first box; a box of another one would be a track of its own.
        boxes: place among the exported frames, time in ns, box.
    """

    category: str
    boxes: list[tuple[int, int, Box]] = field(default_factory=list)


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export; holds the boxes of one clip.

    Args:
        folder: where.
        clips: clips and their frames.
        suffix: ending of the images' files.
    """
    for item in clips:
        tracks: dict[tuple[object, str], _Track] = {}
        count = 0
        for place, frame in enumerate(item.frames):
            _add(tracks, place, frame)
            if frame.picture is not None:
                folder.write(picture_name(item.clip, frame, place, suffix), frame.picture)
            count = place + 1
        with folder.create(f"{item.clip.clip_id}/annotations.xml") as sink:
            sink.write(b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n')
            sink.write(_text(_meta(item.clip, count)))
            for number, track in enumerate(tracks.values()):
                sink.write(_text(_track(number, track, count)))
            sink.write(b"</annotations>\n")


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Path of a frame's image below the export, by its place among the clip's exported frames."""
    del frame
    return f"{clip.clip_id}/images/frame_{place:06d}{suffix}"


def _add(tracks: dict[tuple[object, str], _Track], place: int, frame: Frame) -> None:
    for box in frame.boxes:
        shown = box.detection_id if box.object_id is None else box.object_id
        track = tracks.setdefault((shown, box.category), _Track(box.category))
        track.boxes.append((place, frame.timestamp_ns, box))


def _meta(clip: Clip, frames: int) -> ET.Element:
    meta = ET.Element("meta")
    task = ET.SubElement(meta, "task")
    last = max(0, frames - 1)
    for name, value in (
        ("name", f"{clip.camera} {clip.clip_id}"),
        ("size", frames),
        ("mode", "interpolation"),
        ("overlap", 0),
        ("start_frame", 0),
        ("stop_frame", last),
        ("source", clip.uri),
    ):
        ET.SubElement(task, name).text = _printable(str(value))
    labels = ET.SubElement(task, "labels")
    for category in CATEGORY_INDEX:
        label = ET.SubElement(labels, "label")
        ET.SubElement(label, "name").text = category
        ET.SubElement(label, "type").text = "rectangle"
        attributes = ET.SubElement(label, "attributes")
        for name, changes in _ATTRIBUTES.items():
            attribute = ET.SubElement(attributes, "attribute")
            for key, value in (
                ("name", name),
                ("mutable", str(changes)),
                ("input_type", "text"),
                ("default_value", ""),
                ("values", ""),
            ):
                ET.SubElement(attribute, key).text = value
    size = ET.SubElement(task, "original_size")
    ET.SubElement(size, "width").text = str(clip.width)
    ET.SubElement(size, "height").text = str(clip.height)
    return meta


def _track(number: int, track: _Track, frames: int) -> ET.Element:
    element = ET.Element("track", id=str(number), label=track.category, source="auto")
    nexts = [place for place, _, _ in track.boxes[1:]]
    for (place, time_ns, box), following in zip(track.boxes, [*nexts, None], strict=True):
        shown = _box(element, place, box, outside=False)
        for name, value in _values(time_ns, box):
            ET.SubElement(shown, "attribute", name=name).text = value
        if following != place + 1 and place + 1 < frames:
            _box(element, place + 1, box, outside=True)
    return element


def _box(track: ET.Element, place: int, box: Box, *, outside: bool) -> ET.Element:
    edges = dict(zip(("xtl", "ytl", "xbr", "ybr"), map(str, box.edges), strict=True))
    flags = {"outside": str(int(outside)), "occluded": "0", "keyframe": "1"}
    return ET.SubElement(track, "box", {"frame": str(place), **flags, **edges, "z_order": "0"})


def _values(time_ns: int, box: Box) -> Iterator[tuple[str, str]]:
    values = {
        "score": box.score,
        "label_source": box.label_source,
        "timestamp_ns": time_ns,
        "detection_id": box.detection_id,
        "object_id": box.object_id or "",
    }
    return ((name, str(values[name])) for name in _ATTRIBUTES)


def _printable(text: str) -> str:
    """A text without what XML cannot hold."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _text(element: ET.Element) -> bytes:
    ET.indent(element, " ")
    return f"{ET.tostring(element, encoding='unicode')}\n".encode()
