import json
from pathlib import Path

import pytest

from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import load_facts
from transforms.budget.facts.own import OwnFacts

FACTS = Path(__file__).resolve().parents[4] / "transforms" / "budget" / "facts"
GARAGE = """
title = "Garage"
place = "austin"
[[phases]]
name = "all"
as_of = 2026-01-01
accelerator = "H100-SXM"
count = { value = 8, unit = "accelerators" }
status = "mine"
state = "operating"
kind = "published"
source = "my own"
"""
CARD = """
[accelerators.MyCard]
source = "its data sheet"
as_of = 2024-01-01
kind = "published"
bf16_dense = { value = 1e14, unit = "FLOP/s" }
memory = { value = 24e9, unit = "B" }
scale_up_size = { value = 1, unit = "accelerators" }
thermal_design_power = { value = 300, unit = "W" }
server_power = { value = 400, unit = "W" }
capital = { value = 3000, unit = "USD" }
"""


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_names_need_no_file():
    own = OwnFacts()
    assert [own.name("clusters", "Colossus"), own.name("workloads", "FSD")] == ["colossus", "fsd"]
    assert own.name("accelerators", "H100-80GB") == "H100-SXM"
    assert own.text() == ""


def test_a_record_alone_is_named_after_its_file(tmp_path):
    own = OwnFacts()
    assert own.name("clusters", written(tmp_path, "my garage Ä.toml", GARAGE)) == "my garage Ä"
    (phase,) = own.facts().clusters["my garage Ä"].phases
    assert (phase.count.p50, phase.count.source) == (8, "my own")


def test_it_travels_as_text(tmp_path):
    own = OwnFacts()
    own.name("clusters", written(tmp_path, "garage.toml", GARAGE))
    assert json.loads(own.text())["clusters"]["garage"]["place"] == "austin"
    assert load_facts(own.text()).clusters["garage"].title == "Garage"
    assert "garage" not in load_facts().clusters


def test_a_file_may_bring_what_it_needs(tmp_path):
    cluster = "[clusters.garage]" + GARAGE.replace("[[phases]]", "[[clusters.garage.phases]]")
    path = written(tmp_path, "site.toml", cluster.replace("H100-SXM", "MyCard") + CARD)
    own = OwnFacts()
    assert own.name("clusters", path) == "garage"
    assert own.facts().accelerators["MyCard"].memory.p50 == 24e9


def test_an_accelerator_of_the_callers_own(tmp_path):
    own = OwnFacts()
    assert own.name("accelerators", written(tmp_path, "card.toml", CARD)) == "MyCard"
    assert own.facts().accelerators["MyCard"].capital.source == "its data sheet"


@pytest.mark.parametrize(("table", "name"), [("workloads", "optimus"), ("networks", "driving")])
def test_a_table_of_the_facts_can_be_copied_into_a_file(tmp_path, table, name):
    text = (FACTS / f"{table}.toml").read_text(encoding="utf-8")
    start = text.index(f"[{table}.{name}]")
    stop = text.find("\n# ", start)
    copied = text[start : None if stop < 0 else stop]
    copied = copied.replace(f"{table}.{name}", f"{table}.mine")
    stop = copied.find(f"\n[{table}.", 10) if table == "networks" else -1
    own = OwnFacts()
    assert own.name(table, written(tmp_path, "mine.toml", copied[: None if stop < 0 else stop])) == "mine"
    facts = own.facts()
    assert getattr(facts, table)["mine"] == getattr(facts, table)[name]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"austin"', '"mars"', "place: mars unknown"),
        ('unit = "accelerators"', 'unit = "pieces"', "the unit is 'pieces', not 'accelerators'"),
        ("value = 8", "value = -8", "greater than 0"),
        ("title", "= nonsense", "Invalid statement (at line 2, column 1)"),
        ("title", "colour", "colour"),
        ("H100-SXM", "H900", "accelerator: H900 unknown"),
    ],
)
def test_a_file_that_does_not_hold_together_is_told_in_one_line(tmp_path, old, new, told):
    path = written(tmp_path, "garage.toml", GARAGE.replace(old, new))
    with pytest.raises(BudgetUsageError) as error:
        OwnFacts().name("clusters", path)
    assert str(error.value).startswith(f"cluster {path}: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[runs]\n[clusters.a]\n", "not runs"),
        ("clusters = 3", "tables can be"),
        ("[clusters]\n", "one \\[clusters.NAME\\] is wanted, not 0"),
        ("x" * 1_000_001, "larger than"),
    ],
)
def test_a_file_of_other_things_is_refused(tmp_path, text, told):
    with pytest.raises(BudgetUsageError, match=told):
        OwnFacts().name("clusters", written(tmp_path, "other.toml", text))


def test_two_things_of_one_name_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    own = OwnFacts()
    own.name("clusters", written(tmp_path, "garage.toml", GARAGE))
    own.name("clusters", str(tmp_path / "garage.toml"))
    with pytest.raises(BudgetUsageError, match="two different things are called 'garage'"):
        own.name("clusters", written(tmp_path / "a", "garage.toml", GARAGE.replace("8", "9")))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("clusters", "cluster 'skynet' is unknown and no file; known: colossus, "),
        ("workloads", "workload 'skynet' is unknown and no file; known: fsd, "),
        ("networks", "network 'skynet' is unknown and no file; known: driving, "),
        ("accelerators", "accelerator 'skynet' is unknown; known: V100-SXM2, "),
    ],
)
def test_unknown_names_are_told_with_the_known_ones(table, told):
    with pytest.raises(BudgetUsageError, match=told):
        OwnFacts().name(table, "skynet")


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000, ".".join("a" * 5000) + " = 1", "clusters.a" + ".b" * 30 + " = 1"]
)
def test_a_file_nested_too_deeply_is_told(tmp_path, text):
    with pytest.raises(BudgetUsageError, match="nested too deeply, no file of facts"):
        OwnFacts().name("clusters", written(tmp_path, "deep.toml", text))


def test_a_cluster_may_name_an_accelerator_by_its_alias(tmp_path):
    own = OwnFacts()
    name = own.name("clusters", written(tmp_path, "garage.toml", GARAGE.replace("H100-SXM", "H100-80GB")))
    assert own.facts().clusters[name].phases[0].accelerator == "H100-SXM"


def test_a_byte_order_mark_is_no_matter(tmp_path):
    assert OwnFacts().name("clusters", written(tmp_path, "garage.toml", "\ufeff" + GARAGE)) == "garage"
