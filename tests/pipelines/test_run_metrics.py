from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.errors import ModelMismatchError, ModelUsageError
from pipelines.jobs import check_job
from pipelines.outcome import JobError, UsageError
from pipelines.run_metrics import METRICS, check_metrics_file, metrics_text, write_metrics
from pipelines.run_record import empty_record, failed_record

JOB = check_job({"inputs": ["in"], "output": 'o"u\\t\n', "models": ["demo"]}, "options")
RECORD = {
    "output": "out",
    "exit_code": 3,
    "started": "2026-03-01T00:00:00.500+00:00",
    "ended": "2026-03-01T00:01:00+00:00",
    "wall_seconds": 59.5,
    "versions": {"clipmill": "0.1.0"},
    "clips": {"found": 6, "labelled": 3, "failed": 2, "duplicate": 1},
    "shards": {"written": 2, "skipped": 1, "failed": 1},
    "taken_over": 4,
    "frames": 30,
    "detections": 90,
    "failures": [{"error": "truncated"}, {"error": "timeout"}, {"error": "truncated"}],
    "labelled": {"frames": 20, "detections": 60, "camera_seconds": 120.25, "read_bytes": 10**12},
    "stages_seconds": {"decode_s": 1.5, "detect_s": 20.0, "track_s": 0.25},
}


def read(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(family):
    return [(dict(sample.labels), sample.value) for sample in family.samples]


def test_every_figure_is_read_back_by_prometheus_own_reader():
    found = read(metrics_text(RECORD))
    assert list(found) == list(METRICS)
    for name, family in found.items():
        assert (family.type, family.documentation) == ("gauge", METRICS[name])
        assert all(sample.name == name and sample.labels["dataset"] == "out" for sample in family.samples)
    by_state = {labels["state"]: value for labels, value in values(found["clipmill_run_shards"])}
    assert by_state == {"written": 2, "skipped": 1, "failed": 1, "taken_over": 4}
    by_fault = {labels["error"]: value for labels, value in values(found["clipmill_run_failures"])}
    assert by_fault == {"timeout": 1, "truncated": 2}
    by_stage = {labels["stage"]: value for labels, value in values(found["clipmill_run_stage_seconds"])}
    assert by_stage == {"decode": 1.5, "detect": 20, "track": 0.25}
    single = {name: family.samples[0].value for name, family in found.items() if len(family.samples) == 1}
    assert single["clipmill_run_exit_code"] == 3
    assert single["clipmill_run_start_timestamp_seconds"] == 1772323200.5
    assert single["clipmill_run_end_timestamp_seconds"] == 1772323260
    assert single["clipmill_run_read_bytes"] == 10**12
    assert single["clipmill_run_labelled_camera_seconds"] == 120.25


def test_units_end_names():
    for name in METRICS:
        assert name.startswith("clipmill_run_")
        assert not name.endswith(("_s", "_ms", "_total"))
        assert ("seconds" in name) == name.endswith("_seconds")
        assert ("bytes" in name) == name.endswith("_bytes")


def test_odd_names_are_read_back():
    found = read(metrics_text(empty_record(JOB)))
    assert found["clipmill_run_info"].samples[0].labels["dataset"] == 'o"u\\t\n'
    assert metrics_text({**RECORD, "output": "a\udcff"}).encode()


def test_a_day_without_clips_has_figures_too():
    found = read(metrics_text(empty_record(JOB)))
    assert {value for _, value in values(found["clipmill_run_clips"])} == {0}
    assert found["clipmill_run_exit_code"].samples[0].value == 0
    assert "clipmill_run_labelled_frames" not in found


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (UsageError(""), 2),
        (ModelUsageError(""), 2),
        (ModelMismatchError(""), 1),
        (JobError(""), 1),
        (OSError(), 1),
    ],
)
def test_what_is_known_of_a_run_that_failed(error, code):
    found = read(metrics_text(failed_record(JOB, datetime.now(UTC) - timedelta(seconds=5), error)))
    assert set(found) == set(list(METRICS)[:5])
    assert found["clipmill_run_exit_code"].samples[0].value == code
    assert 5 <= found["clipmill_run_duration_seconds"].samples[0].value < 60


def test_the_file_is_replaced_whole(tmp_path):
    path = tmp_path / "run.prom"
    path.write_text("old")
    with path.open() as reader:
        write_metrics(path, "new")
        assert (reader.read(), path.read_text()) == ("old", "new")
    assert [item.name for item in tmp_path.iterdir()] == ["run.prom"]


def test_a_file_that_nobody_would_read_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"end in \.prom"):
        check_metrics_file(tmp_path / "run.txt")
    with pytest.raises(UsageError, match="is no folder"):
        check_metrics_file(tmp_path / "nowhere" / "run.prom")
    (tmp_path / "folder.prom").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        check_metrics_file(tmp_path / "folder.prom")
    check_metrics_file(Path("run.prom"))


def test_a_folder_that_cannot_be_written_is_told_before_the_run(monkeypatch, tmp_path):
    # root may write everywhere, and tests may run as root
    monkeypatch.setattr("os.access", lambda path, _mode: path != tmp_path)
    with pytest.raises(UsageError, match=f"{tmp_path} is not writable"):
        check_metrics_file(tmp_path / "run.prom")


def test_what_keeps_the_file_from_being_written_is_told_with_the_option(tmp_path):
    (tmp_path / "run.prom").mkdir()
    with pytest.raises(JobError, match=r"--metrics-file .*run\.prom: cannot be written: Is a directory"):
        write_metrics(tmp_path / "run.prom", "new")
    assert [item.name for item in tmp_path.iterdir()] == ["run.prom"]


def test_every_metric_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert not [name for name in METRICS if f"`{name}`" not in page and f"`{name}{{" not in page]
