"""Networks that find faces and plates: read right, and never taken for detectors of road users."""

import shutil

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.card import known_cards
from models.downloads import cache_folder
from models.errors import ModelFetchError, ModelUsageError
from models.families import FAMILIES
from models.networks import check_fit, open_network
from models.refs import ModelRef
from models.registry import find_model
from models.sessions import Detector, load_detector

YUNET, LPD = known_cards()["yunet"], known_cards()["lpd-yunet"]


def yunet_outputs(height, width, batch=1):
    return {
        f"{name}_{stride}": np.zeros((batch, (height // stride) * (width // stride), channels), np.float32)
        for name, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
        for stride in (8, 16, 32)
    }


def test_yunet_says_centre_size_and_score_of_a_cell():
    outputs = yunet_outputs(64, 96)
    cell = 2 * (96 // 16) + 3  # row 2, column 3 of stride 16
    outputs["cls_16"][0, cell], outputs["obj_16"][0, cell] = 0.81, 1.0
    outputs["bbox_16"][0, cell] = (0.5, 0.25, np.log(2), np.log(3))
    outputs["cls_8"][0, 5] = 1.0  # without an object no face
    found = FAMILIES["yunet"].decode(YUNET, outputs, 0, 64, 96)
    assert found.scores == pytest.approx([0.9])
    assert found.boxes[0] == pytest.approx([56 - 16, 36 - 24, 56 + 16, 36 + 24])
    assert found.classes.tolist() == [0]
    assert not len(FAMILIES["yunet"].decode(YUNET, yunet_outputs(64, 96), 0, 64, 96).boxes)


def test_yunet_is_known_by_its_outputs():
    shapes = {name: value.shape for name, value in yunet_outputs(64, 96).items()}
    assert FAMILIES["yunet"].fits(YUNET, shapes, 1, 64, 96)
    assert not FAMILIES["yunet"].fits(YUNET, shapes, 1, 96, 96)
    assert not FAMILIES["yunet"].fits(YUNET, shapes | {"obj_8": (1, 96, 2)}, 1, 64, 96)
    assert "cls_8 [1, 96, 1]" in FAMILIES["yunet"].expected(YUNET, 64, 96)


def lpd_outputs(count):
    return {
        "loc": np.zeros((count, 14), np.float32),
        "conf": np.zeros((count, 2), np.float32),
        "iou": np.zeros((count, 1), np.float32),
    }


# cells of strides 8, 16, 32, 64 of an input of 240 x 320, with 3, 2, 2, 3 prior boxes each
LPD_COUNT = 30 * 40 * 3 + 15 * 20 * 2 + 7 * 10 * 2 + 3 * 5 * 3


def test_lpd_yunet_says_corners_from_prior_boxes():
    outputs = lpd_outputs(LPD_COUNT)
    row = 30 * 40 * 3 + (4 * 20 + 6) * 2 + 1  # stride 16, row 4, column 6, the prior of 48 px
    outputs["conf"][row], outputs["iou"][row] = (0.36, 0.64), 1.5
    corners = [
        (-2, -1),
        (2, -0.5),
        (9, 9),
        (2, 1),
        (-2, 0.5),
    ]  # the third is the centre, which bounds nothing
    outputs["loc"][row, 4:] = np.array(corners).ravel()
    found = FAMILIES["lpd_yunet"].decode(LPD, outputs, 0, 240, 320)
    assert found.scores == pytest.approx([0.8])
    assert found.boxes[0] == pytest.approx([104 - 9.6, 72 - 4.8, 104 + 9.6, 72 + 4.8], abs=1e-4)
    assert not len(FAMILIES["lpd_yunet"].decode(LPD, lpd_outputs(LPD_COUNT), 0, 240, 320).boxes)


@pytest.mark.parametrize(
    ("row", "centre", "side"),
    [
        (0, (4, 4), 10),  # stride 8, the first cell and prior
        ((29 * 40 + 39) * 3 + 2, (316, 236), 24),  # its last
        (3600 + (14 * 20 + 19) * 2, (312, 232), 32),  # stride 16, the last cell
        (4200 + (6 * 10 + 9) * 2 + 1, (304, 208), 96),  # stride 32: 7 of 7.5 rows
        (4384, (288, 160), 256),  # stride 64: 3 of 3.75 rows; the last of all
    ],
)
def test_lpd_yunet_has_its_prior_boxes_where_the_network_was_trained_to_have_them(row, centre, side):
    outputs = lpd_outputs(4385)
    outputs["conf"][row], outputs["iou"][row] = (0.0, 0.81), 1.0
    # two numbers each: centre and size of a box that is not used, then five points
    outputs["loc"][row] = [50, 50, 50, 50, -1, -0.5, 1, -0.25, 70, 70, 1.25, 0.5, -0.75, 0.75]
    found = FAMILIES["lpd_yunet"].decode(LPD, outputs, 0, 240, 320)
    x, y = centre
    wanted = [x - 0.1 * side, y - 0.05 * side, x + 0.125 * side, y + 0.075 * side]
    assert found.boxes.tolist() == [pytest.approx(wanted, abs=1e-3)]
    assert found.scores == pytest.approx([0.9])


@pytest.mark.parametrize(
    ("plate", "iou", "score"), [(0.64, 1.0, 0.8), (0.64, 7.0, 0.8), (1.0, -3.0, None), (0.49, 0.5, None)]
)
def test_lpd_yunet_scores_by_class_and_overlap(plate, iou, score):
    outputs = lpd_outputs(LPD_COUNT)
    outputs["conf"][7], outputs["iou"][7] = (1 - plate, plate), iou
    found = FAMILIES["lpd_yunet"].decode(LPD, outputs, 0, 240, 320)
    assert found.scores.tolist() == ([] if score is None else [pytest.approx(score)])


def test_a_network_of_the_documented_shape_gives_plates_in_pixels_of_the_crop():
    outputs = lpd_outputs(4385)
    row = 3600 + (4 * 20 + 6) * 2 + 1
    outputs["conf"][row], outputs["iou"][row] = (0.0, 1.0), 1.0
    outputs["loc"][row, 4:] = [-2, -1, 2, -1, 0, 0, 2, 1, -2, 1]
    nodes = [helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0)]
    nodes += [helper.make_node("Mul", ["mean", "nothing"], ["none"])]
    nodes += [helper.make_node("Add", [f"{name}_values", "none"], [name]) for name in outputs]
    values = {f"{name}_values": value for name, value in outputs.items()} | {"nothing": np.float32(0)}
    graph = helper.make_graph(
        nodes,
        "lpd",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 240, 320])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
            for name, value in outputs.items()
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    network = open_network(model.SerializeToString(), LPD.input, "lpd-yunet")
    check_fit(network, LPD)
    detector = Detector(ModelRef(LPD, "lpd.onnx", LPD.sha256, 320, "cpu"), network)
    # a crop of 640 x 300 is half as large in the input, at its upper left
    plan = detector.plan(640, 300)
    assert (plan.image_width, plan.image_height, plan.pad_left, plan.pad_top) == (320, 150, 0, 0)
    (found,) = detector.detect([np.zeros((150, 320, 3), np.uint8)], plan, 640, 300)
    # centre 104, 72 and prior of 48 px: 9.6 px to the sides, 4.8 up and down, all twice
    assert found.boxes.tolist() == [pytest.approx([188.8, 134.4, 227.2, 153.6], abs=1e-2)]


def test_lpd_yunet_is_known_by_its_outputs():
    shapes = {name: value.shape for name, value in lpd_outputs(LPD_COUNT).items()}
    assert FAMILIES["lpd_yunet"].fits(LPD, shapes, 1, 240, 320)
    assert not FAMILIES["lpd_yunet"].fits(LPD, shapes, 1, 240, 352)
    assert str(LPD_COUNT) in FAMILIES["lpd_yunet"].expected(LPD, 240, 320)


def test_they_are_not_taken_for_detectors_and_detectors_not_for_them():
    with pytest.raises(ModelUsageError, match="yunet finds faces or plates to be blurred"):
        find_model("yunet")
    with pytest.raises(
        ModelUsageError, match="demo finds neither faces nor plates; there are lpd-yunet, yunet"
    ):
        find_model("demo", task="privacy")
    assert (YUNET.categories, LPD.categories) == (("face",), ("plate",))


def test_one_that_cannot_be_had_says_what_goes_without():
    with pytest.raises(
        ModelFetchError, match="leave `--blur-model` and `--no-blur-rules` out: rules need no network"
    ):
        find_model("lpd-yunet", task="privacy")


def test_the_real_yunet_fits_its_card(shared_model, shared_frame):
    path = shared_model("face_detection_yunet_2023mar.onnx")
    cache_folder().mkdir(parents=True)
    shutil.copyfile(path, cache_folder() / "any.onnx")
    ref = find_model("yunet", task="privacy")
    assert (ref.sha256, ref.size) == (YUNET.sha256, 320)
    check_fit(open_network(path.read_bytes(), YUNET.input, "yunet"), YUNET)
    detector = load_detector(ref)
    frame = shared_frame("mapillary_london_1376x1840_hevc.mp4", 40)
    plan = detector.plan(160, 160)
    image = cv2.resize(frame[:160, :160], (plan.image_width, plan.image_height))
    # sky has no face
    assert not len(detector.detect([image], plan, 160, 160)[0].scores)
