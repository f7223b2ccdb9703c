import logging
from pathlib import Path

import numpy as np
import onnx
import pytest

from models.card import load_card
from models.coco import COCO_CLASSES
from models.errors import ModelUsageError
from models.recognition import recognise
from models.registry import find_model
from models.sessions import load_detector


@pytest.fixture
def recognised(save):
    def of(model: onnx.ModelProto, name: str = "net.onnx"):
        path = save(model, name)
        return recognise(path, path.read_bytes())

    return of


def _distances(levels: int) -> dict[str, np.ndarray]:
    counts = (64, 16, 4, 1)[:levels]
    scores = {f"s{count}": np.zeros((1, count, 80), np.float32) for count in counts}
    return scores | {f"d{count}": np.zeros((1, count, 32), np.float32) for count in counts}


def test_yolox_of_any_size(recognised, brightness_network, caplog):
    with caplog.at_level(logging.WARNING):
        card = recognised(brightness_network((1, 3, 64, 96), classes=80), "my net.onnx")
    assert (card.name, card.family, card.input.dynamic) == ("my-net", "yolox", True)
    assert (card.input.width, card.input.height, card.classes) == (96, 64, COCO_CLASSES)
    assert (card.input.resize, card.input.pad_value, card.input.channels) == ("letterbox", 114, "BGR")
    assert "my net.onnx has no card; its outputs are those of the family yolox" in caplog.text


def test_yolox_of_one_size(recognised, constant_network, brightness_network):
    card = recognised(constant_network({"output": np.zeros((1, 84, 85), np.float32)}))
    assert (card.family, card.input.dynamic, card.long_side) == ("yolox", False, 64)
    # a size that is no multiple of the stride cannot be made dynamic
    assert not recognised(brightness_network((1, 3, 70, 100), classes=80)).input.dynamic


def test_open_sizes_take_a_usual_one(recognised, brightness_network):
    card = recognised(brightness_network(("n", 3, "height", "width"), classes=80))
    assert (card.input.width, card.input.height, card.input.dynamic) == (640, 640, True)


def test_plain_boxes(recognised, constant_network):
    model = constant_network(
        {
            "boxes": np.zeros((1, 3, 4), np.float32),
            "scores": np.zeros((1, 3), np.float32),
            "labels": np.zeros((1, 3), np.int64),
        }
    )
    card = recognised(model)
    assert (card.family, card.nms_iou, card.input.channels, card.input.resize) == (
        "boxes",
        None,
        "RGB",
        "stretch",
    )
    assert card.input.scale == pytest.approx(1 / 255)


def test_nanodet_and_picodet_look_alike(recognised, constant_network):
    with pytest.raises(ModelUsageError, match="look like nanodet and picodet, which are read differently"):
        recognised(constant_network(_distances(4)))


def test_unknown_classes_need_a_card(recognised, brightness_network):
    with pytest.raises(ModelUsageError, match="family yolox with 2 classes, whose names are not known"):
        recognised(brightness_network())


def test_unknown_outputs_get_a_card_to_fill_in(recognised, constant_network, tmp_path: Path):
    model = constant_network(_distances(3))
    with pytest.raises(ModelUsageError) as caught:
        recognised(model, 'a "net".onnx')
    text = str(caught.value)
    assert "s64 [1, 64, 80]" in text
    card = text[text.index("name =") :].replace('family = ""', 'family = "picodet"')
    card = card.replace('licence = ""', 'licence = "MIT"')
    (tmp_path / "card.toml").write_text(card)
    assert load_card(tmp_path / "card.toml").bundled == 'a "net".onnx'
    detector = load_detector(find_model(str(tmp_path / "card.toml")))
    plan = detector.plan(64, 64)
    assert len(detector.detect([np.zeros((64, 64, 3), np.uint8)], plan, 64, 64)[0].scores) == 0


def test_outputs_of_no_family(recognised, constant_network):
    for shape in ((1, 83, 85), (1, 2), (1, 85, 8, 8)):
        with pytest.raises(ModelUsageError, match="fit none of the families yolox, nanodet, picodet, boxes"):
            recognised(constant_network({"output": np.zeros(shape, np.float32)}))


def test_channels_last(recognised, constant_network):
    model = constant_network({"output": np.zeros((1, 84, 85), np.float32)}, (1, 64, 64, 3))
    assert recognised(model).input.layout == "NHWC"


@pytest.mark.parametrize("shape", [(1, 1, 64, 64), (1, 3, 9000, 64), (1, 3, 64, 0)])
def test_inputs_that_are_no_picture(recognised, constant_network, shape):
    with pytest.raises(ModelUsageError, match="not a picture of three colours"):
        recognised(constant_network({"output": np.zeros((1, 2), np.float32)}, shape))
