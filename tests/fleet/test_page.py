import doctest
import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
from fleet import page, splitting
from fleet.costs import (
    ASSUMED_FILE,
    MEASURED_FILE,
    Assumed,
    Entry,
    Measured,
    from_entries,
    read_entries,
    write_entries,
)
from fleet.page import PAGE, blocks, checks_table, filled, numbers

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "fleet_simulation.py"


def test_the_page_is_the_one_the_numbers_make():
    text = PAGE.read_text(encoding="utf-8")
    made = blocks(*numbers())
    assert text == filled(text, made), "stale: run `python tests/benchmarks/fleet_simulation.py --renew`"
    assert all(f"<!-- made: {name} -->\n|" in text for name in made)


def test_a_changed_number_changes_the_page():
    measured, assumed = numbers()
    text = PAGE.read_text(encoding="utf-8")
    assert text != filled(text, blocks(replace(measured, label_s=measured.label_s * 2), assumed))


@pytest.mark.parametrize(
    ("path", "kind", "kinds"),
    [(MEASURED_FILE, Measured, {"measured", "checked"}), (ASSUMED_FILE, Assumed, {"assumed", "published"})],
)
def test_every_number_has_a_unit_and_a_source(path, kind, kinds):
    entries = read_entries(path)
    assert {field.name for field in fields(kind)} <= {entry.name for entry in entries}
    assert all(entry.unit and entry.source and entry.kind in kinds for entry in entries)


def test_numbers_come_back_as_they_were_written(tmp_path):
    entries = [
        Entry("list_s", 1.5e-5, "s", "measured", 'a "name"'),
        Entry("shard_costs", [0.5, 1.5], "1", "measured", "b"),
    ]
    write_entries(tmp_path / "numbers.toml", entries)
    assert read_entries(tmp_path / "numbers.toml") == entries
    with pytest.raises(TypeError, match="probe_s"):
        from_entries(Measured, entries)


def test_predictions_stand_beside_what_was_measured():
    found = checks_table([Entry("check_x", [30.0, 24.0], "s", "checked", "a run")])
    assert found.splitlines()[-1] == "| a run | 30 s | 24 s | 1.25 |"


@pytest.mark.parametrize("module", [page, splitting], ids=lambda module: module.__name__)
def test_examples_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_one_fleet_by_command():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--camera-hours", "1e4", "--cores", "1000", "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    told = json.loads(done.stdout)
    (fleet,) = told["fleets"]
    assert (fleet["camera_hours"], fleet["cores"]) == (1e4, 1000)
    assert {limit["name"] for limit in told["limits"]} >= {"known clips", "serial stages", "reading"}


@pytest.mark.parametrize("wrong", [["--cores", "5"], ["--camera-hours", "-1", "--cores", "5"]])
def test_sizes_that_make_no_sense_are_refused(wrong):
    done = subprocess.run([sys.executable, SCRIPT, *wrong], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "give --camera-hours up to 1e+10 and --cores up to 1,000,000, both" in done.stderr
