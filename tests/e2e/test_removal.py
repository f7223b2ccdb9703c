"""Clips taken out of a data set: nothing of them is left in any byte, and the rest is sound."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from running import SAMPLE, digests

from transforms.removal import removing
from transforms.tables.store import LocalStore

FAST = ("--model", "demo", "--fps", "2", "--max-failed-share", "1", "--json")
EVENT = "car7/TeslaCam/SavedClips/2025-06-14_09-01-02"
FRONT = f"{EVENT}/2025-06-14_09-00-56-front.mp4"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory) -> Path:
    """Two cars and a folder of loose clips; one car's minute lies in both of its folders."""
    root = tmp_path_factory.mktemp("where") / "fleet"
    cam = SAMPLE / "TeslaCam"
    shutil.copytree(cam / "SavedClips", root / "car7/TeslaCam/SavedClips")
    for folder, pattern in (("car7", "*_09-01-00-*"), ("car8", "*_09-01-04-*")):
        target = root / folder / "TeslaCam/RecentClips"
        target.mkdir(parents=True)
        for clip in (cam / "RecentClips").glob(pattern):
            shutil.copy(clip, target)
    shutil.copytree(SAMPLE / "generic", root / "loose")
    return root


@pytest.fixture(scope="module")
def labelled(clipmill, fleet, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("labelled") / "out"
    done = clipmill("label", fleet, "-o", output, *FAST)
    assert done.code == 0, done.errors
    return output


@pytest.fixture
def dataset(labelled, tmp_path) -> Path:
    shutil.copytree(labelled, tmp_path / "out")
    return tmp_path / "out"


def rows(dataset: Path, table: str) -> list[dict]:
    return ds.dataset(dataset / table).to_table().to_pylist()


def every_file(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def traces(dataset: Path, clip_ids: set[str]) -> set[str]:
    """Every id, place and name of clips."""
    found = set()
    for row in rows(dataset, "clips"):
        if row["clip_id"] in clip_ids or row["duplicate_of"] in clip_ids:
            found |= {row["clip_id"], row["uri"], row["content_sha256"]}
    for table, key in (("frames", "frame_id"), ("detections", "detection_id"), ("tracks", "track_id")):
        found |= {row[key] for row in rows(dataset, table) if row["clip_id"] in clip_ids}
    return found


def everything(dataset: Path) -> str:
    """The bytes of every file, and all that its Parquet files hold."""
    parts = []
    for path in sorted(path for path in dataset.rglob("*") if path.is_file()):
        parts += [str(path.relative_to(dataset)), path.read_bytes().decode("latin-1")]
        if path.suffix == ".json":
            parts.append(json.dumps(json.loads(path.read_text()), ensure_ascii=False))
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            parts += [str(table.schema.metadata), str(pq.read_metadata(path).metadata)]
            parts += [str(row) for row in table.to_pylist()]
    return "\n".join(parts)


def assert_forgotten(command_here, dataset: Path, gone: set[str]) -> None:
    text = everything(dataset)
    assert not sorted(trace for trace in gone if trace in text)
    assert command_here("verify", dataset, "--json").data == {"sound": True, "problems": []}
    assert not list(dataset.glob(".removal*"))


def clip_of(dataset: Path, ending: str) -> dict:
    (row,) = [
        row for row in rows(dataset, "clips") if row["uri"].endswith(ending) and not row["duplicate_of"]
    ]
    return row


def test_a_clip_of_one_camera_leaves_its_minute_and_the_next(command_here, dataset):
    clip = clip_of(dataset, FRONT)
    pictures = dataset / "pictures"
    drawn = command_here("inspect", dataset, "--clip", clip["clip_id"], "--frames", 2, "--to", pictures)
    assert drawn.code == 0, drawn.errors
    gone = traces(dataset, {clip["clip_id"]}) | {"2025-06-14_09-00-56-front"}
    before = {
        table: rows(dataset, table) for table in ("frames", "detections", "tracks", "telemetry", "objects")
    }
    linked = {row["previous_detection_id"] for row in before["tracks"]} & gone
    assert linked, "the next minute must know detections of the clip, or this proves nothing"

    done = command_here("forget", dataset, "--clip", Path(FRONT).name, "--json")
    assert done.code == 0, done.errors
    assert_forgotten(command_here, dataset, gone)
    for table in ("frames", "detections", "telemetry"):
        kept = [row for row in before[table] if row["clip_id"] != clip["clip_id"]]
        assert sorted(map(str, rows(dataset, table))) == sorted(map(str, kept)), table
    assert {row["camera"] for row in rows(dataset, "clips") if "09-00-56" in row["uri"]} == {
        "back",
        "left_repeater",
    }
    (event,) = rows(dataset, "events")
    assert "front" in event["cameras_present"]
    assert "front" in event["cameras_missing"]
    assert done.data["shards"] == {"removed": 0, "rewritten": 2}
    assert done.data["rows"]["detections"] == sum(
        row["clip_id"] == clip["clip_id"] for row in before["detections"]
    )
    assert done.data["pictures"] == 2
    assert [(item["uri"], item["file_is_there"]) for item in done.data["clips"]] == [(clip["uri"], True)]
    assert Path(clip["uri"]).is_file()


def test_objects_are_joined_anew(clipmill, command_here, dataset, fleet, tmp_path):
    """What stays is what labelling the rest gives."""
    clip = clip_of(dataset, FRONT)
    assert command_here("forget", dataset, "--clip", clip["uri"]).code == 0
    rest = tmp_path / "rest" / "fleet"
    shutil.copytree(fleet, rest)
    (rest / FRONT).unlink()
    assert clipmill("label", rest, "-o", tmp_path / "fresh", *FAST).code == 0
    cameras = ("back", "left_repeater", "right_repeater")

    def objects(where: Path) -> set[tuple[str, str]]:
        clips = {row["clip_id"] for row in rows(where, "clips") if row["camera"] in cameras}
        tracks = {row["track_id"] for row in rows(where, "tracks") if row["clip_id"] in clips}
        return {
            (row["track_id"], row["object_id"]) for row in rows(where, "objects") if row["track_id"] in tracks
        }

    assert objects(dataset) == objects(tmp_path / "fresh")


def test_a_clip_takes_its_copies_along(command_here, dataset):
    clip = clip_of(dataset, "2025-06-14_09-01-00-back.mp4")
    gone = traces(dataset, {clip["clip_id"]}) | {"2025-06-14_09-01-00-back.mp4"}
    copy = next(row["uri"] for row in rows(dataset, "clips") if row["duplicate_of"] == clip["clip_id"])
    done = command_here("forget", dataset, "--clip", copy, "--json")
    assert done.code == 0, done.errors
    assert_forgotten(command_here, dataset, gone)
    assert len(done.data["clips"]) == 2


def test_a_loose_clip_and_a_file_that_failed_are_forgotten(command_here, dataset):
    clip = clip_of(dataset, "variable_rate.mp4")
    gone = traces(dataset, {clip["clip_id"]}) | {
        "variable_rate",
        "truncated.mp4",
        clip["content_sha256"][:10],
    }
    done = command_here("forget", dataset, "--clip", "variable_rate.mp4", "--clip", "truncated.mp4", "--json")
    assert done.code == 0, done.errors
    assert_forgotten(command_here, dataset, gone)
    assert [Path(row["uri"]).name for row in rows(dataset, "failures")] == ["empty.mp4"]
    assert done.data["shards"] == {"removed": 1, "rewritten": 0}


def test_a_car_is_forgotten(clipmill, command_here, dataset, fleet):
    ids = {row["clip_id"] for row in rows(dataset, "clips") if "/car7/" in row["uri"]}
    event = rows(dataset, "events")[0]["event_id"]
    gone = traces(dataset, ids) | {"/car7/", "/car7", "car7-", "2025-06-14_09-00-56", event}
    done = command_here("forget", dataset, "--vehicle", "car7", "--json")
    assert done.code == 0, done.errors
    assert_forgotten(command_here, dataset, gone)
    assert rows(dataset, "events") == []
    assert any("/car8/" in row["uri"] for row in rows(dataset, "clips"))
    again = clipmill("label", fleet / "car8", fleet / "loose", "-o", dataset, *FAST)
    assert again.code == 0, again.errors
    assert again.data["left_over_shards"] == 0


def test_a_car_that_an_input_was_called_after_is_forgotten(clipmill, command_here, fleet, tmp_path):
    done = clipmill("label", fleet / "car7", fleet / "car8", "-o", tmp_path / "out", *FAST)
    assert done.code == 0, done.errors
    assert command_here("forget", tmp_path / "out", "--vehicle", "car7").code == 0
    assert_forgotten(command_here, tmp_path / "out", {"/car7", "car7-"})
    (record,) = (tmp_path / "out" / "runs").glob("*/run.json")
    assert json.loads(record.read_text())["job"]["inputs"] == [str(fleet / "car8")]


def test_a_drive_is_forgotten(command_here, dataset):
    drive = clip_of(dataset, FRONT)["drive_id"]
    ids = {row["clip_id"] for row in rows(dataset, "clips") if row["drive_id"] == drive}
    gone = traces(dataset, ids) | {drive}
    assert command_here("forget", dataset, "--drive", drive).code == 0
    assert_forgotten(command_here, dataset, gone)


def test_everything_can_be_forgotten(command_here, dataset):
    done = command_here("forget", dataset, "--vehicle", "fleet", "--json")
    assert done.code == 0, done.errors
    assert_forgotten(command_here, dataset, {"/fleet"})
    assert rows(dataset, "frames") == []


def test_a_dry_run_changes_nothing_and_tells_the_same(command_here, dataset):
    before = every_file(dataset)
    told = command_here("forget", dataset, "--vehicle", "car7", "--dry-run", "--json").data
    assert every_file(dataset) == before
    done = command_here("forget", dataset, "--vehicle", "car7", "--json").data
    assert told == {**done, "dry_run": True}


def test_what_is_not_there_or_not_plain_is_bad_usage(command_here, dataset, tmp_path):
    for how, message in (
        (("--clip", "nowhere.mp4"), "no clip nowhere.mp4"),
        (("--vehicle", "car"), "no clip has a folder called car"),
        (("--drive", "x"), "no drive x"),
        ((), "name what is to go"),
        (("--vehicle", "/"), "an empty name"),
    ):
        done = command_here("forget", dataset, *how)
        assert done.code == 2
        assert message in done.errors
    assert command_here("forget", tmp_path / "nothing", "--clip", "a").code == 2
    assert not (tmp_path / "nothing").exists()


def test_a_name_that_two_clips_have_is_told(clipmill, command_here, fleet, tmp_path):
    for car, source in (("a", "front"), ("b", "back")):
        (tmp_path / "in" / car).mkdir(parents=True)
        shutil.copy(fleet / EVENT / f"2025-06-14_09-01-00-{source}.mp4", tmp_path / "in" / car / "clip.mp4")
    assert clipmill("label", tmp_path / "in", "-o", tmp_path / "out", *FAST).code == 0
    done = command_here("forget", tmp_path / "out", "--clip", "clip.mp4")
    assert done.code == 2
    assert "several clips are called so" in done.errors
    assert command_here("forget", tmp_path / "out", "--clip", tmp_path / "in/a/clip.mp4").code == 0
    assert [row["uri"] for row in rows(tmp_path / "out", "clips")] == [str(tmp_path / "in/b/clip.mp4")]


def test_forgotten_clips_that_are_still_there_are_labelled_again(
    clipmill, command_here, dataset, fleet, labelled
):
    assert command_here("forget", dataset, "--clip", fleet / FRONT).code == 0
    again = clipmill("label", fleet, "-o", dataset, *FAST)
    assert again.data["shards"]["written"] == 2
    assert digests(dataset) == digests(labelled)


class KilledError(BaseException):
    """Stands for a kill: nothing that clipmill does may catch it."""


def test_cut_short_anywhere_the_same_command_ends_the_same(command_here, labelled, tmp_path, monkeypatch):
    forget = ("--clip", Path(FRONT).name)
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(labelled, undisturbed)
    gone = traces(undisturbed, {clip_of(undisturbed, FRONT)["clip_id"]})
    left = 10**9

    def counted(original):
        def change(*arguments):
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            return original(*arguments)

        return change

    with monkeypatch.context() as patched:
        for name in ("write", "delete"):
            patched.setattr(LocalStore, name, counted(getattr(LocalStore, name)))
        assert command_here("forget", undisturbed, *forget).code == 0
        changes = 10**9 - left
        assert changes > 30
        for moment in range(0, changes, 5):
            dataset = tmp_path / f"out{moment}"
            shutil.copytree(labelled, dataset)
            left = moment
            with pytest.raises(KilledError):
                command_here("forget", dataset, *forget)
            left = 10**9
            is_told = (dataset / ".removal").exists()
            assert not is_told or command_here("verify", dataset).code == 1, moment
            done = command_here("forget", dataset, *forget, "--json")
            assert done.code == 0, (moment, done.errors)
            assert digests(dataset) == digests(undisturbed), moment
            assert_forgotten(command_here, dataset, gone)


def test_killed_the_same_command_finishes(command_here, dataset):
    gone = traces(dataset, {row["clip_id"] for row in rows(dataset, "clips") if "/car7/" in row["uri"]})
    code = """
import os, signal, sys
from transforms.removal import removing
removing.clean_records = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
from pipelines.cli import main
main(sys.argv[1:])
"""
    forget = ["forget", str(dataset), "--vehicle", "car7"]
    killed = subprocess.run([sys.executable, "-P", "-c", code, *forget], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    done = command_here(*forget)
    assert done.code == 0, done.errors
    assert "that was cut short is finished" in done.output
    assert_forgotten(command_here, dataset, gone | {"/car7", "car7-"})


def test_a_run_after_a_removal_that_was_killed_is_not_undone(
    clipmill, command_here, fleet, dataset, monkeypatch
):
    """What was written aside is put back where nothing else has taken its place, and only there."""
    clip = clip_of(dataset, FRONT)
    gone = traces(dataset, {clip["clip_id"]})
    others = [row for row in rows(dataset, "frames") if row["clip_id"] != clip["clip_id"]]
    with monkeypatch.context() as patched:

        def killed(_store, _aside, shard):
            (dataset / "frames" / f"{shard}.parquet").unlink()
            raise KilledError

        patched.setattr(removing, "put_in_place", killed)
        with pytest.raises(KilledError):
            command_here("forget", dataset, "--clip", clip["uri"])
    done = clipmill("label", fleet / "car8", "-o", dataset, *FAST)
    assert done.code == 0, done.errors
    assert command_here("forget", dataset, "--clip", clip["uri"]).code == 0
    assert_forgotten(command_here, dataset, gone)
    assert sorted(row["frame_id"] for row in rows(dataset, "frames")) == sorted(
        row["frame_id"] for row in others
    )


def test_another_writer_is_waited_for_by_nobody(command_here, dataset):
    from pipelines.locks import output_lock

    with output_lock(str(dataset)):
        told = command_here("forget", dataset, "--vehicle", "car7", "--dry-run")
        done = command_here("forget", dataset, "--vehicle", "car7")
    assert told.code == 0
    assert done.code == 1
    assert "another run is writing" in done.errors


@pytest.fixture
def small_fleet(fleet, tmp_path) -> Path:
    for name in ("car8", "loose"):
        shutil.copytree(fleet / name, tmp_path / "fleet" / name)
    return tmp_path / "fleet"


def test_prune_removes_what_is_left_over(clipmill, command_here, small_fleet, tmp_path):
    output = tmp_path / "out"
    assert clipmill("label", small_fleet, "-o", output, *FAST).code == 0
    assert command_here("prune", output, "--json").data["clips"] == []
    gone = traces(output, {row["clip_id"] for row in rows(output, "clips") if "/car8/" in row["uri"]})
    shutil.rmtree(small_fleet / "car8")
    (small_fleet / "loose" / "variable_rate.mp4").write_bytes(b"")
    again = clipmill("label", small_fleet, "-o", output, *FAST).data
    assert again["left_over_shards"] == 2
    told = command_here("prune", output, "--dry-run", "--json").data
    done = command_here("prune", output, "--json").data
    assert told == {**done, "dry_run": True}
    # a clip that can for once not be read is still among the inputs
    assert done["shards"] == {"removed": 1, "rewritten": 0}
    assert_forgotten(command_here, output, gone)
    assert clip_of(output, "variable_rate.mp4")


def test_prune_without_the_last_runs_memory_looks_at_the_inputs(
    clipmill, command_here, small_fleet, tmp_path
):
    output = tmp_path / "out"
    assert clipmill("label", small_fleet, "-o", output, *FAST).code == 0
    (output / "runs" / "probed.json").unlink()
    shutil.rmtree(small_fleet / "car8")
    done = command_here("prune", output, "--json").data
    assert done["shards"] == {"removed": 1, "rewritten": 0}
    shutil.move(small_fleet, tmp_path / "unplugged")
    refused = command_here("prune", output)
    assert refused.code == 1
    assert "no clip there now" in refused.errors
    shutil.rmtree(output / "runs")
    assert "no run has left its record" in command_here("prune", output).errors
