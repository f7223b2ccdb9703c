"""What the viewer is told of a data set."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from viewed_sets import BRAKES_AT_S, LATE_NS, START_NS

from transforms.clips.reopening import reopen
from transforms.labels.privacy.settings import Blur
from transforms.storage import open_stream
from transforms.tables.queries import NotADatasetError
from transforms.tables.store import LocalStore
from transforms.viewing import stills
from transforms.viewing.covering import still_cover
from transforms.viewing.drives import drive, drives, placed, plays
from transforms.viewing.jumps import hard_brakings, jumps
from transforms.viewing.stills import covered_still, still
from transforms.viewing.viewed_set import ChangedError, DamagedError, ViewedSet
from transforms.viewing.windows import MOST_NS, window

SECOND = 1_000_000_000


def test_drives_are_listed_with_their_cameras(viewed):
    listed = {one["drive_id"]: one for one in drives(viewed)["drives"]}
    assert listed["drive"]["cameras"] == ["front", "back"]
    assert listed["drive"]["duration_ns"] == 12 * SECOND + LATE_NS
    assert listed["drive"]["start_utc_ms"] == START_NS // 1_000_000
    assert listed["old"]["name"] == "old <b>&.ts"


def test_clips_of_a_drive_have_one_axis_of_time(viewed):
    found = drive(viewed, "drive")
    assert [(clip["clip_id"], clip["start_ns"], clip["plays"]) for clip in found["clips"]] == [
        ("front-1", 0, "video"),
        ("back-1", LATE_NS, "video"),
    ]
    assert drive(viewed, "no such") is None


def test_clips_without_a_clock_are_placed_by_their_names(viewed):
    front, back = viewed.clips["front-1"], viewed.clips["back-1"]
    named = [
        replace(front, start_utc_ns=None, uri="/a/2024-05-01_10-20-30-front.mp4"),
        replace(back, uri="/a/2024-05-01_10-20-31-back.mp4"),
    ]
    assert placed(named) == (None, {"front-1": 0, "back-1": SECOND})
    assert placed([replace(front, start_utc_ns=None), back]) == (None, {"front-1": 0, "back-1": 0})


def test_a_drive_is_called_after_the_clip_that_begins_first(viewed):
    # its name would be the last
    front = viewed.clips["front-1"]
    viewed.clips["front-1"] = replace(front, uri="/z/2024-front.mp4")
    viewed.clips["back-1"] = replace(viewed.clips["back-1"], uri="/a/2024-back.mp4")
    assert {one["drive_id"]: one["name"] for one in drives(viewed)["drives"]}["drive"] == "2024-front.mp4"


@pytest.mark.parametrize(
    ("uri", "codec", "how"),
    [
        ("/a/b.mp4", "h264", "video"),
        ("/a/b.MP4", "h264", "video"),
        ("/a/b.mkv", "h264", "frames"),
        ("/a/b.mp4", "hevc", "frames"),
        ("/a/b.ts", "mpeg2video", "frames"),
        ("s3://a/b.mp4", "h264", "no"),
    ],
)
def test_how_a_clip_is_shown(viewed, uri, codec, how):
    clip = replace(viewed.clips["front-1"], uri=uri, codec=codec)
    assert plays(clip) == how
    assert plays(clip, as_frames=True) == ("no" if how == "no" else "frames")


def test_a_window_holds_its_own_rows_alone(viewed):
    clip = viewed.clips["front-1"]
    found = window(viewed, clip, 2 * SECOND, 3 * SECOND)
    assert found["frames"] == {"labelled_ns": [2_000_000_000, 2_400_000_000, 2_800_000_000], "damaged_ns": []}
    boxes = found["boxes"]
    assert boxes["timestamp_ns"] == [time for time in found["frames"]["labelled_ns"] for _ in range(2)]
    assert boxes["edges"][:4] == [40.0, 50.0, 100.0, 150.0]
    assert boxes["raw_edges"][:4] == [43.0, 50.0, 103.0, 150.0]
    assert [boxes["texts"][place] for place in boxes["category_raw"][:2]] == ["truck", "person"]
    assert boxes["track_id"][1] == -1
    assert boxes["score"][:2] == [0.9, 0.0]
    assert found["objects"] == {"track front-1": "object-of-the-car"}
    assert found["telemetry"]["vehicle_speed_mps"][:1] == [20.0]
    assert len(found["telemetry"]["timestamp_ns"]) == 25
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (5, 4), (0, MOST_NS + 1)])
def test_windows_are_bounded(viewed, start, stop):
    with pytest.raises(ValueError, match="a window of"):
        window(viewed, viewed.clips["front-1"], start, stop)


def test_minutes_of_a_long_clip_are_found_by_its_time(viewed):
    long = replace(viewed.clips["front-1"], shard="long-m0000", duration_ns=150 * SECOND)
    viewed._shards = {f"long-m{minute:04d}": {} for minute in range(3)}
    assert viewed.shards_of(long, 0, SECOND) == ["long-m0000"]
    assert viewed.shards_of(long, 59 * SECOND, 61 * SECOND) == ["long-m0000", "long-m0001"]
    # the last minute holds whatever lies after it
    assert viewed.shards_of(long, 400 * SECOND, 401 * SECOND) == ["long-m0002"]


def test_jumps_tell_what_there_is_and_where(viewed):
    found = {one["kind"]: one for one in jumps(viewed, "drive")}
    assert abs(found["braking"]["at_ns"] - BRAKES_AT_S * SECOND) < 0.3 * SECOND
    assert found["braking"]["text"] == "-5.0 m/s²"
    assert found["failure"]["at_ns"] == LATE_NS
    assert found["failure"]["text"] == "damaged_packets: <b>3 damaged frames</b>"
    assert found["close"]["text"].endswith("car, 56% of the picture's height")
    assert jumps(viewed, "no such") == []


def test_a_car_that_keeps_its_speed_does_not_brake():
    times = np.arange(0, 5 * SECOND, SECOND // 36)
    assert not list(hard_brakings(times, 20.0 - 2.9 * times / 1e9))
    assert len(list(hard_brakings(times, 20.0 - 3.2 * times / 1e9))) == 1


@pytest.mark.parametrize("clip_id", ["old-1", "front-1"])
def test_a_still_is_the_frame_that_is_on_the_screen(viewed, clip_id):
    clip = viewed.clips[clip_id]
    reference = reopen(clip.uri, clip.content_sha256, open_stream)
    at, picture = still(reference, 1_500_000_000, open_stream)
    assert at == 1_480_000_000
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (180, 320, 3)
    assert abs(float(np.median(image)) - (40 + 37)) < 6
    assert still(reference, 0, open_stream)[0] == 0


@pytest.mark.parametrize("clip_id", ["old-1", "front-1"])
@pytest.mark.parametrize(("asked", "shown"), [(0, 0), (799_999_999, 400_000_000), (800_000_000, 800_000_000)])
def test_a_covered_still_is_the_labelled_frame_before(viewed, clip_id, asked, shown):
    clip = viewed.clips[clip_id]
    cover = still_cover(viewed, clip, asked, Blur())
    # a car that the network called a truck, and a person that was set aside
    assert (cover.time_ns, len(cover.boxes.at(shown))) == (shown, 3)
    reference = reopen(clip.uri, clip.content_sha256, open_stream)
    at, picture = covered_still(reference, cover, open_stream)
    assert at == shown
    covered = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    plain = cv2.imdecode(np.frombuffer(still(reference, shown, open_stream)[1], np.uint8), cv2.IMREAD_COLOR)
    # the lower part of the car, which stands from row 50 to row 150
    left = round(20 + shown / 1e8)
    assert len(np.unique(covered[100:150, left : left + 60].reshape(-1, 3), axis=0)) < 600
    if clip_id == "front-1":
        assert len(np.unique(plain[100:150, left : left + 60].reshape(-1, 3), axis=0)) > 900
    assert np.abs(covered[:40].astype(int) - plain[:40]).mean() < 1


def test_blurring_comes_before_scaling(viewed, monkeypatch):
    clip = viewed.clips["front-1"]
    reference = reopen(clip.uri, clip.content_sha256, open_stream)
    cover = still_cover(viewed, clip, 0, Blur())
    seen = []

    def looked_at(_cover, image):
        seen.append(image.shape)
        return np.zeros_like(image)

    monkeypatch.setattr(stills, "_LONG_SIDE_PX", 160)
    monkeypatch.setattr(type(cover), "__call__", looked_at)
    _, picture = covered_still(reference, cover, open_stream)
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert (seen, image.shape, int(image.max())) == ([(180, 320, 3)], (90, 160, 3), 0)


def test_where_no_frame_is_labelled_nothing_is_shown(viewed):
    clip = viewed.clips["old-1"]
    assert still_cover(viewed, clip, 59_000_000_000, Blur()).time_ns == 1_600_000_000
    assert still_cover(viewed, clip, 100_000_000_000, Blur()) is None
    cover = replace(still_cover(viewed, clip, 0, Blur()), time_ns=1)
    assert covered_still(reopen(clip.uri, clip.content_sha256, open_stream), cover, open_stream) is None


def test_a_data_set_that_changes_is_told(made, tmp_path):
    with pytest.raises(NotADatasetError):
        ViewedSet(LocalStore(tmp_path), tmp_path)
    viewed = ViewedSet(LocalStore(made), made)
    viewed._shards["drive"]["detections"] = replace(
        viewed._shards["drive"]["detections"], path="detections/gone.parquet"
    )
    with pytest.raises(ChangedError, match="start clipmill view again"):
        window(viewed, viewed.clips["front-1"], 0, SECOND)


def test_a_damaged_table_is_told_with_its_file(made, tmp_path):
    root = Path(shutil.copytree(made, tmp_path / "out"))
    viewed = ViewedSet(LocalStore(root), root)
    clip = viewed.clips["front-1"]
    path = root / "detections" / "drive.parquet"
    content = path.read_bytes()
    # the pages alone, a file cut short, no Parquet, another table's rows
    middle = content[:100] + bytes(len(content) // 2) + content[100 + len(content) // 2 :]
    others = (root / "frames" / "drive.parquet").read_bytes()
    for damaged in (middle, content[:-100], b"", others):
        path.write_bytes(damaged)
        with pytest.raises(
            DamagedError, match=r"^detections/drive\.parquet: cannot be read \(.*clipmill verify"
        ):
            window(viewed, clip, 0, SECOND)
    (root / "clips" / "drive.parquet").write_bytes(b"no parquet")
    with pytest.raises(DamagedError, match=r"^clips/drive\.parquet"):
        ViewedSet(LocalStore(root), root)


def test_what_strangers_left_out_is_told(made, tmp_path):
    root = Path(shutil.copytree(made, tmp_path / "out"))
    path = root / "clips" / "drive.parquet"
    rows = pq.read_table(path)
    at = rows.column_names.index("uri")
    field = rows.schema.field(at).with_nullable(nullable=True)
    pq.write_table(rows.set_column(at, field, pa.nulls(rows.num_rows, pa.string())), path)
    with pytest.raises(NotADatasetError, match=r"clips: (front|back)-1 has no uri; see clipmill verify"):
        ViewedSet(LocalStore(root), root)
    described = root / "dataset.json"
    described.write_text(json.dumps({**json.loads(described.read_bytes()), "models": {"a": 1}}))
    with pytest.raises(NotADatasetError, match=r"dataset\.json: models is no list of networks"):
        ViewedSet(LocalStore(root), root)
