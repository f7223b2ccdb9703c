"""The table of formats: a format is a module with `write` and `CONVENTIONS`, and a row here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from transforms.exports import coco, cvat, fiftyone, kitti, mot, rerun, webdataset, yolo
from transforms.exports.folder import Folder
from transforms.exports.frames import Clip, ClipFrames, Frame

Images = Literal["always", "unless told", "when told"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes:
        write: writes an export: into a folder, clips and their frames, with this ending of the images' files.
        picture_name: where it puts a frame's image: of a clip, by its place among the exported frames.
        conventions: what its numbers mean.
        images: whether images are written: a format that needs them has them always.
        has_splits: whether it tells splits: by folders, or by tags.
    """

    write: Callable[[Folder, Iterable[ClipFrames], str], None]
    picture_name: Callable[[Clip, Frame, int, str], str]
    conventions: Mapping[str, str]
    images: Images
    has_splits: bool = False


FORMATS: Final[Mapping[str, Format]] = {
    "coco": Format(coco.write, coco.picture_name, coco.CONVENTIONS, "when told"),
    "yolo": Format(yolo.write, yolo.picture_name, yolo.CONVENTIONS, "always", has_splits=True),
    "mot": Format(mot.write, mot.picture_name, mot.CONVENTIONS, "when told"),
    "kitti": Format(kitti.write, kitti.picture_name, kitti.CONVENTIONS, "when told"),
    "cvat": Format(cvat.write, cvat.picture_name, cvat.CONVENTIONS, "unless told"),
    "webdataset": Format(webdataset.write, webdataset.picture_name, webdataset.CONVENTIONS, "always"),
    "fiftyone": Format(
        fiftyone.write, fiftyone.picture_name, fiftyone.CONVENTIONS, "always", has_splits=True
    ),
    "rerun": Format(rerun.write, rerun.picture_name, rerun.CONVENTIONS, "unless told"),
}
"""Every format by name."""
