import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fleet.measuring import from_data_set, hanging_share
from made_sets import Box, Minute, make_set

from transforms.budget.labelling import SPEED_FILE, SpeedRecord

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "fleet_simulation.py"


def note(folder, run_id, name, seconds, camera_s):
    record = {
        "shard": name,
        "state": "written",
        "seconds": seconds,
        "ended": 10.0 + seconds,
        "camera_ns": round(camera_s * 1e9),
        "decode_s": seconds / 2,
        "detect_s": seconds / 4,
        "track_s": seconds / 8,
    }
    path = folder / "runs" / run_id / "shards" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record), encoding="utf-8")


@pytest.fixture
def data_set(tmp_path):
    output = make_set(tmp_path / "out", [Minute("a", [Box(0, 10.0)]), Minute("b", [Box(1, 20.0)])])
    run_id = "20260102T030405Z-c35883"
    note(output, "20250102T030405Z-000000", "old", 1.0, 1.0)
    note(output, run_id, "a-m0000", 6.0, 60.0)
    note(output, run_id, "b-m0000", 6.0, 20.0)
    speed = SpeedRecord(
        run_id=run_id,
        device="cpu",
        sampling="5",
        frames=400,
        camera_seconds=80.0,
        worker_seconds=12.0,
        decode_seconds=6.0,
        workers=1,
        cores=2,
        cpu=None,
    )
    (output / SPEED_FILE).write_text(speed.model_dump_json(), encoding="utf-8")
    return output


def test_a_data_set_tells_what_labelling_cost_and_how_shards_differ(data_set):
    told = {entry.name: entry.value for entry in from_data_set(data_set)}
    assert told["label_s"] == pytest.approx(12 / 80)
    # 0.1 and 0.3 s for each second of video
    assert told["shard_costs"] == [0.5, 1.5]
    assert (told["decode_share"], told["detect_share"], told["track_share"]) == (0.5, 0.25, 0.125)
    # clips, frames, detections and tracks of each
    assert told["files_per_shard"] == 4


def test_clips_that_decoders_died_of_are_counted(data_set):
    assert hanging_share(data_set) is None
    errors = ["timeout", "timeout", "crashed_decoder", "empty"]
    rows = pa.table({"uri": ["/in/a.mp4", "/in/a.mp4", "/c.mp4", "/gone.mp4"], "error": errors})
    pq.write_table(rows, data_set / "failures" / "all.parquet")
    # two of a, b, c (left out of everything else) and gone
    assert hanging_share(data_set) == pytest.approx(2 / 4)


def test_a_data_set_that_no_run_has_labelled_tells_nothing(tmp_path):
    output = make_set(tmp_path / "out", [Minute("a")])
    with pytest.raises(ValueError, match="no run has noted a speed"):
        from_data_set(output)
    done = subprocess.run(
        [sys.executable, SCRIPT, "--calibrate", output], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "no run has noted a speed" in done.stderr


def test_a_fleet_costs_what_a_data_set_of_one_s_own_did(data_set):
    fleet = ("--camera-hours", "1000", "--cores", "10", "--json")
    hours = [
        json.loads(
            subprocess.run([sys.executable, SCRIPT, *more, *fleet], check=True, capture_output=True).stdout
        )
        for more in ((), ("--calibrate", data_set))
    ]
    theirs, ours = (told["fleets"][0]["one_data_set"] for told in hours)
    # 0.15 core-seconds for each second of video on 10 cores, and little else
    assert ours["hours"] * ours["efficiency"] == pytest.approx(15, rel=0.1)
    assert ours["hours"] != theirs["hours"]
