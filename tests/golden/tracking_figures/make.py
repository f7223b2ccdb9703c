"""Writes figures.json: a small scene and what TrackEval says of it.

TrackEval pulls a second build of OpenCV in, so it has an environment of its own:

    python -m venv trackeval-venv && trackeval-venv/bin/pip install trackeval==1.3.0
    trackeval-venv/bin/python tests/golden/tracking_figures/make.py
"""

import json
from pathlib import Path

import numpy as np
from trackeval.metrics import CLEAR, HOTA, Identity

CLIPS, FRAMES, OBJECTS = 3, 20, 6


def scene(generator):
    """Rows [clip, frame, id, x_min, y_min, x_max, y_max] of truth and of labels that err in every way."""
    truth, labels = [], []
    for clip in range(CLIPS):
        places, sizes = generator.uniform(0, 300, (OBJECTS, 2)), generator.uniform(30, 90, (OBJECTS, 2))
        motion = generator.normal(0, 8, (OBJECTS, 2))
        names = np.arange(OBJECTS)
        for frame in range(FRAMES):
            if generator.random() < 0.4:
                names[generator.integers(OBJECTS)] = generator.integers(2 * OBJECTS)
            used = set()
            for one in range(OBJECTS):
                low = places[one] + frame * motion[one]
                if generator.random() < 0.9:
                    truth.append([clip, frame, one, *low, *(low + sizes[one])])
                if generator.random() < 0.85 and names[one] not in used:
                    used.add(names[one])
                    edges = np.concatenate([low, low + sizes[one]]) + generator.normal(0, 6, 4)
                    labels.append([clip, frame, int(names[one]), *edges])
            if generator.random() < 0.3:
                low = generator.uniform(0, 300, 2)
                labels.append([clip, frame, 2 * OBJECTS, *low, *(low + 40)])
    # A clip whose labels are all missed, and one in which nothing is true.
    truth.append([CLIPS, 0, 0, 0, 0, 10, 10])
    labels.append([CLIPS + 1, 0, 0, 0, 0, 10, 10])
    return [[round(float(value), 1) for value in row] for row in truth], [
        [round(float(value), 1) for value in row] for row in labels
    ]


def overlaps(first, second):
    """IoU of every pair, written out anew so that the golden file owes nothing to what it judges."""
    result = np.zeros((len(first), len(second)))
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            width = min(one[2], other[2]) - max(one[0], other[0])
            height = min(one[3], other[3]) - max(one[1], other[1])
            if width > 0 and height > 0:
                areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
                result[row, column] = width * height / (sum(areas) - width * height)
    return result


def sequence(truth, labels, clip):
    """One clip as TrackEval's metrics want it."""
    own = [[row for row in rows if row[0] == clip] for rows in (truth, labels)]
    names = [sorted({row[2] for row in rows}) for rows in own]
    data = {"gt_ids": [], "tracker_ids": [], "similarity_scores": [], "num_timesteps": FRAMES}
    for frame in range(FRAMES):
        here = [[row for row in rows if row[1] == frame] for rows in own]
        ids = [
            np.array([known.index(row[2]) for row in rows], dtype=int)
            for rows, known in zip(here, names, strict=True)
        ]
        data["gt_ids"].append(ids[0])
        data["tracker_ids"].append(ids[1])
        data["similarity_scores"].append(overlaps([row[3:] for row in here[0]], [row[3:] for row in here[1]]))
    data |= {"num_gt_ids": len(names[0]), "num_tracker_ids": len(names[1])}
    return data | {"num_gt_dets": len(own[0]), "num_tracker_dets": len(own[1])}


def main():
    """Makes the scene, asks TrackEval, writes the file beside this one."""
    truth, labels = scene(np.random.default_rng(5))
    expected = {}
    for metric in (HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})):
        clips = {str(clip): metric.eval_sequence(sequence(truth, labels, clip)) for clip in range(CLIPS + 2)}
        expected |= metric.combine_sequences(clips)
    figures = {
        "hota": float(np.mean(expected["HOTA"])),
        "deta": float(np.mean(expected["DetA"])),
        "assa": float(np.mean(expected["AssA"])),
        "idf1": float(expected["IDF1"]),
        "mota": float(expected["MOTA"]),
        "switches": int(expected["IDSW"]),
        "missed": int(expected["CLR_FN"]),
        "false": int(expected["CLR_FP"]),
    }
    text = json.dumps({"figures": figures, "truth": truth, "labels": labels}).replace("], [", "],\n[")
    Path(__file__).with_name("figures.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
