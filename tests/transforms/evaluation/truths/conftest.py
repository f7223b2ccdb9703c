"""One truth, written in every form, and files as readers get them."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.evaluation.truths.files import TruthFile

BOXES = [
    # clip, frame, category, track, box, KITTI's occlusion
    ("one", 0, "car", 3, (10.0, 20.0, 50.5, 60.0), 0),
    ("one", 0, "pedestrian", 4, (100.0, 20.0, 120.0, 80.0), 2),
    ("one", 2, "dontcare", None, (0.0, 0.0, 300.0, 15.0), None),
    ("two", 1, "car", 3, (-5.0, 0.0, 20.0, 20.0), 1),
]
FPS = 10
STEP_NS = 100_000_000
VISIBLE = {0: 1.0, 1: 0.6, 2: 0.2, None: -1}
NUMBERS = {"pedestrian": 1, "car": 3, "dontcare": 7}


@pytest.fixture
def files():
    """Makes the files of a truth from their contents."""

    def make(**contents):
        return named(contents)

    def named(contents):
        raw = {name: text.encode() if isinstance(text, str) else text for name, text in contents.items()}
        return {
            name: TruthFile(name, len(content), lambda content=content: io.BytesIO(content))
            for name, content in raw.items()
        }

    make.named = named
    return make


def as_parquet(table):
    sink = io.BytesIO()
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


def parquet_rows():
    names = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
    return {
        "clip_id": [row[0] for row in BOXES],
        "timestamp_ns": [row[1] * STEP_NS for row in BOXES],
        "category": [row[2] for row in BOXES],
        "track_id": pa.array([-1 if row[3] is None else row[3] for row in BOXES], pa.int32()),
        "occluded": pa.array([-1 if row[5] is None else row[5] for row in BOXES], pa.int8()),
        **{
            name: pa.array([row[4][place] for row in BOXES], pa.float32()) for place, name in enumerate(names)
        },
    }


def coco_document():
    keys = sorted({(clip, frame) for clip, frame, *_ in BOXES})
    names = sorted(NUMBERS)
    return {
        "images": [
            {"id": place, "file_name": clip, "timestamp_ns": frame * STEP_NS}
            for place, (clip, frame) in enumerate(keys)
        ],
        "annotations": [
            {
                "id": place,
                "image_id": keys.index((clip, frame)),
                "category_id": names.index("car" if category == "dontcare" else category),
                "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                "iscrowd": int(category == "dontcare"),
                "track_id": track,
                "attributes": {"occluded": occluded},
            }
            for place, (clip, frame, category, track, box, occluded) in enumerate(BOXES)
        ],
        "categories": [{"id": place, "name": name} for place, name in enumerate(names)],
    }


def mot_lines(clip):
    return "".join(
        f"{frame + 1},{-1 if track is None else track},{box[0]},{box[1]},{box[2] - box[0]},{box[3] - box[1]},"
        f"{int(category != 'dontcare')},{NUMBERS[category]},{VISIBLE[occluded]}\n"
        for own, frame, category, track, box, occluded in BOXES
        if own == clip
    )


def kitti_lines(clip):
    return "".join(
        f"{frame} {-1 if track is None else track} {'DontCare' if category == 'dontcare' else category.title()} 0 "
        f"{-1 if occluded is None else occluded} -10 {' '.join(map(str, box))} -1 -1 -1 -1000 -1000 -1000 -10\n"
        for own, frame, category, track, box, occluded in BOXES
        if own == clip
    )


@pytest.fixture
def every_form():
    """Form → contents of its files."""
    return {
        "parquet": {"truth.parquet": as_parquet(parquet_rows())},
        "coco": {"truth.json": json.dumps(coco_document())},
        "mot": {f"{clip}.txt": mot_lines(clip) for clip in ("one", "two")},
        "kitti": {f"{clip}.txt": kitti_lines(clip) for clip in ("one", "two")},
    }


@pytest.fixture
def box_table():
    """The table that every form is read into."""
    names = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
    occlusions = {0: "none", 1: "partly", 2: "largely", None: None}
    return pa.table(
        {
            "clip_id": [row[0] for row in BOXES],
            "timestamp_ns": [row[1] * STEP_NS for row in BOXES],
            "category": [row[2] for row in BOXES],
            "track_id": pa.array([None if row[3] is None else str(row[3]) for row in BOXES], pa.string()),
            **{name: [row[4][place] for row in BOXES] for place, name in enumerate(names)},
            "occlusion": pa.array([occlusions[row[5]] for row in BOXES], pa.string()),
        }
    )
