import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.tables.commits import FileFacts
from transforms.tables.days import Shard, cut_days

DAY_NS = 86_400_000_000_000


def shard(name, start_ns=0, size=10, rows=1):
    facts = FileFacts(path=f"frames/{name}.parquet", rows=rows, bytes=size, sha256=name)
    return Shard(name=name, start_ns=start_ns, files={"frames": facts})


def named(days):
    return {day.name: [item.name for item in day.shards] for day in days}


def test_shards_go_by_the_utc_day_on_which_they_begin():
    shards = [
        shard("b", 3 * DAY_NS),
        shard("a", 3 * DAY_NS - 1),
        shard("c", 3 * DAY_NS + 5),
        shard("old", -1),
    ]
    assert named(cut_days(shards)) == {
        "1969-12-31": ["old"],
        "1970-01-03": ["a"],
        "1970-01-04": ["b", "c"],
    }


def test_minutes_of_a_clip_without_a_clock_stay_together():
    days = cut_days(
        [shard(f"clip{number}-m{minute:04d}", None) for number in range(40) for minute in range(3)]
    )
    assert all(day.name.startswith("undated-") for day in days)
    assert 8 < len(days) <= 16
    for number in range(40):
        (held,) = [names for names in named(days).values() if f"clip{number}-m0000" in names]
        assert {f"clip{number}-m{minute:04d}" for minute in range(3)} <= set(held)


@pytest.mark.parametrize("bounds", [{"most_bytes": 30}, {"most_rows": 3}])
def test_a_day_beyond_the_bounds_is_cut_in_order_of_names(bounds):
    shards = [shard(name) for name in "abcdefg"]
    assert named(cut_days(shards, **bounds)) == {
        "1970-01-01": ["a", "b", "c"],
        "1970-01-01_001": ["d", "e", "f"],
        "1970-01-01_002": ["g"],
    }


def test_a_shard_larger_than_the_bound_has_a_file_of_its_own():
    shards = [shard("a"), shard("b", size=1000), shard("c")]
    assert list(named(cut_days(shards, 30)).values()) == [["a"], ["b"], ["c"]]


sizes = st.lists(st.tuples(st.integers(0, 3 * DAY_NS) | st.none(), st.integers(0, 50)), max_size=40)


@given(sizes, st.randoms())
def test_every_shard_is_dealt_out_once_and_their_order_does_not_matter(drawn, random):
    shards = [shard(f"s{number}-m0", start, size) for number, (start, size) in enumerate(drawn)]
    days = cut_days(shards, 60)
    assert sorted(name for names in named(days).values() for name in names) == sorted(s.name for s in shards)
    assert len(named(days)) == len(days)
    assert all(len(day.shards) == 1 or sum(s.files["frames"].bytes for s in day.shards) <= 60 for day in days)
    random.shuffle(shards)
    assert cut_days(shards, 60) == days
