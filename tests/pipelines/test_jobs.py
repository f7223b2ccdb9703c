from datetime import date
from pathlib import Path

import pytest

from pipelines.job_specs import read_spec
from pipelines.jobs import AutolabelJob, check_job
from pipelines.outcome import UsageError
from pipelines.toml_files import MAX_TOML_BYTES
from transforms.labels.hindsight.settings import HindsightSettings

DAY = date(2026, 3, 1)


def read_job(path, overrides):
    return read_spec(path, overrides, DAY).job


SPEC = """
inputs = ["clips"]
output = "out"
models = ["demo"]
timezone = "America/Los_Angeles"
[labels]
fps = "10"
"""


def test_a_spec_is_read(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(SPEC)
    assert read_job(path, []) == AutolabelJob(
        inputs=("clips",),
        output="out",
        models=("demo",),
        timezone="America/Los_Angeles",
        labels={"fps": "10"},
    )


def test_values_are_overridden_as_toml_or_text(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(SPEC)
    job = read_job(path, ["labels.fps=10", "workers=3", "output=elsewhere", "labels.region=EU"])
    assert (job.labels.fps, job.workers, job.output, job.labels.region) == ("10", 3, "elsewhere", "EU")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("modles = ['demo']", "modles"),
        ("workers = 0", "workers"),
        ("timezone = 'Mars/Olympus'", "no time zone"),
        ("max_failed_share = 2", "max_failed_share"),
        ("device = 'tpu'", "device"),
        ("output = ''", "output"),
        ("inputs = ['']", "inputs"),
    ],
)
def test_a_bad_value_is_named(tmp_path, line, said):
    path = tmp_path / "job.toml"
    kept = [old for old in SPEC.splitlines() if old.split(" =")[0] != line.split(" =")[0]]
    path.write_text("\n".join([line, *kept]))
    with pytest.raises(UsageError, match=said) as error:
        read_job(path, [])
    assert "job.toml" in str(error.value)


STEPS = """
[labels.hindsight]
smoothing = false
extrapolation = false
"""


def test_steps_of_hindsight_are_a_table_of_their_own(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(SPEC + STEPS)
    job = read_job(
        path, ["labels.hindsight.extrapolation=true", "labels.label_fps=all", "labels.adaptive=true"]
    )
    assert job.labels.adaptive
    assert job.labels.hindsight == HindsightSettings(smoothing=False)
    assert (job.labels.fps, job.labels.label_fps) == ("10", "all")
    assert read_job(path, []).labels.hindsight == HindsightSettings(smoothing=False, extrapolation=False)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("labels.hindsight.smothing=false", "labels.hindsight.smothing"),
        ("labels.hindsight.smoothing=often", "labels.hindsight.smoothing"),
        ("labels.label_fps=9", "label_fps: 9 is less than fps = 10"),
        ("labels.label_fps=keyframes", "label_fps: give a rate or all"),
        ("labels.adaptive=often", "labels.adaptive"),
    ],
)
def test_a_step_that_does_not_exist_and_a_coarser_rate_are_told(tmp_path, override, said):
    path = tmp_path / "job.toml"
    path.write_text(SPEC + STEPS)
    with pytest.raises(UsageError, match=said) as error:
        read_job(path, [override])
    assert "job.toml" in str(error.value)


def test_a_spec_always_names_its_network():
    with pytest.raises(UsageError, match="models"):
        check_job({"inputs": ["a"], "output": "b"}, "job.toml")


@pytest.mark.parametrize("fps", ["0", 0, -3.5, True, "-1", "nan", "inf", "often", ""])
def test_a_bad_rate_is_refused(fps):
    with pytest.raises(UsageError, match="fps"):
        check_job({"inputs": ["a"], "output": "b", "models": ["demo"], "labels": {"fps": fps}}, "options")


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ('fps = "10"', 'fps = "often"', "job.toml:7: labels.fps: 'often' is no frame rate"),
        ('fps = "10"', 'fsp = "10"', "job.toml:7: labels.fsp: unknown key; did you mean fps?"),
        (
            'fps = "10"',
            'lable_fps = "10"',
            "job.toml:7: labels.lable_fps: unknown key; did you mean label_fps?",
        ),
        (
            'output = "out"',
            'output = "out"\nfps = "5"',
            "job.toml:4: fps: unknown key; did you mean labels.fps?",
        ),
        ('fps = "10"', "size = 640", "labels.size: unknown key; did you mean size, above the first [table]?"),
        ('fps = "10"', "qqqq = 640", "job.toml:7: labels.qqqq: unknown key"),
        ('fps = "10"', 'fps = "5"\nlabel_fps = "2"', "job.toml:8: labels.label_fps: 2 is less than fps = 5"),
        ('output = "out"', "output = 3", "job.toml:3: output: expected a text, such as"),
        ('inputs = ["clips"]', 'inputs = [\n"clips",\n3\n]', "job.toml:4: inputs.1: expected a text"),
        ('["clips"]', '"clips"', 'job.toml:2: inputs: expected a list, such as ["..."]'),
        ('["clips"]', '["a", "b\\u0000c"]', "job.toml:2: inputs.1: no name or path holds"),
        ('output = "out"', 'output = "b\\u0000c"', "job.toml:3: output: no name or path holds"),
        ('[labels]\nfps = "10"', "labels = 3", "job.toml:6: labels: expected a table"),
        ('output = "out"', "", "job.toml: output: is missing"),
        (
            'fps = "10"',
            "[[labels.location_privacy]]\nlatitude_deg = 99\nlongitude_deg = 1\nradius_m = 1",
            "job.toml:8: labels.location_privacy.0.lati",
        ),
        (
            'fps = "10"',
            "[[labels.location_privacy]]\nlatitude_deg = 9",
            "job.toml:7: labels.location_privacy.0.long",
        ),
        ('output = "out"', "output = out", "job.toml:3:10: not TOML: Invalid value"),
        ('fps = "10"', 'fps = "10', "job.toml:7:10: not TOML: Illegal character"),
        ('fps = "10"', 'fps = """10', "job.toml:7: not TOML: "),
        (
            'output = "out"',
            'output = "out"\noutput = "b"',
            "job.toml:4:13: not TOML: Cannot overwrite a value",
        ),
        ('output = "out"', 'output = "{dat}"', "job.toml:3: output: a { that is no template: write {date}"),
        (
            'inputs = ["clips"]',
            'inputs = [\n"a",\n"{date-1:%H}"]',
            "job.toml:4: inputs.1: {date-1:%H}: a date is",
        ),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path, written, instead, said):
    path = tmp_path / "job.toml"
    path.write_text(SPEC.replace(written, instead))
    with pytest.raises(UsageError) as error:
        read_job(path, [])
    assert str(error.value).startswith(str(tmp_path))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_of_several_errors_the_first_line_is_told(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(SPEC.replace('models = ["demo"]', 'modles = ["demo"]\nworkers = 0'))
    with pytest.raises(UsageError, match=r"job\.toml:4: modles: .*did you mean models\? \(and 2 more\)$"):
        read_job(path, [])


def test_what_set_brought_is_not_sought_in_the_file(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(SPEC)
    with pytest.raises(UsageError, match=r"job\.toml, --set labels\.fps: labels\.fps: 'often' is no"):
        read_job(path, ["labels.fps=often"])


def test_a_key_that_nobody_would_mistype_is_not_compared(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(f"{'x' * 100_000} = 1\n{SPEC}")
    with pytest.raises(UsageError, match=r"unknown key$"):
        read_job(path, [])


def test_dates_stand_in_paths_and_nowhere_else(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(
        SPEC.replace('"clips"', '"in/{date-1}", "in/{date}/*.mp4", "{{odd}}"').replace(
            '"out"', '"{date:%Y/%j}"'
        )
        + 'license = "{date}"'
    )
    spec = read_spec(path, ["base=old/{date-60}"], DAY)
    assert spec.job.inputs == ("in/2026-02-28", "in/2026-03-01/*.mp4", "{odd}")
    assert (spec.job.output, spec.job.base, spec.job.labels.license) == (
        "2026/060",
        "old/2025-12-31",
        "{date}",
    )
    assert spec.lasting == ("in", "in", "{odd}")


def test_files_that_are_no_specs(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_job(tmp_path / "none.toml", [])
    (tmp_path / "bad.toml").write_text("= 3")
    with pytest.raises(UsageError, match="not TOML"):
        read_job(tmp_path / "bad.toml", [])
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        read_job(tmp_path / "binary.toml", [])


@pytest.mark.parametrize("override", ["novalue", "=3", "output.deep=1"])
def test_bad_overrides(tmp_path, override):
    path = tmp_path / "job.toml"
    path.write_text(SPEC)
    with pytest.raises(UsageError, match="--set"):
        read_job(path, [override])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"size = {'9' * 5000}", "not TOML"),
        (f"size = {'[' * 3000}{']' * 3000}", "nested"),
        ("size = 1\0", "not TOML"),
    ],
)
def test_specs_that_try_the_parser(tmp_path, line, said):
    path = tmp_path / "job.toml"
    path.write_text(line + SPEC)
    with pytest.raises(UsageError, match=said):
        read_job(path, [])


def test_a_spec_of_any_length_is_not_read(tmp_path):
    path = tmp_path / "job.toml"
    with path.open("wb") as file:
        file.truncate(MAX_TOML_BYTES + 1)
    with pytest.raises(UsageError, match=f"more than {MAX_TOML_BYTES} bytes"):
        read_job(path, [])
    with pytest.raises(UsageError, match="more than"):
        read_job(Path("/dev/zero"), [])


@pytest.mark.parametrize(
    ("override", "said"),
    [(f"size={'9' * 5000}", "size"), (f"size={'[' * 3000}{']' * 3000}", "--set size: nested too deeply")],
)
def test_overrides_that_try_the_parser(tmp_path, override, said):
    path = tmp_path / "job.toml"
    path.write_text(SPEC)
    with pytest.raises(UsageError, match=said):
        read_job(path, [override])


@pytest.mark.parametrize("key", ["inputs", "output", "base"])
def test_a_vehicle_identification_number_in_a_path_is_refused_and_not_told(key):
    vin = "1M8GDM9AXKP042788"
    place = f"/fleet/{vin}/clips"
    values = {
        "inputs": ["in"],
        "output": "out",
        "models": ["demo"],
        key: [place] if key == "inputs" else place,
    }
    with pytest.raises(
        UsageError, match=f"options: {key}: .*holds a vehicle identification number"
    ) as caught:
        check_job(values, "options")
    assert vin not in str(caught.value)
