"""`run` before anything is labelled: specs checked, dates, inputs that are not there yet."""

import json
import tomllib
from datetime import date

import pytest

from pipelines.cli import main
from pipelines.commands import label
from pipelines.job_specs import read_spec
from pipelines.job_text import job_toml
from pipelines.jobs import check_job
from pipelines.outcome import ExitCode, Outcome


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(
        f'inputs = ["{tmp_path}/in/{{date-1:%Y/%m/%d}}", "{tmp_path}/more"]\n'
        f'output = "{tmp_path}/out"\nmodels = ["demo"]\n[labels]\nfps = 10\n'
    )
    (tmp_path / "more").mkdir()
    (tmp_path / "in").mkdir()
    return path


@pytest.fixture
def labelled(monkeypatch):
    """The jobs that would be labelled; nothing is."""
    jobs = []

    def keep(job, *_arguments, **_options):
        jobs.append(job)
        return Outcome({}, ())

    monkeypatch.setattr(label, "label", keep)
    return jobs


def test_check_prints_the_job_as_it_would_run(spec, tmp_path, capsys):
    assert main(["run", str(spec), "--check", "--date", "2026-03-01", "--set", "workers=3"]) == ExitCode.GOOD
    values = tomllib.loads(capsys.readouterr().out)
    assert values["inputs"] == [f"{tmp_path}/in/2026/02/28", f"{tmp_path}/more"]
    assert (values["workers"], values["labels"]["fps"]) == (3, "10")
    assert main(["run", str(spec), "--check", "--date", "2026-03-01", "--json"]) == ExitCode.GOOD
    data = json.loads(capsys.readouterr().out)
    assert data["date"] == "2026-03-01"
    assert data["job"]["inputs"] == values["inputs"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "job.toml", "more"]


def test_check_refuses_what_run_would(spec, capsys):
    assert main(["run", str(spec), "--check", "--set", "size=3"]) == ExitCode.BAD_USAGE
    assert main(["run", str(spec), "--check", "--date", "today"]) == ExitCode.BAD_USAGE
    assert main(["run", str(spec), "--check", "--", "--no_such_flag"]) == ExitCode.BAD_USAGE
    assert "no_such_flag" in capsys.readouterr().err


def test_what_check_prints_is_a_spec_again():
    values = {
        "inputs": ['a "quoted"\\ name\x7f\u2028', "é"],
        "output": "gs://b/o",
        "models": ["demo"],
        "timezone": "UTC",
        "labels": {"label_fps": "all", "hindsight": {"smoothing": False}},
    }
    job = check_job(values, "options")
    assert check_job(tomllib.loads(job_toml(job)), "printed") == job


def test_braces_of_names_are_printed_as_braces(tmp_path):
    values = {"inputs": ["in/{date}", "in/*"], "output": "}{", "base": "{date:%m}", "models": ["{date}"]}
    job = check_job(values, "options")
    path = tmp_path / "printed.toml"
    path.write_text(job_toml(job))
    assert read_spec(path, [], date(2026, 3, 1)).job == job


def test_private_places_are_counted_and_not_printed():
    place = {"latitude_deg": 37.4925, "longitude_deg": -121.9445, "radius_m": 800}
    job = check_job(
        {"inputs": ["a"], "output": "b", "models": ["demo"], "labels": {"location_privacy": [place]}},
        "options",
    )
    assert "1 private places, not shown" in job_toml(job)
    assert "37.4925" not in job_toml(job)


def test_an_input_of_a_day_that_is_not_there_yet(spec, tmp_path, labelled, capsys):
    run = ["run", str(spec), "--date", "2026-03-01"]
    assert main([*run, "--allow-empty"]) == ExitCode.GOOD
    assert "nothing to do: no clip yet in" in capsys.readouterr().out
    assert not labelled
    assert not (tmp_path / "out").exists()
    (tmp_path / "in" / "2026" / "02" / "28").mkdir(parents=True)
    (tmp_path / "in" / "2026" / "02" / "28" / "event.json").write_text("{}")
    assert main([*run, "--allow-empty", "--json"]) == ExitCode.GOOD
    assert json.loads(capsys.readouterr().out)["clips"] == {
        "found": 0,
        "labelled": 0,
        "failed": 0,
        "duplicate": 0,
    }
    assert not labelled
    (tmp_path / "more" / "a.mp4").write_bytes(b"")
    assert main([*run, "--allow-empty"]) == ExitCode.GOOD
    assert labelled.pop().inputs == (f"{tmp_path}/more",)


def test_figures_of_a_day_without_clips_are_not_those_of_a_dry_run(spec, tmp_path, labelled):
    figures = tmp_path / "daily.prom"
    run = ["run", str(spec), "--date", "2026-03-01", "--allow-empty", "--metrics-file", str(figures)]
    assert main([*run, "--dry-run"]) == ExitCode.GOOD
    assert not figures.exists()
    assert main(run) == ExitCode.GOOD
    assert "clipmill_run_exit_code" in figures.read_text()
    assert not labelled


def test_without_allow_empty_it_is_an_error(spec, capsys):
    assert main(["run", str(spec), "--date", "2026-03-01"]) == ExitCode.BAD_USAGE
    assert "2026/02/28: no such file or folder" in capsys.readouterr().err


@pytest.mark.parametrize("gone", ["in", "more"])
def test_a_disk_that_is_not_mounted_is_an_error_all_the_same(spec, tmp_path, labelled, capsys, gone):
    (tmp_path / gone).rmdir()
    assert main(["run", str(spec), "--allow-empty"]) == ExitCode.BAD_USAGE
    assert f"{tmp_path / gone}: no such file or folder" in capsys.readouterr().err
    assert not labelled


def test_what_cannot_be_read_is_not_taken_for_empty(spec, tmp_path, labelled):
    (tmp_path / "more" / "a.mp4").symlink_to(spec)
    assert main(["run", str(spec), "--allow-empty"]) == ExitCode.GOOD
    assert labelled.pop().inputs == (f"{tmp_path}/more",)
