import tomllib
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from transforms.budget.errors import FactsError
from transforms.budget.facts.library import parse_facts
from transforms.budget.facts.operations import Decoding, LabellingMachine, Reliability, Storage, Uplink
from transforms.budget.facts.values import inherit
from transforms.budget.labelling import DEFAULT_MACHINE

FACTS = Path(__file__).resolve().parents[4] / "transforms" / "budget" / "facts"
TEXT = (FACTS / "operations.toml").read_text()


def record(kind, table, old="", new=""):
    assert old in TEXT
    content = inherit({"": tomllib.loads(TEXT.replace(old, new, 1) if old else TEXT)[table]})[""]
    return TypeAdapter(kind).validate_python(content)


def test_values_inherit_their_source():
    reliability = record(Reliability, "reliability")
    assert (reliability.restart.p10, reliability.restart.p90, reliability.restart.kind) == (
        180,
        600,
        "assumed",
    )
    assert reliability.failure_rate.kind == "published"
    assert "arXiv:2407.21783" in reliability.failure_rate.source
    machine = record(dict[str, LabellingMachine], "machines")["cloud-cpu"]
    assert (machine.core_hour.p10, machine.core_hour.p90) == (0.03, 0.06)


@pytest.mark.parametrize(
    ("kind", "table", "old", "new", "told"),
    [
        (Reliability, "reliability", "p90 = 3.4e-5", "p90 = 3.4", "leaves the range"),
        (Reliability, "reliability", 'restart = { low = 180, high = 600, unit = "s"', 'restart = { low = 180, high = 600, unit = "h"', "not 's'"),
        (Storage, "storage", 'p90 = 0.5, unit = "share"', 'p90 = 1.5, unit = "share"', "leaves the range"),
        (Decoding, "decoding", "H100-SXM = { value = 14", "H100-SXM = { value = -14", "greater than 0"),
        (Uplink, "uplink", "p90 = 12, unit", "p90 = 25, unit", "leaves the range"),
    ],
)  # fmt: skip
def test_slips_are_refused(kind, table, old, new, told):
    with pytest.raises(ValidationError, match=told):
        record(kind, table, old, new)


def test_labelling_is_priced_on_a_machine_of_the_facts(facts):
    machine = facts.machines[DEFAULT_MACHINE]
    assert (machine.title, machine.cores.p50) == ("rented cores", 1024)
    assert (machine.core_hour.p10, machine.core_hour.p90, machine.speed.p50) == (0.03, 0.06, 1)


def test_cores_of_an_unknown_accelerator_are_refused():
    others = [path.read_text() for path in sorted(FACTS.glob("*.toml")) if path.name != "operations.toml"]
    with pytest.raises(FactsError, match="cores: H900-SXM unknown"):
        parse_facts([*others, TEXT.replace("H100-SXM =", "H900-SXM =")])
