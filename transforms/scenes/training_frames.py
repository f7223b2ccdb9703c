"""Frames with truth for the training of the bundled detector: `python -m transforms.scenes.training_frames DIR`.

Writes one `.npz` shard per world, in the form that `models.training.frames.Shard` describes. A shard that is there is
not rendered again. Seeds from 10,000 on are for evaluation and refused; the default ones are none that somebody would
type for a first sample, so that the detector has not seen that one either.
"""

import argparse
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np

from transforms.scenes.cameras import CAMERAS, Camera, mounted_camera
from transforms.scenes.encoding import TICKS_PER_S, ClipFrame, Encoding, encode
from transforms.scenes.filming import even_pts
from transforms.scenes.rendering import FrameTruth, render
from transforms.scenes.worlds import FIRST_S, LAST_S, World, make_world

FIRST_EVALUATION_SEED: Final = 10_000
"""Worlds from here on are never trained on."""

TAKES_A_WORLD: Final = 4
FRONT_SHARE: Final = 0.5
SIZES: Final = ((640, 360), (640, 480), (480, 270))
"""Frame sizes in pixels."""

FPS: Final = Fraction(12)
FRAMES_A_TAKE: Final = 6
KEPT: Final = (2, 5)
"""Frames of a take that are kept: what H.264 makes of a picture that it predicts, not of the first one alone."""

QUALITY: Final = 92
"""JPEG quality of what is kept."""


def draw_takes(seed: int, count: int) -> list[tuple[Camera, float]]:
    """Cameras and first seconds of a world's takes.

    Args:
        seed: of the world.
        count: how many takes.

    Returns:
        Times spread over the world's life; most takes are the front camera's.

    >>> [one.name for one, _ in draw_takes(0, 2)] == [one.name for one, _ in draw_takes(0, 2)]
    True
    """
    random = np.random.default_rng((seed, 1))
    edges = np.linspace(FIRST_S + 1, LAST_S - 1, count + 1)
    takes = []
    for first, last in pairwise(edges):
        name = "front" if random.random() < FRONT_SHARE else CAMERAS[int(random.integers(len(CAMERAS)))]
        size = SIZES[int(random.integers(len(SIZES)))]
        takes.append((mounted_camera(name, *size), float(random.uniform(first, last))))
    return takes


def film_take(
    world: World, camera: Camera, first_s: float
) -> Iterator[tuple[np.ndarray[Any, Any], FrameTruth]]:
    """The kept frames of a take as they come out of the decoder, BGR uint8[h, w, 3], and their truth."""
    pts = even_pts(FRAMES_A_TAKE / float(FPS), FPS)
    rendered = [render(world, camera, first_s + tick / TICKS_PER_S) for tick in pts]
    frames = [ClipFrame(tick, image) for tick, (image, _) in zip(pts, rendered, strict=True)]
    content = encode(frames, Encoding(fps=FPS, duration_ticks=round(len(pts) * TICKS_PER_S / FPS)))
    with av.open(io.BytesIO(content), "r") as container:
        decoded = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    for number in KEPT:
        yield decoded[number], rendered[number][1]


def pack(pictures: Sequence[bytes], truths: Sequence[FrameTruth]) -> dict[str, Any]:
    """Arrays of a shard from encoded frames and what is to be seen in them."""
    return {
        "jpeg": np.frombuffer(b"".join(pictures), np.uint8),
        "jpeg_offsets": np.cumsum([0, *map(len, pictures)], dtype=np.int64),
        "frame_of": np.repeat(np.arange(len(truths), dtype=np.int32), [len(truth.boxes) for truth in truths]),
        "boxes": np.concatenate([truth.boxes for truth in truths]),
        "categories": np.concatenate([truth.categories for truth in truths]),
        "visibility": np.concatenate([truth.visibility for truth in truths]),
        "truncation": np.concatenate([truth.truncation for truth in truths]),
    }


def render_shard(seed: int, count: int = TAKES_A_WORLD) -> bytes:
    """One world's frames as the bytes of an `.npz` file."""
    world = make_world(seed)
    pictures, truths = [], []
    for camera, first_s in draw_takes(seed, count):
        for image, truth in film_take(world, camera, first_s):
            pictures.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
            truths.append(truth)
    file = io.BytesIO()
    np.savez(file, **pack(pictures, truths))
    return file.getvalue()


def write_shards(folder: Path, seeds: Sequence[int]) -> int:
    """Renders the shards that are not there yet; a file that is there is whole.

    Returns:
        How many were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in seeds if not (folder / f"{seed:05}.npz").exists()]
    for seed in missing:
        partial = folder / f"{seed:05}.partial"
        partial.write_bytes(render_shard(seed))
        partial.replace(folder / f"{seed:05}.npz")
    return len(missing)


def parse_seeds(text: str) -> range:
    """Seeds of a half-open range.

    Raises:
        ValueError: it is no such range, or reaches into the evaluation's seeds.

    >>> parse_seeds("2000:2400")
    range(2000, 2400)
    """
    first, _, last = text.partition(":")
    seeds = range(int(first), int(last))
    if not seeds or first.strip().startswith("-") or seeds[-1] >= FIRST_EVALUATION_SEED:
        raise ValueError(f"{text}: wanted FIRST:LAST with 0 <= FIRST < LAST <= {FIRST_EVALUATION_SEED}")
    return seeds


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the rendering for training."""
    parser = argparse.ArgumentParser(
        prog="python -m transforms.scenes.training_frames", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("folder", type=Path, help="where the shards go")
    parser.add_argument(
        "--seeds", type=parse_seeds, default=range(2000, 2400), help="FIRST:LAST (default: 2000:2400)"
    )
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    write_shards(options.folder, options.seeds)


if __name__ == "__main__":
    main()
