"""What shells ask when TAB is pressed."""

import json
import os
import pty
import shutil
import subprocess
import sys

import pytest

from pipelines.cli import main

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def script(capsys, tmp_path):
    def write(shell):
        assert main(["completion", shell]) == 0
        path = tmp_path / shell
        path.write_text(capsys.readouterr().out)
        return path

    return write


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_can_read_it(script, shell):
    path = script(shell)
    assert "clipmill" in path.read_text()
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def typed(script, tmp_path):
    """What a real bash calls the command with when a line is typed that has a TAB in it."""
    path = script("bash")
    (tmp_path / "clips").mkdir()
    asked = tmp_path / "bin" / "clipmill"
    asked.parent.mkdir()
    asked.write_text(
        f'#!/bin/bash\n[ "$_ARGCOMPLETE" ] && exec {sys.executable} -m pipelines.cli "$@"\n'
        "printf '<%s>' called \"$@\"; echo\n"
    )
    asked.chmod(0o755)
    environment = os.environ | {
        "HOME": str(tmp_path),
        "INPUTRC": "/dev/null",
        "PATH": f"{asked.parent}:{os.environ['PATH']}",
        "TERM": "dumb",
    }

    def run(line):
        outer, inner = pty.openpty()
        shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-i"],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=tmp_path,
            env=environment,
            start_new_session=True,
        )
        os.close(inner)
        os.write(outer, f"source {path}\n{line}\nexit\n".encode())
        shown = b""
        try:
            while piece := os.read(outer, 4096):
                shown += piece
        except OSError:
            # how a terminal says that nobody is at its other end
            pass
        finally:
            os.close(outer)
        shell.wait(timeout=20)
        calls = [one for one in shown.decode().splitlines() if one.startswith("<called>")]
        return calls[0].removeprefix("<called>")

    return run


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("clipmill la\t", "<label>"),
        ("clipmill label x --label-f\tall", "<label><x><--label-fps><all>"),
        ("clipmill label x --without static_r\t", "<label><x><--without><static_removal>"),
        ("clipmill models fro\tx", "<models><frontier><x>"),
        ("clipmill inspect cl\t", "<inspect><clips/>"),
    ],
)
def test_bash_completes_what_is_begun(typed, line, called):
    assert typed(line) == called


def test_with_json_the_script_is_a_text(script, capsys):
    assert main(["completion", "fish", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["shell"] == "fish"
    assert data["script"].strip() == script("fish").read_text().strip()
