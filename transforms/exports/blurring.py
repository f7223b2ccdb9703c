"""Faces and plates in the images of an export: blurred before they are encoded, and told in its audit."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from models.sessions import Detector
from transforms.clips.errors import ClipError
from transforms.clips.refs import ClipRef
from transforms.exports.formats import FORMATS
from transforms.exports.frames import Clip, Frame
from transforms.exports.labelled_set import LabelledSet
from transforms.exports.pictures import OpenStream, decoded
from transforms.exports.settings import ExportSettings
from transforms.labels.privacy.auditing import audit_rows
from transforms.labels.privacy.clip_regions import ClipRegions
from transforms.labels.privacy.covering import blurred
from transforms.tables.blurred import BlurredRows

Image = npt.NDArray[np.uint8]


class ClipBlur:
    """Blurs the frames of a clip, in the order in which they are exported.

    Args:
        labels: the data set.
        settings: of the export.
        networks: those that its settings name.
        audit: takes down what was blurred.
        clip: the clip.
        reference: the same, as it can be decoded; where networks look, it is gone through once more.
        open_stream: opens its URI.
    """

    def __init__(
        self,
        labels: LabelledSet,
        settings: ExportSettings,
        networks: Sequence[Detector],
        audit: BlurredRows,
        clip: Clip,
        reference: ClipRef,
        open_stream: OpenStream,
    ) -> None:
        def frames() -> Iterator[tuple[int, Image]]:
            # what comes out before a fault is exported, and so it is what is looked at
            with suppress(ClipError):
                for frame, image in decoded(labels.frames(clip, settings), reference, open_stream):
                    yield frame.timestamp_ns, image

        boxes = labels.people_and_vehicles(clip)
        self._regions = ClipRegions(boxes, settings.blur, networks, frames)
        self._clip = clip
        self._settings = settings
        self._audit = audit
        self._place = 0

    def cover(self, frame: Frame, image: Image) -> Image:
        """A frame's picture as it may leave, BGR uint8[height, width, 3]."""
        regions = self._regions.at(frame.timestamp_ns)
        name = FORMATS[self._settings.form].picture_name(
            self._clip, frame, self._place, self._settings.suffix
        )
        self._audit.add(audit_rows(name, self._clip.clip_id, frame.timestamp_ns, regions))
        self._place += 1
        return blurred(image, regions)
