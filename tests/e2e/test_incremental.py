"""What a run would do and why, versions that take over what is the same, and late minutes."""

import shutil

import pyarrow.dataset as ds
import pytest
from running import SAMPLE, digests

FAST = ("--model", "demo", "--fps", "1", "--max-failed-share", "1", "--json")
RECENT = SAMPLE / "TeslaCam" / "RecentClips"
MINUTES = sorted({path.name[:19] for path in RECENT.glob("*.mp4")})


@pytest.fixture
def forecast(clipmill, tmp_path):
    def run(*more):
        done = clipmill("label", tmp_path / "in", "-o", tmp_path / "out", *FAST, *more, "--dry-run")
        assert done.code == 0, done.errors
        return done.data

    (tmp_path / "in").mkdir()
    return run


def fates(data) -> tuple[int, int, int]:
    return tuple(data["shards"][fate] for fate in ("label", "take_over", "keep"))


def test_a_dry_run_says_what_and_why_and_writes_nothing(clipmill, forecast, tmp_path):
    clips = sorted(RECENT.glob("*-front.mp4"))
    for number, clip in enumerate(clips[:2]):
        shutil.copy(clip, tmp_path / "in" / f"{number}.mp4")
    first = forecast()
    assert not (tmp_path / "out").exists()
    assert (fates(first), first["reasons"], first["estimated_seconds"]) == ((2, 0, 0), {"new": 2}, None)
    assert first["clips"] == {"found": 2, "failed": 0, "duplicate": 0, "to_label": 2}
    label = clipmill("label", tmp_path / "in", "-o", tmp_path / "out", *FAST)
    assert label.code == 0
    camera_hours = sum(ds.dataset(tmp_path / "out" / "clips").to_table()["duration_ns"].to_pylist()) / 3.6e12
    assert first["camera_hours"] == pytest.approx(camera_hours)
    before = digests(tmp_path / "out")

    done = forecast()
    assert (fates(done), done["reasons"], done["estimated_seconds"]) == ((0, 0, 2), {}, 0)
    assert forecast("--online")["reasons"] == {"options": 2}
    assert forecast("--size", "320")["reasons"] == {"models": 2}

    (tmp_path / "in" / "1.mp4").unlink()
    shutil.copy(SAMPLE / "generic" / "empty.mp4", tmp_path / "in" / "2.mp4")
    for path in (tmp_path / "out" / "detections").glob("0-*.parquet"):
        path.unlink()
    third = forecast()
    assert (fates(third), third["reasons"]) == ((1, 0, 0), {"damaged": 1})
    assert third["left_over_shards"] == 1
    assert [failure["error"] for failure in third["failures"]] == ["empty"]
    assert set(digests(tmp_path / "out")) < set(before)


def test_a_minute_that_comes_late_labels_itself_and_the_one_after(clipmill, forecast, tmp_path):
    event = next((SAMPLE / "TeslaCam" / "SavedClips").iterdir())
    folder = tmp_path / "in" / "TeslaCam" / "RecentClips"
    folder.mkdir(parents=True)
    clips = sorted([*RECENT.glob("*.mp4"), *event.glob("2*.mp4")])
    minutes = sorted({clip.name[:19] for clip in clips})
    late = minutes[-2]
    for clip in clips:
        if not clip.name.startswith(late):
            shutil.copy(clip, folder)
    clipmill("label", tmp_path / "in", "-o", tmp_path / "out", *FAST)
    for clip in clips:
        if clip.name.startswith(late):
            shutil.copy(clip, folder)
    told = forecast()
    assert told["reasons"] == {"new": 1, "clips": 1}
    assert fates(told) == (2, 0, len(minutes) - 2)
    assert {item["shard"].rsplit("-", 1)[0].split("-", 1)[1] for item in told["work"]} == set(minutes[-2:])
    assert clipmill("label", tmp_path / "in", "-o", tmp_path / "out", *FAST).data["shards"]["written"] == 2
    clipmill("label", tmp_path / "in", "-o", tmp_path / "fresh", *FAST)
    assert digests(tmp_path / "out") == digests(tmp_path / "fresh")


def test_a_new_version_takes_over_what_is_the_same_and_leaves_the_base_alone(clipmill, tmp_path):
    clips = sorted(RECENT.glob("*-front.mp4"))
    inputs = tmp_path / "in"
    inputs.mkdir()
    shutil.copy(clips[0], inputs / "0.mp4")
    clipmill("label", inputs, "-o", tmp_path / "v1", *FAST)
    before = digests(tmp_path / "v1")
    shutil.copy(clips[1], inputs / "1.mp4")
    told = clipmill("label", inputs, "-o", tmp_path / "v2", "--base", tmp_path / "v1", *FAST, "--dry-run")
    assert fates(told.data) == (1, 1, 0)
    done = clipmill("label", inputs, "-o", tmp_path / "v2", "--base", tmp_path / "v1", *FAST)
    assert (done.data["taken_over"], done.data["shards"]["written"]) == (1, 1)
    fresh = clipmill("label", inputs, "-o", tmp_path / "fresh", *FAST)
    assert fresh.code == 0
    assert digests(tmp_path / "v2") == digests(tmp_path / "fresh")
    assert digests(tmp_path / "v1") == before
    (shard,) = (tmp_path / "v1" / "frames").glob("*.parquet")
    assert shard.samefile(tmp_path / "v2" / "frames" / shard.name)
    # what a version shares it never writes into
    clipmill("label", inputs, "-o", tmp_path / "v2", *FAST, "--size", "320")
    assert digests(tmp_path / "v1") == before


@pytest.mark.parametrize("base", ["nowhere", "empty", "out"])
def test_a_base_that_is_none_is_exit_2(clipmill, tmp_path, base):
    (tmp_path / "empty").mkdir()
    done = clipmill(
        "label", SAMPLE / "generic", "-o", tmp_path / "out", "--base", tmp_path / base, "--model", "demo"
    )
    assert done.code == 2
    assert f"--base {tmp_path / base}" in done.errors
    assert not (tmp_path / "out").exists()


def test_a_run_that_was_killed_is_told_with_how_far_it_was(clipmill, tmp_path):
    import json

    import pyarrow.parquet as pq

    output = tmp_path / "out"
    clipmill("label", RECENT, "-o", output, *FAST)
    from transforms.tables.beginning import Planned, begin
    from transforms.tables.store import LocalStore

    names = sorted(path.stem for path in (output / "frames").glob("*.parquet"))
    begin(
        LocalStore(output),
        Planned(dict.fromkeys(names, "other"), set(), [], []),
        "20260101T000000Z-1",
        ["demo"],
    )
    checked = clipmill("verify", output, "--json")
    assert checked.code == 1
    count = len(names)
    assert checked.data["unfinished"] == {
        "run_id": "20260101T000000Z-1",
        "models": ["demo"],
        "planned": count,
        "labelled": 0,
    }
    assert checked.data["problems"] == [
        (
            f"unfinished: of {count} shards that run 20260101T000000Z-1 labels with demo, 0 are done; "
            "run the same command again"
        )
    ]
    states = pq.read_table(output / "manifest.parquet")["state"].to_pylist()
    assert states.count("pending") == count
    assert json.loads((output / "dataset.json").read_text())["schema_version"] == 3
    clipmill("label", RECENT, "-o", output, *FAST)
    assert clipmill("verify", output).code == 0
