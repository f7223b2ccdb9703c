"""Real clips and a real network, where ../shared is there."""

import os
from fractions import Fraction
from pathlib import Path

import av
import pyarrow.dataset as ds
import pytest
from running import ROOT

SHARED = Path(os.environ.get("CLIPMILL_SHARED", ROOT.parent / "shared"))
NETWORK = SHARED / "models" / "yolox_nano_416.onnx"

pytestmark = pytest.mark.skipif(
    not NETWORK.is_file(), reason="needs ../shared: real clips are not the project's to ship"
)

SHOWN = {
    "udacity_solidWhiteRight_960x540_h264.mp4": 221,
    "udacity_vehicle_test_1280x720_h264.mp4": 38,
    "mmdet_motorbike_highway_1280x720_h264.mp4": 67,
    "udacity_project_000s_1280x720.mp4": 200,
    "udacity_project_018s_1280x720.mp4": 139,
    "udacity_project_020s_1280x720.mp4": 175,
    "udacity_project_028s_1280x720.mp4": 125,
    "udacity_project_037s_1280x720.mp4": 170,
    "udacity_challenge_cut_1280x720_mpeg2.mp4": 120,
    "udacity_challenge_painted_1280x720.mp4": 485,
    "udacity_solidYellowLeft_painted_960x540.mp4": 681,
    "muchlisin_dusk_highway_640x360.mp4": 296,
    "orangeava_mountain_road_640x360.mp4": 248,
    "mapillary_london_1376x1840_hevc.mp4": 146,
    "intel_carpark_static_768x432_12.5fps.mp4": 377,
    "yolop_beijing_320x240.mp4": 72,
}
"""Shown frames by the clips' own description; the re-encodes are not in it."""


@pytest.fixture(scope="module")
def labelled(clipmill, tmp_path_factory):
    output = tmp_path_factory.mktemp("real") / "out"
    done = clipmill("label", SHARED / "clips", "--model", NETWORK, "-o", output, "--fps", 2, "--json")
    assert done.code == 0, done.errors
    assert done.data["clips"] == {"found": 19, "labelled": 19, "failed": 0, "duplicate": 0}
    return output


def test_frame_counts_are_those_of_the_description(labelled):
    clips = ds.dataset(labelled / "clips").to_table(["uri", "frame_count"]).to_pylist()
    counts = {clip["uri"].rsplit("/", 1)[1]: clip["frame_count"] for clip in clips}
    assert {name: counts[name] for name in SHOWN} == SHOWN


def test_keys_hold(clipmill, labelled):
    assert clipmill("verify", labelled).code == 0


def test_time_stamps_follow_the_rule_by_an_independent_read(labelled):
    """Decoded again by a bare loop: round((pts - first pts) * time base * 1e9), and the sampling rule on it."""
    clips = ds.dataset(labelled / "clips").to_table(["uri", "clip_id"]).to_pylist()
    frames = ds.dataset(labelled / "frames").to_table().to_pylist()
    for clip in clips:
        own = [row for row in frames if row["clip_id"] == clip["clip_id"]]
        with av.open(clip["uri"]) as container:
            stream = container.streams.video[0]
            shown = [(frame.pts, frame.time_base) for frame in container.decode(stream)]
        first = shown[0][0]
        times = [round(Fraction(pts - first) * base * 10**9) for pts, base in shown]
        expected, highest, taken = [], None, -1
        for (pts, _), time_ns in zip(shown, times, strict=True):
            if highest is not None and pts <= highest:
                expected.append((pts, time_ns, None))
                continue
            highest = pts
            if (slot := time_ns * 2 // 10**9) > taken:
                taken = slot
                expected.append((pts, time_ns, slot))
        assert [(row["pts"], row["timestamp_ns"], row["sample_index"]) for row in own] == expected, clip[
            "uri"
        ]


def test_cars_are_found_on_the_motorway(labelled):
    clips = ds.dataset(labelled / "clips").to_table(["uri", "clip_id"]).to_pylist()
    (clip,) = [row["clip_id"] for row in clips if "project_028s" in row["uri"]]
    boxes = ds.dataset(labelled / "detections").to_table().to_pylist()
    cars = [
        row for row in boxes if row["clip_id"] == clip and row["category"] == "car" and row["score"] > 0.7
    ]
    assert cars
    # the black car overtakes on the right: in the right half, below the horizon
    assert all(row["x_min_px"] > 640 and row["y_max_px"] > 360 for row in cars)
