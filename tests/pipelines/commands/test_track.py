import argparse
import hashlib
import json
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from running import Finished, command

from pipelines.cli import main
from pipelines.commands import track
from pipelines.outcome import ExitCode, JobError, UsageError
from transforms.labels.hindsight.settings import HindsightSettings
from transforms.labels.table_columns import NEW
from transforms.labels.table_rows import NEEDED
from transforms.labels.table_tracks import TRACKS

KITTI = (
    Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[4] / "shared"))
    / "gt/kitti_tracking"
)
STEP_NS = 100_000_000


def run(*argv):
    parser = argparse.ArgumentParser()
    track.add_arguments(parser)
    return track.run(parser.parse_args([str(one) for one in argv]))


def detections(clip="drive.mp4", lefts=(0.0, 8.0, 24.0), frames=(0, 1, 3), **more):
    columns = {
        "clip_id": [clip] * len(frames),
        "timestamp_ns": [frame * STEP_NS for frame in frames],
        "category": ["pedestrian"] * len(frames),
        "x_min_px": list(lefts),
        "y_min_px": [0.0] * len(frames),
        "x_max_px": [left + 40 for left in lefts],
        "y_max_px": [80.0] * len(frames),
        "score": [0.9] * len(frames),
    }
    return pa.table(columns | more)


def frames_of(clip="drive.mp4", count=4):
    return pa.table({"clip_id": [clip] * count, "timestamp_ns": [frame * STEP_NS for frame in range(count)]})


def written(folder, rows, frames):
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / "detections.parquet")
    pq.write_table(frames, folder / "frames.parquet")
    return folder


def files(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def given(tmp_path):
    """One object that the third of four frames lacks."""
    return written(tmp_path / "in", detections(), frames_of())


def test_two_files_are_written_and_told_of(given, tmp_path):
    out = tmp_path / "out"
    data = run(given, "-o", out).data
    assert json.loads(json.dumps(data)) == data
    seconds = data.pop("seconds")
    assert 0 <= seconds < 60
    assert data == {
        "input": str(given),
        "output": str(out),
        "online": False,
        "clips": 1,
        "frames": 4,
        "detections": 4,
        "label_sources": {"detected": 3, "interpolated": 1, "propagated": 0, "extrapolated": 0},
        "tracks": 1,
        "score_bias": 0.0,
        "notes": [],
    }
    assert sorted(files(out)) == ["detections/all.parquet", "tracks/all.parquet"]
    found = pq.read_table(out / "detections/all.parquet")
    assert found.column_names == [*NEEDED, *NEW]
    assert found["category"].to_pylist() == ["pedestrian"] * 4
    assert found["label_source"].to_pylist() == ["detected", "detected", "interpolated", "detected"]
    assert pq.read_table(out / "tracks/all.parquet").schema == TRACKS


def test_online_and_without_reach_the_labels(given, tmp_path):
    online = run(given, "-o", tmp_path / "online", "--online").data
    assert (online["online"], online["detections"], online["tracks"]) == (True, 3, 1)
    kept = pq.read_table(tmp_path / "online/detections/all.parquet")
    assert kept.select(list(NEEDED)).equals(detections())
    assert kept.column_names == [*NEEDED, *NEW]
    bare = run(given, "-o", tmp_path / "bare", "--without", "gap_filling", "--without", "extrapolation").data
    assert bare["label_sources"] == {"detected": 3, "interpolated": 0, "propagated": 0, "extrapolated": 0}


def test_online_a_box_has_its_track_when_it_is_seen(tmp_path):
    alone = written(tmp_path / "in", detections(lefts=[0.0], frames=[0]), frames_of(count=1))
    assert run(alone, "-o", tmp_path / "online", "--online").data["tracks"] == 1
    assert run(alone, "-o", tmp_path / "looked_back").data["tracks"] == 0


def test_steps_are_steps_of_hindsight():
    assert set(track.STEPS) < set(HindsightSettings.model_fields)


def test_the_same_bytes_again_and_for_any_order_of_the_rows(given, tmp_path):
    out, mixed = tmp_path / "out", tmp_path / "mixed"
    run(given, "-o", out)
    before = files(out)
    run(given, "-o", out)
    assert files(out) == before
    backwards = written(
        mixed, detections().take(pa.array([2, 0, 1])), frames_of().take(pa.array([3, 1, 0, 2]))
    )
    run(backwards, "-o", tmp_path / "other")
    assert files(tmp_path / "other") == before


def test_a_table_without_rows_is_no_trouble(tmp_path):
    nothing = written(tmp_path / "in", detections().slice(0, 0), frames_of())
    data = run(nothing, "-o", tmp_path / "out").data
    assert (data["detections"], data["tracks"], data["frames"]) == (0, 0, 4)
    found = pq.read_table(tmp_path / "out/detections/all.parquet")
    assert found.column_names == [*NEEDED, *NEW]
    assert pq.read_table(tmp_path / "out/tracks/all.parquet").schema == TRACKS
    untyped = pa.table({name: pa.nulls(0) for name in NEEDED})
    bare = written(tmp_path / "bare", untyped, frames_of().slice(0, 0))
    assert run(bare, "-o", tmp_path / "out").data["clips"] == 0


def test_replaced_columns_are_told(tmp_path):
    more = written(tmp_path / "in", detections(track_id=[-1, -1, -1], camera=["front"] * 3), frames_of())
    data = run(more, "-o", tmp_path / "out").data
    assert data["notes"] == ["the input's column track_id was replaced"]
    found = pq.read_table(tmp_path / "out/detections/all.parquet")
    assert found["camera"].to_pylist() == ["front", "front", None, "front"]
    assert found.schema.field("track_id").type == pa.string()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"score": [0.5, 87.0, 0.5]}, r"row 1 \(from 0\): score must lie between 0 and 1 \(87\)"),
        ({"x_max_px": [40.0, 1.0, 64.0]}, r"row 1 \(from 0\): x_max_px is less than x_min_px"),
        ({"y_min_px": [0.0, None, 0.0]}, r"row 1 \(from 0\): y_min_px is missing"),
        ({"timestamp_ns": [0, 1, 2]}, r"clip 'drive.mp4' has no frame at 1 ns .*2 rows lie at such times"),
        ({"timestamp_ns": [0.5, 1.0, 2.0]}, r"column timestamp_ns is double"),
    ],
)
def test_bad_rows_are_bad_usage_and_nothing_is_written(tmp_path, columns, message):
    bad = written(tmp_path / "in", detections(**columns), frames_of())
    with pytest.raises(UsageError, match=message):
        run(bad, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_and_broken_files_are_bad_usage(given, tmp_path):
    out = ("-o", tmp_path / "out")
    with pytest.raises(UsageError, match=r"nowhere: no such file or folder"):
        run(tmp_path / "nowhere", *out)
    with pytest.raises(UsageError, match=r"a folder with detections.parquet and frames.parquet, or MOT text"):
        run(given / "detections.parquet", *out)
    with pytest.raises(UsageError, match=r"holds neither detections.parquet and frames.parquet nor MOT text"):
        run(tmp_path, *out)
    with pytest.raises(UsageError, match="--fps 10: is for MOT text"):
        run(given, *out, "--fps", 10)
    with pytest.raises(UsageError, match="--fps 0: must be above 0"):
        run(given, *out, "--fps", 0)
    with pytest.raises(UsageError, match="a local folder is expected"):
        run(given, "-o", "gs://bucket/out")
    (given / "frames.parquet").write_bytes(b"PAR1 no parquet")
    with pytest.raises(UsageError, match=r"frames.parquet: cannot be read"):
        run(given, *out)
    (given / "frames.parquet").unlink()
    with pytest.raises(UsageError, match=r"frames.parquet: no such file; it holds every frame"):
        run(given, *out)
    written(given, detections().drop_columns(["score"]), frames_of())
    with pytest.raises(UsageError, match=r"in: detections: no column score"):
        run(given, *out)


def test_a_folder_with_other_things_is_left_alone(given, tmp_path):
    out = tmp_path / "out"
    run(given, "-o", out)
    before = files(out)
    for name in ("notes.txt", "detections/other.parquet", "dataset.json"):
        (out / name).write_text("mine")
        with pytest.raises(JobError, match=rf"holds {name}, which is no output of track"):
            run(given, "-o", out)
        (out / name).unlink()
    assert files(out) == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(JobError, match="is no folder"):
        run(given, "-o", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_what_a_killed_run_left_behind_is_removed(given, tmp_path):
    out = tmp_path / "out"
    stray = out / "detections" / f".all.parquet.{'0' * 32}.tmp"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"half")
    run(given, "-o", out)
    assert sorted(files(out)) == ["detections/all.parquet", "tracks/all.parquet"]


def test_the_output_may_lie_in_the_input(given):
    assert run(given, "-o", given / "out").data["detections"] == 4
    assert run(given, "-o", given / "out").data["detections"] == 4


def test_mot_text_will_do(tmp_path):
    lines = "".join(f"{frame + 1},-1,{8 * frame},0,40,80,0.9\n" for frame in (0, 1, 3))
    (tmp_path / "one.txt").write_text(lines)
    single = run(tmp_path / "one.txt", "-o", tmp_path / "single", "--fps", 10).data
    assert (single["clips"], single["frames"], single["detections"]) == (1, 4, 4)
    found = pq.read_table(tmp_path / "single/detections/all.parquet")
    assert found["timestamp_ns"].to_pylist() == [frame * STEP_NS for frame in range(4)]
    many = tmp_path / "many"
    (many / "two/det").mkdir(parents=True)
    (many / "two/det/det.txt").write_text(lines)
    (many / "two/seqinfo.ini").write_text("[Sequence]\nframeRate=20\nseqLength=9\n")
    (many / "one.txt").write_text(lines)
    data = run(many, "-o", tmp_path / "out", "--fps", 10).data
    assert (data["clips"], data["frames"], data["tracks"]) == (2, 13, 2)
    with pytest.raises(UsageError, match=r"one.txt: .*say with --fps"):
        run(many, "-o", tmp_path / "out")
    (many / "one.txt").write_text("1,-1,0,0,40,80,2.5\n")
    with pytest.raises(UsageError, match=r"one.txt: line 1: the score is 2.5"):
        run(many, "-o", tmp_path / "out", "--fps", 10)


def test_the_output_can_be_evaluated(given, tmp_path):
    run(given, "-o", tmp_path / "out")
    true = detections(lefts=(0.0, 8.0, 16.0, 24.0), frames=(0, 1, 2, 3), track_id=["1"] * 4).drop_columns(
        ["score"]
    )
    pq.write_table(true, tmp_path / "truth.parquet")
    done = Finished(
        subprocess.run(
            command(
                "evaluate", tmp_path / "out", "--truth", tmp_path / "truth.parquet", "--json", "--score", "0"
            ),
            capture_output=True,
            text=True,
            check=False,
        )
    )
    assert done.code == 0
    figures = done.data["categories"]["pedestrian"]
    assert figures["ap50"] == 1.0
    assert figures["raw"]["recall50"] == 0.75
    assert figures["tracking"]["best"]["idf1"] == 1.0
    assert figures["hindsight"]["added"]["interpolated"]["right"] == 1


def test_as_a_command(given, tmp_path, capsys):
    assert main(["track", str(given), "-o", str(tmp_path / "out")]) == ExitCode.GOOD
    shown = capsys.readouterr()
    assert "1 clips, 4 frames: 1 tracks\n4 rows (3 detected, 1 interpolated)" in shown.out
    assert not shown.err
    assert main(["track", str(given), "-o", str(tmp_path / "out"), "--json"]) == ExitCode.GOOD
    shown = capsys.readouterr()
    assert json.loads(shown.out)["tracks"] == 1
    assert not shown.err
    assert main(["track", str(given)]) == ExitCode.BAD_USAGE
    assert main(["track", str(given), "-o", "x", "--online", "--without", "smoothing"]) == ExitCode.BAD_USAGE
    assert main(["track", str(given), "-o", "x", "--without", "ego_motion"]) == ExitCode.BAD_USAGE
    assert "invalid choice: 'ego_motion'" in capsys.readouterr().err
    assert main(["track", str(given), "-o", str(given), "--json"]) == ExitCode.JOB_FAILED
    assert "holds detections.parquet" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.slow
@pytest.mark.skipif(
    not KITTI.exists(), reason="needs gt/kitti_tracking of the shared folder beside the checkout"
)
def test_on_kitti_hindsight_is_better_in_every_figure(tmp_path):
    figures = {}
    for name, options in (("hindsight", ()), ("online", ("--online",))):
        out = tmp_path / name
        subprocess.run(
            command("track", KITTI, "-o", out, "--json", *options), check=True, capture_output=True
        )
        judged = command("evaluate", out, "--truth", KITTI, "--frames", KITTI / "frames.parquet", "--json")
        done = Finished(subprocess.run(judged, capture_output=True, text=True, check=True))
        for category in ("car", "pedestrian", "cyclist"):
            own = done.data["categories"][category]
            best = own["tracking"]["best"]
            figures[name, category] = (own["ap50"], best["hota"], best["idf1"], best["score"])
            if name == "online":
                assert own["ap50"] == own["raw"]["ap50"]
    assert all(
        now >= least for now, least in zip(figures["hindsight", "car"], (0.905, 0.765, 0.895), strict=False)
    )
    for category in ("car", "pedestrian", "cyclist"):
        hindsight, online = figures["hindsight", category], figures["online", category]
        assert all(now > then for now, then in zip(hindsight[:3], online[:3], strict=True))
        assert 0.3 <= hindsight[3] <= 0.8
