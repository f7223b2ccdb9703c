import contextlib
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from engine_downloads import MissingEngineError, flink_launcher, prism_binary
from engines import boot_script, flink_flags, prism_flags, sample_and_copies
from flink_cluster import FlinkCluster
from running import ROOT, Finished, command, digests

JOB = ("--model", "demo", "--fps", "1", "--size", "256", "--max-failed-share", "1", "--json")
RUN_S = 240
"""What usually goes wrong on a cluster is that a job waits for ever."""


class Job:
    """A job that runs on any engine."""

    def __init__(self, inputs: Path) -> None:
        self.inputs = inputs
        self.expected: dict[str, str] = {}
        self.started: list[subprocess.Popen[str]] = []

    def start(self, output: Path, *how: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command("label", self.inputs, "-o", output, *JOB, *how),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            # a job server lives for one job: no time to optimise it
            env={**os.environ, "JAVA_TOOL_OPTIONS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"},
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def finish(self, process: "subprocess.Popen[str]") -> Finished:
        output, errors = process.communicate(timeout=RUN_S)
        return Finished(subprocess.CompletedProcess(process.args, process.returncode, output, errors))

    def run(self, output: Path, *how: object) -> Finished:
        return self.finish(self.start(output, *how))

    def end(self) -> None:
        """Ends what a test that failed has left, job servers too."""
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.started = []


@pytest.fixture(scope="session")
def clipmill():
    def run(*arguments: object) -> Finished:
        return Finished(
            subprocess.run(command(*arguments), capture_output=True, text=True, timeout=RUN_S, check=False)
        )

    return run


@pytest.fixture(scope="session")
def job(tmp_path_factory):
    """The job, and what it comes to in threads of one process."""
    folder = tmp_path_factory.mktemp("job")
    made = Job(sample_and_copies(folder / "in", 24))
    done = made.run(folder / "out", "--workers", "1")
    assert done.code == 0, done.errors
    made.expected = digests(folder / "out")
    return made


@pytest.fixture(autouse=True)
def _nothing_goes_on(job):
    yield
    job.end()


@pytest.fixture(scope="session")
def flink():
    """A cluster with two TaskManagers; its flags, and what its workers leave."""
    try:
        launcher = flink_launcher()
    except MissingEngineError as error:
        pytest.skip(f"no Flink: {error}")
    with tempfile.TemporaryDirectory(prefix="clipmill-flink-", ignore_cleanup_errors=True) as name:
        boot = boot_script(Path(name) / "workers")
        with FlinkCluster(launcher.parent, Path(name), dict(os.environ)) as cluster:
            flags = flink_flags(cluster.address, launcher, boot)
            yield SimpleNamespace(cluster=cluster, boot=boot, flags=flags)


@pytest.fixture(scope="session")
def prism(tmp_path_factory):
    """Flags of Prism with threads, and with processes."""
    try:
        binary = prism_binary()
    except MissingEngineError as error:
        pytest.skip(f"no Prism: {error}")
    boot = boot_script(tmp_path_factory.mktemp("prism") / "workers")
    return {"threads": prism_flags(binary), "processes": prism_flags(binary, boot)}
