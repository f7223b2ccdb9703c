"""Frames with truth on disk, and the random crops that training sees of them.

A shard is an `.npz` file of one rendered world with the arrays of `Shard`. What writes them is no matter of this
package (`python -m transforms.scenes.training_frames` does, for rendered scenes).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

MIN_HEIGHT_PX: Final = 12.0
MIN_VISIBILITY: Final = 0.4
"""Boxes below either count neither for nor against the detector."""

PAD_VALUE: Final = 114

CROP_SIZES: Final = ((544, 224), (352, 352), (480, 256), (960, 544))
"""Width and height in pixels: wide ones mostly, as what stands on a road lies in a band along the horizon, and one that
holds a near lorry whole."""

BATCH_PIXELS: Final = 2_000_000
"""Pixels of a batch; the larger its crops the fewer they are."""

SCALE_SPREAD: Final = 0.3
"""Standard deviation of the logarithm of a crop's scale."""

BLUR_SHARE: Final = 0.2
NOISE_SHARE: Final = 0.2
CODED_SHARE: Final = 0.3
"""Shares of the crops that are blurred, that get noise, and that are coded once more."""

QUALITIES: Final = (30, 80)
"""JPEG qualities from, to, of those coded once more: a car's video is coarser than the frames on disk."""

MAX_PAD_PX: Final = 24.0
"""How far a crop reaches beyond its frame, pixels of the frame."""

MIRROR_SHARE: Final = 0.5
AIM_SHARE: Final = 0.85
"""Shares of the crops that are mirrored, and that stand around an object instead of anywhere."""

FloatArray = npt.NDArray[np.float32]
ImageArray = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shard:
    """Frames of one world.

    Attributes:
        jpeg: the encoded frames one after the other, uint8[bytes].
        jpeg_offsets: where each frame starts, and the end of the last, int64[F + 1].
        frame_of: frame of each box, int32[N], ascending.
        boxes: xyxy in pixels of the frame, float32[N, 4].
        categories: indices into the taxonomy, uint8[N].
        visibility: share of the object's part within the frame that nothing hides, float32[N], 0..1.
        truncation: share of the object outside the frame, float32[N], 0..1.
    """

    jpeg: ImageArray
    jpeg_offsets: npt.NDArray[np.int64]
    frame_of: npt.NDArray[np.int32]
    boxes: FloatArray
    categories: npt.NDArray[np.uint8]
    visibility: FloatArray
    truncation: FloatArray


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One picture and its truth.

    Attributes:
        image: BGR, uint8[h, w, 3].
        boxes: xyxy pixels, float32[N, 4].
        classes: int64[N]; -1 = counts neither for nor against.
    """

    image: ImageArray
    boxes: FloatArray
    classes: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FrameStore:
    """Frames of many shards, kept encoded in memory.

    Attributes:
        shards: as read.
        class_of: class of the network for each category of the taxonomy, int64[C]; -1 = none.
    """

    shards: tuple[Shard, ...]
    class_of: npt.NDArray[np.int64]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Shard and frame within it, of every frame."""
        return [
            (number, frame)
            for number, shard in enumerate(self.shards)
            for frame in range(len(shard.jpeg_offsets) - 1)
        ]

    def read(self, shard_number: int, frame: int) -> LabelledFrame:
        """Decode one frame and pick its truth."""
        shard = self.shards[shard_number]
        encoded = shard.jpeg[shard.jpeg_offsets[frame] : shard.jpeg_offsets[frame + 1]]
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"frame {frame} of shard {shard_number} is not a picture")
        mine = shard.frame_of == frame
        boxes = shard.boxes[mine]
        classes = self.class_of[shard.categories[mine]]
        counts = (boxes[:, 3] - boxes[:, 1] >= MIN_HEIGHT_PX) & (shard.visibility[mine] >= MIN_VISIBILITY)
        return LabelledFrame(image.astype(np.uint8, copy=False), boxes, np.where(counts, classes, -1))


def read_shards(paths: list[Path]) -> tuple[Shard, ...]:
    """Read shards whole; their pictures stay encoded."""
    shards = []
    for path in paths:
        with np.load(path, allow_pickle=False) as arrays:
            shards.append(Shard(**{name: arrays[name] for name in Shard.__slots__}))
    return tuple(shards)


def crop(
    frame: LabelledFrame, size: tuple[int, int], scale: float, centre: tuple[float, float], *, mirrored: bool
) -> LabelledFrame:
    """A piece of a frame, scaled, mirrored and padded where it leaves the frame.

    Args:
        frame: where from.
        size: width and height of the piece, pixels.
        scale: pixels of the piece per pixel of the frame.
        centre: x and y in the frame that come to the piece's middle, pixels.
        mirrored: swap left and right.

    Returns:
        The piece. A box of which less than 40 % is left, or that became too small, counts neither way.
    """
    sign = -scale if mirrored else scale
    shift_x, shift_y = size[0] / 2 - sign * centre[0], size[1] / 2 - scale * centre[1]
    # a pixel's middle is at its index + 0.5 in box coordinates, and at its index for warpAffine
    matrix = np.array([[sign, 0, shift_x + sign / 2 - 0.5], [0, scale, shift_y + scale / 2 - 0.5]])
    image = cv2.warpAffine(
        frame.image,
        matrix,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(PAD_VALUE, PAD_VALUE, PAD_VALUE),
    ).astype(np.uint8, copy=False)
    boxes = frame.boxes * np.array([sign, scale, sign, scale], np.float32)
    boxes += np.array([shift_x, shift_y, shift_x, shift_y], np.float32)
    if mirrored:
        boxes = boxes[:, [2, 1, 0, 3]]
    height, width = frame.image.shape[:2]
    left, right = sorted((shift_x, shift_x + sign * width))
    limits = np.clip([left, shift_y, right, shift_y + scale * height], 0, (*size, *size))
    clipped = np.stack(
        [
            boxes[:, 0].clip(limits[0], limits[2]),
            boxes[:, 1].clip(limits[1], limits[3]),
            boxes[:, 2].clip(limits[0], limits[2]),
            boxes[:, 3].clip(limits[1], limits[3]),
        ],
        axis=1,
    ).astype(np.float32)
    sizes = clipped[:, 2:] - clipped[:, :2]
    kept = (sizes > 1).all(axis=1)
    left_over = sizes.prod(axis=1) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    counts = (left_over >= MIN_VISIBILITY) & (sizes[:, 1] >= MIN_HEIGHT_PX * 0.6)
    return LabelledFrame(image, clipped[kept], np.where(counts, frame.classes, -1)[kept])


def disturb(image: ImageArray, random: np.random.Generator) -> ImageArray:
    """Change brightness, contrast and colour balance, and now and then blur or add noise, as cameras differ."""
    gain = np.exp(random.normal(0, 0.18)) * np.exp(random.normal(0, 0.04, 3))
    offset = random.normal(0, 8)
    table = np.clip(np.arange(256)[:, None] * gain + offset, 0, 255).astype(np.uint8)
    changed = cv2.LUT(image, table.reshape(1, 256, 3))
    if random.random() < BLUR_SHARE:
        changed = cv2.GaussianBlur(changed, (3, 3), random.uniform(0.4, 1.0))
    if random.random() < NOISE_SHARE:
        noise = random.normal(0, random.uniform(1, 6), (*image.shape[:2], 1)).astype(np.float32)
        changed = np.clip(changed + noise, 0, 255).astype(np.uint8)
    if random.random() < CODED_SHARE:
        quality = int(random.integers(*QUALITIES))
        coded = cv2.imencode(".jpg", changed, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        changed = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    return changed.astype(np.uint8, copy=False)


def aim(
    frame: LabelledFrame, reach: tuple[float, float], seen: FloatArray, random: np.random.Generator
) -> tuple[float, float]:
    """Where in a frame a crop has its middle: near an object, rare classes preferred, or anywhere.

    Args:
        frame: to crop from.
        reach: half of the crop's width and height, pixels of the frame.
        seen: how often each class was seen so far, float[K].
        random: source of the draws.
    """
    height, width = frame.image.shape[:2]
    chosen = np.flatnonzero(frame.classes >= 0)
    if len(chosen) and random.random() < AIM_SHARE:
        rarity = 1 / np.sqrt(seen[frame.classes[chosen]])
        box = frame.boxes[random.choice(chosen, p=rarity / rarity.sum())]
        middle = (box[:2] + box[2:]) / 2 + random.uniform(-0.7, 0.7, 2) * reach
    else:
        middle = random.uniform((0.0, 0.0), (width, height))
    # a little over the edge and no more: the pad of a letterbox is to be known, but teaches nothing
    lowest = np.array(reach) - MAX_PAD_PX
    highest = (width, height) - lowest
    middle = np.where(lowest <= highest, np.clip(middle, lowest, highest), np.array((width, height)) / 2)
    return float(middle[0]), float(middle[1])


def random_crops(
    store: FrameStore, places: list[tuple[int, int]], *, long_side: int, seed: int
) -> Iterator[list[LabelledFrame]]:
    """Endless batches of crops of one size each; two crops of each frame, every frame once in a random order, again.

    Args:
        store: where the frames are.
        places: which of them to use.
        long_side: of the network's input for a whole frame, pixels: crops vary around that scale.
        seed: of the order and the crops.
    """
    random = np.random.default_rng(seed)
    seen = np.ones(int(store.class_of.max()) + 1, np.float32)
    crops: list[LabelledFrame] = []
    size = CROP_SIZES[0]
    while True:
        for place in random.permutation(len(places)):
            frame = store.read(*places[place])
            scale = long_side / max(frame.image.shape)
            for _ in range(2):
                crop_scale = scale * float(np.exp(random.normal(0, SCALE_SPREAD)))
                reach = (size[0] / 2 / crop_scale, size[1] / 2 / crop_scale)
                centre = aim(frame, reach, seen, random)
                piece = crop(frame, size, crop_scale, centre, mirrored=random.random() < MIRROR_SHARE)
                np.add.at(seen, piece.classes[piece.classes >= 0], 1)
                crops.append(LabelledFrame(disturb(piece.image, random), piece.boxes, piece.classes))
            if len(crops) * size[0] * size[1] > BATCH_PIXELS * 0.95:
                yield crops
                crops = []
                size = CROP_SIZES[int(random.integers(len(CROP_SIZES)))]
