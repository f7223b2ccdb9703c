"""What FiftyOne makes of data sets on disk, by its own importer; runs in an environment that has it, and none of ours."""

import json
import sys
from pathlib import Path

ATTRIBUTES = (
    "id",
    "label",
    "bounding_box",
    "confidence",
    "index",
    "label_source",
    "detection_id",
    "object_id",
)
FIELDS = ("id", "filepath", "tags", "clip_id", "drive_id", "camera", "uri", "timestamp_ns", "utc_ns")
METADATA = ("size_bytes", "mime_type", "width", "height", "num_channels")


def read(folder: str) -> dict:
    import fiftyone as fo

    dataset = fo.Dataset.from_dir(folder, dataset_type=fo.types.FiftyOneDataset)
    schema = dataset.get_field_schema(flat=True)
    found = {
        "media_type": dataset.media_type,
        "default_classes": dataset.default_classes,
        "info": dataset.info,
        "frame_rate": dataset.app_config.dynamic_groups_target_frame_rate,
        "schema": {name: type(field).__name__ for name, field in schema.items()},
        "descriptions": {name: field.description for name, field in schema.items() if field.description},
        "samples": [
            {
                **{name: sample[name] for name in FIELDS},
                "metadata": {name: sample.metadata[name] for name in METADATA},
                "detections": [
                    {name: box[name] for name in ATTRIBUTES} for box in sample.detections.detections
                ],
            }
            for sample in dataset
        ],
        "labels": dataset.count_values("detections.detections.label"),
        "shuffled": dataset.shuffle(seed=7).values("id"),
        "played": {
            group.first().clip_id: group.values("timestamp_ns")
            for group in dataset.group_by("clip_id", order_by="timestamp_ns").iter_dynamic_groups()
        },
    }
    # a user's own field and tag, as the app writes them
    sample = dataset.match(fo.ViewField("detections.detections").length() > 0).first()
    sample["looked_at"] = True
    sample.detections.detections[0].tags.append("wrong")
    sample.save()
    found["tagged"] = [dataset.count_label_tags(), dataset.count("looked_at")]
    return found


if __name__ == "__main__":
    target, *folders = sys.argv[1:]
    Path(target).write_text(json.dumps([read(folder) for folder in folders]), encoding="utf-8")
