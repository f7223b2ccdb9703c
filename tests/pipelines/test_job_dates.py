from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.job_dates import fill_dates, lasting_part, read_day
from pipelines.outcome import UsageError

DAY = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{date}", "2024-03-01"),
        ("{date-0}", "2024-03-01"),
        ("{date-1}", "2024-02-29"),
        ("{date-366}", "2023-03-01"),
        ("a/year={date:%Y}/day={date-1:%j}", "a/year=2024/day=060"),
        ("{date:%d.%m.}", "01.03."),
        ("{{date}}", "{date}"),
        ("{{{date}}}", "{2024-03-01}"),
        ("no braces", "no braces"),
    ],
)
def test_dates_are_filled_in(text, filled):
    assert fill_dates(text, DAY) == filled


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "}",
        "{}",
        "{dat}",
        "{ date }",
        "{date+1}",
        "{date-}",
        "{date:}",
        "{date:%H}",
        "{date:%}",
        "{date-99999x}",
    ],
)
def test_other_braces_are_told(text):
    with pytest.raises(ValueError, match=r"template|written with"):
        fill_dates(text, DAY)


def test_a_day_before_all_days_is_told():
    with pytest.raises(ValueError, match="no such day"):
        fill_dates("{date-99999}", date(1, 1, 1))


@given(st.text())
def test_doubled_braces_are_any_text(text):
    assert fill_dates(text.replace("{", "{{").replace("}", "}}"), DAY) == text


@given(st.dates(), st.integers(0, 2000))
def test_days_before_are_those_of_the_calendar(day, back):
    if day.toordinal() > back:
        assert fill_dates(f"{{date-{back}}}", day) == (day - timedelta(days=back)).isoformat()


def test_the_day_is_today_unless_given():
    assert abs(read_day(None) - datetime.now(UTC).date()) <= timedelta(days=1)
    assert read_day("2024-02-29") == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["2023-02-29", "20240229", "2024-W01-1", "yesterday", "", "\uff12024-01-01"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(UsageError, match="--date"):
        read_day(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("/in/{date:%Y/%m}/x", "/in"),
        ("/{date}", "/"),
        ("{date}", "."),
        ("*.mp4", "."),
        ("/in/car*/{date}", "/in"),
        ("/in/{{x}}/{date}", "/in/{x}"),
        ("/in/clips", "/in/clips"),
        ("gs://bucket/{date}", "gs://bucket"),
    ],
)
def test_what_is_there_on_any_day(text, part):
    assert lasting_part(text, DAY) == part
