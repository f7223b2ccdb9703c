"""Clips that processes die of, and the clips beside them."""

import shutil

import pytest
from poison import write_site
from running import SAMPLE

from models.registry import find_model
from transforms import isolated
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.clips.shards import plan_drives
from transforms.labels.labelling import label_shard
from transforms.labels.settings import LabelSettings
from transforms.set_aside import Patience, label_apart, probe_apart
from transforms.tasks import probe_file

SETTINGS = LabelSettings(fps="1")
HASTY = Patience(stall_s=1.5)


@pytest.fixture(autouse=True)
def _poisoned_children(tmp_path, monkeypatch):
    isolated._end_idle()
    for name, value in write_site(tmp_path / "site").items():
        monkeypatch.setenv(name, value)
    yield
    isolated._end_idle()


@pytest.fixture
def model():
    return find_model("demo")


def put(tmp_path, name: str, camera: str = "front") -> InputFile:
    source = next(SAMPLE.glob(f"TeslaCam/SavedClips/*/*00-{camera}.mp4"))
    path = tmp_path / name
    shutil.copy(source, path)
    return InputFile(uri=str(path), root=str(tmp_path), bytes=path.stat().st_size)


@pytest.mark.parametrize(
    ("harm", "error"), [("crash", "crashed_decoder"), ("hang", "timeout"), ("greedy", "too_large")]
)
def test_probing_what_kills_is_a_failure(tmp_path, harm, error):
    failure = probe_apart(put(tmp_path, f"{harm}-probe.mp4"), None, HASTY)
    assert isinstance(failure, Failure)
    assert (failure.stage, failure.error, failure.retryable) == ("probe", error, False)
    assert failure.message.startswith(f"{harm}-probe.mp4: ")
    assert failure.message.endswith("2 times: left out of this run")


def test_a_death_that_does_not_come_again_is_forgiven(tmp_path):
    file = put(tmp_path, "once-probe.mp4")
    (tmp_path / "once-probe.mp4.once").touch()
    assert isinstance(probe_apart(file, None, HASTY), ClipRef)


@pytest.mark.parametrize(
    ("harm", "error"), [("crash", "crashed_decoder"), ("hang", "timeout"), ("greedy", "too_large")]
)
def test_of_a_minute_only_the_camera_that_kills_is_left_out(tmp_path, model, harm, error):
    poisoned = put(tmp_path, f"2025-04-01_10-00-00-{harm}-decode-front.mp4")
    healthy = put(tmp_path, "healthy.mp4", "back")
    clips = [probe_file(file, None) for file in (poisoned, healthy)]
    (bad_plan,), (good_plan,) = (list(plan_drives([clip], 0)) for clip in clips)
    both = type(bad_plan)(
        name="both", drive_id="d", event_ids=("", ""), parts=(*bad_plan.parts, *good_plan.parts)
    )
    rows = label_apart(both, [model], SETTINGS, HASTY)
    (failure,) = rows.failures
    assert (failure.uri, failure.stage, failure.error) == (poisoned.uri, "decode", error)
    assert rows.frames_labelled[clips[0].clip_id] == 0
    alone = label_apart(good_plan, [model], SETTINGS, HASTY)
    for name in ("frames", "detections", "tracks"):
        assert rows.tables[name].equals(alone.tables[name]), name


def test_apart_equals_direct(tmp_path, model):
    from models.sessions import load_detector
    from transforms.storage import open_stream

    clip = probe_apart(put(tmp_path, "clip.mp4"), None, HASTY)
    assert clip == probe_file(put(tmp_path, "clip.mp4"), None)
    (plan,) = plan_drives([clip], 0)
    direct = label_shard(plan, open_stream, [load_detector(model)], SETTINGS)
    apart = label_apart(plan, [model], SETTINGS, HASTY)
    for name, table in direct.tables.items():
        assert apart.tables[name].equals(table), name
    assert (apart.failures, apart.links) == (direct.failures, direct.links)


def test_networks_that_kill_end_the_job(tmp_path, model):
    clip = probe_file(put(tmp_path, "clip.mp4"), None)
    (plan,) = plan_drives([clip], 0)
    with pytest.raises(RuntimeError, match="before it opened a clip"):
        label_apart(plan, [model], SETTINGS, Patience(stall_s=1.5, memory_bytes=1 << 16))
