"""Airflow as it is deployed, small: scheduler, DAG processor and API server, with SQLite and local processes."""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

import psutil

_START_S = 300
_TOLD = 6000
"""Characters of each log that a failure tells."""


class Airflow:
    """Services of an Airflow of one's own, between `with` and its end.

    Args:
        python: of the environment that Airflow is installed in.
        folder: where it keeps all it keeps.
        dags: folder of DAGs; none is paused.
        environment: of the services and of all that they start.
    """

    def __init__(self, python: Path, folder: Path, dags: Path, environment: dict[str, str]) -> None:
        self._command = str(python.with_name("airflow"))
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._address = f"http://127.0.0.1:{server.getsockname()[1]}"
        port = self._address.rpartition(":")[2]
        self._environment = {
            **environment,
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._address}/execution/",
            "AIRFLOW__API__BASE_URL": self._address,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": port,
            "AIRFLOW__API__WORKERS": "1",
            # a try that is lost for want of an answer would count as one
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        self._services: list[psutil.Popen] = []
        self._token = ""

    def __enter__(self) -> Self:
        """Starts the services."""
        self._folder.mkdir()
        subprocess.run(
            [self._command, "db", "migrate"],
            env=self._environment,
            check=True,
            capture_output=True,
            timeout=_START_S,
        )
        try:
            self._start("api-server")
            # a task that cannot tell it that it has begun fails
            self.wait_until(lambda: self.get("version") is not None, _START_S, "the API server answers")
            self._start("dag-processor")
            self._start("scheduler", "--skip-serve-logs")
        except BaseException:
            self._end()
            raise
        return self

    def _start(self, *service: str) -> None:
        with (self._folder / f"{service[0]}.log").open("wb") as log:
            self._services.append(
                psutil.Popen(
                    [self._command, *service],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._environment,
                    cwd=self._folder,
                )
            )

    def __exit__(self, *error: object) -> None:
        """Ends the services and all that they started, tasks in sessions of their own too."""
        self._end()

    def _end(self) -> None:
        # the scheduler first: it would start again what it misses
        for service in reversed(self._services):
            kill_with_children(service)

    def wait_until(self, true: Callable[[], bool], seconds: float, what: str, every_s: float = 1.0) -> None:
        """Waits for something to come true.

        Raises:
            AssertionError: it did not, or a service has ended; with the ends of all logs.
        """
        until = time.monotonic() + seconds
        while not true():
            ended = [service.args[1] for service in self._services if service.poll() is not None]
            assert not ended, f"{ended} ended\n{self._logs()}"
            assert time.monotonic() < until, f"not within {seconds} s: {what}\n{self._logs()}"
            time.sleep(every_s)

    def get(self, path: str) -> Any:
        """What the API server answers, None while it does not yet."""
        with contextlib.suppress(OSError):
            self._token = self._token or self._json("/auth/token")["access_token"]
            return self._json(f"/api/v2/{path}")
        return None

    def _json(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        with urlopen(Request(self._address + path, headers=headers), timeout=30) as answer:  # noqa: S310 - ours
            return json.load(answer)

    def _logs(self) -> str:
        paths = [*self._folder.glob("*.log"), *self._folder.glob("logs/**/*.log")]
        return "\n".join(f"--- {path}\n{path.read_text(errors='replace')[-_TOLD:]}" for path in sorted(paths))


def kill_with_children(process: psutil.Process) -> int:
    """`kill -9` of a process and of all that it started.

    Returns:
        How many there were.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        # none of them is to start another meanwhile
        family = [process, *process.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=30)
        return len(family)
    return 0
