"""Networks without a card: which family their outputs belong to."""

import hashlib
import json
import logging
import re
from pathlib import Path
from typing import Any, Final

from models.card import MAX_INPUT_SIDE_PX, Family, ModelCard
from models.errors import ModelError, ModelUsageError
from models.families import FAMILIES
from models.families.candidates import Shapes
from models.families.yolox import cell_count
from models.networks import Network, check_fit, open_network, try_network

_logger = logging.getLogger(__name__)

_COLOURS: Final = 3
_FREE_SIDE_PX: Final = 640
"""Side taken where a graph leaves it open."""

_PREPROCESSING: Final[dict[Family, dict[str, Any]]] = {
    "yolox": {"channels": "BGR", "resize": "letterbox", "pad_value": 114},
    "boxes": {"channels": "RGB", "resize": "stretch", "scale": 1 / 255},
}
_SUPPRESSION: Final[dict[Family, float | None]] = {"yolox": 0.45, "boxes": None}


def recognise(path: Path, data: bytes) -> ModelCard:
    """Makes the card of a network that has none, from its outputs.

    Args:
        path: where the network lies.
        data: its bytes.

    Raises:
        ModelUsageError: its outputs fit no family, or more than one, or its classes are not known; the message holds
            a card to fill in.
    """
    digest = hashlib.sha256(data).hexdigest()
    network = open_network(data, None, path.name)
    facts: dict[str, Any] = {
        "name": _portable(path.stem),
        "licence": "unknown",
        "bundled": path.name,
        "sha256": digest,
        "bytes": len(data),
        "classes": "coco-80",
    }
    width, height, layout = _declared_size(network, path)
    size = {"width": width, "height": height, "layout": layout}
    # The family of this card is of no matter: it only carries the input for the trial.
    probe = ModelCard.model_validate({**facts, "family": "boxes", "input": size})
    shapes = try_network(network, probe.input, path.name, 1, width, height)
    fitting = [name for name, family in FAMILIES.items() if family.fits(probe, shapes, 1, height, width)]
    if len(fitting) != 1:
        reason = (
            f"its outputs look like {' and '.join(fitting)}, which are read differently"
            if fitting
            else _why_none(shapes, height, width)
        )
        raise ModelUsageError(_with_template(path, reason, facts, size, shapes))
    family = fitting[0]
    card = ModelCard.model_validate(
        {
            **facts,
            "family": family,
            "nms_iou": _SUPPRESSION[family],
            "input": {**size, **_PREPROCESSING[family]},
        }
    )
    if family == "yolox":
        card = _dynamic_if_it_works(card, data)
    _logger.warning(
        "%s has no card; its outputs are those of the family %s. Assumed: the 80 COCO classes, %s, %s",
        *(path.name, family, card.input.channels, card.input.resize),
    )
    return card


def _dynamic_if_it_works(card: ModelCard, data: bytes) -> ModelCard:
    """The same card for any size, if the graph works at another size than its own."""
    values = card.model_dump()
    values["input"]["dynamic"] = True
    try:
        dynamic = ModelCard.model_validate(values)
        check_fit(open_network(data, dynamic.input, card.name), dynamic)
    except (ModelError, ValueError):
        return card
    return dynamic


def _declared_size(network: Network, path: Path) -> tuple[int, int, str]:
    shape = network.picture_shape
    layout = "NHWC" if shape[3] == _COLOURS and shape[1] != _COLOURS else "NCHW"
    height, width, colours = shape[1:] if layout == "NHWC" else (*shape[2:], shape[1])
    width, height = (side if isinstance(side, int) else _FREE_SIDE_PX for side in (width, height))
    fits = min(width, height) >= 1 and max(width, height) <= MAX_INPUT_SIDE_PX
    if not fits or (isinstance(colours, int) and colours != _COLOURS):
        raise ModelUsageError(f"{path}: the input {list(shape)} is not a picture of three colours")
    return width, height, layout


def _why_none(shapes: Shapes, height: int, width: int) -> str:
    values = list(shapes.values())
    if len(values) == 1 and len(values[0]) == 3 and values[0][1] == cell_count(height, width):  # noqa: PLR2004 - axes
        return f"its output is that of the family yolox with {values[0][2] - 5} classes, whose names are not known"
    return f"its outputs fit none of the families {', '.join(FAMILIES)}"


def _portable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:100].strip("-._") or "network"


def _with_template(
    path: Path, reason: str, facts: dict[str, Any], size: dict[str, Any], shapes: Shapes
) -> str:
    found = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
    return f"""{path}: no card is known for this network and {reason} (found: {found}).
Fill in this card, save it beside the network as {path.stem}.toml, and give that to --model:

name = "{facts["name"]}"
family = ""  # {", ".join(FAMILIES)}
licence = ""
bundled = {json.dumps(path.name, ensure_ascii=False)}
sha256 = "{facts["sha256"]}"
bytes = {facts["bytes"]}
classes = "coco-80"  # or the names, in the order of the class indices, and a table [class_map]
min_score = 0.1
nms_iou = 0.5  # leave out where the network suppresses doubles itself

[input]
width = {size["width"]}
height = {size["height"]}
dynamic = false
layout = "{size["layout"]}"
channels = "BGR"  # or RGB
resize = "letterbox"  # letterbox_centered, stretch
pad_value = 114
scale = 1.0  # an input value is (pixel * scale - mean) / std
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
"""
