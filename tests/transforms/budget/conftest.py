from functools import partial

import pytest

from transforms.budget.demand.bare_flops import demand_of_flops
from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.draws import Draws
from transforms.budget.evaluating import Scenario, Target
from transforms.budget.facts.library import load_facts
from transforms.budget.placing import Training, placements, scenario_of
from transforms.budget.request import BudgetRequest
from transforms.budget.supply.phases import Allocation, pools_on

DRAWS = 400


class Asked:
    """A question with answers at hand: few draws, a hundred thousand camera-hours, all clusters."""

    def question(self, hours=1e5, **options):
        return BudgetRequest(draws=DRAWS, **options).question(DatasetFigures.of_hours(hours))

    def scenario(self, workload, cluster="cortex", count=None, hours=1e5, **options):
        allocation = None if count is None else Allocation(count=count)
        question = self.question(hours, allocation=allocation, **options)
        found = question.facts.clusters[cluster]
        pool = pools_on(found, question.day)[0]
        network = question.facts.workloads[workload].network
        return scenario_of(question, Training(workload, network), found, pool)

    def placed(self, workload, clusters=("colossus", "cortex", "dojo"), hours=1e5, **options):
        question = self.question(hours, **options)
        network = question.facts.workloads[workload].network
        training = Training(workload, network)
        return [item for name in clusters for item in placements(question, training, name)]

    def of_flops(self, flops=1e22, kind="video", accelerator="H100-SXM", available=512):
        facts = load_facts()
        target = Target(
            accelerator=accelerator,
            available=available,
            place="anywhere",
            owned=True,
            day=facts.newest,
            asked=True,
        )
        return Scenario(facts, partial(demand_of_flops, facts, flops, kind, None), target)

    @property
    def draws(self):
        return Draws(0, DRAWS)


@pytest.fixture(scope="session")
def asked():
    return Asked()


@pytest.fixture
def facts():
    return load_facts()


@pytest.fixture
def figures():
    cameras = (
        CameraFigures("back", 1280, 960, 36.0, 100.0),
        CameraFigures("front", 1920, 1080, 30.0, 300.0),
    )
    return DatasetFigures(
        400.0, 24_000, 1_000_000, cameras, detections=5_000_000, tracks=40_000, bytes=10**12
    )
