from pathlib import Path

from transforms.budget.evidence.describe import describe

PAGE = Path(__file__).parents[4] / "docs" / "backtest.md"


def test_the_page_is_the_one_the_runs_make():
    assert PAGE.read_text(encoding="utf-8") == describe(), "stale: run `make docs`"
