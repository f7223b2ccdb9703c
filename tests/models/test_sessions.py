import pickle
import threading

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from models.errors import ModelFetchError, ModelMismatchError, ModelUsageError
from models.networks import check_device, open_network
from models.refs import ModelRef
from models.sessions import CUDA_BATCH, Detector, _batch_size, load_detector
from models.taxonomy import CATEGORIES

_CAR, _PERSON = CATEGORIES.index("car"), CATEGORIES.index("person")


@pytest.fixture
def detector_of(save, make_card):
    def load(model: onnx.ModelProto, size: int = 96, **fields: object) -> Detector:
        path = save(model)
        card = make_card(path.read_bytes(), **fields)
        return load_detector(ModelRef(card, str(path), card.sha256, size, "cpu"))

    return load


def _dark(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_a_bright_cell_becomes_a_box_in_the_frame(detector_of, brightness_network):
    detector = detector_of(brightness_network())
    plan = detector.plan(192, 128)
    assert (plan.image_width, plan.image_height) == (96, 64)
    image = _dark(64, 96)
    image[16:24, 40:48] = [255, 255, 0]  # blue and green: class 0, the car
    image[0:8, 8:16] = [0, 255, 204]  # red and green: class 1, the person, 0.8
    found = detector.detect([image], plan, 192, 128)[0]
    np.testing.assert_allclose(found.boxes, [[80, 32, 96, 48], [16, 0, 32, 16]], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [1, 0.8], rtol=1e-5)
    assert found.categories.tolist() == [_CAR, _PERSON]
    assert detector.detect([], plan, 192, 128) == []


def test_a_dynamic_input_runs_in_the_shape_of_each_frame(detector_of, brightness_network):
    detector = detector_of(brightness_network((1, 3, 96, 96)), size=96, input={"height": 96, "dynamic": True})
    for width, height, input_shape in ((192, 128, (64, 96)), (128, 192, (96, 64)), (192, 20, (32, 96))):
        plan = detector.plan(width, height)
        assert (plan.input_height, plan.input_width) == input_shape
        image = _dark(plan.image_height, plan.image_width)
        image[:8, 8:16] = [255, 255, 0]
        found = detector.detect([image], plan, width, height)[0]
        scale = width / plan.image_width
        np.testing.assert_allclose(found.boxes[0], [8 * scale, 0, 16 * scale, 8 * scale], rtol=0.1)


def test_batches_give_what_single_pictures_give(detector_of, brightness_network):
    single = detector_of(brightness_network(("batch", 3, 64, 96)))
    assert single.batch_size == 1  # on a CPU a batch only costs memory
    batched = Detector(single.ref, single.network, batch_size=2)
    images = [
        np.random.default_rng(seed).integers(0, 256, (64, 96, 3), np.uint8) // 2 + 80 for seed in range(5)
    ]
    images = [image.astype(np.uint8) for image in images]
    plan = single.plan(96, 64)
    for one, other in zip(
        single.detect(images, plan, 96, 64), batched.detect(images, plan, 96, 64), strict=True
    ):
        assert len(one.scores) > 0
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-4)
        np.testing.assert_array_equal(one.categories, other.categories)


def test_batches_are_for_gpus_and_networks_that_allow_them(make_card, brightness_network):
    def batch_of(batch: int | str, device: str = "cuda", flat: int = 0) -> int:
        model = brightness_network((batch, 3, 64, 96))
        for tensor in model.graph.initializer:
            if tensor.name == "flat":
                tensor.CopyFrom(onnx.numpy_helper.from_array(np.array([flat, 7, -1], np.int64), "flat"))
        data = model.SerializeToString()
        card = make_card(data)
        network = open_network(data, card.input, "net")
        return _batch_size(network, ModelRef(card, "", card.sha256, 96, device))

    assert batch_of("batch") == CUDA_BATCH
    assert batch_of("batch", device="cpu") == 1
    assert batch_of(1) == 1
    assert batch_of("batch", flat=1) == 1  # claims to take any number of pictures, and does not


def test_one_detector_serves_many_threads(detector_of, brightness_network):
    detector = detector_of(brightness_network())
    plan = detector.plan(96, 64)
    wrong = []

    def work(column: int) -> None:
        image = _dark(64, 96)
        image[8:16, 8 * column : 8 * column + 8] = 255
        for _ in range(50):
            found = detector.detect([image], plan, 96, 64)[0]
            if abs(found.boxes[0, 0] - 8 * column) > 1e-3:
                wrong.append(column)

    threads = [threading.Thread(target=work, args=(column,)) for column in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_target_size_is_told_to_networks_that_ask(detector_of):
    # the box is the whole target: [0, 0, width, height]
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, ("n", 3, 64, 96))
    target = helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, ("n", 2))
    outputs = [
        helper.make_tensor_value_info("labels", TensorProto.INT64, (1, 1)),
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, (1, 1, 4)),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 1)),
    ]
    one = onnx.numpy_helper.from_array(np.array([1], np.int64), "one")
    nodes = [
        helper.make_node("Cast", ["orig_target_sizes"], ["sides"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["sides", "sides"], ["corner"]),
        helper.make_node("Concat", ["corner", "sides"], ["edges"], axis=1),
        helper.make_node("Unsqueeze", ["edges", "one"], ["boxes"]),
        helper.make_node("Constant", [], ["labels"], value=helper.make_tensor("l", 7, (1, 1), [1])),
        helper.make_node("Constant", [], ["scores"], value=helper.make_tensor("s", 1, (1, 1), [0.5])),
    ]
    graph = helper.make_graph(nodes, "detr", [picture, target], outputs, [one])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    detector = detector_of(model, family="boxes", nms_iou=None, input={"resize": "stretch"})
    plan = detector.plan(1000, 500)
    found = detector.detect([_dark(64, 96)], plan, 1000, 500)[0]
    np.testing.assert_allclose(found.boxes, [[0, 0, 1000, 500]])
    assert found.categories.tolist() == [_PERSON]


def test_a_network_that_does_not_fit_its_card_fails_at_load(
    detector_of, constant_network, brightness_network
):
    with pytest.raises(ModelMismatchError, match=r"output \[1, 100, 85\]; expected one output \[1, 126, 7\]"):
        detector_of(constant_network({"output": np.zeros((1, 100, 85), np.float32)}, (1, 3, 64, 96)))
    with pytest.raises(
        ModelMismatchError, match=r"declares its input as \[1, 3, 32, 32\] and does not run on"
    ):
        detector_of(brightness_network((1, 3, 32, 32)))
    with pytest.raises(ModelMismatchError, match=r"for an input of 128 x 64 it gives"):
        detector_of(
            constant_network({"output": np.zeros((1, 126, 7), np.float32)}, (1, 3, 64, 96)),
            input={"dynamic": True},
        )


def test_inputs_that_are_no_picture_are_refused(constant_network):
    def opened(model: onnx.ModelProto):
        return open_network(model.SerializeToString(), None, "x.onnx")

    constant = {"output": np.zeros((1, 2), np.float32)}
    with pytest.raises(
        ModelMismatchError, match=r"picture tensor\(float\)\[1, 3\]; expected one float32 picture"
    ):
        opened(constant_network(constant, (1, 3)))
    model = constant_network(constant)
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, (1, 64, 64)))
    with pytest.raises(ModelMismatchError, match="mask"):
        opened(model)


def test_what_the_runtime_cannot_load_is_said(brightness_network):
    model = brightness_network()
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(ModelUsageError, match=r"x\.onnx: onnxruntime cannot load it: .*NoSuchOperator"):
        open_network(model.SerializeToString(), None, "x.onnx")


def test_a_detector_is_loaded_once_a_process_and_verified(detector_of, brightness_network, tmp_path):
    detector = detector_of(brightness_network())
    ref = pickle.loads(pickle.dumps(detector.ref))  # noqa: S301 - our own bytes
    assert ref == detector.ref
    assert hash(ref) == hash(detector.ref)
    assert load_detector(ref) is detector
    assert (detector.sha256, detector.card) == (ref.sha256, ref.card)
    (tmp_path / "net.onnx").write_bytes(b"something else")
    changed = ModelRef(ref.card, ref.path, ref.sha256, 95, "cpu")
    with pytest.raises(ModelFetchError, match="changed since it was found"):
        load_detector(changed)


def test_a_worker_without_the_file_says_so_or_fetches_it(make_card, tmp_path):
    card = make_card()
    absent = str(tmp_path / "elsewhere" / "net.onnx")
    with pytest.raises(ModelFetchError, match="not on this machine: put it there, on every worker"):
        load_detector(ModelRef(card, absent, card.sha256, 96, "cpu"))
    card = make_card(url="https://example.org/net.onnx", bundled=None)
    with pytest.raises(ModelFetchError, match="downloads are switched off"):
        load_detector(ModelRef(card, absent, card.sha256, 96, "cpu"))


def test_devices():
    check_device("cpu")
    with pytest.raises(ModelUsageError, match="expected cpu or cuda"):
        check_device("tpu")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(ModelUsageError, match="runs on the CPU only; install onnxruntime-gpu"):
        check_device("cuda")
