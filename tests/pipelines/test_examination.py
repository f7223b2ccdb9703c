import json
import os

import pytest

from models import downloads
from models.card import known_cards
from models.downloads import cache_folder
from pipelines import examination
from pipelines.cli import main
from pipelines.cores import cores_here
from pipelines.examination import examine

PLENTY = 64_000_000


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPMILL_MODELS", str(tmp_path / "cache"))
    monkeypatch.setenv("CLIPMILL_OFFLINE", "0")


@pytest.fixture
def system(tmp_path):
    """What a system tells of itself, as files."""

    def make(free_kib=PLENTY, **limits):
        (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable:   {free_kib} kB\n")
        groups = tmp_path / "groups"
        groups.mkdir(exist_ok=True)
        for name, value in limits.items():
            (groups / name.replace("_", ".")).write_text(f"{value}\n")
        return {item.name: item for item in examine(groups, tmp_path / "meminfo")}

    return make


def test_a_machine_that_can_label(system):
    found = system(cpu_max="max 100000", memory_max="max", memory_current="5")
    assert {item.state for name, item in found.items() if name != "cores"} == {"good"}
    assert (found["cores"].state == "good") == (cores_here() > 1)
    assert "clipmill 0" in found["versions"].text
    assert "downloaded once" in found["network yolox-nano"].text
    assert "network demo" not in found


def test_limits_of_a_container_are_told_with_what_to_do(system):
    found = system(cpu_max="50000 100000", memory_max=800_000_000, memory_current=100_000_000)
    assert found["cores"].state == "note"
    assert "may use 0.5 at a time: --workers 1" in found["cores"].text
    assert "0.7 GB are free" in found["memory"].text
    assert found["memory"].state == ("note" if cores_here() > 1 else "good")
    assert system(free_kib=100_000)["memory"].state == "bad"


def test_a_system_that_tells_nothing(tmp_path):
    found = {item.name: item for item in examine(tmp_path / "nothing", tmp_path / "nothing either")}
    assert (found["memory"].state, "does not tell" in found["memory"].text) == ("note", True)


def test_a_network_that_is_damaged_is_bad(system, capsys):
    card = known_cards()["yolox-nano"]
    cache_folder().mkdir()
    (cache_folder() / downloads._file_name(card)).write_bytes(b"not it")
    found = system()
    assert found["network yolox-nano"].state == "bad"
    assert "delete it and run again" in found["network yolox-nano"].text
    assert main(["doctor"]) == 1
    assert "something would fail: network yolox-nano" in capsys.readouterr().out


def test_without_downloads_only_the_default_network_must_be_there(system, monkeypatch):
    monkeypatch.setenv("CLIPMILL_OFFLINE", "1")
    found = system()
    states = {
        name: item.state
        for name, item in found.items()
        if name.startswith("network ") and "cache" not in name
    }
    assert states.pop("network yolox-nano") == "bad"
    assert set(states.values()) == {"note"}


def test_a_folder_that_cannot_be_written(system, tmp_path, monkeypatch):
    if os.geteuid() == 0:
        # nothing is read-only to root; a file is no folder to anybody
        (tmp_path / "file").write_bytes(b"")
        monkeypatch.setenv("CLIPMILL_MODELS", str(tmp_path / "file"))
    else:
        (tmp_path / "closed").mkdir(mode=0o500)
        monkeypatch.setenv("CLIPMILL_MODELS", str(tmp_path / "closed"))
    found = system()["network cache"]
    assert found.state == "bad"
    assert "set CLIPMILL_MODELS to a folder that is" in found.text


def test_processes_that_do_not_start_are_bad(system, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("a process for clips could not be started")

    monkeypatch.setattr(examination, "call", broken)
    assert system()["decoders"].state == "bad"


@pytest.mark.parametrize(
    ("missing", "state"), [((), "good"), (("vp8", "h263"), "note"), (("hevc", "vp8"), "bad")]
)
def test_decoders_that_cameras_need_must_be_there(system, monkeypatch, missing, state):
    monkeypatch.setattr(examination, "call", lambda *_, **__: missing)
    found = system()["decoders"]
    assert found.state == state
    assert all(name in found.text for name in missing if state == "note")


def test_the_command_tells_in_json(capsys):
    code = main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["good"] is (code == 0)
    assert told["versions"]["clipmill"]
    assert {"name", "state", "text"} == set(told["findings"][0])
