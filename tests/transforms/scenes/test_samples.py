"""The bundled sample: what stands in it, and that it is made again byte for byte."""

import json
from datetime import datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.clips.sei import parse
from transforms.scenes.encoding import versions
from transforms.scenes.samples import MADE_WITH, MAX_SECONDS, clip_conditions, write_clips, write_sample
from transforms.scenes.telemetry import telemetry_at
from transforms.scenes.worlds import Conditions, make_world
from transforms.tables.ids import clip_id

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data"
EVENT = SAMPLE / "TeslaCam/SavedClips/2025-06-14_09-01-02"
RECENT = SAMPLE / "TeslaCam/RecentClips"


def truth(name):
    return pq.read_table(SAMPLE / "truth" / f"{name}.parquet")


def files_below(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_bundled_sample_is_made_again_byte_for_byte(tmp_path):
    made = json.loads((SAMPLE / MADE_WITH).read_text(encoding="utf-8"))
    here = versions() | {"pyarrow": pa.__version__}
    if made["versions"] != here:
        pytest.skip(f"made with {made['versions']}, here are {here}")
    report = write_sample(tmp_path, made["seed"])
    fresh, kept = files_below(tmp_path), files_below(SAMPLE)
    assert fresh.keys() == kept.keys() == set(report.files)
    assert [name for name in kept if kept[name] != fresh[name]] == []
    assert report.bytes == sum(map(len, kept.values())) <= 6_000_000


@pytest.mark.parametrize("seconds", [-MAX_SECONDS, 2 * MAX_SECONDS])
def test_the_longest_drive_lies_within_its_worlds_life(seconds):
    assert 5 < telemetry_at(make_world(1, Conditions("day")), seconds, 0).vehicle_speed_mps < 25


def test_the_event_spans_two_minutes_and_lacks_what_it_should():
    names = sorted(p.name for p in EVENT.glob("*.mp4"))
    assert [n for n in names if "09-00-56" in n] == [
        f"2025-06-14_09-00-56-{c}.mp4" for c in ("back", "front", "left_repeater")
    ]
    assert len([n for n in names if "09-01-00" in n]) == 4
    event = json.loads((EVENT / "event.json").read_text())
    assert event["timestamp"] == "2025-06-14T09:01:02"
    assert all(isinstance(value, str) for value in event.values())
    assert (EVENT / "thumb.png").read_bytes()[:4] == b"\x89PNG"


def test_recent_clips_repeat_a_minute_and_go_on():
    for clip in EVENT.glob("*09-01-00*.mp4"):
        assert (RECENT / clip.name).read_bytes() == clip.read_bytes()
    assert len(list(RECENT.glob("*09-01-04*.mp4"))) == 4


def test_minutes_follow_without_a_gap():
    clips = [row for row in truth("clips").to_pylist() if row["camera"] == "front" and row["world_seed"] == 1]
    starts = sorted({(row["start_utc_ns"], row["duration_ns"], row["world_start_s"]) for row in clips})
    assert len(starts) == 3
    for before, after in pairwise(starts):
        assert before[0] + before[1] == after[0]
        assert before[2] + before[1] / 1e9 == after[2]


def test_files_tell_the_time_that_the_truth_tells():
    for row in truth("clips").to_pylist():
        content = (SAMPLE / row["file"]).read_bytes()
        assert row["clip_id"] == clip_id(row["content_sha256"])
        with av.open(BytesIO(content)) as container:
            told = container.metadata.get("creation_time")
            pts = [p.pts for p in container.demux(video=0) if p.size]
        utc = row["start_utc_ns"]
        assert (told is None) == (utc is None)
        if told:
            assert datetime.fromisoformat(told).timestamp() * 1e9 == utc
        frames = truth("frames").filter(pa.compute.equal(truth("frames")["clip_id"], row["clip_id"]))
        assert frames["pts"].to_pylist() == pts
        assert len(pts) == row["frame_count"]


def test_one_camera_lacks_frames_in_the_middle():
    with av.open(str(EVENT / "2025-06-14_09-01-00-left_repeater.mp4")) as container:
        seconds = [p.pts / 90_000 for p in container.demux(video=0) if p.size]
    assert max(np.diff(seconds)) == pytest.approx(1.0 + 1 / 12, abs=1e-3)


def test_several_things_are_seen_on_both_sides_of_the_border():
    boxes = truth("boxes").to_pylist()
    clips = {row["clip_id"]: row for row in truth("clips").to_pylist()}
    sides = {-4.0: set(), 0.0: set()}
    for box in boxes:
        clip = clips[box["clip_id"]]
        tall = box["y_max_px"] - box["y_min_px"] >= 12 and box["visibility"] >= 0.4
        if clip["world_seed"] == 1 and clip["camera"] == "front" and tall and clip["world_start_s"] in sides:
            sides[clip["world_start_s"]].add(box["track_id"])
    assert len(sides[-4.0] & sides[0.0]) >= 5


def test_telemetry_in_the_files_is_the_truths():
    rows = truth("telemetry").to_pylist()
    clips = {row["clip_id"]: row["file"] for row in truth("clips").to_pylist()}
    by_clip = {}
    for row in rows:
        by_clip.setdefault(row.pop("clip_id"), []).append(row)
    assert len(by_clip) == 11
    for clip, expected in by_clip.items():
        found = []
        with av.open(str(SAMPLE / clips[clip])) as container:
            for packet in container.demux(video=0):
                message = parse(bytes(packet), 4) if packet.size else None
                if message is not None:
                    found.append(
                        {name: getattr(message, name) for name in message.__slots__} | {"pts": packet.pts}
                    )
        for row in expected:
            row.pop("timestamp_ns")
        assert found == expected


def test_loose_clips_are_of_all_kinds():
    loose = SAMPLE / "generic"
    assert (loose / "empty.mp4").read_bytes() == b""
    assert b"moov" not in (loose / "truncated.mp4").read_bytes()
    with av.open(str(loose / "variable_rate.mp4")) as container:
        steps = np.diff([p.pts for p in container.demux(video=0) if p.size])
    assert steps.max() > 2 * steps.min()
    assert (loose / "rainy night über land.mp4").stat().st_size > 0


def test_many_clips_are_made_in_their_seeds_light_and_an_earlier_sample_goes(tmp_path):
    (tmp_path / "mine.txt").write_text("stays")
    write_clips(tmp_path, 40, 2, seconds=0.2)
    assert sorted(p.name for p in (tmp_path / "generic").iterdir()) == ["clip_0000.mp4", "clip_0001.mp4"]
    report = write_clips(tmp_path, 41, 1, seconds=0.2)
    assert [p.name for p in (tmp_path / "generic").iterdir()] == ["clip_0000.mp4"]
    assert (tmp_path / "mine.txt").read_text() == "stays"
    assert report.rows["clips"] == 1
    row = pq.read_table(tmp_path / "truth/clips.parquet").to_pylist()[0]
    assert (row["world_seed"], row["start_utc_ns"], row["light"]) == (41, None, clip_conditions(41, 0).light)


def test_a_list_of_files_that_leads_out_of_the_folder_removes_nothing(tmp_path):
    (tmp_path / "precious.txt").write_text("stays")
    sample = tmp_path / "sample"
    sample.mkdir()
    (sample / MADE_WITH).write_text(json.dumps({"files": ["../precious.txt"]}))
    write_clips(sample, 1, 1, seconds=0.1)
    assert (tmp_path / "precious.txt").exists()


@pytest.mark.parametrize("seed", [0, 10, 10_000])
def test_a_quarter_of_many_clips_is_at_night_or_in_rain(seed):
    conditions = [clip_conditions(seed, number) for number in range(20)]
    assert sum(c.light == "night" or c.rain for c in conditions) >= 5
