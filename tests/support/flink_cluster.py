"""A Flink cluster on this machine: a JobManager and TaskManagers, each a process of its own."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Final, Self

from engine_downloads import OPENED

READY_S: Final = 120
CACHE_MS: Final = 3000
"""How long a Python worker waits for the next stage; without it each of a job's stages starts new ones."""
RESTART_S: Final = 5
"""Longer than that: a stage that begins again sooner is handed the worker that died."""
_MAIN: Final = "org.apache.flink.runtime"
_OPTIONS: Final = (
    *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
    *("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx384m"),
)
_SETTINGS: Final = {
    **dict.fromkeys(("jobmanager.rpc.address", "jobmanager.bind-host"), "localhost"),
    **dict.fromkeys(("rest.address", "rest.bind-address"), "localhost"),
    **dict.fromkeys(("taskmanager.host", "taskmanager.bind-host"), "localhost"),
    "jobmanager.memory.process.size": "700m",
    # one slot a TaskManager: each has a Python process of its own
    "taskmanager.numberOfTaskSlots": 1,
    "classloader.resolve-order": "parent-first",
    "taskmanager.network.sort-shuffle.min-buffers": 64,
    "heartbeat.interval": 2000,
    "heartbeat.timeout": 8000,
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": 10,
    "restart-strategy.fixed-delay.delay": f"{RESTART_S} s",
}
_TASK_MANAGER: Final = {
    "taskmanager.cpu.cores": "1",
    **{
        f"taskmanager.memory.{name}": size
        for name, size in {
            "framework.heap.size": "128m",
            "task.heap.size": "256m",
            "task.off-heap.size": "0b",
            "framework.off-heap.size": "128m",
            "network.min": "64m",
            "network.max": "64m",
            "managed.size": "64m",
            "jvm-metaspace.size": "192m",
            "jvm-overhead.min": "128m",
            "jvm-overhead.max": "128m",
        }.items()
    },
}
"""What Flink's own start scripts work out; started by hand, a TaskManager wants all of it."""


class FlinkCluster:
    """Starts a cluster; its processes end with the `with` block.

    Args:
        jars: the folder of all jars.
        folder: for configuration, logs and temporary files.
        environment: of the TaskManagers, and so of the Python workers they start.
    """

    def __init__(self, jars: Path, folder: Path, environment: dict[str, str]) -> None:
        self._jars = jars
        self._folder = folder
        self._environment = environment
        self._job_manager: subprocess.Popen[bytes] | None = None
        self.task_managers: list[subprocess.Popen[bytes]] = []
        rpc, rest = free_ports(2)
        self.address = f"localhost:{rest}"
        settings = {
            **_SETTINGS,
            "jobmanager.rpc.port": rpc,
            "rest.port": rest,
            "io.tmp.dirs": self._made("tmp"),
        }
        self._configuration = self._made("conf")
        lines = "".join(f"{key}: {value}\n" for key, value in settings.items())
        (self._configuration / "flink-conf.yaml").write_text(lines)
        self._logs = self._made("log")

    def __enter__(self) -> Self:
        self._job_manager = self._start("entrypoint.StandaloneSessionClusterEntrypoint")
        try:
            self.complete()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            for job in self._rest("/jobs")["jobs"]:
                if job["status"] in {"CREATED", "RUNNING", "RESTARTING"}:
                    self._rest(f"/jobs/{job['id']}?mode=cancel", "PATCH")
        processes = [*self.task_managers, *([self._job_manager] if self._job_manager else [])]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def complete(self, count: int = 2) -> None:
        """Brings the cluster to `count` TaskManagers, all free.

        Raises:
            TimeoutError: they do not come up.
        """
        self.task_managers = [process for process in self.task_managers if process.poll() is None]
        settings = [part for key, value in _TASK_MANAGER.items() for part in ("-D", f"{key}={value}")]
        while len(self.task_managers) < count:
            started = self._start(
                "taskexecutor.TaskManagerRunner",
                *settings,
                options=("-XX:MaxDirectMemorySize=192m", "-XX:MaxMetaspaceSize=192m"),
            )
            self.task_managers.append(started)
        ends = time.monotonic() + READY_S
        while time.monotonic() < ends:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError, KeyError):
                overview = self._rest("/overview")
                if overview["taskmanagers"] == count == overview["slots-available"]:
                    return
            time.sleep(0.5)
        raise TimeoutError(f"no cluster of {count} TaskManagers within {READY_S} s\n{self.tail()}")

    def kill_task_manager(self) -> None:
        """Ends a TaskManager as a machine that goes down would."""
        process = self.task_managers.pop()
        process.send_signal(signal.SIGKILL)
        process.wait()

    def tail(self) -> str:
        """The ends of all logs, for messages of tests that failed."""
        parts = []
        for log in sorted(self._logs.iterdir()):
            lines = log.read_text(errors="replace").splitlines()[-25:]
            parts.append("\n".join([f"== {log.name}", *lines]))
        return "\n".join(parts)

    def _made(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir(parents=True)
        return folder

    def _start(self, main: str, *arguments: str, options: tuple[str, ...] = ()) -> "subprocess.Popen[bytes]":
        command = ["java", *_OPTIONS, *options, "-cp", f"{self._jars}/*", f"{_MAIN}.{main}"]
        number = len(list(self._logs.iterdir()))
        with (self._logs / f"{number}-{main}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--configDir", str(self._configuration), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )

    def _rest(self, path: str, method: str = "GET") -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=5)
        with contextlib.closing(connection):
            connection.request(method, path)
            return json.loads(connection.getresponse().read() or b"{}")


def free_ports(count: int) -> list[int]:
    """Ports that nothing listened on a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for opened in sockets:
            opened.bind(("localhost", 0))
        return [opened.getsockname()[1] for opened in sockets]


def children_of(process: int) -> list[int]:
    """Processes that a process has started and that live."""
    found: list[int] = []
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, tasks.read_text().split())
    return found


def lives(process: int) -> bool:
    """Whether a process runs (a dead one that nobody has waited for does not)."""
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
