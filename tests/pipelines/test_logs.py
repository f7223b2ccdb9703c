import json
import logging

import pytest

from pipelines import logs
from pipelines.cli import main

VIN = "1M8GDM9AXKP042788"


@pytest.fixture(autouse=True)
def as_before():
    yield
    logs.configure("text", None)


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_lines_tell_when_what_and_of_which_run(capsys):
    logs.configure("json", None)
    logs.event("run_started", run_id="r1", inputs=2)
    logs.event("shard_done", logging.WARNING, seconds=0.5)
    first, second = lines(capsys)
    assert first["time"].endswith("Z")
    assert list(first)[:4] == ["time", "level", "event", "run_id"]
    assert (first["level"], first["event"], first["inputs"]) == ("info", "run_started", 2)
    assert (second["level"], second["run_id"], second["seconds"]) == ("warning", "r1", 0.5)


def test_the_level_is_the_least_that_is_told(capsys):
    logs.configure("json", "warning")
    assert not logs.tells_steps()
    logs.event("run_started", run_id="r1")
    logs.event("clip_failed", logging.WARNING, uri="a.mp4")
    assert [line["event"] for line in lines(capsys)] == ["clip_failed"]


def test_text_says_nothing_unless_asked_to(capsys):
    logs.configure("text", None)
    logs.event("clip_failed", logging.WARNING, uri="a.mp4")
    assert not capsys.readouterr().err
    logs.configure("text", "info")
    logs.event("clip_failed", uri="a b.mp4", error="truncated", odd="\x1b[2J", reasons=["new"])
    said = capsys.readouterr().err
    assert said.endswith(' info clip_failed uri="a b.mp4" error=truncated odd="\\u001b[2J" reasons=["new"]\n')


@pytest.mark.parametrize("log_format", logs.FORMATS)
def test_no_vehicle_identification_number_is_told(capsys, log_format):
    logs.configure(log_format, "info")
    logs.event("clip_failed", uri=f"/in/{VIN}\n{VIN}", inputs=(VIN, {"deep": VIN}))
    logging.getLogger("clipmill").warning("note of %s", VIN)
    said = capsys.readouterr().err
    assert said.count("2788") == 5
    assert VIN not in said


def test_notes_of_libraries_are_json_lines_too(capsys):
    root = logging.getLogger()
    handler = logging.StreamHandler()
    root.addHandler(handler)
    try:
        logs.configure("json", None)
        logging.getLogger("models").warning("a card is odd")
    finally:
        root.removeHandler(handler)
    (line,) = [line for line in lines(capsys) if line["event"] == "note"]
    assert (line["level"], line["message"]) == ("warning", "a card is odd")


@pytest.mark.parametrize("how", [["--log-format=json"], ["--log-format", "json"]])
@pytest.mark.parametrize("wrong", [["nowhere", "-o", "out"], ["nowhere", "-o", "out", "--no-such-option"]])
def test_errors_are_json_lines(capsys, how, wrong):
    assert main(["label", *wrong, *how]) == 2
    (line,) = lines(capsys)
    assert (line["level"], line["event"], line["exit_code"]) == ("error", "failed", 2)
    assert "no" in line["message"]
