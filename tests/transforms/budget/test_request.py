import pickle
from datetime import date

import pytest

from transforms.budget.chances import Limits
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import Fleet
from transforms.budget.errors import BudgetUsageError
from transforms.budget.facts.library import load_facts
from transforms.budget.facts.own import OwnFacts
from transforms.budget.placing import Training
from transforms.budget.request import BudgetRequest, FlopsRequest
from transforms.budget.supply.phases import Allocation

DRAWS = 50
CLUSTER = """
title = "Our hall"
place = "anywhere"
is_default = false

[[phases]]
name = "first rack"
as_of = 2025-01-01
accelerator = "H100-SXM"
count = { value = 256, unit = "accelerators" }
status = "operational"
state = "operating"
kind = "assumed"
source = "our own inventory"
"""


@pytest.fixture
def hall(tmp_path):
    path = tmp_path / "hall.toml"
    path.write_text(CLUSTER)
    return str(path)


def test_nothing_asked_for_is_everything():
    request = BudgetRequest.resolve()
    assert request == BudgetRequest()
    assert request.facts() is load_facts()
    assert request.targets() == ["colossus", "cortex", "dojo"]
    assert request.trainings() == [
        Training("fsd", "driving"),
        Training("autopilot", "camera-detector"),
        Training("optimus", "robot"),
        Training("grok", "grok-1"),
    ]


def test_names_are_looked_up_once_each():
    request = BudgetRequest.resolve(["Grok", "FSD", "grok"], ["Dojo", "colossus2"], "Driving-10B")
    assert (request.workloads, request.clusters) == (("grok", "fsd"), ("dojo", "colossus2"))
    assert (request.network, request.own) == ("driving-10b", "")
    assert request.targets() == ["dojo", "colossus2"]
    # the network asked for takes the place of each workload's own
    assert request.trainings() == [Training("grok", "driving-10b"), Training("fsd", "driving-10b")]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((["flying"], []), "workload 'flying' is unknown and no file; known: fsd, autopilot, optimus, grok"),
        (([], ["hall"]), "cluster 'hall' is unknown and no file; known: colossus, "),
        (([], [], "brain"), "network 'brain' is unknown and no file; known: driving, "),
    ],
)
def test_an_unknown_name_is_told_with_the_known_ones(asked, told):
    with pytest.raises(BudgetUsageError, match=told):
        BudgetRequest.resolve(*asked)


def test_a_file_is_known_by_its_name(hall):
    request = BudgetRequest.resolve(["fsd"], [hall, "dojo", hall])
    assert request.clusters == ("hall", "dojo")
    assert request.facts().clusters["hall"].title == "Our hall"
    assert "hall" not in load_facts().clusters


def test_files_and_made_facts_come_together(hall):
    own = OwnFacts()
    own.add("networks", {"twin": load_facts().networks["driving"].model_dump(mode="json")})
    request = BudgetRequest.resolve(["fsd"], [hall], "twin", own)
    assert request.trainings() == [Training("fsd", "twin")]
    assert request.facts().networks["twin"].parameters.p50 == 1e9


def test_a_request_travels_to_workers_without_files(hall):
    sent = BudgetRequest(
        **{
            name: getattr(BudgetRequest.resolve(["fsd"], [hall]), name)
            for name in ("workloads", "clusters", "own")
        },
        as_of=date(2026, 1, 1),
        allocation=Allocation(share=0.5),
        fleet=Fleet(10, 1, 10),
        limits=Limits(deadline=3.0),
        seed=3,
        draws=DRAWS,
    )
    received = pickle.loads(pickle.dumps(sent))  # noqa: S301 - our own bytes
    assert received == sent
    figures = DatasetFigures.of_hours(100.0)
    (answer,) = sent.answer(figures)
    assert (answer.cluster, answer.accelerator_count) == ("hall", 128)
    assert received.answer(figures) == [answer]


def test_answers_come_in_the_order_asked_for(figures):
    request = BudgetRequest(workloads=("autopilot", "fsd"), clusters=("dojo", "cortex"), draws=DRAWS)
    assert [(item.workload, item.cluster, item.accelerator) for item in request.answer(figures)] == [
        ("autopilot", "dojo", "D1"),
        ("autopilot", "cortex", "H100-SXM"),
        ("autopilot", "cortex", "H200-SXM"),
        ("fsd", "dojo", "D1"),
        ("fsd", "cortex", "H100-SXM"),
        ("fsd", "cortex", "H200-SXM"),
    ]


def test_the_question_takes_the_newest_date_of_the_facts(figures):
    question = BudgetRequest(draws=DRAWS, seed=5).question(figures, "user")
    assert (question.day, question.figures, question.figures_kind) == (date(2026, 5, 6), figures, "user")
    assert (question.draws.seed, question.draws.count) == (5, DRAWS)
    assert BudgetRequest(as_of=date(2025, 1, 1)).question(figures).day == date(2025, 1, 1)


def test_a_fleet_scales_the_figures(figures):
    fleet = Fleet(vehicles=1000, hours_per_day=2, days=30, keep_rate=0.1)
    request = BudgetRequest(fleet=fleet, draws=DRAWS)
    # 6,000 vehicle-hours are kept; the sample's vehicle drove 300, as long as its front camera filmed
    scaled = request.figures_for(figures)
    assert scaled.camera_hours == pytest.approx(400 * 20)
    assert (scaled.frames, scaled.bytes) == (20_000_000, 20 * 10**12)
    question = request.question(figures)
    assert (question.figures, question.figures_kind) == (scaled, "user")
    assert BudgetRequest().figures_for(figures) is figures


def test_a_fleet_needs_a_sample():
    with pytest.raises(BudgetUsageError, match="no sample to scale"):
        BudgetRequest(fleet=Fleet(10, 1, 10)).figures_for(DatasetFigures(0.0, 0, 0, ()))


def test_what_cannot_be_trained_is_told_before_anything_is_read():
    BudgetRequest(network="camera-detector", workloads=("fsd", "autopilot")).check()
    BudgetRequest().check()
    with pytest.raises(BudgetUsageError, match="grok trains on text: network camera-detector"):
        BudgetRequest(network="camera-detector").check()


def test_flops_on_a_number_of_accelerators():
    found = FlopsRequest(flops=1e22, kind="video", accelerator="h100", count=64, draws=DRAWS).answer()
    assert (found.accelerator, found.accelerator_count, found.as_of) == ("H100-SXM", 64, date(2026, 5, 6))
    assert (found.workload, found.network, found.cluster) == (None, None, None)
    assert found.detail.share.kind == "user"
    assert found.reasons == ()


def test_flops_on_accelerators_that_nobody_counted():
    found = FlopsRequest(flops=1e22, kind="video", accelerator="h100", draws=DRAWS).answer()
    assert (found.accelerator_count, found.detail.share.kind, found.detail.reliability) == (
        1,
        "default",
        None,
    )
    assert found.reasons == (
        "no count given: the days are those of one accelerator; memory was not looked at",
    )


def test_flops_on_accelerators_of_the_callers_own():
    record = load_facts().accelerators["A100-SXM-40GB"].model_dump(mode="json", exclude_none=True)
    own = OwnFacts()
    own.add("accelerators", {"card": {**record, "aliases": ["our card"]}})
    found = FlopsRequest(
        flops=1e20, kind="video", accelerator="our card", own=own.text(), draws=DRAWS
    ).answer()
    bundled = FlopsRequest(flops=1e20, kind="video", accelerator="A100-40GB", draws=DRAWS).answer()
    assert found.accelerator == "card"
    assert found.quantities["accelerator_hours"] == bundled.quantities["accelerator_hours"]
