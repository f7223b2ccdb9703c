"""What a user may choose about an export."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, get_args

from transforms.labels.privacy.settings import Blur
from transforms.tables.digests import digest

EXPORT_VERSION: Final = 3
"""Raised whenever the same data set and settings would give other bytes."""

ImageKind = Literal["jpeg", "png"]

IMAGE_KINDS: Final[tuple[ImageKind, ...]] = get_args(ImageKind)

_SUFFIXES: Final[Mapping[ImageKind, str]] = {"jpeg": ".jpg", "png": ".png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """Settings of an export; equal settings of an equal data set give equal bytes.

    Attributes:
        form: name of the format.
        min_score: boxes below it are left out, and so are those with score 0 (set aside as no object).
        categories: categories that are exported; empty = all.
        cameras: cameras that are exported; empty = all.
        clips: ids of the clips that are exported; empty = all.
        label_sources: where exported labels come from; empty = from anywhere.
        model: sha256 of the network whose labels are exported; "" = those of all.
        images: whether frames are decoded and written.
        image_kind: one of `IMAGE_KINDS`.
        blur: what is blurred in the images.
        split_version: version of the splits by which frames are sorted, into folders or by tags; "" = by none.
    """

    form: str
    min_score: float = 0.3
    categories: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    label_sources: tuple[str, ...] = ()
    model: str = ""
    images: bool = False
    image_kind: ImageKind = "jpeg"
    blur: Blur = field(default_factory=Blur)
    split_version: str = ""

    @property
    def suffix(self) -> str:
        """Ending of the images' files."""
        return _SUFFIXES[self.image_kind]

    def as_json(self) -> dict[str, Any]:
        """The form in which an export and the data set keep them."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Digest of all that shapes the export beside the data set."""
        return digest({"version": EXPORT_VERSION, **self.as_json()})
