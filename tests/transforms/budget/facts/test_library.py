import csv
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from transforms.budget.costs import accelerator_hours
from transforms.budget.demand.flops import CAUSAL_ATTENTION, transformer_flops
from transforms.budget.errors import BudgetUsageError, FactsError
from transforms.budget.facts.library import load_facts, parse_facts, told
from transforms.budget.facts.values import Fact

SHARED = Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[5] / "shared"))
FACTS = Path(__file__).resolve().parents[4] / "transforms" / "budget" / "facts"


def texts():
    return {path.name: path.read_text() for path in sorted(FACTS.glob("*.toml"))}


def changed(name, old, new):
    found = texts()
    assert old in found[name]
    return [text.replace(old, new, 1) if file == name else text for file, text in found.items()]


def test_every_value_has_unit_source_date_and_kind(facts):
    server = facts.accelerators["H100-SXM"].server_power
    assert (server.p50, server.unit, server.source, server.kind) == (
        1275,
        "W",
        "DGX H100: 10.2 kW / 8",
        "published",
    )
    assert facts.accelerators["H100-SXM"].bf16_dense.source == "NVIDIA datasheet"
    assert facts.newest.isoformat() == "2026-05-06"


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("H100", "H100-SXM"),
        ("H100-SXM-80GB", "H100-SXM"),
        ("nvidia h100 sxm5", "H100-SXM"),
        ("A100", "A100-SXM-80GB"),
        ("V100-16GB", "V100-SXM2"),
        ("tpu_v4", "TPUv4"),
        ("GB200", "GB200"),
    ],
)
def test_aliases(facts, alias, name):
    assert facts.accelerator(alias) == name


def test_an_unknown_accelerator_is_told_with_the_known_ones(facts):
    with pytest.raises(BudgetUsageError, match=r"'B9000' is unknown; known: V100-SXM2, .*D1"):
        facts.accelerator("B9000")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("accelerators.toml", 'unit = "FLOP/s"', 'unit = "B/s"', "not 'FLOP/s'"),
        ("accelerators.toml", "value = 1.25e14", "value = 1.25e7", "leaves the range"),
        ("accelerators.toml", 'source = "NVIDIA datasheet"\n', "", "source"),
        ("accelerators.toml", '"A100-40GB"', '"V100"', "share a name"),
        ("clusters.toml", 'place = "memphis"', 'place = "mars"', "place: mars unknown"),
        ("clusters.toml", 'accelerator = "D1"', 'accelerator = "D9"', "accelerator: D9 unknown"),
        ("networks.toml", 'utilisation = "video"', 'utilisation = "smell"', "utilisation: smell unknown"),
        ("networks.toml", 'formula = "graph"', 'formula = "oracle"', "oracle"),
        ("networks.toml", "activations_per_pixel", "activations_per_picture", "activations_per_picture"),
        ("networks.toml", "forward_per_pixel = {", "forward = {", "not 'FLOP'"),
        ("workloads.toml", 'network = "driving"', 'network = "flying"', "network: flying unknown"),
        ("workloads.toml", 'unit = "frames"', 'unit = "pictures"', "neither 'tokens' nor 'frames'"),
        ("clusters.toml", 'state = "closed"', 'state = "sold"', "state"),
        ("utilisation.toml", 'strata = ["llm"]', 'strata = ["lllm"]', "strata: lllm unknown"),
        ("utilisation.toml", 'use = "language_small"', 'use = "tiny"', "small networks: tiny unknown"),
        ("utilisation.toml", "[accelerator_utilisation.D1]", "[accelerator_utilisation.D9]", "D9 unknown"),
        ("energy.toml", "[places.anywhere]", "[places.somewhere]", "places: anywhere unknown"),
        ("accelerators.toml", "\ncapital = ", "\n# capital = ", "capital: Field required"),
        ("runs.toml", 'accelerator = "TPUv4"', 'accelerator = "TPUv9"', "runs: TPUv9 unknown"),
    ],
)
def test_facts_that_do_not_hold_together_are_refused(name, old, new, told):
    with pytest.raises(FactsError, match=told):
        parse_facts(changed(name, old, new))


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        (["unit"], "unit: Field required"),
        (
            ["p50", "unit", "source"],
            "p50: Field required; unit: Field required; source: Field required",
        ),
        (
            ["p10", "p50", "p90", "unit", "source"],
            "p10: Field required; p50: Field required; p90: Field required; and 2 more",
        ),
    ],
)
def test_three_errors_are_told_at_most_and_the_rest_counted(missing, line):
    whole = {
        "p10": 1.0, "p50": 2.0, "p90": 3.0, "unit": "h", "source": "made up", "as_of": "2026-01-01", "kind": "assumed",
    }  # fmt: skip
    with pytest.raises(ValidationError) as caught:
        Fact.model_validate({name: value for name, value in whole.items() if name not in missing})
    assert told(caught.value) == line


def test_an_error_of_a_whole_record_has_no_place():
    reverse = {
        "p10": 3, "p50": 2, "p90": 1, "unit": "h", "source": "made up", "as_of": "2026-01-01", "kind": "assumed",
    }  # fmt: skip
    with pytest.raises(ValidationError) as caught:
        Fact.model_validate(reverse)
    assert told(caught.value) == "p10 <= p50 <= p90 does not hold: 3.0, 2.0, 1.0"


def test_an_error_within_records_is_told_with_its_place():
    with pytest.raises(FactsError) as caught:
        parse_facts(changed("accelerators.toml", "value = 1.25e14", "value = 1.25e7"))
    assert str(caught.value) == (
        "accelerators.V100-SXM2.bf16_dense: 1.25e+07 to 1.25e+07 FLOP/s leaves the range 1e+09 to 1e+17"
    )


def test_facts_of_one_text_are_one_object():
    # what is worked out from them (priors of utilisation) is kept by object
    assert load_facts() is load_facts("")
    own = '{"places": {"moon": {"grid": {"value": 41, "unit": "g/kWh", "source": "made up", "as_of": "2026-01-01", "kind": "assumed"}}}}'
    assert load_facts(own) is load_facts(own) is not load_facts()
    assert load_facts(own).places["moon"].grid.p50 == 41
    assert "moon" not in load_facts().places


def test_a_table_in_two_files_is_refused():
    with pytest.raises(FactsError, match="table energy stands in two files"):
        parse_facts([*texts().values(), "[energy]"])


def test_no_published_run_passes_the_peak(facts):
    for run in facts.runs:
        if run.samples is None:
            continue
        if run.forward_flops is not None:
            flops = 3 * run.forward_flops.p50 * run.samples.p50
        else:
            shape = (run.active_parameters, run.samples, run.layers, run.width, run.sequence)
            flops = transformer_flops(*(item.p50 for item in shape), CAUSAL_ATTENTION)
        peak = facts.accelerators[run.accelerator].bf16_dense.p50
        assert 0.03 < accelerator_hours(flops, peak, 1.0) / run.accelerator_hours.p50 < 0.6, run.name


def rows(name):
    path = SHARED / "facts" / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    with path.open() as source:
        return list(csv.DictReader(source))


def test_the_accelerators_are_those_of_the_survey(facts):
    for row in rows("accelerators.csv"):
        known = facts.accelerators[row["name"]]
        assert known.bf16_dense.p10 == float(row["bf16_dense_flops"])
        assert known.memory.p50 == float(row["memory_bytes"])
        assert known.thermal_design_power.p50 == float(row["tdp_w"])
        if row["server_w_per_accelerator"]:
            assert known.server_power.p50 == float(row["server_w_per_accelerator"])


def test_the_phases_are_those_of_the_survey(facts):
    for row in rows("clusters.csv"):
        (phase,) = [phase for phase in facts.clusters[row["cluster"]].phases if phase.name == row["phase"]]
        assert phase.as_of.isoformat() == row["as_of"]
        assert (phase.accelerator or row["accelerator"]) == row["accelerator"]
        assert (str(int(phase.count.p50)) if phase.count else "") == row["count"]
        if row["facility_mw_low"]:
            assert phase.facility.p10 == float(row["facility_mw_low"])
            assert phase.facility.p90 == float(row["facility_mw_high"])


def test_the_runs_are_those_of_the_survey(facts):
    surveyed = rows("training_runs.csv")
    assert [run.name for run in facts.runs] == [row["name"] for row in surveyed]
    assert [run.accelerator_hours.p50 for run in facts.runs] == [float(row["gpu_hours"]) for row in surveyed]
