"""The shipped detector and its card; and, where torch is installed, the training itself."""

import hashlib
import json
import tomllib
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.card import bundled_file, known_cards
from models.registry import find_model
from models.sessions import load_detector
from models.taxonomy import CATEGORIES

MAX_BYTES = 2_000_000


def test_the_bundled_file_is_the_one_its_card_names():
    card = known_cards()["demo"]
    content = bundled_file(card).read_bytes()
    assert hashlib.sha256(content).hexdigest() == card.sha256
    assert len(content) == card.bytes <= MAX_BYTES


def test_the_card_says_what_it_is_for():
    card = known_cards()["demo"]
    assert card.for_rendered_scenes_only
    assert card.url is None
    assert "rendered" in card.notes
    assert "tests" in card.notes
    assert card.categories == ("person", "rider", "car", "truck", "traffic_light")


def test_the_card_and_the_document_agree_on_the_network():
    card_text = Path("models/cards/demo.toml")
    root = Path(__file__).resolve().parents[2]
    digest = tomllib.loads((root / card_text).read_text(encoding="utf-8"))["sha256"]
    assert digest in (root / "docs" / "demo_detector.md").read_text(encoding="utf-8")


def test_the_bundled_network_carries_nothing_of_the_machine_it_was_made_on():
    network = onnx.load(bundled_file(known_cards()["demo"]))
    assert network.producer_name == "clipmill"
    assert not network.metadata_props
    assert not any(node.doc_string or node.metadata_props for node in network.graph.node)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (640, 360), (320, 180), (301, 517)])
def test_it_runs_at_any_frame_size_without_a_network(width, height, monkeypatch):
    monkeypatch.setenv("CLIPMILL_OFFLINE", "1")
    detector = load_detector(find_model("demo", offline=True))
    plan = detector.plan(width, height)
    picture = np.full((plan.image_height, plan.image_width, 3), 90, np.uint8)
    (found,) = detector.detect([picture], plan, width, height)
    assert found.boxes.shape == (len(found.scores), 4)
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [width, height, width, height]).all()


class TestTraining:
    """Needs the extra `train`."""

    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torch", reason="the extra `train` is not installed")

    def test_an_export_says_what_the_network_says(self, tmp_path):
        import onnxruntime
        import torch

        from models.training.export import save, to_onnx
        from models.training.network import DemoDetector, ScoringDetector

        torch.manual_seed(3)
        detector = DemoDetector(4)
        detector.train()
        detector(torch.rand(2, 3, 64, 96) * 255)  # moves the batch normalizations off their start
        detector.eval()
        save(to_onnx(detector.state_dict(), 4, height=64, width=64), tmp_path / "net.onnx")
        images = torch.rand(2, 3, 96, 160) * 255
        with torch.no_grad():
            wanted = ScoringDetector(detector)(images).numpy()
        session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
        (got,) = session.run(None, {"images": images.numpy()})
        assert got.shape == (2, 12 * 20 + 6 * 10 + 3 * 5, 9)
        np.testing.assert_allclose(got, wanted, atol=1e-4)

    def test_cells_and_decoding_are_those_of_the_family_yolox(self):
        import torch

        from models.card import known_cards as cards
        from models.families.yolox import Yolox
        from models.training.network import cells, decode

        card = cards()["demo"]
        raw = torch.randn(1, 12 * 20 + 6 * 10 + 3 * 5, 10) * 0.3
        raw[..., 4:] = 0.0
        raw[0, [7, 250, 310], 4:6] = 0.9
        candidates = Yolox().decode(card, {"output": raw.numpy()}, 0, 96, 160)
        mine = decode(raw, *cells(96, 160))[0, [7, 250, 310]].numpy()
        np.testing.assert_allclose(np.sort(candidates.boxes, 0), np.sort(mine, 0), rtol=1e-4, atol=1e-3)

    def test_an_object_is_answered_by_cells_around_its_centre(self):
        import torch

        from models.training.losses import Truth, assign
        from models.training.network import cells, decode

        torch.manual_seed(0)
        raw = torch.zeros(2, 315, 7)
        corners, strides = cells(96, 160)
        truth = Truth(
            torch.tensor([1, 1]),
            torch.tensor([[20.0, 20.0, 60.0, 50.0], [100.0, 30.0, 112.0, 60.0]]),
            torch.tensor([0, 1]),
            torch.zeros(0, dtype=torch.int64),
            torch.zeros(0, 4),
        )
        chosen, objects = assign(raw, decode(raw, corners, strides), truth, 96, 160)
        assert set(objects.tolist()) == {0, 1}
        assert len(set(chosen.tolist())) == len(chosen)
        assert (chosen >= 315).all()
        centres = ((corners + 0.5) * strides[:, None])[chosen - 315]
        middles = (truth.boxes[objects, :2] + truth.boxes[objects, 2:]) / 2
        assert ((centres - middles).abs() <= 1.5 * strides[chosen - 315][:, None]).all()

    def test_losses_of_an_empty_batch_are_finite_and_of_objectness_only(self):
        import torch

        from models.training.losses import Truth, losses

        raw = torch.zeros(1, 84, 7, requires_grad=True)
        nothing = torch.zeros(0, dtype=torch.int64)
        result = losses(raw, Truth(nothing, torch.zeros(0, 4), nothing, nothing, torch.zeros(0, 4)), 64, 64)
        result.total.backward()
        assert float(result.box) == float(result.classes) == 0.0
        assert float(result.objectness) == pytest.approx(84 * np.log(2), rel=1e-5)

    def test_a_region_that_counts_neither_way_costs_nothing(self):
        import torch

        from models.training.losses import Truth, losses

        nothing = torch.zeros(0, dtype=torch.int64)
        everywhere = Truth(
            nothing, torch.zeros(0, 4), nothing, torch.tensor([0]), torch.tensor([[0.0, 0.0, 64.0, 64.0]])
        )
        assert float(losses(torch.zeros(1, 84, 7), everywhere, 64, 64).total) == 0.0

    def test_generalized_overlap_of_known_boxes(self):
        import torch

        from models.training.losses import overlaps

        iou, generalized = overlaps(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2]]))
        assert float(iou) == pytest.approx(1 / 3, abs=1e-5)
        assert float(generalized) == pytest.approx(1 / 3, abs=1e-5)
        _, apart = overlaps(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[3.0, 0, 4, 1]]))
        assert float(apart) == pytest.approx(-0.5, abs=1e-5)

    def test_a_short_run_on_coloured_blocks_leaves_a_network_and_a_log(self, tmp_path):
        from models.training.train import main

        for number in range(20):
            write_blocks(tmp_path / "frames" / f"{number:05}.npz", number)
        main(
            [str(tmp_path / "frames"), "--out", str(tmp_path / "out"), "--minutes", "0.03", "--threads", "1"]
        )
        (line,) = (tmp_path / "out" / "log.jsonl").read_text().splitlines()
        assert json.loads(line)["step"] >= 1
        network = onnx.load(tmp_path / "out" / "demo.onnx")
        assert [one.name for one in network.graph.output] == ["output"]

    def test_a_run_of_so_many_steps_makes_them_and_can_be_made_again(self, tmp_path):
        import torch

        from models.training.frames import random_crops
        from models.training.train import Settings, fit, fresh_detector, to_batch
        from models.training.training_set import read_training_set

        for number in range(20):
            write_blocks(tmp_path / f"{number:05}.npz", number)
        known = read_training_set(tmp_path)
        assert known.classes == ("car",)
        assert len(known.used) == 19
        assert known.watched == [(19, 0)]
        settings = Settings(1e-9, float("inf"), 320, 3e-3, seed=4, steps=2)
        reports, trained = [], []
        for _ in range(2):
            crops = random_crops(known.store, known.used, long_side=320, seed=4)
            source = map(to_batch, crops)
            detector = fresh_detector(1, 4)
            fit(detector, source, settings, lambda _, figures: reports.append(figures))
            trained.append(torch.cat([one.flatten() for one in detector.parameters()]))
        assert [report["step"] for report in reports] == [2, 2]
        torch.testing.assert_close(*trained)


def write_blocks(path, seed):
    random = np.random.default_rng(seed)
    image = np.full((240, 480, 3), 100, np.uint8)
    boxes = []
    for number in range(3):
        left, top = int(random.integers(0, 400)), int(random.integers(0, 180))
        boxes.append((left, top, left + 40, top + 30))
        cv2.rectangle(image, (left, top), (left + 40, top + 30), (40 * number, 200, 30), -1)
    encoded = cv2.imencode(".jpg", image)[1].ravel()
    path.parent.mkdir(exist_ok=True)
    np.savez(
        path,
        jpeg=encoded,
        jpeg_offsets=np.array([0, len(encoded)]),
        frame_of=np.zeros(3, np.int32),
        boxes=np.array(boxes, np.float32),
        categories=np.full(3, CATEGORIES.index("car"), np.uint8),
        visibility=np.ones(3, np.float32),
        truncation=np.zeros(3, np.float32),
    )


@given(
    scale=st.floats(0.4, 2.5),
    centre=st.tuples(st.floats(0, 96), st.floats(0, 64)),
    mirrored=st.booleans(),
)
def test_boxes_of_a_crop_stay_on_their_object(scale, centre, mirrored):
    from models.training.frames import LabelledFrame, crop

    image = np.zeros((64, 96, 3), np.uint8)
    image[20:40, 30:70] = 255
    frame = LabelledFrame(image, np.array([[30, 20, 70, 40]], np.float32), np.array([0]))
    piece = crop(frame, (128, 96), scale, centre, mirrored=mirrored)
    bright = np.argwhere(piece.image[..., 0] > 200)
    if len(piece.boxes) and len(bright):
        top, left = bright.min(0)
        bottom, right = bright.max(0) + 1
        np.testing.assert_allclose(piece.boxes[0], (left, top, right, bottom), atol=1 + scale)


def test_a_shard_comes_back_as_it_was_and_small_boxes_count_neither_way(tmp_path):
    from models.training.frames import FrameStore, read_shards

    write_blocks(tmp_path / "one" / "0.npz", 1)
    class_of = np.full(len(CATEGORIES), -1)
    class_of[CATEGORIES.index("car")] = 0
    shards = read_shards([tmp_path / "one" / "0.npz"])
    shards[0].boxes[0, 3] = shards[0].boxes[0, 1] + 11
    shards[0].visibility[1] = 0.3
    store = FrameStore(shards, class_of)
    assert store.places == [(0, 0)]
    frame = store.read(0, 0)
    assert frame.image.shape == (240, 480, 3)
    assert frame.classes.tolist() == [-1, -1, 0]
