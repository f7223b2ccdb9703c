"""CVAT for video 1.1, as CVAT writes it back: XML that anybody may have written.

Read as it comes, with bounds on all that is counted. A document type, where entities would be declared, is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final
from xml.parsers import expat

from transforms.corrections.corrected_files import (
    MOST_BOXES,
    MOST_FRAMES,
    CorrectedFile,
    CorrectedFileError,
    FileBox,
    FileClip,
    checked_box,
)

_PIECE: Final = 1 << 20
_DEEPEST: Final = 16
_LONGEST_TEXT: Final = 10_000
_EDGES: Final = ("xtl", "ytl", "xbr", "ybr")
_NAMES: Final = ("name", "source")
_FRAMES: Final = ("size", "start_frame", "stop_frame")
_TRACK: Final = ["annotations", "track"]
_BOX: Final = [*_TRACK, "box"]
_ATTRIBUTE: Final = [*_BOX, "attribute"]
_META: Final = ["annotations", "meta"]
_TASKS: Final = (_META, [*_META, "task"], [*_META, "job"])
_FACTS: Final = (*_NAMES, *_FRAMES, "dumped")
_OTHER_SHAPES: Final = ("polygon", "polyline", "points", "mask", "ellipse", "cuboid", "skeleton", "tag")


def read_cvat(stream: BinaryIO, name: str) -> CorrectedFile:
    """Reads a file.

    Args:
        stream: the file.
        name: what messages call it.

    Raises:
        CorrectedFileError: it is no such file, holds what is not read, or too much.
    """
    document = _Document(name)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = document.refuse_type
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    parser.CharacterDataHandler = document.text
    try:
        while piece := stream.read(_PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise CorrectedFileError(
            f"{name}: line {error.lineno}: no sound XML ({expat.errors.messages[error.code]}); "
            "the file is annotations.xml of CVAT for video 1.1, out of its zip"
        ) from error
    except (LookupError, ValueError) as error:
        raise CorrectedFileError(
            f"{name}: is in an encoding that is not read ({error}); save it as UTF-8"
        ) from error
    return document.finished()


@dataclass(slots=True)
class _Shape:
    """A box on its way."""

    frame: int
    edges: tuple[float, ...]
    is_outside: bool
    detection_id: str = ""


class _Document:
    """Takes elements as they come; holds the boxes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._facts: dict[str, str] = {}
        self._attribute = ""
        self._label = ""
        self._track: list[_Shape] = []
        self._tracks: list[tuple[str, list[_Shape]]] = []
        self._boxes = 0
        self._others = 0

    def refuse_type(self, *_: object) -> None:
        raise CorrectedFileError(
            f"{self._name}: holds a document type, which CVAT does not write: it is not read"
        )

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._path.append(tag)
        self._text, self._length = [], 0
        if len(self._path) > _DEEPEST:
            raise CorrectedFileError(f"{self._name}: elements are nested more than {_DEEPEST} deep")
        if len(self._path) == 1 and tag != "annotations":
            raise CorrectedFileError(f"{self._name}: {tag[:100]!r} is not what CVAT's annotations begin with")
        if tag == "image":
            raise CorrectedFileError(
                f"{self._name}: is in the form CVAT for images: export the task as CVAT for video 1.1"
            )
        if self._path == _TRACK:
            self._count()
            self._label, self._track = attributes.get("label", ""), []
        elif self._path == _BOX:
            self._box(attributes)
        elif self._path == _ATTRIBUTE:
            self._attribute = attributes.get("name", "")
        elif self._path[:-1] == _TRACK and tag in _OTHER_SHAPES:
            self._others += 1

    def text(self, data: str) -> None:
        self._length += len(data)
        if self._length > _LONGEST_TEXT:
            raise CorrectedFileError(f"{self._name}: a text is longer than {_LONGEST_TEXT} letters")
        self._text.append(data)

    def end(self, tag: str) -> None:
        text, self._text = "".join(self._text).strip(), []
        if self._path == _TRACK:
            self._tracks.append((self._label, self._track))
        elif self._path == _ATTRIBUTE and self._attribute == "detection_id":
            self._track[-1].detection_id = text
        elif tag in _FACTS and self._path[:-1] in _TASKS:
            self._facts.setdefault(tag, text)
        self._path.pop()

    def finished(self) -> CorrectedFile:
        """What was read."""
        first, stop = self._range()
        boxes: dict[int, list[FileBox]] = {frame: [] for frame in range(first, stop)}
        for label, shapes in self._tracks:
            for frame, shape in _shown(shapes, stop):
                where = f"{self._name}: frame {frame}"
                if frame not in boxes:
                    raise CorrectedFileError(
                        f"{where}: is none of the frames {first} to {stop - 1} of the task"
                    )
                self._count()
                boxes[frame].append(checked_box(label, shape.edges, shape.detection_id, where))
        names = [self._facts[name] for name in _NAMES if self._facts.get(name)]
        notes = [f"{self._others} shapes that are no boxes are left out"] if self._others else []
        return CorrectedFile("cvat", {"": FileClip(boxes, names=names)}, self._facts.get("dumped", ""), notes)

    def _range(self) -> tuple[int, int]:
        """The first frame that was looked at, and the first after them."""
        numbers = {name: self._number(self._facts[name], name) for name in _FRAMES if self._facts.get(name)}
        first = int(numbers.get("start_frame", 0))
        stop = int(numbers["stop_frame"] + 1 if "stop_frame" in numbers else numbers.get("size", 0))
        if not first < stop <= MOST_FRAMES:
            raise CorrectedFileError(
                f"{self._name}: does not tell which frames it is about (meta/task/size, start_frame, stop_frame), or "
                f"they are more than {MOST_FRAMES}"
            )
        return first, stop

    def _box(self, attributes: Mapping[str, str]) -> None:
        if attributes.get("rotation", "0").strip("0.") not in {"", "-"}:
            raise CorrectedFileError(
                f"{self._name}: frame {attributes.get('frame')}: a box is turned: draw it upright in the tool"
            )
        self._count()
        frame = self._number(attributes.get("frame", ""), "frame")
        edges = tuple(self._number(attributes.get(edge, ""), edge) for edge in _EDGES)
        if self._track and frame <= self._track[-1].frame:
            raise CorrectedFileError(f"{self._name}: frame {frame:g}: a track has its boxes out of order")
        self._track.append(_Shape(int(frame), edges, attributes.get("outside") == "1"))

    def _count(self) -> None:
        self._boxes += 1
        # read, and then drawn on from frame to frame
        if self._boxes > 2 * MOST_BOXES:
            raise CorrectedFileError(
                f"{self._name}: more than {MOST_BOXES} boxes: export the clips one by one"
            )

    def _number(self, text: str, what: str) -> float:
        try:
            # Python's own form of long numbers is none of XML's
            number = float("nan") if "_" in text else float(text)
        except ValueError:
            number = float("nan")
        whole = what not in _EDGES
        if not abs(number) < 1e9 or (whole and (number < 0 or number != int(number))):  # noqa: PLR2004 - no picture is as large
            raise CorrectedFileError(f"{self._name}: {what} is {text[:100]!r}, which is no such number")
        return number


def _shown(shapes: list[_Shape], stop: int) -> Iterator[tuple[int, _Shape]]:
    """The boxes of a track as CVAT draws them: on from one to the next in a straight line, and on to the end."""
    for at, shape in enumerate(shapes):
        if shape.is_outside:
            continue
        yield shape.frame, shape
        following = shapes[at + 1] if at + 1 < len(shapes) else None
        until = stop if following is None else following.frame
        for frame in range(shape.frame + 1, until):
            yield frame, _between(shape, following, frame)


def _between(shape: _Shape, following: _Shape | None, frame: int) -> _Shape:
    if following is None or following.is_outside:
        return shape
    share = (frame - shape.frame) / (following.frame - shape.frame)
    edges = tuple(a + (b - a) * share for a, b in zip(shape.edges, following.edges, strict=True))
    return _Shape(frame, edges, is_outside=False, detection_id=shape.detection_id)
