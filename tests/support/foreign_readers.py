"""Reads exports with other tools' own readers; runs in an environment that has the tools, and in ours it is not imported.

    python foreign_readers.py TOOL FOLDER > boxes.json

Prints a list of boxes: the path of the image or the sequence's name, the frame's number where it is counted, the category,
the four edges in pixels as we count them, and the object's number where the tool keeps one.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

Box = tuple[str, int | None, str, tuple[float, ...], int | None]


def datumaro_yolo(folder: Path) -> Iterator[Box]:
    from datumaro.components.dataset import Dataset

    dataset = Dataset.import_from(str(folder), "yolo")
    names = [item.name for item in next(iter(dataset.categories().values())).items]
    for item in dataset:
        for box in item.annotations:
            yield f"{item.subset}/{item.id}", None, names[box.label], tuple(box.points), None


def supervision_yolo(folder: Path) -> Iterator[Box]:
    import supervision

    for clip in sorted((folder / "images").iterdir()):
        dataset = supervision.DetectionDataset.from_yolo(
            str(clip), str(folder / "labels" / clip.name), str(folder / "data.yaml")
        )
        for path, _, boxes in dataset:
            name = f"{clip.name}/{Path(path).stem}"
            for edges, number in zip(boxes.xyxy.tolist(), boxes.class_id, strict=True):
                yield name, None, dataset.classes[number], tuple(edges), None


def datumaro_cvat(folder: Path) -> Iterator[Box]:
    from datumaro.components.dataset import Dataset

    for clip in sorted(path for path in folder.iterdir() if path.is_dir()):
        dataset = Dataset.import_from(str(clip), "cvat")
        names = [item.name for item in next(iter(dataset.categories().values())).items]
        for item in dataset:
            for box in item.annotations:
                if box.attributes["outside"]:
                    continue
                frame = item.attributes["frame"]
                yield clip.name, frame, names[box.label], tuple(box.points), box.attributes["track_id"]


def motmetrics_mot(folder: Path) -> Iterator[Box]:
    import motmetrics

    names = (folder / "labels.txt").read_text().split()
    for path in sorted(folder.glob("*/gt/gt.txt")):
        if not path.stat().st_size:
            continue
        # it takes MOTChallenge's 1 from left and top by itself
        table = motmetrics.io.loadtxt(path, fmt="mot16")
        for (frame, number), row in table.iterrows():
            edges = row.X, row.Y, row.X + row.Width, row.Y + row.Height
            kept = int(number) if number >= 0 else None
            yield path.parts[-3], int(frame) - 1, names[int(row.ClassId) - 1], edges, kept


def trackeval_kitti(folder: Path) -> Iterator[Box]:
    """Boxes with a track, which are all that TrackEval takes; its types are KITTI's."""
    from trackeval.datasets import Kitti2DBox

    dataset = Kitti2DBox(
        {
            "GT_FOLDER": str(folder),
            "TRACKERS_FOLDER": str(folder),
            "TRACKERS_TO_EVAL": [],
            "PRINT_CONFIG": False,
        }
    )
    names = {number: name for name, number in dataset.class_name_to_class_id.items() if name != "car_2"}
    for sequence in dataset.seq_list:
        # what its public readers call before they throw away what is not scored
        read = dataset._load_raw_file(None, sequence, is_gt=True)
        of_frames = zip(read["gt_ids"], read["gt_classes"], read["gt_dets"], strict=True)
        for frame, (numbers, kinds, boxes) in enumerate(of_frames):
            for number, kind, edges in zip(numbers.tolist(), kinds.tolist(), boxes.tolist(), strict=True):
                yield sequence, frame, names[kind], tuple(edges), number


READERS = {
    reader.__name__: reader
    for reader in (
        datumaro_yolo,
        supervision_yolo,
        datumaro_cvat,
        motmetrics_mot,
        trackeval_kitti,
    )
}

if __name__ == "__main__":
    _, tool, place = sys.argv
    json.dump([list(box) for box in READERS[tool](Path(place))], sys.stdout, default=float)
