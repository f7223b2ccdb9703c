import io
import re
from datetime import date
from textwrap import wrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from transforms.budget.amounts import amount
from transforms.budget.answering import answer, answer_flops
from transforms.budget.chances import Limits
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import Fleet
from transforms.budget.request import BudgetRequest, FlopsRequest
from transforms.budget.supply.phases import Allocation
from transforms.views.budget_text import WIDTH, _two_digits, answer_text, estimates_text, paragraphs

DRAWS = 50


def printed(parts, width=200):
    console = Console(file=io.StringIO(), width=width)
    for part in parts:
        console.print(part, highlight=False, markup=False)
    return console.file.getvalue()


def asked(hours, *, dataset=None, **options):
    request = BudgetRequest(draws=DRAWS, **options)
    return answer(request, DatasetFigures.of_hours(hours), "user", dataset=dataset)


def told(text):
    """List items, each in one line."""
    return [" ".join(item.split()) for item in re.findall(r"^- (.*(?:\n  .*)*)", text, re.MULTILINE)]


def cells(text):
    """The rows of the tables: the words of each line, between the lines that begin with a space."""
    return [line.split() for line in text.splitlines() if line.startswith(" ") and line.strip()]


@pytest.fixture(scope="module")
def text(worked_out):
    return printed(answer_text(worked_out))


# four milliseconds, a clip of ten seconds, a day and a fleet
@pytest.mark.parametrize("hours", [1e-6, 0.003, 24.0, 1e9])
def test_lines_fit_and_numbers_are_short(hours):
    lines = printed(answer_text(asked(hours))).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert not [line for line in lines if re.search(r"\de\+|\de-?0|\.0*[1-9]\d{3}", line)]


def test_lines_fit_whatever_is_asked(text):
    assert max(map(len, text.splitlines())) <= WIDTH
    fleet, limits = (
        Fleet(vehicles=1.23e6, hours_per_day=1.5, days=365, keep_rate=0.0123),
        Limits(12.5, 1.25e6),
    )
    clusters = ("colossus", "colossus2", "cortex", "dojo")
    everything = asked(100.0, fleet=fleet, limits=limits, clusters=clusters)
    lines = printed(answer_text(everything)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert not [line for line in lines if "e+" in line]


def test_the_headline_comes_first_and_where_to_read_on_last(text, worked_out):
    assert "\n".join(wrap(worked_out.headline, WIDTH)) == text.split("\n1", maxsplit=1)[0]
    said = " ".join(text.splitlines()[-2:])
    assert said == (
        "as of 2026-05-06, facts of 2026-05-06; --json tells every input with its source, docs/budget.md how to "
        "read this"
    )


def test_what_is_trained_on(text):
    assert "\n100k camera-hours: 1k vehicles, 2 h a day for 100 days, 0.5 of it kept\n" in text
    one = {"workloads": ("fsd",), "clusters": ("cortex",)}
    assert "\n1.5 camera-hours: one camera of 1280 x 960\n" in printed(answer_text(asked(1.5, **one)))
    labelled = printed(answer_text(asked(1.5, dataset="out", **one)))
    assert re.search(r"\n1\.5 camera-hours: [\d,]+ clips, 0 labelled frames\n", labelled)
    flops = FlopsRequest(flops=1e24, kind="language", accelerator="H100", count=1024, draws=DRAWS)
    known = printed(answer_text(answer_flops(flops)))
    assert "camera" not in known
    assert "training: median and 80 % interval" in known
    assert "of the FLOPs come from the data set" not in known


def test_a_row_has_the_medians_over_the_intervals(text, worked_out):
    first = worked_out.estimates[0]
    medians, intervals = cells(text)[2:4]
    assert medians[:4] == ["colossus", "1,952", "of", "no"]
    assert intervals[:2] == ["H100-SXM", "150,000"]
    names = ("accelerator_hours", "training_days", "energy_mwh", "carbon_t", "water_m3", "cost_usd")
    ranges = [
        (_two_digits(first.quantities[name].p10), _two_digits(first.quantities[name].p90)) for name in names
    ]
    assert intervals[2:] == [f"{low}..{high}" for low, high in ranges]
    assert medians[-1] == amount(first.quantities["cost_usd"].p50, "USD").removeprefix("$")


def test_other_accelerators_are_told_in_h100(text, worked_out):
    gb200 = next(item for item in worked_out.estimates if item.accelerator == "GB200")
    equivalents = gb200.detail.also["h100_equivalents"].p50
    assert ["=", f"{equivalents / 1e3:.3g}k", "H100"] in cells(text)


def test_pools_that_are_not_feasible_for_one_reason_are_told_once(text):
    shut = [item for item in told(text) if item.startswith("not feasible: ")]
    # of two workloads each
    assert shut == 2 * [
        (
            "not feasible: colossus H100-SXM, colossus H200-SXM, colossus GB200: Colossus: lease of 2026-05-06: leased to "
            "Anthropic in full (a mixture); it would be with: as of a day before 2026-05-06, or another cluster"
        ),
        (
            "not feasible: dojo D1: Dojo: end of 2025-08-07: disbanded; it would be with: as of a day before 2025-08-07, "
            "or another cluster"
        ),
    ]
    fsd = told(text.split("grok: median")[0])
    assert len(fsd) == len(set(fsd))


def test_limits_are_told_of_every_pool(text, worked_out):
    items = told(text)
    for estimate in worked_out.estimates:
        place = f"{estimate.cluster} {estimate.accelerator}"
        days, dollars = (chance.probability for chance in estimate.detail.chances)
        assert f"{place}: chance to be done within 30 d: {days:.0%}" in items
        assert f"{place}: chance to cost no more than $1M: {dollars:.0%}" in items


def test_what_the_cheapest_rests_on(text):
    items = told(text)
    assert "more than 1,952 accelerators: the critical batch has no work for them" in items
    assert "more than 7,808 accelerators: the critical batch has no work for them" in items
    [spread, _] = [
        item for item in items if item.startswith("the spread of the cost on cortex H100-SXM comes ")
    ]
    assert len(re.findall(r" \(\$\S+ to \$\S+\)", spread)) == 3
    layouts = [item for item in items if item.startswith("layout on cortex H100-SXM: TP ")]
    assert len(layouts) == 2
    assert all("; next best: TP " in item for item in layouts)
    assert "100.0% of the FLOPs come from the data set" in items
    assert "utilisation on H100-SXM, H200-SXM, GB200, D1: assumed: no published run is behind it" in items
    years = [
        item for item in items if item.startswith("a year of the programme on cortex H100-SXM, experiments, ")
    ]
    assert len(years) == 2


def test_what_stands_beside_the_estimates(text, worked_out):
    items = told(text)
    assert any(item.startswith("demo, taken for a vision network: ") for item in items)
    for meeting in worked_out.meetings:
        assert items.index(f"{meeting.workload}, compared with Colossus (H100-SXM):") > 0
        assert set(meeting.sentences()) <= set(items)
    recorded = worked_out.uplink["recorded"].p50
    [uplink] = [item for item in items if item.startswith("uplink: ")]
    assert f" a vehicle, {amount(recorded, 'PB')} recorded, " in uplink
    labelled = [item for item in items if item.startswith("labelling, ")]
    assert len(labelled) == len(worked_out.labelling.modes)
    first = worked_out.labelling.modes[0]
    assert labelled[0] == (
        f"labelling, {first.name}: {amount(first.core_hours.p50, 'core-hours')}, {amount(first.cost_usd.p50, 'USD')}, "
        f"{amount(first.days.p50, 'd')} on cloud-cpu"
    )
    shares = worked_out.shares["fsd"]
    assert (
        f"of the money for fsd, labelling is {shares.labelling:.1%}, decoding for it {shares.decoding:.1%}, "
        f"the cheapest training {shares.training:.1%}"
    ) in items


def test_what_cannot_be_estimated_is_a_dash():
    early = printed(
        answer_text(asked(1.0, workloads=("fsd",), clusters=("colossus",), as_of=date(2020, 1, 1)))
    )
    assert ["colossus", "-", "no", *["-"] * 6] in cells(early)
    [why] = [item for item in told(early) if item.startswith("not feasible: colossus: ")]
    assert "2020-01-01" in why
    assert not [item for item in told(early) if item.startswith(("layout", "utilisation"))]


def test_a_check_that_fails_is_told_once():
    estimates = asked(1e9, workloads=("grok",), clusters=("colossus", "cortex")).estimates
    failed = {
        f"check: {item.name}: {item.says}"
        for one in estimates
        for item in one.detail.checks
        if not item.holds
    }
    items = [item for item in told(printed(estimates_text(estimates))) if item.startswith("check: ")]
    assert len(failed) > 0
    assert sorted(items) == sorted(failed)


def test_a_network_that_does_not_fit():
    small = asked(1e5, workloads=("grok",), clusters=("cortex",), allocation=Allocation(count=8))
    items = told(printed(answer_text(small)))
    [first, *_] = [
        item for item in items if item.startswith("not feasible: cortex H100-SXM: memory: no layout over 8")
    ]
    assert "; it would be with: " in first
    assert not [item for item in items if item.startswith("layout on ")]


def test_a_narrow_terminal_folds_the_table():
    narrow = printed(answer_text(asked(10.0, workloads=("fsd",), clusters=("cortex",))), width=60)
    tables = [line for line in narrow.splitlines() if line.startswith(" ")]
    assert max(map(len, tables)) <= 60


@given(st.lists(st.lists(st.text("abcé-/", min_size=1, max_size=30), min_size=1, max_size=40).map(" ".join)))
def test_paragraphs_keep_the_words(texts):
    items = paragraphs(texts)
    assert len(items) == len(texts)
    for item, given_text in zip(items, texts, strict=True):
        first, *more = item.splitlines()
        assert first.startswith("- ")
        assert all(line.startswith("  ") and line.strip() for line in more)
        assert max(map(len, item.splitlines())) <= WIDTH
        # a line may end after a hyphen
        assert "".join(item[2:].split()) == "".join(given_text.split())


def test_a_word_that_is_wider_than_a_line_is_broken():
    assert [len(line) for line in paragraphs(["x" * 150])[0].splitlines()] == [100, 54]
    assert paragraphs([]) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (4.2e-12, "4e-12"),
        (0.0049, "5e-3"),
        (0.0125, "0.01"),
        (0.333, "0.33"),
        (9.96, "10"),
        (12.34, "12"),
        (999.0, "1k"),
        (1.26e5, "130k"),
        (1.26e6, "1.3M"),
        (2.5e14, "250T"),
        (9.9e24, "9.9e24"),
    ],
)
def test_ends_of_intervals_have_two_digits(value, said):
    assert _two_digits(value) == said


@given(st.floats(1e-99, 9e98))
def test_ends_of_intervals_have_six_characters_at_most(value):
    assert len(_two_digits(value)) <= 6
