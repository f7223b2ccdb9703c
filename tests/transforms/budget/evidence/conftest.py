import pytest

from transforms.budget.facts.runs import Run
from transforms.budget.facts.values import inherit


def given(value, unit):
    return {"value": value, "unit": unit}


@pytest.fixture
def make_run():
    """A training of 6·1e9·1e12 FLOPs on H100: 3,368.9 h at the peak, unless told otherwise."""

    def make(name="mine", family="ours", stratum="llm", hours=10_000.0, **others):
        table = {
            "name": name,
            "year": 2025,
            "stratum": stratum,
            "family": family,
            "tier": "A",
            "source": "made up",
            "as_of": "2025-01-01",
            "kind": "published",
            "accelerator": "H100-SXM",
            "accelerator_hours": given(hours, "h"),
            "accelerator_hours_kind": "",
            "parameters": given(1e9, "parameters"),
            "samples": given(2e12, "samples"),
            "sample_unit": "tokens",
            **others,
        }
        table = {key: value for key, value in table.items() if value is not None}
        return Run.model_validate(inherit(table))

    return make
