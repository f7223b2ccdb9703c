"""The pictures of docs/labels.md: `python tests/benchmarks/label_pictures.py` writes docs/pictures/labels-*.jpg.

Frames of rendered clips with the labels of score 0.5 on: above what the network alone says, below with hindsight. The
frames are those in which the two differ most: by what truth the one finds and the other does not.
"""

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from demo_detector import Clip, film_clip
from hindsight import seen_part

from models.registry import find_model
from models.sessions import load_detector
from models.taxonomy import CATEGORIES
from transforms.clips.decoding import ClipDecoder
from transforms.clips.sampling import Sampling
from transforms.labels.following import Tracked, follow
from transforms.labels.overlap import iou
from transforms.labels.settings import LabelSettings
from transforms.labels.sightings import LABEL_SOURCES, Sightings
from transforms.scenes.records import MIN_EVALUATED_HEIGHT_PX, MIN_EVALUATED_VISIBILITY
from transforms.views.drawing import DrawnBox, draw

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
NUMBERS = (1, 4, 9, 14)
SCORE = 0.5
ENLARGED = 2
QUALITY = 82


def found(clip: Clip, time_ns: int, seen: Sightings, frame: int) -> int:
    """True boxes of a frame that labels of the right category find, less labels that find none."""
    truth = clip.truth[time_ns]
    asked = (truth.boxes[:, 3] - truth.boxes[:, 1] >= MIN_EVALUATED_HEIGHT_PX) & (
        truth.visibility >= MIN_EVALUATED_VISIBILITY
    )
    rows = np.flatnonzero((seen.frames == frame) & (seen.scores >= SCORE))
    same = seen.categories[rows][:, None] == truth.categories
    overlaps = iou(seen.boxes[rows].astype(np.float64), truth.boxes.astype(np.float64)) * same
    hit = overlaps >= 0.5
    return int(hit[:, asked].any(axis=0).sum() - (~hit.any(axis=1)).sum())


def boxes(seen: Sightings, frame: int) -> list[DrawnBox]:
    rows = np.flatnonzero((seen.frames == frame) & (seen.scores >= SCORE)).tolist()
    drawn = []
    for row in rows:
        x_min, y_min, x_max, y_max = (ENLARGED * float(edge) for edge in seen.boxes[row])
        source = LABEL_SOURCES[seen.sources[row]]
        told = "" if source == "detected" else f" {source}"
        name = CATEGORIES[seen.categories[row]]
        drawn.append(DrawnBox((x_min, y_min, x_max, y_max), f"{name} {seen.scores[row]:.2f}{told}", name))
    return drawn


def captioned(image: npt.NDArray[np.uint8], text: str) -> npt.NDArray[np.uint8]:
    band = np.full((26, image.shape[1], 3), 255, np.uint8)
    cv2.putText(band, text, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([band, image])


def picture(clip: Clip, tracked: Tracked) -> npt.NDArray[np.uint8]:
    """The clip's frame with the greatest difference, before and after."""
    times = [frame.timestamp_ns for frame in tracked.labels.frames]
    gain = [
        found(clip, time_ns, tracked.seen, frame) - found(clip, time_ns, tracked.detected, frame)
        for frame, time_ns in enumerate(times)
    ]
    frame = int(np.argmax(gain))
    size = (clip.ref.width * ENLARGED, clip.ref.height * ENLARGED)
    with ClipDecoder(io.BytesIO(clip.film.content), clip.ref) as decoder:
        image = next(
            one.bgr(clip.ref.width, clip.ref.height)
            for one in decoder.frames(Sampling.parse("all"))
            if one.timestamp_ns == times[frame]
        )
    large = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return np.vstack(
        [
            captioned(draw(large, boxes(tracked.detected, frame)), "network alone, score 0.5 on"),
            captioned(draw(large, boxes(tracked.seen, frame)), "with hindsight, score 0.5 on"),
        ]
    )


def main() -> None:
    cv2.setNumThreads(1)
    detector = load_detector(find_model("demo"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number in NUMBERS:
        clip = film_clip(number, 8.0, "all")
        (tracked,) = follow(seen_part(clip, detector), [detector], LabelSettings())
        coded = cv2.imencode(".jpg", picture(clip, tracked), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
        (FOLDER / f"labels-{number:02d}.jpg").write_bytes(coded.tobytes())


if __name__ == "__main__":
    main()
