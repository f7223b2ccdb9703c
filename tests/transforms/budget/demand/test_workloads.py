from dataclasses import replace

import pytest

from transforms.budget.demand.bare_flops import demand_of_flops
from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.demand.workloads import demand_of
from transforms.budget.draws import Draws, Inputs, OneAtATime
from transforms.budget.errors import BudgetUsageError

HOURS = 10.0
SECONDS = HOURS * 3600
FILM = DatasetFigures.of_hours(HOURS)  # 1280 x 960 at 36 frames a second
LABELLED = replace(FILM, frames=1000, origin="measured")
PIXELS = 1280 * 960


@pytest.fixture
def medians():
    return Inputs(OneAtATime(()))


def noted(inputs):
    return {item.name: item for item in inputs.assumptions}


def test_a_transformer_on_driving_video(facts, medians):
    found = demand_of(facts, "fsd", "driving", FILM, medians)
    # 512 x 384 px in patches of 16: 32 x 24 tokens a frame, 6.25 frames a second, seen three times
    tokens = SECONDS * 6.25 * 32 * 24 * 3
    # 6 N and causal attention 6 L d s, a token
    per_token = 6 * 1e9 + 6 * 24 * 1856 * 16_384
    assert found.tokens == pytest.approx([tokens])
    assert found.flops == pytest.approx([per_token * tokens])
    assert found.data_flops == pytest.approx(found.flops)
    assert found.fed_hours == pytest.approx([HOURS * 3])
    assert (found.kind, found.parameters, found.precision, found.supposed) == ("video", 1e9, "bf16", False)
    shape = found.shape
    assert (shape.parameters, shape.active_parameters, shape.layers, shape.width) == (1e9, 1e9, 24, 1856)
    assert (shape.context, shape.state_bytes, shape.is_graph) == (16_384, 17, False)
    assert shape.batch == pytest.approx(4e6 / 16_384)
    assert shape.flops == pytest.approx(per_token * 16_384)


def test_video_is_read_whole_by_a_transformer(facts, medians):
    footage = demand_of(facts, "fsd", "driving", FILM, medians).footage
    assert footage.hours == HOURS
    assert footage.stored_bytes == pytest.approx([4e6 / 8 * 3600])
    assert footage.decode_core_s == pytest.approx([3600 * 36 * PIXELS / 2.1e8])


def test_depth_and_width_grow_with_the_size(facts):
    inputs = Inputs(OneAtATime(("driving/parameters",)))
    small, large = demand_of(facts, "fsd", "driving", FILM, inputs).flops[1:]
    tokens = SECONDS * 6.25 * 768 * 3

    def by_hand(size):
        growth = (size / 1e9) ** (2 / 3)
        return (6 * size + 6 * 24 * 1856 * growth * 16_384) * tokens

    assert (small, large) == (pytest.approx(by_hand(0.3e9)), pytest.approx(by_hand(4e9)))


def test_labelled_frames_feed_a_detector(facts, medians):
    found = demand_of(facts, "autopilot", "camera-detector", LABELLED, medians)
    assert found.flops == pytest.approx([3 * PIXELS * 180e3 * 1000 * 100])
    assert noted(medians)["labelled_frames"].kind == "measured"
    # the frames are kept as pictures: 100 of them a camera-hour
    assert found.footage.stored_bytes == pytest.approx([100 * PIXELS * 0.14])
    assert found.footage.decode_core_s == pytest.approx([100 * PIXELS / 2.5e8])
    assert found.fed_hours == pytest.approx([HOURS * 100])
    assert found.tokens is None
    shape = found.shape
    assert (shape.batch, shape.context, shape.layers, shape.width) == (512, 1, 1, 1)
    assert shape.flops == pytest.approx(3 * PIXELS * 180e3)
    assert shape.activation_bytes == pytest.approx(PIXELS * 2000)


def test_hours_feed_a_detector_where_nothing_is_labelled(facts, medians):
    found = demand_of(facts, "autopilot", "camera-detector", FILM, medians)
    assert found.flops == pytest.approx([3 * PIXELS * 180e3 * SECONDS * 5 * 100])
    assert "labelled_frames" not in noted(medians)
    assert found.footage.stored_bytes == pytest.approx([3600 * 5 * PIXELS * 0.14])


def test_frames_are_of_the_cameras_mean_size(facts, figures, medians):
    demand_of(facts, "autopilot", "camera-detector", figures, medians)
    # 100 h of 1280 x 960 and 300 h of 1920 x 1080
    mean = (100 * 1280 * 960 + 300 * 1920 * 1080) / 400
    assert noted(medians)["frame_pixels"].p50 == pytest.approx(mean)


def test_a_transformer_sees_labelled_frames_as_tokens(facts, medians):
    found = demand_of(facts, "autopilot", "driving", LABELLED, medians)
    # at full resolution: 80 x 60 patches
    assert found.tokens == pytest.approx([1000 * 4800 * 100])
    assert found.footage.stored_bytes == pytest.approx([100 * PIXELS * 0.14])


def test_a_transformer_on_frames_that_are_not_labelled_yet(facts, medians):
    found = demand_of(facts, "autopilot", "driving", FILM, medians)
    assert found.tokens == pytest.approx([SECONDS * 5 * 4800 * 100])
    # the workload's context is a token; a sequence holds a frame, and the batch is counted in frames
    assert (found.shape.context, found.shape.batch) == (4800, 512)


def test_a_detector_on_driving_video(facts, medians):
    found = demand_of(facts, "fsd", "camera-detector", LABELLED, medians)
    # labelled or not, 6.25 frames a second are seen three times, and all of the video is decoded
    assert found.flops == pytest.approx([3 * PIXELS * 180e3 * SECONDS * 6.25 * 3])
    assert found.footage.stored_bytes == pytest.approx([4e6 / 8 * 3600])
    assert found.kind == "vision"
    # the batch is told in tokens, of which a frame would have 768
    assert found.shape.batch == pytest.approx(4e6 / 768)


def test_a_slow_camera_gives_the_frames_it_has(facts, medians):
    slow = DatasetFigures.of_hours(HOURS, fps_mean=2.0)
    found = demand_of(facts, "fsd", "camera-detector", slow, medians)
    assert found.flops == pytest.approx([3 * PIXELS * 180e3 * SECONDS * 2 * 3])


@pytest.mark.parametrize("network", ["driving", "camera-detector"])
def test_the_number_format_can_be_chosen(facts, medians, network):
    assert demand_of(facts, "fsd", network, FILM, medians, precision="fp8").precision == "fp8"
    assert demand_of(facts, "fsd", network, FILM, medians).precision == "bf16"


def test_text_is_not_data_of_the_data_set(facts, medians):
    found = demand_of(facts, "grok", "grok-1", FILM, medians)
    active = (79e9 * 86e9) ** 0.5
    video = SECONDS * 1 * 768
    per_token = 6 * active + 6 * 64 * 6144 * 8192
    assert found.tokens == pytest.approx([video + 6e12])
    assert found.flops == pytest.approx([per_token * (video + 6e12)])
    assert found.data_flops == pytest.approx([per_token * video])
    assert (found.shape.parameters, found.shape.active_parameters) == (314e9, pytest.approx(active))
    assert found.shape.resting_parameters == pytest.approx(314e9 - active)


def test_text_cannot_be_seen_by_a_detector(facts, medians):
    with pytest.raises(BudgetUsageError, match="grok trains on text: network camera-detector takes frames"):
        demand_of(facts, "grok", "camera-detector", FILM, medians)


@pytest.mark.parametrize(
    ("cameras", "context"),
    [
        ((CameraFigures("front", 512, 288, 36.0, HOURS),), 2048),
        # a tall, narrow picture of 512 x 512 px is 1024 tokens: less than the workload's own context
        ((CameraFigures("front", 512, 512, 36.0, HOURS),), 2048),
        ((), 2048),
    ],
)
def test_the_context_is_the_workloads_own_where_a_frame_fits(facts, medians, cameras, context):
    figures = DatasetFigures(HOURS if cameras else 0.0, 0, 0, cameras)
    assert demand_of(facts, "optimus", "robot", figures, medians).shape.context == context


def test_nothing_to_train_on_is_no_work(facts, medians):
    empty = DatasetFigures(0.0, 0, 0, ())
    for workload, network in (
        ("fsd", "driving"),
        ("autopilot", "camera-detector"),
        ("fsd", "camera-detector"),
    ):
        found = demand_of(facts, workload, network, empty, medians)
        assert (found.flops, found.footage, found.fed_hours) == ([0.0], None, None)


def test_uncertainty_of_a_network_is_shared_by_its_workloads(facts):
    inputs = Inputs(Draws(0, 50))
    demand_of(facts, "fsd", "driving", FILM, inputs)
    assert {"fsd/passes", "driving/parameters"} <= inputs.streams.keys()


@pytest.mark.parametrize("kind", ["language", "video"])
@pytest.mark.parametrize("parameters", [1e8, 1e10, 405e9])
def test_a_size_becomes_a_dense_transformer(facts, medians, kind, parameters):
    found = demand_of_flops(facts, 1e24, kind, parameters, medians)
    shape = found.shape
    # N = 12 L d² and d = 128 L, but for whole layers and width
    assert 12 * shape.layers * shape.width**2 == pytest.approx(parameters, rel=0.6 / shape.layers)
    assert shape.width / shape.layers == pytest.approx(128, rel=0.6 / shape.layers)
    assert (shape.parameters, shape.active_parameters, shape.context) == (parameters, parameters, 8192)
    assert shape.batch == pytest.approx(16e6 / 8192)
    assert shape.flops == pytest.approx(
        (6 * parameters + 6 * (parameters / (12 * 128**2)) ** (1 / 3) * shape.width * 8192) * 8192, rel=1e-3
    )
    assert found.supposed
    assert (found.flops, found.data_flops, found.tokens) == ([1e24], [1e24], None)


def test_gpt_3_has_about_its_own_shape(facts, medians):
    shape = demand_of_flops(facts, 3e23, "language", 175e9, medians).shape
    assert (shape.layers, shape.width) == (96, pytest.approx(12_288, rel=0.01))


def test_the_smallest_network_has_a_layer(facts, medians):
    shape = demand_of_flops(facts, 1e20, "language", 12.0, medians).shape
    assert (shape.layers, shape.width) == (1, 1)


@pytest.mark.parametrize(("kind", "parameters"), [("vision", 1e9), ("language", None), ("vision", None)])
def test_no_shape_follows(facts, medians, kind, parameters):
    found = demand_of_flops(facts, 1e22, kind, parameters, medians)
    assert (found.shape, found.footage, found.passes) == (None, None, None)
    assert (found.parameters, found.supposed) == (parameters, True)
    assert noted(medians)["training_flops"].kind == "user"
