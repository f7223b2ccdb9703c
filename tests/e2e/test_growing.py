"""A data set that grows and changes over many runs: always sound, nothing twice, nothing lost."""

import shutil

import pyarrow.dataset as ds
import pytest
from running import SAMPLE, digests

FAST = ("--model", "demo", "--fps", "1", "--max-failed-share", "1", "--json")
CLIPS = sorted((SAMPLE / "TeslaCam" / "RecentClips").glob("*-front.mp4"))


@pytest.fixture
def label(clipmill, tmp_path):
    """Labels `tmp_path/in` and checks that the data set is sound."""

    def run(*inputs, more=()):
        done = clipmill("label", *(inputs or [tmp_path / "in"]), "-o", tmp_path / "out", *FAST, *more)
        assert done.code == 0, done.errors
        checked = clipmill("verify", tmp_path / "out", "--json")
        assert checked.data == {"sound": True, "problems": []}
        return done.data

    (tmp_path / "in").mkdir()
    return run


def clips(tmp_path) -> list[str]:
    rows = ds.dataset(tmp_path / "out" / "clips").to_table().to_pylist()
    return sorted(row["uri"].rsplit("/", 1)[1] for row in rows if row["duplicate_of"] is None)


def frames(tmp_path) -> int:
    return ds.dataset(tmp_path / "out" / "frames").count_rows()


def test_a_copy_that_comes_later_under_a_smaller_name_doubles_nothing(label, tmp_path):
    shutil.copy(CLIPS[0], tmp_path / "in" / "b.mp4")
    label()
    before = frames(tmp_path)
    shutil.copy(CLIPS[0], tmp_path / "in" / "a.mp4")
    data = label()
    assert data["clips"]["duplicate"] == 1
    assert data["left_over_shards"] == 0
    assert frames(tmp_path) == before
    assert clips(tmp_path) == ["a.mp4"]


def test_a_renamed_clip_stands_once_under_its_new_name(label, tmp_path):
    shutil.copy(CLIPS[0], tmp_path / "in" / "old.mp4")
    label()
    (tmp_path / "in" / "old.mp4").rename(tmp_path / "in" / "new.mp4")
    label()
    assert clips(tmp_path) == ["new.mp4"]


def test_a_clip_replaced_under_its_name_replaces_its_labels(label, tmp_path):
    shutil.copy(CLIPS[0], tmp_path / "in" / "a.mp4")
    label()
    shutil.copy(CLIPS[1], tmp_path / "in" / "a.mp4")
    data = label()
    assert data["left_over_shards"] == 0
    assert len(list((tmp_path / "out" / "frames").glob("*.parquet"))) == 1


def test_a_clip_that_cannot_be_read_for_once_keeps_its_labels(label, tmp_path):
    for number, clip in enumerate(CLIPS[:2]):
        shutil.copy(clip, tmp_path / "in" / f"{number}.mp4")
    label()
    (tmp_path / "in" / "0.mp4").write_bytes(b"")
    data = label()
    assert data["clips"]["failed"] == 1
    assert data["left_over_shards"] == 1
    assert clips(tmp_path) == ["0.mp4", "1.mp4"]


def test_a_renamed_car_folder_moves_its_drive(label, tmp_path):
    shutil.copytree(SAMPLE / "TeslaCam", tmp_path / "stick" / "TeslaCam")
    label(tmp_path / "stick")
    before = frames(tmp_path)
    (tmp_path / "stick").rename(tmp_path / "stick2")
    data = label(tmp_path / "stick2")
    assert data["left_over_shards"] == 0
    assert frames(tmp_path) == before


def test_another_folder_adds_to_the_data_set_and_events_stay(label, tmp_path):
    label(SAMPLE / "TeslaCam" / "SavedClips")
    before = frames(tmp_path)
    shutil.copy(SAMPLE / "generic" / "variable_rate.mp4", tmp_path / "in")
    data = label()
    assert data["left_over_shards"] == 2
    assert data["clips"]["found"] == 1
    assert data["frames"] == frames(tmp_path) - before
    assert ds.dataset(tmp_path / "out" / "events").count_rows() == 1


def test_what_was_told_of_another_folder_stays(clipmill, label, tmp_path):
    days = [tmp_path / "in" / "1", tmp_path / "in" / "2"]
    for day in days:
        day.mkdir()
    event = next((SAMPLE / "TeslaCam" / "SavedClips").iterdir())
    folder = days[0] / "TeslaCam" / "SavedClips" / event.name
    folder.mkdir(parents=True)
    shutil.copy(event / "event.json", folder)
    (folder / "2025-06-14_09-01-00-front.mp4").write_bytes(b"")
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(CLIPS[0], days[0] / name)
    shutil.copy(CLIPS[1], days[1])
    (days[1] / "c.mp4").write_bytes(b"")
    for day in days:
        data = label(day)
        assert (data["clips"]["failed"], len(data["failures"])) == (1, 1)
    done = clipmill("label", *days, "-o", tmp_path / "once", *FAST)
    assert done.code == 0, done.errors
    assert digests(tmp_path / "out") == digests(tmp_path / "once")

    # a file that is gone from the folder itself is told of no more
    (days[1] / "c.mp4").unlink()
    label(days[1])
    failures = ds.dataset(tmp_path / "out" / "failures").to_table()["uri"].to_pylist()
    assert failures == [str(folder / "2025-06-14_09-01-00-front.mp4")]
    pruned = clipmill("prune", tmp_path / "out", "--json")
    assert sorted(item["uri"] for item in pruned.data["clips"]) == [
        str(folder / "2025-06-14_09-01-00-front.mp4"),
        *(str(days[0] / name) for name in ("a.mp4", "b.mp4")),
    ]
    assert clipmill("verify", tmp_path / "out").code == 0
    assert ds.dataset(tmp_path / "out" / "failures").count_rows() == 0
    assert clips(tmp_path) == [CLIPS[1].name]


def test_what_another_network_labelled_is_told_apart(label, tmp_path):
    shutil.copy(CLIPS[0], tmp_path / "in")
    label()
    shutil.rmtree(tmp_path / "in")
    (tmp_path / "in").mkdir()
    shutil.copy(CLIPS[1], tmp_path / "in")
    label(more=("--size", "320"))
    coverage = ds.dataset(tmp_path / "out" / "coverage").to_table().to_pylist()
    assert len(coverage) == 2
    import json

    models = json.loads((tmp_path / "out" / "dataset.json").read_text())["models"]
    assert sorted(model["size"] for model in models) == sorted({320, *(model["size"] for model in models)})
    assert len(models) == 2


def test_impossible_dates_and_garbled_names_stop_nothing(label, tmp_path):
    import os

    shutil.copy(CLIPS[0], tmp_path / "in" / "2025-02-30_10-00-00-front.mp4")
    shutil.copy(CLIPS[1], os.fsencode(tmp_path) + b"/in/bad\xff.mp4")
    data = label()
    assert data["clips"] == {"found": 2, "labelled": 1, "failed": 1, "duplicate": 0}
    (failure,) = data["failures"]
    assert failure["stage"] == "discover"


def test_a_file_given_twice_counts_once(label, tmp_path):
    shutil.copy(CLIPS[0], tmp_path / "in" / "a.mp4")
    data = label(tmp_path / "in", tmp_path / "in" / "a.mp4", f"{tmp_path}/in/*")
    assert data["clips"] == {"found": 1, "labelled": 1, "failed": 0, "duplicate": 0}


def test_a_broken_link_is_a_clip_that_failed(label, tmp_path):
    shutil.copy(CLIPS[0], tmp_path / "in" / "a.mp4")
    (tmp_path / "in" / "b.mp4").symlink_to(tmp_path / "nowhere")
    data = label()
    assert data["clips"] == {"found": 2, "labelled": 1, "failed": 1, "duplicate": 0}
