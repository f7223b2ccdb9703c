"""What is blurred by rule, by a network whose boxes are a known function of the picture, and along tracks."""

import hashlib

import numpy as np
import onnx
import pyarrow as pa
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.card import ModelCard
from models.networks import check_fit, open_network
from models.refs import ModelRef
from models.sessions import Detector
from models.taxonomy import CATEGORIES
from transforms.labels.privacy.boxes import PeopleAndVehicles
from transforms.labels.privacy.clip_regions import ClipRegions
from transforms.labels.privacy.rules import HEADS, PLATES, head, lower_part
from transforms.labels.privacy.settings import NO_BLUR, Blur
from transforms.tables.schemas import DETECTIONS

STEP_NS = 200_000_000


def boxes(*rows):
    """Rows (frame, category, track, edges, what the network called it, and where it had it if elsewhere)."""
    rows = [(*row, row[3]) if len(row) == 5 else row for row in rows]
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 6
    edges = np.array(columns[3], np.float32).reshape(-1, 4)
    raw = np.array(columns[5], np.float32).reshape(-1, 4)
    names = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
    table = {
        "timestamp_ns": [frame * STEP_NS for frame in columns[0]],
        "track_id": columns[2],
        "category": columns[1],
        **{name: edges[:, place] for place, name in enumerate(names)},
        "category_raw": columns[4],
        **{f"raw_{name}": raw[:, place] for place, name in enumerate(names)},
    }
    return PeopleAndVehicles.from_table(
        pa.table({name: pa.array(column, DETECTIONS.field(name).type) for name, column in table.items()})
    )


@pytest.fixture(scope="module")
def white_finder():
    """A network of the task privacy that finds a face wherever an input of 32 x 32 has a white middle."""
    scored = [
        helper.make_node("Slice", ["picture", "from", "to", "axes"], ["middle"]),
        helper.make_node("ReduceMin", ["middle"], ["least"], keepdims=0),
        helper.make_node("Div", ["least", "white"], ["share"]),
        helper.make_node("Reshape", ["share", "scores_shape"], ["scores"]),
        helper.make_node("Identity", ["box"], ["boxes"]),
        helper.make_node("Identity", ["label"], ["labels"]),
    ]
    constants = {
        "from": np.array([14, 14], np.int64),
        "to": np.array([18, 18], np.int64),
        "axes": np.array([2, 3], np.int64),
        "white": np.float32(255),
        "scores_shape": np.array([1, 1], np.int64),
        "box": np.array([[[12, 12, 20, 20]]], np.float32),
        "label": np.array([[0]], np.int64),
    }
    graph = helper.make_graph(
        scored,
        "white",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 32, 32])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 1, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1]),
            helper.make_tensor_value_info("labels", TensorProto.INT64, [1, 1]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    digest = hashlib.sha256(data).hexdigest()
    card = ModelCard.model_validate(
        {
            "name": "white",
            "task": "privacy",
            "family": "boxes",
            "licence": "none",
            "bundled": "white.onnx",
            "sha256": digest,
            "bytes": len(data),
            "classes": ["face"],
            "class_map": {"face": "face"},
            "min_score": 0.5,
            "input": {"width": 32, "height": 32, "resize": "stretch"},
            "outputs": {},
        }
    )
    network = open_network(data, card.input, "white")
    check_fit(network, card)
    return Detector(ModelRef(card, "white.onnx", digest, 32, "cpu"), network)


def test_heads_and_lower_parts_are_blurred_by_rule():
    found = ClipRegions(
        boxes(
            (0, "person", None, (10, 10, 50, 110), None),
            (0, "car", "a", (100, 20, 200, 80), None),
            (1, "rider", None, (10, 10, 50, 110), None),
            (1, "traffic_light", None, (60, 10, 70, 30), "traffic_light"),
            (3, "bicycle", None, (10, 10, 50, 110), "rider"),
            (4, "person", None, (10, 10, 50, 110), "car"),
        ),
        Blur(),
    )
    assert [(region.kind, region.model) for region in found.at(0)] == [("face", HEADS), ("plate", PLATES)]
    # what is neither person nor vehicle hides nothing
    assert [region.kind for region in found.at(STEP_NS)] == ["face"]
    assert found.at(2 * STEP_NS) == []
    # what the network called it counts as well
    assert [region.kind for region in found.at(3 * STEP_NS)] == ["face"]
    assert {region.kind for region in found.at(4 * STEP_NS)} == {"face", "plate"}


def test_what_hindsight_moved_is_blurred_where_the_network_had_it_too():
    here, near, there = (10, 10, 50, 110), (11, 9, 51, 109), (30, 10, 70, 110)
    found = ClipRegions(
        boxes((0, "person", "a", here, "person", near), (1, "person", "a", here, "person", there)), Blur()
    )
    assert len(found.at(0)) == 1
    assert sorted(region.edges[0] < 20 for region in found.at(STEP_NS)) == [False, True]


def test_only_what_is_asked_for_is_blurred():
    both = boxes((0, "person", None, (10, 10, 50, 110), None), (0, "car", None, (100, 20, 200, 80), None))
    assert [region.kind for region in ClipRegions(both, Blur(("plate",))).at(0)] == ["plate"]
    assert ClipRegions(both, NO_BLUR).at(0) == []


def test_of_a_bust_more_is_covered_than_of_a_whole_person():
    person = CATEGORIES.index("person")
    assert head((0, 0, 100, 100), person).edges[3] == 75
    assert head((0, 0, 40, 100), person).edges[3] == 30
    assert lower_part((0, 0, 40, 100), person) is None
    assert head((0, 0, 40, 100), CATEGORIES.index("bus")) is None


def test_rows_that_are_no_boxes_are_left_out():
    nan = float("nan")
    found = boxes(
        (0, "person", None, (10, 10, nan, 110), None),
        (0, "person", None, (50, 10, 10, 110), None),
        (0, "person", None, (1e9, 10, 2e9, 110), None),
        (3, "bus", "t", (1, 2, 3, 4), None),
    )
    assert found.times_ns.tolist() == [3 * STEP_NS]
    assert list(found.at(3 * STEP_NS)) == [0]
    assert len(boxes().at(0)) == 0


def test_a_face_is_found_in_its_box_and_carried_along_its_track(white_finder):
    # the person goes to the right by 10 px a frame; the middle of the box is white in frame 2 alone
    rows = [(k, "person", "walker", (20 + 10 * k, 20, 60 + 10 * k, 120), None) for k in range(12)]
    rows.append((3, "person", "other", (200, 20, 240, 120), None))
    looked = []

    def frames():
        for k in range(12):
            image = np.zeros((140, 260, 3), np.uint8)
            if k == 2:
                image[40:100, 45:75] = 255
            looked.append(k)
            yield k * STEP_NS, image

    found = ClipRegions(boxes(*rows), Blur(), [white_finder], frames)
    assert looked == list(range(12))

    def by_network(frame):
        return [region for region in found.at(frame * STEP_NS) if region.model == "white"]

    (own,) = by_network(2)
    assert (own.carried, own.model_digest) == (False, white_finder.sha256)
    # the crop reaches a fifth beyond the box; the network's box is its middle quarter, with a quarter of room around
    assert own.edges == pytest.approx((60 - 10.5, 70 - 26.25, 60 + 10.5, 70 + 26.25), abs=1.5)
    for frame in (0, 1, 3, 7):
        (carried,) = by_network(frame)
        assert carried.carried
        middle = 60 + 10 * (frame - 2)
        assert carried.edges[0] < middle - 10.5
        assert carried.edges[2] > middle + 10.5
    # farther than a second away heads have turned; other tracks have faces of their own
    assert by_network(8) == []
    assert [region.edges[0] > 190 for region in found.at(3 * STEP_NS) if region.model == "white"] == [False]


def test_without_rules_only_what_a_network_finds_is_blurred(white_finder):
    image = np.zeros((140, 260, 3), np.uint8)
    image[40:100, 45:75] = 255
    rows = boxes((0, "person", "a", (40, 20, 80, 120), None), (0, "car", "b", (100, 20, 240, 120), None))
    found = ClipRegions(rows, Blur(rules=False), [white_finder], lambda: [(0, image)])
    assert [(region.kind, region.model) for region in found.at(0)] == [("face", "white")]


def test_without_networks_no_picture_is_decoded():
    def frames():
        raise AssertionError

    ClipRegions(boxes((0, "person", None, (10, 10, 50, 110), None)), Blur(), (), frames)
