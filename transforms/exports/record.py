"""What an export tells of itself: `clipmill_export.json` in its folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from transforms.exports.folder import RECORD
from transforms.exports.formats import FORMATS
from transforms.exports.settings import EXPORT_VERSION, ExportSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRecord:
    """A clip of an export.

    Attributes:
        clip_id: its id.
        camera: its camera.
        uri: its file.
        frames: exported frames.
        boxes: exported boxes.
        rate: numbered frames a second.
    """

    clip_id: str
    camera: str
    uri: str
    frames: int
    boxes: int
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedClip:
    """A clip of which nothing, or not every frame, is exported.

    Attributes:
        clip_id: its id.
        uri: its file.
        frames: labelled frames that are left out; None = all.
        reason: what, where and what to do.
    """

    clip_id: str
    uri: str
    frames: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export came to.

    Attributes:
        clips: its clips.
        skipped: those that could not be exported, or not whole.
        blurred: regions that were blurred in its images.
    """

    clips: Sequence[ClipRecord]
    skipped: Sequence[SkippedClip]
    blurred: int = 0

    @property
    def frames(self) -> int:
        """Exported frames."""
        return sum(clip.frames for clip in self.clips)

    @property
    def boxes(self) -> int:
        """Exported boxes."""
        return sum(clip.boxes for clip in self.clips)


def encode_record(
    dataset: str,
    manifest_sha256: str,
    settings: ExportSettings,
    exported: Exported,
    conventions: Mapping[str, str],
) -> bytes:
    """The record of an export: the same bytes for the same export.

    Args:
        dataset: absolute path of the data set.
        manifest_sha256: digest of its manifest: what was exported.
        settings: what was asked for.
        exported: what it came to.
        conventions: of the format.
    """
    facts = {
        "made_by": f"clipmill {version('clipmill')}",
        "export_version": EXPORT_VERSION,
        "format": settings.form,
        "dataset": dataset,
        "manifest_sha256": manifest_sha256,
        "settings": settings.as_json(),
        "settings_digest": settings.digest,
        "counts": {
            "clips": len(exported.clips),
            "frames": exported.frames,
            "boxes": exported.boxes,
            "images": exported.frames if settings.images else 0,
            "blurred": exported.blurred,
        },
        "conventions": dict(conventions),
        "clips": [asdict(clip) for clip in exported.clips],
        "skipped": [asdict(clip) for clip in exported.skipped],
    }
    return (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True, slots=True)
class FoundExport:
    """An export as its record tells it.

    Attributes:
        dataset: absolute path of the data set that it was made of.
        settings: what was asked for.
        clip_ids: every clip that it speaks of.
    """

    dataset: str
    settings: ExportSettings
    clip_ids: frozenset[str]

    def is_of(self, dataset: Path) -> bool:
        """Whether it was made of this data set, by whatever link either was named."""
        return Path(self.dataset).resolve() == dataset.resolve()


_SETTINGS: Final = TypeAdapter(ExportSettings)


def read_record(output: Path) -> FoundExport | None:
    """What the record in a folder tells; None where there is none that is ours.

    Args:
        output: the folder.
    """
    try:
        facts: Any = json.loads((output / RECORD).read_bytes())
        settings = _SETTINGS.validate_json(json.dumps(facts["settings"]), strict=True)
        told = {str(clip["clip_id"]) for clip in (*facts["clips"], *facts["skipped"])}
        found = FoundExport(str(facts["dataset"]), settings, frozenset(told.union(settings.clips)))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if settings.form in FORMATS else None
