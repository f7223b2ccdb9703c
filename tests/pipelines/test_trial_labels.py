import tempfile
import threading
import time

import pytest
from running import SAMPLE

from pipelines.jobs import check_job
from pipelines.outcome import UsageError
from pipelines.trial_labels import _remove, trial_labels, truth_at
from transforms.tables.store import LocalStore

CLIP = SAMPLE / "TeslaCam" / "RecentClips" / "2025-06-14_09-01-04-back.mp4"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def job(*inputs):
    return check_job(
        {
            "inputs": [str(item) for item in inputs],
            "output": "unused",
            "models": ["demo"],
            "size": 320,
            "labels": {"fps": "1"},
        },
        "options",
    )


def test_labels_are_there_inside_and_gone_outside(temporary):
    with trial_labels(job(CLIP, SAMPLE / "generic" / "empty.mp4")) as labelled:
        assert labelled.folder.is_relative_to(temporary)
        assert (labelled.folder / "runs" / labelled.run_id / "run.json").is_file()
        assert (labelled.frames, labelled.failed) == (4, 1)
        assert "rendered scenes only" in labelled.notes[0]
    assert not list(temporary.iterdir())


def test_labels_are_gone_after_an_error_too(temporary):
    with pytest.raises(RuntimeError, match="in between"), trial_labels(job(CLIP)):
        raise RuntimeError("in between")
    assert not list(temporary.iterdir())


def test_clips_without_a_frame_are_a_usage_error(temporary):
    with (
        pytest.raises(UsageError, match=r"no frame of .*empty\.mp4 could be labelled"),
        trial_labels(job(SAMPLE / "generic" / "empty.mp4")),
    ):
        pass
    assert not list(temporary.iterdir())


def test_a_folder_goes_though_a_shard_is_still_written_to_it(tmp_path):
    place = tmp_path / "clipmill-x"
    store = LocalStore(place / "labels")
    store.write("frames/first.parquet", b"x")
    until = time.monotonic() + 0.3

    def write():
        number = 0
        while time.monotonic() < until:
            number += 1
            store.write(f"frames/{number}.parquet", b"x")

    writer = threading.Thread(target=write)
    writer.start()
    while time.monotonic() < until - 0.2:
        time.sleep(0.01)
    _remove(place)
    writer.join()
    assert not place.exists()


def test_a_truth_is_read_or_told(tmp_path):
    assert truth_at(SAMPLE / "truth", None).form == "sample"
    (tmp_path / "truth.parquet").write_bytes(b"no")
    with pytest.raises(UsageError, match="not a sound Parquet file"):
        truth_at(tmp_path, None)
