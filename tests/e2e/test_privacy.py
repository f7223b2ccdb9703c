"""What a data set does not tell: positions near private places, and which car it was."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from running import SAMPLE

from transforms.labels.private_places import distance_m

FAST = ("--model", "demo", "--fps", "1", "--max-failed-share", "1", "--json")
EVENT = SAMPLE / "TeslaCam" / "SavedClips"
POSITION = ("latitude_deg", "longitude_deg", "heading_deg")
RADIUS_M = 30


@pytest.fixture(scope="module")
def truth() -> dict[tuple[str, int], dict]:
    rows = pq.read_table(SAMPLE / "truth" / "telemetry.parquet").to_pylist()
    return {(row["clip_id"], row["pts"]): row for row in rows}


@pytest.fixture(scope="module")
def home() -> tuple[float, float]:
    """Where the event was."""
    event = json.loads(next(EVENT.glob("*/event.json")).read_text())
    return float(event["est_lat"]), float(event["est_lon"])


def telemetry(output: Path, truth: dict, home: tuple[float, float]) -> tuple[list, list]:
    """(row, truth) of the rows inside the circle, and of those outside."""
    rows = ds.dataset(output / "telemetry").to_table().to_pylist()
    pairs = [(row, truth[row["clip_id"], row["pts"]]) for row in rows]
    exact = [np.array([pair[1][name] for pair in pairs]) for name in POSITION[:2]]
    inside = distance_m(*exact, *home) <= RADIUS_M
    assert 0 < inside.sum() < len(pairs)
    return [p for p, near in zip(pairs, inside, strict=True) if near], [
        p for p, near in zip(pairs, inside, strict=True) if not near
    ]


def assert_unreadable(output: Path, *values: str) -> None:
    files = [path for path in output.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            content += str(pq.read_metadata(path).metadata)
        assert not [value for value in values if value in content], path


def test_a_private_place_is_left_out(clipmill, tmp_path, truth, home):
    place = f"{home[0]},{home[1]},{RADIUS_M}"
    done = clipmill("label", EVENT, "-o", tmp_path / "out", *FAST, f"--private-place={place}")
    assert done.code == 0, done.errors
    inside, outside = telemetry(tmp_path / "out", truth, home)
    assert all(row[name] is None for row, _ in inside for name in POSITION)
    assert all(row[name] == exact[name] for row, exact in outside for name in POSITION)
    assert all(row["vehicle_speed_mps"] == exact["vehicle_speed_mps"] for row, exact in inside)
    (event,) = ds.dataset(tmp_path / "out" / "events").to_table().to_pylist()
    assert [event[name] for name in ("lat", "lon", "city", "street")] == [None] * 4
    assert event["reason"]
    assert_unreadable(tmp_path / "out", str(home[1]), place)
    settings = json.loads((tmp_path / "out" / "dataset.json").read_text())["settings"]
    assert len(settings["location_privacy"]) == 64
    assert clipmill("verify", tmp_path / "out").code == 0
    assert clipmill("inspect", tmp_path / "out", "--table", "telemetry").code == 0

    again = clipmill("label", EVENT, "-o", tmp_path / "out", *FAST)
    assert again.data["shards"]["written"] == 2, "without the place the rows are other ones"


def test_a_job_spec_rounds(clipmill, tmp_path, truth, home):
    spec = tmp_path / "job.toml"
    spec.write_text(f"""
inputs = ["{EVENT}"]
output = "{tmp_path / "out"}"
models = ["demo"]
[labels]
fps = "1"
[[labels.location_privacy]]
latitude_deg = {home[0]}
longitude_deg = {home[1]}
radius_m = {RADIUS_M}
action = "round"
grid_deg = 0.5
""")
    done = clipmill("run", spec, "--json")
    assert done.code == 0, done.errors
    inside, outside = telemetry(tmp_path / "out", truth, home)
    assert {tuple(row[name] for name in POSITION) for row, _ in inside} == {(36.0, -120.0, None)}
    assert all(row[name] == exact[name] for row, exact in outside for name in POSITION)
    (event,) = ds.dataset(tmp_path / "out" / "events").to_table().to_pylist()
    assert [event[name] for name in ("lat", "lon", "city", "street")] == [36.0, -120.0, None, None]


def test_a_vehicle_identification_number_is_neither_kept_nor_shown(clipmill, tmp_path):
    vin = "1M8GDM9AXKP042788"
    event = next(EVENT.glob("*"))
    for car in (vin, "car7"):
        target = tmp_path / "fleet" / car / "TeslaCam" / "SavedClips" / event.name
        target.mkdir(parents=True)
        shutil.copy(event / "2025-06-14_09-00-56-back.mp4", target)
        facts = json.loads((event / "event.json").read_text()) | {"street": f"Depot of {vin}"}
        (target / "event.json").write_text(json.dumps(facts))
    done = clipmill("label", tmp_path / "fleet", "-o", tmp_path / "out", *FAST)
    assert done.code == 0, done.errors
    assert vin not in done.output + done.errors
    assert done.data["clips"] == {"found": 2, "labelled": 1, "failed": 1, "duplicate": 0}
    (failure,) = done.data["failures"]
    assert failure["uri"] == str(tmp_path / "fleet" / "*************2788")
    assert "ln -s" in failure["message"]
    (row,) = ds.dataset(tmp_path / "out" / "events").to_table().to_pylist()
    assert row["street"] == "Depot of *************2788"
    assert_unreadable(tmp_path / "out", vin)
    assert not [path for path in (tmp_path / "out").rglob("*") if vin in path.name]

    for how in ((tmp_path / "fleet" / vin, "-o", tmp_path / "o"), (SAMPLE, "-o", tmp_path / vin / "out")):
        refused = clipmill("label", *how, *FAST)
        assert refused.code == 2
        assert vin not in refused.output + refused.errors
        assert "*************2788" in refused.data["error"]["message"]

    (tmp_path / "car8").symlink_to(tmp_path / "fleet" / vin)
    linked = clipmill("label", tmp_path / "car8", "-o", tmp_path / "linked", *FAST)
    assert linked.data["clips"]["labelled"] == 1
    assert_unreadable(tmp_path / "linked", vin)
