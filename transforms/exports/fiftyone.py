"""FiftyOne's own data set on disk, as `fiftyone.types.FiftyOneDataset` reads it: a sample an image, with its detections.

`metadata.json` declares the fields, `samples.json` holds the documents that FiftyOne puts into its database, in MongoDB's
extended JSON; images are below `data/`. Both texts are ASCII: some versions read them in the machine's own encoding.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Final

from models.taxonomy import CATEGORIES, TAXONOMY_VERSION
from transforms.exports.folder import Folder
from transforms.exports.frames import Box, Clip, ClipFrames, Frame, frame_name
from transforms.splits.rule import SPLITS

CONVENTIONS: Final = {
    "box": "bounding_box: x and y of the left and upper edge, width and height, as shares of the image's width and height",
    "category": "label by name; default_classes are all categories of the taxonomy in its order",
    "frame": "a sample; timestamp_ns since the clip's first shown frame; its tag is train, val or test where drives have splits",
    "object": "index, the same number over the whole drive, and object_id; null where no track holds the box",
    "score": "confidence",
}

_FIFTYONE_VERSION: Final = "1.0.0"
"""The version of FiftyOne whose documents these are; later ones bring them to their own form as they import them."""

_MIME_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png"}
_CHANNELS: Final = 3

Document = dict[str, object]


def write(folder: Folder, clips: Iterable[ClipFrames], suffix: str) -> None:
    """Writes an export.

    Args:
        folder: where.
        clips: clips and their frames.
        suffix: ending of the images' files.
    """
    rate = 0.0
    with folder.create("samples.json") as sink:
        sink.write(b'{"samples": [\n')
        separator = b""
        for item in clips:
            rate = max(rate, item.clip.rate or item.clip.fps_mean)
            for place, frame in enumerate(item.frames):
                name = picture_name(item.clip, frame, place, suffix)
                assert frame.picture is not None  # the format always has images
                folder.write(name, frame.picture)
                sample = _sample(item.clip, frame, name, len(frame.picture), _MIME_TYPES[suffix])
                sink.write(separator + json.dumps(sample, separators=(",", ":")).encode())
                separator = b",\n"
        sink.write(b"\n]}\n")
    folder.write("metadata.json", f"{json.dumps(_dataset(rate), indent=1)}\n".encode())


def picture_name(clip: Clip, frame: Frame, place: int, suffix: str) -> str:
    """Path of a frame's image below the export; `place` among the clip's exported frames is of no matter."""
    del place
    return f"data/{clip.clip_id}/{frame_name(frame)}{suffix}"


def _digest(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind} {name}".encode()).hexdigest()


def _object_id(digest: str) -> Document:
    """An id as MongoDB has them, 12 bytes: the same for the same row, in every export."""
    return {"$oid": digest[:24]}


def _sample(clip: Clip, frame: Frame, name: str, size_bytes: int, mime_type: str) -> Document:
    digest = _digest("frame", frame.frame_id)
    return {
        "_id": _object_id(digest),
        "filepath": name,
        "tags": [clip.split] if clip.split in SPLITS else [],
        "metadata": {
            "_cls": "ImageMetadata",
            "size_bytes": size_bytes,
            "mime_type": mime_type,
            "width": frame.width,
            "height": frame.height,
            "num_channels": _CHANNELS,
        },
        "_media_type": "image",
        # FiftyOne shuffles and draws by what a seed leaves when it is divided by this, which it puts in 0.999 to 1
        "_rand": 0.999 + int(digest[24:36], 16) / 16**12 / 1000,
        "clip_id": clip.clip_id,
        "drive_id": clip.drive_id,
        "camera": clip.camera,
        "uri": clip.uri,
        "timestamp_ns": frame.timestamp_ns,
        "utc_ns": frame.utc_ns,
        "detections": {"_cls": "Detections", "detections": [_detection(frame, box) for box in frame.boxes]},
    }


def _detection(frame: Frame, box: Box) -> Document:
    x_min, y_min, _, _ = box.edges
    return {
        "_id": _object_id(_digest("detection", box.detection_id)),
        "_cls": "Detection",
        "attributes": {},
        "tags": [],
        "label": box.category,
        "bounding_box": [
            x_min / frame.width,
            y_min / frame.height,
            box.width / frame.width,
            box.height / frame.height,
        ],
        "confidence": box.score,
        "index": box.object_number,
        "label_source": box.label_source,
        "detection_id": box.detection_id,
        "object_id": box.object_id,
    }


def _dataset(rate: float) -> Document:
    """What FiftyOne keeps of the whole; its name, its dates and where its documents lie it adds itself.

    Args:
        rate: frames a second, at which the app plays frames in their order.
    """
    return {
        "version": _FIFTYONE_VERSION,
        "media_type": "image",
        "tags": [],
        "info": {"made_by": "clipmill", "taxonomy_version": TAXONOMY_VERSION},
        "default_classes": list(CATEGORIES),
        "app_config": {"dynamic_groups_target_frame_rate": max(1, round(rate))},
        "sample_fields": _sample_fields(),
        "frame_fields": [],
    }


def _field(
    name: str,
    kind: str,
    description: str | None = None,
    *,
    document: str | None = None,
    of: str | None = None,
    fields: Sequence[Document] = (),
    stored_as: str | None = None,
    read_only: bool = False,
) -> Document:
    """A field's declaration.

    Args:
        name: as a user sees it.
        kind: of its value.
        description: what FiftyOne's app shows beside it.
        document: class of the documents that it holds.
        of: kind of a list's items.
        fields: what those documents have.
        stored_as: its name in the database; None = the same.
        read_only: whether FiftyOne alone sets it.
    """
    return {
        "name": name,
        "ftype": f"fiftyone.core.fields.{kind}Field",
        "embedded_doc_type": document and f"fiftyone.core.{document}",
        "subfield": of and f"fiftyone.core.fields.{of}Field",
        "fields": list(fields),
        "db_field": stored_as or name,
        "description": description,
        "info": None,
        "read_only": read_only,
    }


def _sample_fields() -> list[Document]:
    metadata = [
        _field("size_bytes", "Int"),
        _field("mime_type", "String"),
        _field("width", "Int"),
        _field("height", "Int"),
        _field("num_channels", "Int"),
    ]
    detection = [
        _field("id", "ObjectId", stored_as="_id"),
        _field("tags", "List", of="String"),
        _field("attributes", "Dict", document="labels.Attribute", of="EmbeddedDocument"),
        _field("label", "String"),
        _field("bounding_box", "List", of="Float"),
        _field("mask", "Array"),
        _field("mask_path", "String"),
        _field("confidence", "Float"),
        _field("index", "Int"),
        _field("label_source", "String", "detected, interpolated, propagated, extrapolated or human"),
        _field("detection_id", "String", "row of the data set"),
        _field("object_id", "String", "what it shows, over the whole drive"),
    ]
    boxes = _field("detections", "List", document="labels.Detection", of="EmbeddedDocument", fields=detection)
    return [
        _field("id", "ObjectId", stored_as="_id"),
        _field("filepath", "String"),
        _field("tags", "List", of="String"),
        _field("metadata", "EmbeddedDocument", document="metadata.ImageMetadata", fields=metadata),
        _field("created_at", "DateTime", read_only=True),
        _field("last_modified_at", "DateTime", read_only=True),
        _field("_media_type", "String"),
        _field("_rand", "Float"),
        _field("_dataset_id", "ObjectId"),
        _field("clip_id", "String"),
        _field("drive_id", "String"),
        _field("camera", "String"),
        _field("uri", "String", "the clip's file"),
        _field("timestamp_ns", "Int", "time since the clip's first shown frame, in ns"),
        _field("utc_ns", "Int", "Unix time in ns"),
        _field("detections", "EmbeddedDocument", document="labels.Detections", fields=[boxes]),
    ]
