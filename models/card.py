"""Model cards: what must be known of a network to feed it, read it and have it, as data."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.calibration import Calibration
from models.coco import COCO_CLASS_MAP, COCO_CLASSES
from models.errors import ModelUsageError
from models.taxonomy import CATEGORIES, PRIVATE_PARTS

Task = Literal["detection", "privacy"]
"""What a network is for: boxes of road users, or faces and plates that are to be blurred."""

Family = Literal["yolox", "nanodet", "picodet", "boxes", "yunet", "lpd_yunet"]

MAX_NETWORK_BYTES: Final = 1 << 30
"""No network above this size is fetched or read: far above any detector's, far below a machine's memory."""

MAX_INPUT_SIDE_PX: Final = 4096
"""Bound of an input's side, in the network's pixels."""

_CARDS_FOLDER: Final = Path(__file__).parent / "cards"
_MAX_CARD_BYTES: Final = 1 << 20
_PORTABLE_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_FILE_NAME: Final = r"^[^/\\]{1,255}$"
_SHA256: Final = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputSpec(_Part):
    """How a frame becomes the network's input.

    A value of the input is `(pixel * scale - mean) / std`, channel by channel in the order of `channels`.

    Attributes:
        width: width the network was made for, in px.
        height: height the network was made for, in px.
        dynamic: whether it also works at other sizes, whose sides are multiples of `stride`.
        layout: order of the axes.
        channels: order of the colours.
        resize: `letterbox` keeps the shape and pads right and below, `letterbox_centered` pads on all sides,
            `stretch` fills the input.
        pad_value: pixel value of the padding, before scaling.
        stride: both sides of a dynamic input are multiples of it, in px.
        scale: factor of the pixel values.
        mean: subtracted after scaling.
        std: divided by at the end.
    """

    width: int = Field(ge=1, le=MAX_INPUT_SIDE_PX)
    height: int = Field(ge=1, le=MAX_INPUT_SIDE_PX)
    dynamic: bool = False
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: Literal["BGR", "RGB"] = "BGR"
    resize: Literal["letterbox", "letterbox_centered", "stretch"] = "letterbox"
    pad_value: int = Field(default=114, ge=0, le=255)
    stride: int = Field(default=32, ge=1, le=256)
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.dynamic and self.resize == "stretch":
            msg = "a stretched input has one size: set dynamic = false"
            raise ValueError(msg)
        if self.dynamic and (self.width % self.stride or self.height % self.stride):
            msg = f"width and height of a dynamic input are multiples of its stride ({self.stride})"
            raise ValueError(msg)
        if min(self.std) <= 0:
            msg = "std must be above 0"
            raise ValueError(msg)
        return self


class BoxesOutputs(_Part):
    """Where a network of the family `boxes` puts what it found; only that family has it.

    Attributes:
        boxes: name of the output with the boxes, [batch, N, 4] or [N, 4].
        scores: name of the output with the scores, [batch, N] or [N].
        labels: name of the output with the class indices, [batch, N] or [N].
        count: name of an output with the number of valid rows, [batch] or [batch, 1], if there is one.
        box_format: edges, or centre and size.
        box_unit: pixels of the network's input, or shares of its sides.
        first_label: class index of the first class name (1 where 0 means background).
    """

    boxes: str = "boxes"
    scores: str = "scores"
    labels: str = "labels"
    count: str | None = None
    box_format: Literal["xyxy", "cxcywh"] = "xyxy"
    box_unit: Literal["input_px", "share"] = "input_px"
    first_label: int = Field(default=0, ge=0, le=1)


class ModelCard(_Part):
    """All that is known of a network.

    Attributes:
        name: how `--model` calls it.
        version: counted up by hand whenever what the card says of processing changes.
        task: what it finds.
        family: how its outputs are decoded (`models.families`).
        licence: SPDX name of the weights' licence.
        url: where the file is (https), or None.
        bundled: name of the file where it lies beside the card, or None.
        sha256: hex digest of the file.
        also_sha256: digests of other files of the same network, whose outputs agree.
        bytes: size of the file.
        source: who made it, and where its figures come from.
        published: published figures, as text.
        notes: what a user should know.
        classes: names of the network's classes in the order of their indices; `"coco-80"` in TOML.
        class_map: class name to category of the taxonomy, of the task privacy to `face` or `plate`; other classes are
            dropped.
        input: what goes in.
        outputs: what comes out, of the family `boxes`.
        min_score: boxes below it are dropped.
        confident_score: boxes from it on are sure enough to begin a track: the scale of scores is the network's own.
        nms_iou: overlap above which the lower of two boxes of a category is dropped; None = no suppression.
        drop_own_bonnet: drop "cars" that touch the bottom edge and span most of the width: the car's own bonnet.
        for_rendered_scenes_only: whether it knows nothing but the scenes that `clipmill sample` renders.
        calibration: what makes probabilities of the final labels' scores, where somebody has fitted it.
    """

    name: str = Field(pattern=_PORTABLE_NAME)
    version: int = Field(default=1, ge=1)
    task: Task = "detection"
    family: Family
    licence: str = Field(min_length=1)
    url: str | None = None
    bundled: str | None = Field(default=None, pattern=_FILE_NAME)
    sha256: str = Field(pattern=_SHA256)
    also_sha256: tuple[str, ...] = ()
    bytes: int = Field(ge=1, le=MAX_NETWORK_BYTES)
    source: str = ""
    published: str = ""
    notes: str = ""
    classes: tuple[str, ...] = Field(min_length=1)
    class_map: dict[str, str] = Field(min_length=1)
    input: InputSpec
    outputs: BoxesOutputs | None = None
    min_score: float = Field(default=0.1, gt=0, lt=1)
    confident_score: float = Field(default=0.4, gt=0, lt=1)
    nms_iou: float | None = Field(default=None, gt=0, lt=1)
    drop_own_bonnet: bool = False
    for_rendered_scenes_only: bool = False
    calibration: Calibration | None = None

    @model_validator(mode="before")
    @classmethod
    def _expand_coco(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("classes") == "coco-80":
            return {"class_map": dict(COCO_CLASS_MAP), **values, "classes": COCO_CLASSES}
        return values

    @field_validator("url")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith("https://"):
            msg = "must begin with https://"
            raise ValueError(msg)
        return url

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.url is None) == (self.bundled is None):
            msg = "a card has either a url or a bundled file"
            raise ValueError(msg)
        if len(set(self.classes)) != len(self.classes):
            msg = "classes: a name stands twice"
            raise ValueError(msg)
        for name, category in self.class_map.items():
            if name not in self.classes:
                msg = f"class_map: {name!r} is not one of the classes"
                raise ValueError(msg)
            if category not in self.vocabulary:
                msg = f"class_map: {category!r} is no category; they are {', '.join(self.vocabulary)}"
                raise ValueError(msg)
        for name in self.calibration.categories if self.calibration else ():
            if name not in self.categories:
                msg = f"calibration: the network does not look for {name!r}, only for {', '.join(self.categories)}"
                raise ValueError(msg)
        if self.outputs is not None and self.family != "boxes":
            msg = "outputs are described only for the family boxes"
            raise ValueError(msg)
        return self

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All that networks of this task may look for; `Detections.categories` are indices into it."""
        return CATEGORIES if self.task == "detection" else PRIVATE_PARTS

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories this network looks for, in the taxonomy's order."""
        wanted = set(self.class_map.values())
        return tuple(category for category in self.vocabulary if category in wanted)

    @property
    def long_side(self) -> int:
        """Long side of the input the network was made for, in px."""
        return max(self.input.width, self.input.height)

    @property
    def digests(self) -> tuple[str, ...]:
        """Every sha256 this network is known by."""
        return (self.sha256, *self.also_sha256)


def load_card(path: Path) -> ModelCard:
    """Reads a card from a TOML file.

    Raises:
        ModelUsageError: there is no such file, or it is not a card; the message says what is wrong where.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CARD_BYTES + 1)
        if len(content) > _MAX_CARD_BYTES:
            raise ModelUsageError(f"{path}: too large for a model card (more than {_MAX_CARD_BYTES:,} bytes)")
        return ModelCard.model_validate(tomllib.loads(content.decode()))
    except OSError as error:
        raise ModelUsageError(f"{path}: cannot read the model card: {error.strerror}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(step) for step in fault['loc']) or 'card'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise ModelUsageError(f"{path}: not a model card: {faults}") from error
    except ValueError as error:  # not TOML, not text, or a number of thousands of digits
        raise ModelUsageError(f"{path}: not a TOML file: {error}") from error
    except RecursionError:
        raise ModelUsageError(f"{path}: not a model card: nested too deeply") from None


@cache
def known_cards() -> dict[str, ModelCard]:
    """The cards that come with clipmill, by name, in alphabetical order."""
    cards = (load_card(path) for path in sorted(_CARDS_FOLDER.glob("*.toml")))
    return {card.name: card for card in cards}


def bundled_file(card: ModelCard) -> Path:
    """Where the network's file lies that comes with clipmill."""
    assert card.bundled is not None
    return _CARDS_FOLDER / card.bundled
