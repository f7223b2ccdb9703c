"""Which cells answer for which object, and how wrong they are.

The assignment is the idea of SimOTA (Ge et al. 2021, arXiv:2107.08430): among the cells around an object's centre, at
every stride, the ones that already predict it best are made to answer for it; how many follows from how well they do.
Here it runs for all objects of a batch at once, because each object has the same number of candidates.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from models.training.network import STRIDES, cells, decode

BOX_WEIGHT: Final = 5.0
"""Of the box loss against objectness and class, as YOLOX has it."""

OVERLAP_COST: Final = 3.0
"""Of a bad box against a bad class when cells are chosen, as YOLOX has it."""

EPSILON: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Truth:
    """Objects of a batch.

    Attributes:
        image_of: image of each object, int64[G].
        boxes: xyxy pixels of the input, float32[G, 4].
        classes: int64[G].
        ignored_image_of: image of each region that counts neither way, int64[R].
        ignored_boxes: float32[R, 4].
    """

    image_of: Tensor
    boxes: Tensor
    classes: Tensor
    ignored_image_of: Tensor
    ignored_boxes: Tensor


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses per answering cell.

    Attributes:
        box: 1 - generalized IoU.
        objectness: binary cross-entropy.
        classes: binary cross-entropy against the IoU at the true class.
    """

    box: Tensor
    objectness: Tensor
    classes: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimized."""
        return BOX_WEIGHT * self.box + self.objectness + self.classes


def overlaps(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalized IoU (Rezatofighi et al. 2019) of boxes that correspond, each float32[...].

    Args:
        a: xyxy, float32[..., 4].
        b: xyxy, float32[..., 4].
    """
    inner = (
        (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    )
    outer = (
        (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    )
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - inner
    iou = inner / (union + EPSILON)
    return iou, iou - (outer - union) / (outer + EPSILON)


def candidates(boxes: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The 3 x 3 cells around each object's centre at every stride.

    Args:
        boxes: xyxy pixels, float32[G, 4].
        height: of the input, pixels.
        width: of the input, pixels.

    Returns:
        Cell numbers, int64[G, 27], and whether the cell is inside the input, bool[G, 27].
    """
    around = torch.tensor([(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)])
    centre_x, centre_y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    numbers, inside, first = [], [], 0
    for stride in STRIDES:
        rows, columns = height // stride, width // stride
        row = (centre_y / stride).floor().long()[:, None] + around[:, 0]
        column = (centre_x / stride).floor().long()[:, None] + around[:, 1]
        inside.append((row >= 0) & (row < rows) & (column >= 0) & (column < columns))
        numbers.append(first + row.clamp(0, rows - 1) * columns + column.clamp(0, columns - 1))
        first += rows * columns
    return torch.cat(numbers, dim=1), torch.cat(inside, dim=1)


def assign(raw: Tensor, boxes: Tensor, truth: Truth, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Choose the cells that answer.

    Args:
        raw: the network's output, float32[B, N, 5 + K].
        boxes: the same, decoded, float32[B, N, 4].
        truth: G objects.
        height: of the input, pixels.
        width: of the input, pixels.

    Returns:
        Chosen cells as numbers into the flattened [B * N], int64[P], no cell twice, and the object of each, int64[P].
    """
    cell_count = raw.shape[1]
    numbers, inside = candidates(truth.boxes, height, width)
    flat = truth.image_of[:, None] * cell_count + numbers
    predicted = raw.reshape(-1, raw.shape[2])[flat]
    iou, _ = overlaps(boxes.reshape(-1, 4)[flat], truth.boxes[:, None])
    iou = iou * inside
    wanted = functional.one_hot(truth.classes, raw.shape[2] - 5).float()
    score = (predicted[..., 5:].sigmoid() * predicted[..., 4:5].sigmoid()).sqrt()
    class_cost = functional.binary_cross_entropy(
        score, wanted[:, None].expand_as(score), reduction="none"
    ).sum(-1)
    cost = class_cost - OVERLAP_COST * (iou + 1e-8).log() + 1e6 * ~inside
    answering = iou.topk(10, dim=1).values.sum(1).long().clamp(min=1)
    rank = cost.argsort(dim=1).argsort(dim=1)
    objects, places = torch.nonzero((rank < answering[:, None]) & inside, as_tuple=True)
    chosen, chosen_cost = flat[objects, places], cost[objects, places]
    # a cell wanted by several objects goes to the one it costs least
    best = torch.full((raw.shape[0] * cell_count,), float("inf")).scatter_reduce(
        0, chosen, chosen_cost, "amin"
    )
    wins = chosen_cost <= best[chosen]
    chosen, objects = chosen[wins], objects[wins]
    owner = torch.full((raw.shape[0] * cell_count,), -1).scatter_reduce(0, chosen, objects, "amax")
    unique = owner[chosen] == objects
    return chosen[unique], objects[unique]


def undecided(truth: Truth, batch: int, corners: Tensor, strides: Tensor) -> Tensor:
    """Cells in regions that count neither way, bool[batch, N]; a region reaches half a cell beyond its edges."""
    result = torch.zeros(batch, len(strides), dtype=torch.bool)
    centres = (corners + 0.5) * strides[:, None]
    margin = strides[:, None] / 2
    for image, box in zip(truth.ignored_image_of.tolist(), truth.ignored_boxes, strict=True):
        result[image] |= ((centres > box[:2] - margin) & (centres < box[2:] + margin)).all(1)
    return result


def losses(raw: Tensor, truth: Truth, height: int, width: int) -> Losses:
    """How wrong a batch's predictions are.

    Args:
        raw: the network's output, float32[B, N, 5 + K].
        truth: what is there.
        height: of the input, pixels.
        width: of the input, pixels.
    """
    corners, strides = cells(height, width)
    boxes = decode(raw, corners, strides)
    with torch.no_grad():
        chosen, objects = assign(raw, boxes, truth, height, width)
        weights = 1.0 - undecided(truth, raw.shape[0], corners, strides).float().reshape(-1)
        weights[chosen] = 1.0
        objectness = torch.zeros_like(weights)
        objectness[chosen] = 1.0
    count = max(1, len(chosen))
    flat = raw.reshape(-1, raw.shape[2])
    iou, generalized = overlaps(boxes.reshape(-1, 4)[chosen], truth.boxes[objects])
    wanted = functional.one_hot(truth.classes[objects], raw.shape[2] - 5) * iou.detach()[:, None]
    there = functional.binary_cross_entropy_with_logits(flat[:, 4], objectness, weights, reduction="sum")
    what = functional.binary_cross_entropy_with_logits(flat[chosen, 5:], wanted, reduction="sum")
    return Losses((1 - generalized).sum() / count, there / count, what / count)
