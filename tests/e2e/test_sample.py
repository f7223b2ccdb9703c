"""The rendered drive, whose truth is known exactly."""

import itertools

import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from running import SAMPLE

TRUTH = SAMPLE / "truth"


@pytest.fixture(scope="module")
def tables(labelled_sample):
    return lambda name: ds.dataset(labelled_sample / name).to_table()


def test_every_clip_is_accounted_for(tables):
    clips = tables("clips").to_pylist()
    failures = {row["uri"].rsplit("/", 1)[1]: row["error"] for row in tables("failures").to_pylist()}
    videos = list(SAMPLE.rglob("*.mp4"))
    assert len(clips) + len(failures) == len(videos)
    assert failures == {"empty.mp4": "empty", "truncated.mp4": "no_moov"}


def test_clips_are_what_was_rendered(tables):
    truth = {row["content_sha256"]: row for row in pq.read_table(TRUTH / "clips.parquet").to_pylist()}
    for clip in tables("clips").to_pylist():
        expected = truth[clip["content_sha256"]]
        assert clip["frame_count"] == expected["frame_count"]
        assert clip["camera"] == expected["camera"] or clip["source"] == "generic"
        assert clip["duration_ns"] == pytest.approx(expected["duration_ns"], abs=100_000_000)
        assert clip["start_utc_ns"] == expected["start_utc_ns"] or clip["source"] == "generic"


def test_telemetry_equals_the_rendered_truth_exactly(tables):
    order = [("clip_id", "ascending"), ("pts", "ascending")]
    truth = pq.read_table(TRUTH / "telemetry.parquet")
    labelled = tables("clips").filter(pc.is_null(pc.field("duplicate_of")))["clip_id"]
    truth = truth.filter(pc.is_in(truth["clip_id"], labelled.combine_chunks())).sort_by(order)
    found = tables("telemetry").sort_by(order)
    assert found.num_rows == truth.num_rows > 0
    for name in truth.column_names:
        assert found[name].to_pylist() == truth[name].to_pylist(), name


def test_the_event_has_its_fields_and_the_camera_it_lacks(tables):
    (event,) = tables("events").to_pylist()
    assert event["kind"] == "SavedClips"
    assert event["reason"] == "user_interaction_dashcam_launcher_action_tapped"
    assert (event["lat"], event["lon"], event["city"]) == (36.0, -119.9999, "Rendered")
    assert event["cameras_present"] == ["back", "front", "left_repeater", "right_repeater"]
    assert event["cameras_missing"] == ["right_repeater"]
    in_event = [clip for clip in tables("clips").to_pylist() if clip["event_id"] == event["event_id"]]
    assert len(in_event) == 7


def test_duplicates_point_to_the_clip_in_the_event_folder_and_have_no_rows_elsewhere(tables):
    clips = {clip["clip_id"]: clip for clip in tables("clips").to_pylist()}
    duplicates = [clip for clip in clips.values() if clip["duplicate_of"]]
    assert len(duplicates) == 4
    for clip in duplicates:
        kept = clips[clip["duplicate_of"]]
        assert "RecentClips" in clip["uri"]
        assert "SavedClips" in kept["uri"]
        assert clip["content_sha256"] == kept["content_sha256"]
        assert clip["drive_id"] is None
    for name in ("frames", "detections", "tracks", "telemetry", "coverage"):
        assert not {clip["clip_id"] for clip in duplicates} & set(tables(name)["clip_id"].to_pylist()), name


def test_the_minutes_are_one_drive_and_the_loose_clips_are_their_own(tables):
    drives = {}
    for clip in tables("clips").to_pylist():
        if not clip["duplicate_of"]:
            drives.setdefault(clip["drive_id"], set()).add(clip["source"])
    assert sorted(sorted(sources) for sources in drives.values()) == [["generic"], ["generic"], ["teslacam"]]


def test_objects_seen_across_the_border_are_one_object(tables):
    """Checked against the truth: the same rendered object before and after the border has one object_id."""
    truth = pq.read_table(TRUTH / "boxes.parquet").to_pylist()
    by_frame = {}
    for row in truth:
        if row["visibility"] > 0.8 and row["truncation"] < 0.1 and row["y_max_px"] - row["y_min_px"] >= 20:
            by_frame.setdefault((row["clip_id"], row["timestamp_ns"]), []).append(row)
    object_of = {row["track_id"]: row["object_id"] for row in tables("objects").to_pylist()}
    clips = {row["clip_id"]: row for row in tables("clips").to_pylist()}
    seen = {}
    for row in tables("detections").to_pylist():
        for box in by_frame.get((row["clip_id"], row["timestamp_ns"]), []):
            if row["track_id"] and iou(row, box) > 0.6:
                clip = clips[row["clip_id"]]
                seen.setdefault((clip["camera"], box["track_id"]), {}).setdefault(clip["uri"], []).append(
                    (row["timestamp_ns"], object_of[row["track_id"]])
                )
    same = []
    for by_clip in seen.values():
        for earlier, later in itertools.pairwise(sorted(by_clip, key=lambda uri: uri.rsplit("/", 1)[1])):
            last, first = max(by_clip[earlier]), min(by_clip[later])
            if last[0] >= 3_600_000_000 and first[0] <= 200_000_000:
                same.append(last[1] == first[1])
    # a track may break at the border as it may anywhere; most do not
    assert sum(same) >= 5
    assert sum(same) / len(same) >= 0.8


def iou(row: dict, box: dict) -> float:
    width = min(row["x_max_px"], box["x_max_px"]) - max(row["x_min_px"], box["x_min_px"])
    height = min(row["y_max_px"], box["y_max_px"]) - max(row["y_min_px"], box["y_min_px"])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [
        (item["x_max_px"] - item["x_min_px"]) * (item["y_max_px"] - item["y_min_px"]) for item in (row, box)
    ]
    return width * height / (sum(areas) - width * height)


def test_a_cameras_missing_samples_show_in_the_sample_index(tables):
    clips = {row["clip_id"]: row["uri"].rsplit("/", 1)[1] for row in tables("clips").to_pylist()}
    samples = {}
    for row in tables("frames").to_pylist():
        samples.setdefault(clips[row["clip_id"]], []).append(row["sample_index"])
    whole = samples["2025-06-14_09-01-00-front.mp4"]
    gappy = samples["2025-06-14_09-01-00-left_repeater.mp4"]
    assert whole == list(range(20))
    assert set(gappy) < set(whole)
    assert max(gappy) == 19


def test_boxes_are_where_the_truth_is(tables):
    """Recall of large, clear boxes at IoU 0.5: gross misplacement (scale, padding, rotation) would ruin it."""
    truth = [
        row
        for row in pq.read_table(TRUTH / "boxes.parquet").to_pylist()
        if row["visibility"] > 0.9 and row["truncation"] == 0 and row["y_max_px"] - row["y_min_px"] >= 24
    ]
    found = {}
    for row in tables("detections").to_pylist():
        if row["score"] >= 0.3:
            found.setdefault((row["clip_id"], row["timestamp_ns"]), []).append(row)
    labelled = {(row["clip_id"], row["timestamp_ns"]) for row in tables("frames").to_pylist()}
    wanted = [row for row in truth if (row["clip_id"], row["timestamp_ns"]) in labelled]
    hit = sum(
        any(iou(row, box) >= 0.5 for row in found.get((box["clip_id"], box["timestamp_ns"]), []))
        for box in wanted
    )
    assert len(wanted) > 100
    assert hit / len(wanted) > 0.8


def test_exit_code_3_where_no_clip_may_fail(clipmill, labelled_sample):
    arguments = ("label", SAMPLE, "-o", labelled_sample, "--model", "demo", "--json")
    strict = clipmill(*arguments, "--max-failed-share", "0")
    assert strict.code == 3
    assert strict.data["shards"]["written"] == 0
    assert clipmill(*arguments, "--max-failed-share", "0.5").code == 0


def test_the_data_set_is_sound(clipmill, labelled_sample):
    assert clipmill("verify", labelled_sample, "--json").data == {"sound": True, "problems": []}


def test_every_table_reads_by_glob(labelled_sample):
    import duckdb

    from transforms.tables.schemas import TABLES

    for name, schema in TABLES.items():
        columns = duckdb.sql(f"SELECT * FROM '{labelled_sample}/{name}/*.parquet'").columns  # noqa: S608 - our own names
        assert columns == schema.names


def test_inspect_and_sql_agree(clipmill, labelled_sample):
    overview = clipmill("inspect", labelled_sample, "--json").data
    answer = clipmill("sql", labelled_sample, "SELECT count(*) FROM detections", "--json").data
    assert answer["rows"] == [[overview["rows"]["detections"]]]
    assert {row["camera"] for row in overview["cameras"]} >= {"front", "back"}
    assert overview["lineage"]["models"][0]["name"] == "demo"


def test_labels_are_drawn(clipmill, labelled_sample, tmp_path):
    done = clipmill(
        *(
            "inspect",
            labelled_sample,
            "--clip",
            "09-01-00-front.mp4",
            "--frames",
            2,
            "--to",
            tmp_path,
            "--json",
        )
    )
    assert done.code == 0, done.errors
    assert len(done.data["pictures"]) == 2
    import cv2

    assert cv2.imread(done.data["pictures"][0]).shape == (360, 640, 3)
