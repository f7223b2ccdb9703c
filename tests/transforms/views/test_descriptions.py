import re

import pytest

from transforms.views.descriptions import described, said


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("clips", 72000, "72,000"),
        ("fps_mean", 36.01, "36"),
        ("camera_hours", 1.5, "1.5 h"),
        ("bytes", 5.4e15, "5.4 PB"),
        ("keep_rate", 0.25, "25%"),
        ("days", 100, "100 d"),
        ("cost_usd", 2e6, "$2M"),
        ("frames", float("nan"), "unknown"),
        ("open", True, "yes"),
        ("open", False, "no"),
        ("city", "Memphis", "Memphis"),
        ("city", None, "unknown"),
        ("bytes", {"p10": 1e9, "p50": 2e9, "p90": 3e9, "unit": "B"}, "2 GB (1 to 3)"),
        ("rates", {"p10": 1, "p50": 2, "p90": None}, "p10: 1; p50: 2; p90: unknown"),
        ("disk", {"free_bytes": 1e9, "kind": "ssd"}, "free bytes: 1 GB; kind: ssd"),
        ("hours", [1, 2], "1 h, 2 h"),
        ("hours", [], ""),
    ],
)
def test_values_are_told_by_the_names_last_words(name, value, words):
    assert said(name, value) == words


def test_lists_of_records_become_tables_of_their_own():
    tables = described(
        "Footage", {"clips": 3, "cameras": [{"camera": "front", "hours": 2}, {"camera": "rear"}]}
    )
    assert re.findall("<caption>(.*?)</caption>", tables) == ["Footage", "cameras"]
    assert re.findall("<div>(.*?)</div>", tables) == ["3", "2 h", "unknown"]


def test_what_no_record_has_makes_no_column():
    operators = [{"op_type": "Relu", "flops": None}, {"op_type": "Add", "flops": None}]
    assert re.findall('<th scope="col"[^>]*>(.*?)</th>', described("", {"uncounted": operators})) == [
        "op type"
    ]
    operators[1]["flops"] = 2e9
    assert re.findall("<div>(.*?)</div>", described("", {"uncounted": operators})) == ["unknown", "2 GFLOP"]


def test_nothing_is_no_table():
    assert described("Fleet", {}) == ""
