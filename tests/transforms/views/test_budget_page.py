import re
from html import escape
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from pydantic import ValidationError

from transforms.views.budget_document import Estimate, Labelling
from transforms.views.budget_page import budget_page, interval_figures, tornado_figures
from transforms.views.budget_tables import (
    assumptions_table,
    backtest_card,
    chances_table,
    checks_table,
    feasibility_table,
    labelling_table,
    layout_table,
    programme_year_table,
    quantities_table,
)

VOID = {"meta", "br", "link", "img", "input", "hr"}
HOSTILE = "<script>alert(1)</script>\"'&"


class Page(HTMLParser):
    """A page's elements; complains about any that is not closed where it should be."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.elements = []
        self.words = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.words.setdefault(self.open[-1], []).append(data.strip())

    def named(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(word for words in self.words.values() for word in words if word)


def pictures(page):
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]  # noqa: S314 - our own


def of(budget, at=0, **changes):
    return Estimate.model_validate({**budget["estimates"][at], **changes})


def rows(table):
    """The texts of a table's cells, row by row."""
    cells = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [
        [
            " ".join(re.sub("<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in cells
    ]


def test_the_page_needs_nothing_beside_it(budget):
    page = Page(budget_page(budget))
    assert not page.named("script") + page.named("img") + page.named("link") + page.named("iframe")
    assert all("src" not in attributes for _, attributes, _ in page.elements)
    identifiers = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    references = [attributes["href"] for _, attributes, _ in page.elements if "href" in attributes]
    assert references
    assert all(reference.removeprefix("#") in identifiers for reference in references)
    [style] = page.words["style"]
    assert "url(" not in style
    assert "@import" not in style
    [policy] = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_page_is_fit_for_screen_readers_phones_dark_rooms_and_paper(budget):
    text = budget_page(budget)
    page = Page(text)
    assert page.named("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.named("meta")
    [style] = page.words["style"]
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 52rem", ":focus-visible"):
        assert rule in style
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    assert len(page.named("table")) == len([words for words in page.words["caption"] if words]) > 10
    assert all(attributes["scope"] in {"col", "row"} for attributes in page.named("th"))
    labels = [attributes["aria-labelledby"] for attributes in page.named("section")]
    assert all({"id": label} in page.named("h2") for label in labels)


def test_every_picture_tells_itself(budget):
    drawn = pictures(budget_page(budget))
    assert len(drawn) > 20
    for picture in drawn:
        assert picture.get("role") == "img"
        title, description = picture[0], picture[1]
        assert title.tag.endswith("title")
        assert description.tag.endswith("desc")
        assert title.text
        assert description.text


def test_the_same_data_give_the_same_page(budget):
    assert budget_page(budget) == budget_page(budget)


def test_a_budget_that_was_worked_out_makes_a_page(worked_out):
    text = budget_page(worked_out.as_json())
    page = Page(text)
    assert page.words["h2"][0].startswith("fsd (")
    # six pools of two workloads
    assert len([attributes for attributes in page.named("details") if "class" in attributes]) == 12
    assert "e+" not in page.text
    # operators that are not counted have no FLOPs
    assert text.count('data-head="flops"') == len(worked_out.network.flops.counted)
    for question in worked_out.meetings:
        for sentence in question.sentences():
            assert escape(sentence, quote=False) in text


def test_the_page_begins_with_the_sentence_that_a_meeting_needs(budget):
    text = budget_page(budget)
    page = Page(text)
    assert budget["headline"] in page.words["p"][0]
    assert page.words["title"][0] == "Compute budget: out/fleet-2026"
    for fact in ("out/fleet-2026", "2026-05-06", "4,000"):
        assert fact in page.words["dd"]
    assert [words for words in page.words["h2"] if words] == [
        "fsd (video-1b)",
        "grok (video-1b)",
        "Footage and fleet",
        "Labelling",
        "Inputs of fleet and labelling",
        "How to read it",
    ]


def test_the_intervals_are_drawn_a_quantity_a_picture(budget):
    estimates = [of(budget, at) for at in range(5)]
    drawn = pictures(interval_figures(estimates))
    titles = [picture[0].text for picture in drawn]
    assert titles == ["accelerator-hours", "training time", "energy", "carbon (CO2e)", "water", "cost"]
    assert drawn[0][1].text == (
        "Median and 80% interval. colossus: 150,000 H100-SXM: 540k h (135k to 2.16M); "
        "colossus: 30,000 GB200: 210k h (52.5k to 840k); cortex: 50,000 H100-SXM: 540k h (135k to 2.16M); "
        "dojo: 3,000 D1: 3.1M h (775k to 12.4M), not feasible; colossus2: no known accelerators: no estimate."
    )
    assert interval_figures([of(budget, 4)]) == ""


def test_feasibility_is_told_in_words_and_drawn(budget):
    table = feasibility_table([of(budget, 0), of(budget, 3), of(budget, 4)])
    head, first, dojo, unknown = rows(table)
    assert head == ["target", "feasible", "accelerators used", "why, and what would help"]
    assert first[:2] == ["colossus: 150,000 H100-SXM", "✓ yes"]
    assert first[2].startswith("4,096 of 150,000")
    assert first[2].endswith("as many as pay off; limited by critical batch")
    assert dojo[1] == "✗ no"
    assert "the allocation asked for; limited by allocation" in dojo[2]
    assert dojo[3].endswith("Smallest change: ZeRO over 64 accelerators or more")
    assert unknown == [
        "colossus2: no known accelerators",
        "✗ no",
        "unknown",
        "colossus2: no phase with a known count before that date",
    ]
    filled = [float(part.get("width")) for part in pictures(table)[0].iter() if part.get("class") == "part"]
    assert filled == [pytest.approx(118 * 4096 / 150_000, abs=0.01)]


def test_feasibility_without_an_allocation_tells_the_pool(budget):
    assert rows(feasibility_table([of(budget, allocation=None)]))[1][2] == "150,000"
    share = {"available": None, "used": 5}
    assert rows(feasibility_table([of(budget, allocation=share)]))[1][2] == "5"


def test_layouts_stand_best_first(budget):
    table = layout_table([of(budget, 0), of(budget, 3), of(budget, 4)])
    _, best, second, none = rows(table)
    assert best == [
        "colossus: 150,000 H100-SXM",
        "best",
        "8 x 1 x 512",
        "ZeRO stage 1; selective recomputation",
        "1 x 4",
        "61.4 GB",
        "0%",
        "1.83 s",
        "93%",
    ]
    assert second[1:4] == ["runner-up", "4 x 2 x 512", "ZeRO stage 2; full recomputation"]
    assert none[:2] == ["dojo: 3,000 D1", "none fits"]
    sparse = of(budget, layout={"best": {"tensor": 2}, "runner_up": {"recomputation": "none"}})
    assert rows(layout_table([sparse]))[1][2:5] == ["2 x 1 x 1", "unknown", "unknown x unknown"]
    assert rows(layout_table([sparse]))[2][3] == "no recomputation"
    assert layout_table([of(budget, 4)]) == ""


def test_the_training_and_its_year_stand_beside_each_other(budget):
    training = dict(rows(quantities_table(of(budget)))[1:])
    assert training["cost"] == "$967k (220k to 4.25M)"
    assert training["training time"] == "3.6 h (0.8 to 16.2)"
    assert training["H100 hours"] == "594k h (148k to 2.38M)"
    assert training["mean time between failures"] == "12.2 h (7.18 to 20.7)"
    assert training["goodput"] == "91% (84 to 96)"
    year = dict(rows(programme_year_table(of(budget)))[1:])
    assert year["energy"] == "11.1 GWh (2.22 to 55.6)"
    assert programme_year_table(of(budget, 4)) == ""


def test_checks_that_fail_come_first(budget):
    assert rows(checks_table(of(budget)))[1:] == [
        ["tokens per parameter", "✗ no", "0.4 tokens a parameter"],
        ["power against the site", "✓ yes", "6.02 MW of 150 MW"],
    ]


def test_chances_are_told_and_drawn(budget):
    table = chances_table(of(budget))
    assert [row[1] for row in rows(table)[1:]] == ["30 d", "$2M"]
    assert "83%" in table
    assert [picture[0].text for picture in pictures(table)] == ["probability: deadline", "probability: money"]


def test_the_card_tells_how_well_published_runs_are_met(budget):
    card = Page(backtest_card(of(budget))).text
    for said in ("language", "15 published runs of 9 families", "11.8%", "80% of the runs", "factor of 1.52"):
        assert said in card
    assert "is assumed" in backtest_card(of(budget, 2))
    assert "rests on 15 published runs" in backtest_card(of(budget, backtest=None))
    only = {"kind": "vision", "runs": 3, "families": 2}
    assert "3 published runs" in backtest_card(of(budget, backtest=only))
    assert "error" not in backtest_card(of(budget, backtest=only))


def test_every_input_has_its_source_under_a_fold(budget):
    folded = assumptions_table(of(budget).assumptions)
    assert "<details>" in folded
    assert "Inputs: 4, assumed or defaults among them: 2" in folded
    assert rows(folded)[1:] == [
        ["camera hours", "1.2M h", "measured", "the data set"],
        ["utilisation", "40% (25 to 50)", "assumed", "no run with hours and FLOPs"],
        ["water off site", "3.14 L/kWh", "published", "Li et al., https://arxiv.org/abs/2304.03271"],
        ["allocation", "100%", "default", "all of the pool"],
    ]
    odd = of(budget, assumptions=[{"name": "kind", "value": "video"}, {"name": "nothing", "value": None}])
    assert rows(assumptions_table(odd.assumptions))[1:] == [
        ["kind", "video", "unknown", "unknown"],
        ["nothing", "unknown", "unknown", "unknown"],
    ]


def test_drivers_are_drawn_for_each_quantity_the_strongest_first(budget):
    drawn = pictures(tornado_figures(of(budget)))
    assert [picture[0].text for picture in drawn] == ["what drives accelerator-hours", "what drives cost"]
    names = [[text.text for text in picture.iter() if text.get("class") == "label"] for picture in drawn]
    # electricity drives no hours
    assert names == [["passes", "utilisation"], ["passes", "utilisation", "electricity, USD/kWh"]]
    assert tornado_figures(of(budget, quantities=None)) == ""


def centre_of(estimate):
    """Where the line of the first tornado stands, and the ends of its first bar."""
    picture = pictures(tornado_figures(estimate))[0]
    [line] = [float(line.get("x1")) for line in picture.iter() if line.get("class") == "centre"]
    [bar] = [bar for bar in picture.iter() if bar.get("class") == "low" and bar.get("width")]
    return line, float(bar.get("x")), float(bar.get("x")) + float(bar.get("width"))


def test_the_line_of_a_tornado_is_the_training_with_every_input_at_its_median(budget):
    its = {"name": "n", "unit": "1", "low": 1, "high": 2}
    # 540,000 h, the median of all draws, is out of this input's reach
    line, left, right = centre_of(
        of(budget, drivers=[{**its, "accelerator_hours": {"low": 1e5, "high": 2e5}}])
    )
    assert line == right > left
    told = {"low": 1e5, "median": 1e5, "high": 2e5}
    line, left, right = centre_of(of(budget, drivers=[{**its, "accelerator_hours": told}]))
    assert line == left == right


def test_the_first_feasible_target_stands_unfolded(budget):
    budget["estimates"] = [budget["estimates"][3], budget["estimates"][0]]
    page = Page(budget_page(budget))
    assert ["open" in fold for fold in page.named("details") if "class" in fold] == [False, True]


def test_why_a_layout_was_chosen_stands_under_a_fold(budget):
    text = budget_page(budget)
    assert text.count("<summary>Why this layout</summary>") == 5
    assert "<li>no layout fits 1.25 GB</li>" in text


def test_only_the_strongest_drivers_are_drawn(budget):
    effect = {"low": 5e5, "high": 6e5}
    weak = [
        {"name": f"n{at}", "unit": "1", "low": 1, "high": 2, "accelerator_hours": effect} for at in range(11)
    ]
    none = {"name": "zero", "unit": "1", "low": 1, "high": 2, "accelerator_hours": {"low": 0, "high": 1}}
    figure = tornado_figures(of(budget, drivers=[*weak, none]))
    assert "inputs that do less are left out: 2" in figure
    [picture] = pictures(figure)
    assert next(text.text for text in picture.iter() if text.get("class") == "label") == "zero"


def test_the_footage_the_fleet_and_the_labelling_are_told(budget):
    text = Page(budget_page(budget)).text
    for said in (
        "1.2M h",
        "72,000,000",
        "5.4 PB",
        "left_repeater",
        "27 GB/h (21 to 35)",
        "30 d (12 to 75)",
        "5 frames a second",
        "$71k (50.7k to 99.4k)",
        "cloud-cpu, measured in run 20260601T080000-7f3a",
        "0.71%",
        "1.2 GFLOP",
        "Relu",
    ):
        assert said in text


def test_labelling_may_be_known_in_part():
    assert rows(labelling_table(Labelling(modes=({"name": "all"},))))[1] == ["all", *["unknown"] * 5]
    assert labelling_table(Labelling()) == ""


@pytest.mark.parametrize("value", [None, "missing"])
def test_any_key_may_be_null_or_missing(budget, value):
    def without(record, key):
        changed = {**record, key: None}
        if value == "missing":
            del changed[key]
        return changed

    for key in budget.keys() - {"estimates"}:
        Page(budget_page(without(budget, key)))
    for key in budget["estimates"][0].keys() - {"feasible"}:
        Page(budget_page({**budget, "estimates": [without(budget["estimates"][0], key)]}))
    for key in budget["estimates"][0]["quantities"]:
        first = budget["estimates"][0]
        changed = {**first, "quantities": without(first["quantities"], key)}
        Page(budget_page({**budget, "estimates": [changed, first]}))


def test_little_is_enough():
    page = Page(budget_page({"estimates": [{"feasible": False}]}))
    assert "no known accelerators" in page.words["h4"]
    assert "Labelling" not in page.words["h2"]
    Page(budget_page({"estimates": []}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"error": {"code": "usage", "message": "no such cluster"}},
        {"estimates": [{}]},
        {"estimates": [{"feasible": True, "quantities": {"cost_usd": 3}}]},
        {"estimates": [{"feasible": True, "quantities": {"cost_usd": {"p10": 1, "p50": None, "p90": 2}}}]},
        {"estimates": [{"feasible": True, "checks": "fine"}]},
    ],
)
def test_data_of_another_shape_are_refused(wrong):
    with pytest.raises(ValidationError):
        budget_page(wrong)


def hostile(value):
    """The same data with markup in every text and in every name of the caller's own."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return {key: hostile(item) for key, item in value.items()} if isinstance(value, dict) else value


def test_no_text_breaks_out_of_the_page(budget):
    poisoned = hostile(budget)
    for own in ("figures", "fleet", "uplink"):
        poisoned[own] = {key + HOSTILE: value for key, value in poisoned[own].items()}
    poisoned["figures"]["records"] = [{HOSTILE: HOSTILE}]
    poisoned["estimates"][0]["also"][HOSTILE] = {"p10": 1, "p50": 2, "p90": 3, "unit": HOSTILE}
    poisoned["estimates"][0]["quantities"][HOSTILE] = {"p10": 1, "p50": 2, "p90": 3, "unit": HOSTILE}
    text = budget_page(poisoned)
    assert "<script" not in text
    assert escape(HOSTILE, quote=False).split('"')[0] in text
    page = Page(text)
    names = {name for _, attributes, _ in page.elements for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    assert all(picture.get("role") == "img" for picture in pictures(text))


def test_the_parts_are_safe_to_embed(budget):
    estimate = Estimate.model_validate(hostile(budget["estimates"][0]))
    parts = [
        feasibility_table([estimate]),
        layout_table([estimate]),
        interval_figures([estimate]),
        assumptions_table(estimate.assumptions),
        *(
            part(estimate)
            for part in (
                backtest_card,
                chances_table,
                checks_table,
                programme_year_table,
                quantities_table,
                tornado_figures,
            )
        ),
    ]
    for part in parts:
        assert "<script" not in part
        Page(part)


def test_texts_that_no_encoding_can_write_are_replaced(budget):
    budget["dataset"] = "out\x00put\udcff"
    text = budget_page(budget)
    assert "out\ufffdput\ufffd" in text
    text.encode()


def test_the_templates_are_part_of_the_package():
    names = {entry.name for entry in (files("transforms.views") / "templates").iterdir()}
    assert {"budget.html.j2", "page.css.j2", "parts.html.j2"} <= names
