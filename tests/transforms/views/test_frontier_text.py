import io

from rich.console import Console

from transforms.budget.estimates import Quantity
from transforms.evaluation.frontier import FrontierRow
from transforms.views.frontier_text import WIDTH, frontier_text


def shown(*rows, notes=()):
    console = Console(file=io.StringIO(), width=WIDTH, soft_wrap=True)
    for item in frontier_text(rows, notes, "5", 1000.0):
        console.print(item, highlight=False, markup=False)
    return console.file.getvalue()


def row(model="net", ap=0.5, hota=0.6, cost=1234.5, **more):
    def amount(unit):
        return Quantity(cost, cost, cost, unit)

    return FrontierRow(
        model, 1280, 10, ap, ap, ap, ap, hota, 10.0, 100.0, 1000.0, amount("h"), amount("USD"), **more
    )


def test_the_widest_row_fits():
    text = shown(
        row(
            "folder/of/many/networks/that-has-a-long-name.toml",
            ap=1.0,
            hota=1.0,
            cost=98_765.4,
            on_front=True,
        ),
        notes=["a note " * 30],
    )
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "…-a-long-name.toml" in text
    assert "98,765" in text
    assert "1.000" in text


def test_figures_and_marks():
    first, second = (
        line.split() for line in shown(row(on_front=True), row("other", ap=None, hota=None)).splitlines()[4:6]
    )
    assert first == ["net", "1280", *[".500"] * 4, ".600", "10.0", "100.0", "1000.0", "1,234", "1,234", "*"]
    assert second == ["other", "1280", "10.0", "100.0", "1000.0", "1,234", "1,234"]
