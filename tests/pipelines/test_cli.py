import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli import COMMANDS, build_parser, main, split_arguments
from pipelines.outcome import ExitCode

ROOT = Path(__file__).parents[2]


def test_help_answers_at_once():
    def processor_seconds(*command: str) -> float:
        before = os.times()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    # processor time, and less what Python itself takes to start: a busy machine does not matter
    bare = min(processor_seconds("-c", "import argparse, json, logging") for _ in range(3))
    ours = min(processor_seconds("-m", "pipelines.cli", "--help") for _ in range(3))
    assert ours - bare < 0.3


def test_help_loads_no_heavy_module():
    code = (
        "import sys; from pipelines.cli import build_parser; build_parser();"
        "print([m for m in ('apache_beam', 'numpy', 'pyarrow', 'cv2', 'onnxruntime', 'pydantic', 'rich') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        == "[]\n"
    )


def test_a_run_loads_what_opens_clips_and_follows_objects_only_when_there_is_work():
    code = (
        "import sys, pipelines.autolabel;"
        "print([m for m in ('transforms.tasks', 'transforms.labels.labelling', 'scipy.optimize') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout == "[]\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_and_a_page(command, capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"clipmill {command}" in shown.split("examples:")[1]
    assert "--json" in shown
    page = ROOT / "docs" / "reference" / f"{command}.md"
    assert page.read_text(encoding="utf-8").startswith(f"# clipmill {command}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["label"],
        ["label", "x"],
        ["label", "x", "-o", "y", "--fsp", "5"],
        ["label", "x", "-o", "y", "--work", "2"],
        ["verify", "x", "--", "--runner=FlinkRunner"],
    ],
)
def test_bad_usage_is_one_line_and_exit_2(arguments, capsys):
    assert main(arguments) == ExitCode.BAD_USAGE
    shown = capsys.readouterr()
    assert not shown.out
    assert shown.err.startswith("clipmill: ")
    assert shown.err.count("\n") == 1


def test_with_json_an_error_is_one_object(capsys):
    assert main(["label", "--json", "nowhere", "-o", "out"]) == ExitCode.BAD_USAGE
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == 2
    assert "nowhere" in error["message"]


def test_no_command_shows_help_and_exits_2(capsys):
    assert main([]) == ExitCode.BAD_USAGE
    assert "usage: clipmill" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == ExitCode.GOOD
    assert capsys.readouterr().out.startswith("clipmill ")


def test_the_first_double_dash_splits():
    assert split_arguments(["a", "--", "b", "--", "c"]) == (["a"], ["b", "--", "c"])
    assert split_arguments(["a"]) == (["a"], [])


def test_what_steers_a_terminal_is_shown_as_text(capsys, tmp_path):
    spec = tmp_path / "job.toml"
    spec.write_text('inputs = ["x"]\noutput = "y"\nmodels = ["demo"]\n"\\u001b[2J\\u202e" = 1\n')
    assert main(["run", str(spec)]) == 2
    error = capsys.readouterr().err
    assert r"\x1b[2J\u202e" in error
    assert error.strip().isprintable()
