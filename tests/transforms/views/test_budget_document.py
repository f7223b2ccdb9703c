import copy

import pytest
from pydantic import BaseModel, ValidationError

from transforms.views.budget_document import BudgetDocument

SENTENCES = "`sentences` tells it in words"
SHARES = "what a step loses is told in `reasons`, `efficiency` sums it up"
LEFT_OUT = {
    "estimates.backtest.strata": "`runs` and `families` count what they hold; `clipmill backtest` lists them",
    "estimates.layout.limited_by": "`allocation.limited_by` says the same",
    **{
        f"estimates.layout.{rank}.{name}": why
        for rank in ("best", "runner_up")
        for name, why in {
            "accelerators": "tensor x pipeline x data",
            "interleave": "told in `reasons`, where it is more than one",
            "state_bytes": "told in `reasons`; the table has all that a layout keeps, `memory_bytes`",
            "expert_share": SHARES,
            "gradient_share": SHARES,
            "pipeline_share": SHARES,
            "recomputation_share": SHARES,
            "tensor_share": SHARES,
            "update_share": SHARES,
        }.items()
    },
    "questions.break_even": SENTENCES,
    "questions.doubling": SENTENCES,
    "questions.network": "the heading of the workload names it",
    "questions.pools": SENTENCES,
    "questions.ratios": SENTENCES,
    "questions.same_money": SENTENCES,
}
"""Keys of `budget --json` that the page does without, and why."""


def unknown_keys(data):
    try:
        BudgetDocument.model_validate(data, extra="forbid")
    except ValidationError as error:
        slips = error.errors()
        assert {slip["type"] for slip in slips} == {"extra_forbidden"}
        return {".".join(part for part in slip["loc"] if isinstance(part, str)) for slip in slips}
    return set()


def records(value):
    """A record and all that it holds."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from records(getattr(value, name))
    elif isinstance(value, dict | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from records(item)


def test_every_key_of_a_budget_is_known_or_left_out_on_purpose(worked_out):
    assert unknown_keys(worked_out.as_json()) == set(LEFT_OUT)


def test_every_key_that_is_known_is_one_of_a_budget(worked_out):
    told = {}
    for record in records(BudgetDocument.model_validate(worked_out.as_json())):
        told.setdefault(type(record), set()).update(record.model_fields_set)
    assert len(told) == 16
    assert not {
        kind.__name__: unseen for kind, names in told.items() if (unseen := kind.model_fields.keys() - names)
    }


def test_the_figures_that_the_tests_of_the_page_make_up_have_keys_of_a_budget(budget):
    assert unknown_keys(budget) == set()


def test_what_is_read_is_what_was_told(worked_out):
    document = BudgetDocument.model_validate(worked_out.as_json())
    assert document.headline == worked_out.headline
    assert (document.seed, document.draws, document.dataset) == (0, 100, "out")
    assert [item.target for item in document.estimates[:2]] == [
        "colossus: 150,000 H100-SXM",
        "colossus: 50,000 H200-SXM",
    ]
    for read, told in zip(document.estimates, worked_out.estimates, strict=True):
        assert read.training == told.workload
        assert read.feasible == told.feasible
        assert {name: item.p50 for name, item in read.quantities.items()} == {
            name: item.p50 for name, item in told.quantities.items()
        }
        assert read.layout.best.data == told.detail.layouts.best.data
        assert [item.probability for item in read.chances] == [
            item.probability for item in told.detail.chances
        ]
        assert [item.name for item in read.assumptions] == [item.name for item in told.assumptions]
    assert [item.sentences for item in document.questions] == [
        tuple(item.sentences()) for item in worked_out.meetings
    ]
    assert document.labelling.share["fsd"]["training"] == worked_out.shares["fsd"].training
    assert sum(document.labelling.share["grok"].values()) == pytest.approx(1)


def test_null_is_missing(budget):
    sparse = copy.deepcopy(budget)
    sparse["estimates"][0] |= {"layout": None, "quantities": {"cost_usd": None}, "change": None}
    read = BudgetDocument.model_validate(sparse).estimates[0]
    assert (read.layout, read.quantities, read.change) == (None, {}, "")


def test_a_target_in_a_few_words(budget):
    first, *_, grok = BudgetDocument.model_validate(budget).estimates
    assert first.target == "colossus: 150,000 H100-SXM"
    alone = first.model_copy(update={"cluster": None, "accelerator_count": None, "workload": None})
    assert (alone.target, alone.training) == ("H100-SXM", "video-1b")
    assert alone.model_copy(update={"accelerator": None, "network": None}).target == "no known accelerators"
    assert alone.model_copy(update={"network": None}).training == "training"
    assert grok.training == "grok"
