"""How `label`'s options become a job; runs of the job are tested end to end."""

import pytest

from pipelines.cli import main
from pipelines.commands import label
from pipelines.outcome import ExitCode, Outcome
from transforms.labels.hindsight.settings import ONLINE, HindsightSettings


@pytest.fixture
def job_of(monkeypatch):
    """The job that a command line asks for; nothing is labelled."""
    jobs = []

    def keep(job, beam_arguments, **_options):
        jobs.append((job, beam_arguments))
        return Outcome({}, ())

    monkeypatch.setattr(label, "label", keep)

    def run(*options):
        assert main(["label", "clips", "-o", "out", *options]) == ExitCode.GOOD
        job, _ = jobs.pop()
        return job

    return run


def refused(capsys, *options):
    try:
        code = main(["label", "clips", "-o", "out", *options])
    except SystemExit as ended:
        code = ended.code
    assert code == ExitCode.BAD_USAGE
    return capsys.readouterr().err


def test_the_steps_are_the_fields_of_the_settings():
    assert sorted(label.STEPS) == sorted(HindsightSettings.model_fields)


def test_all_of_hindsight_unless_left_out(job_of):
    assert job_of().labels.hindsight == HindsightSettings()
    assert job_of("--without", "smoothing").labels.hindsight == HindsightSettings(smoothing=False)
    both = job_of("--without", "static_removal", "--without", "extrapolation").labels.hindsight
    assert both == HindsightSettings(static_removal=False, extrapolation=False)


def test_online_takes_no_step(job_of):
    assert job_of("--online").labels.hindsight == ONLINE


def test_rates_reach_the_job(job_of):
    assert (job_of().labels.fps, job_of().labels.label_fps) == ("5", None)
    dense = job_of("--fps", "2.5", "--label-fps", "all").labels
    assert (dense.fps, dense.label_fps) == ("2.5", "all")


def test_the_networks_go_where_the_picture_changes_only_if_asked_to(job_of):
    assert not job_of().labels.adaptive
    chosen = job_of("--adaptive", "--fps", "2").labels
    assert (chosen.adaptive, chosen.fps, chosen.label_fps) == (True, "2", None)


def test_what_cannot_be_asked_for_is_told(capsys):
    assert "not allowed with" in refused(capsys, "--online", "--without", "smoothing")
    assert "smothing" in refused(capsys, "--without", "smothing")
    assert "label_fps: 3 is less than fps = 5" in refused(capsys, "--label-fps", "3")
    assert "adaptive: fps = all is no rate" in refused(capsys, "--adaptive", "--fps", "all")
    assert "no frame rate" in refused(capsys, "--label-fps", "often")


def test_private_places_reach_the_job_and_no_message(job_of, capsys):
    job = job_of("--private-place", "37.4925,-121.9445,800", "--private-place=-33.8568,151.2153,500")
    places = [
        (item.latitude_deg, item.longitude_deg, item.radius_m, item.action)
        for item in job.labels.location_privacy
    ]
    assert places == [(37.4925, -121.9445, 800, "drop"), (-33.8568, 151.2153, 500, "drop")]
    for wrong in ("37.4925,-121.9445", "37.4925,-121.9445,near", "137.4925,-121.9445,800"):
        said = refused(capsys, f"--private-place={wrong}")
        assert "37.4925" not in said
        assert "LAT,LON,RADIUS_M" in said or "latitude_deg" in said
