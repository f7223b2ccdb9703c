"""Who may write a data set, and what a run that died leaves behind."""

import json
import multiprocessing
import os
import time

import pytest

from pipelines import locks, logs
from pipelines.locks import LOCK, output_lock
from pipelines.outcome import JobError
from transforms.storage import RemoteStore

pytestmark = pytest.mark.usefixtures("quick")


def test_a_second_run_is_told_who_holds_the_folder(tmp_path):
    with (
        output_lock(str(tmp_path / "out")),
        pytest.raises(JobError, match=rf"process {os.getpid()} on .* since 20.*--wait"),
        output_lock(str(tmp_path / "out")),
    ):
        pass


def test_the_lock_is_free_when_the_run_has_ended(tmp_path):
    for _ in range(2):
        with output_lock(str(tmp_path / "out")):
            pass


def _hold_and_die(folder: str) -> None:
    holder = output_lock(folder)
    holder.__enter__()
    os._exit(9)


def test_a_killed_run_leaves_no_lock_in_a_folder(tmp_path):
    process = multiprocessing.get_context("fork").Process(target=_hold_and_die, args=(str(tmp_path),))
    process.start()
    process.join()
    assert (tmp_path / LOCK).read_bytes()
    with output_lock(str(tmp_path)):
        pass


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(locks, "_SETTLE_S", 0.05)
    monkeypatch.setattr(locks, "_POLL_S", 0.05)


@pytest.fixture
def store(tmp_path):
    return RemoteStore(str(tmp_path))


def lease(store, *, waits=False):
    return locks._lease(store, "s3://bucket/out", waits=waits)


def test_a_lease_is_held_by_one_run_and_given_back(store, tmp_path):
    with lease(store):
        assert json.loads((tmp_path / LOCK).read_bytes())["process"] == os.getpid()
        with pytest.raises(JobError, match="another run"), lease(store):
            pass
    assert not (tmp_path / LOCK).exists()


def test_a_lease_that_nobody_renews_runs_out(store, tmp_path):
    dead = {
        "host": "far",
        "process": 1,
        "since": "x",
        "renewed_s": time.time() - locks.LEASE_S - 1,
        "token": "d",
    }
    (tmp_path / LOCK).write_text(json.dumps(dead))
    with lease(store):
        pass


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"renewed_s": "soon"}', b"\xff\xfe"])
def test_what_is_no_lease_holds_nobody_up(store, tmp_path, content):
    (tmp_path / LOCK).write_bytes(content)
    with lease(store):
        pass


def test_a_lease_is_renewed_while_the_run_goes_on(store, tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_RENEW_S", 0.05)
    with lease(store):
        first = json.loads((tmp_path / LOCK).read_bytes())
        deadline = time.monotonic() + 20
        while json.loads((tmp_path / LOCK).read_bytes() or b"{}") == first and time.monotonic() < deadline:
            time.sleep(0.02)
        later = json.loads((tmp_path / LOCK).read_bytes())
    assert later["renewed_s"] > first["renewed_s"]
    assert later["token"] == first["token"]


def test_of_two_that_begin_at_once_the_last_writer_has_it(store, monkeypatch):
    real = RemoteStore.write

    def overtaken(self, name, content):
        real(self, name, content)
        other = json.loads(content) | {"host": "rival", "token": "other"}
        real(self, name, json.dumps(other).encode())

    monkeypatch.setattr(RemoteStore, "write", overtaken)
    with pytest.raises(JobError, match="rival"), lease(store):
        pass


@pytest.fixture
def lease_that_runs_out(tmp_path, monkeypatch):
    """Another run's lease, which runs out while it is waited for, however slow the machine is."""
    other = {"host": "far", "process": 1, "since": "then", "renewed_s": time.time(), "token": "d"}
    (tmp_path / LOCK).write_text(json.dumps(other))

    def wait(_seconds):
        if json.loads((tmp_path / LOCK).read_text())["host"] == "far":
            (tmp_path / LOCK).write_text(json.dumps(other | {"renewed_s": 0}))

    monkeypatch.setattr(time, "sleep", wait)


@pytest.mark.usefixtures("lease_that_runs_out")
def test_waiting_for_a_lease_ends_when_it_runs_out(store, capsys):
    with lease(store, waits=True):
        pass
    assert capsys.readouterr().err.count("process 1 on far since then") == 1


@pytest.mark.usefixtures("lease_that_runs_out")
def test_among_json_lines_waiting_is_one_of_them(store, capsys):
    logs.configure("json", None)
    try:
        with lease(store, waits=True):
            pass
    finally:
        logs.configure("text", None)
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert line["event"] == "waiting"
    assert "process 1 on far since then" in line["message"]


def test_a_lock_that_is_a_link_leaves_its_target_alone(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LOCK).symlink_to(victim)
    with pytest.raises(JobError, match="not writable"), output_lock(str(tmp_path / "out")):
        pass
    assert victim.read_text() == "mine"


def test_a_lease_that_another_run_took_over_is_left_to_it_and_ends_the_run(store, tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_RENEW_S", 0.05)
    rival = {"host": "rival", "process": 1, "since": "now", "renewed_s": time.time() + 60, "token": "other"}

    def run() -> None:
        with lease(store):
            (tmp_path / LOCK).write_text(json.dumps(rival))
            time.sleep(0.5)

    with pytest.raises(JobError, match="took over"):
        run()
    assert json.loads((tmp_path / LOCK).read_text()) == rival


def test_that_a_run_of_this_system_has_died_is_seen_at_once(store, tmp_path):
    process = multiprocessing.get_context("fork").Process(target=_lease_and_die, args=(store,))
    process.start()
    process.join()
    assert json.loads((tmp_path / LOCK).read_bytes())["process"] == process.pid
    with lease(store):
        pass


def _lease_and_die(store):
    holder = lease(store)
    holder.__enter__()
    os._exit(9)


def test_the_process_ids_of_another_system_say_nothing(store, tmp_path):
    process = multiprocessing.get_context("fork").Process(target=_lease_and_die, args=(store,))
    process.start()
    process.join()
    facts = json.loads((tmp_path / LOCK).read_bytes())
    (tmp_path / LOCK).write_text(json.dumps(facts | {"system": "elsewhere"}))
    with pytest.raises(JobError, match="another run"), lease(store):
        pass


def test_a_lease_that_went_to_another_run_is_left_alone(store, tmp_path):
    with lease(store):
        facts = json.loads((tmp_path / LOCK).read_bytes())
        other = json.dumps(facts | {"token": "other"})
        (tmp_path / LOCK).write_text(other)
    assert (tmp_path / LOCK).read_text() == other
