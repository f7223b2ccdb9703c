import pytest

from transforms.budget.sweeps.spec import SweepSpec


@pytest.fixture
def values():
    """A small spec: two networks on two clusters at two dates, two fleets."""
    return {
        "draws": 60,
        "rig": {"cameras": 8, "width": 1280, "height": 960, "fps": 36},
        "grid": {
            "workload": ["fsd"],
            "network": ["driving", "driving-10b"],
            "cluster": ["colossus", "cortex"],
            "as_of": ["2024-01", "2025-12"],
            "allocation": ["25%", "4096"],
            "vehicles": [1e3, 1e5],
            "hours_per_day": [1],
            "days": [30],
            "precision": ["bf16", "fp8"],
        },
    }


@pytest.fixture
def spec(values):
    return SweepSpec.parse(values)
