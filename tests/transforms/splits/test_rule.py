from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.splits.rule import HELD_OUT, SPLITS, Drive, Placed, groups, place, torn
from transforms.splits.versions import DEFAULT_SHARES, DEFAULT_TIES, make_version

VERSION = make_version(None, DEFAULT_TIES, "40,30,30")
TIES = ("vehicle", "place", "day")


def drive(name, *clips, **facts):
    return Drive(name, frozenset(clips or (f"clip {name}",)), {key: frozenset(facts[key]) for key in facts})


def some(prefix, count, most):
    return st.frozensets(st.integers(0, count).map(lambda number: f"{prefix}{number}"), max_size=most)


@st.composite
def fleets(draw, most=14):
    """Drives of a few cars, places and days; some of them not known."""
    facts = st.fixed_dictionaries(
        {
            "vehicle": some("v", 8, 1),
            "car": some("c", 8, 1),
            "place": some("p", 20, 3),
            "day": some("t", 8, 1),
            "recording": some("r", 20, 1),
        }
    )
    return [
        Drive(f"d{number:02}", frozenset({f"clip {number}"}), draw(facts))
        for number in range(draw(st.integers(0, most)))
    ]


ties_of_any_kind = st.sampled_from(
    [DEFAULT_TIES, "vehicle", "place", "day", "vehicle,place", "vehicle+day,place+day", "place+day"]
)


def tied(one, two, by):
    """Whether two drives share what ties, told by the words of the option."""

    def share(name):
        names = ("vehicle", "car") if name == "vehicle" else (name,)
        return any(one.facts[item] & two.facts[item] for item in names)

    return share("recording") or any(all(map(share, tie.split("+"))) for tie in by.split(","))


def pairs(drives):
    return [(one, two) for one in drives for two in drives if one.drive_id < two.drive_id]


def by_drive(placed):
    return {item.drive_id: item.split for item in placed}


@given(fleets(), ties_of_any_kind)
def test_every_drive_has_one_split_and_what_arrives_together_is_not_torn(drives, by):
    placed = place(drives, (), make_version(None, by, "40,30,30"))
    assert [item.drive_id for item in placed] == sorted(drive.drive_id for drive in drives)
    assert {item.split for item in placed} <= set(SPLITS)
    assert {item.rule for item in placed} <= {"drawn"}
    split = by_drive(placed)
    for one, two in pairs(drives):
        if tied(one, two, by):
            assert split[one.drive_id] == split[two.drive_id]


@given(fleets(), ties_of_any_kind)
def test_groups_are_what_is_tied_over_any_number_of_others(drives, by):
    reached = {item.drive_id: {item.drive_id} for item in drives}
    for _ in drives:
        for one, two in pairs(drives):
            if tied(one, two, by):
                both = reached[one.drive_id] | reached[two.drive_id]
                for name in both:
                    reached[name] |= both
    expected = {frozenset(names) for names in reached.values()}
    found = groups(drives, make_version(None, by, DEFAULT_SHARES).ties)
    assert {frozenset(item.drive_id for item in group) for group in found} == expected


@given(fleets(), ties_of_any_kind, st.data())
def test_in_any_number_of_arrivals_nobody_moves_and_nothing_is_torn(drives, by, data):
    version = make_version(None, by, "40,30,30")
    arrival = {item.drive_id: data.draw(st.integers(0, 3)) for item in drives}
    placed = []
    for last in range(4):
        before = placed
        placed = place([item for item in drives if arrival[item.drive_id] <= last], before, version)
        assert set(before) <= set(placed)
    assert [item.drive_id for item in placed] == sorted(arrival)
    split = by_drive(placed)
    for one, two in pairs(drives):
        both = {split[one.drive_id], split[two.drive_id]} - {HELD_OUT}
        if tied(one, two, by):
            assert len(both) < 2
    assert not torn(drives, placed, version.ties)
    for item in placed:
        assert (item.split == HELD_OUT) == (item.rule == "bridges")


@given(fleets(), st.data())
def test_the_order_of_drives_and_rows_does_not_count(drives, data):
    first, rest = drives[::2], drives[1::2]
    before = place(first, (), VERSION)
    assert place(data.draw(st.permutations(first)), (), VERSION) == before
    after = place([*first, *rest], before, VERSION)
    mixed = place(data.draw(st.permutations(drives)), data.draw(st.permutations(before)), VERSION)
    assert mixed == after
    assert place(drives, after, VERSION) == after


@given(fleets(most=8))
def test_a_drive_joins_what_it_is_tied_to(drives):
    before = place(drives, (), VERSION)
    for old in drives:
        for name in TIES:
            if old.facts[name]:
                new = drive("new", **{name: old.facts[name]}, car=(), recording=())
                (found,) = [item for item in place([*drives, new], before, VERSION) if item.drive_id == "new"]
                assert (found.split, found.rule) == (by_drive(before)[old.drive_id], "joined")


@given(
    st.text("abcdefgh0123456789", min_size=1, max_size=12),
    st.sampled_from(["80,10,10", "70,15,15", "34,33,33", "100,0,0", "0,50,50", "90,0,10", "0,0,100"]),
    st.sampled_from(["vehicle", "vehicle,place,day", "folder", "place+day"]),
)
def test_shares_are_met_by_many_groups(name, shares, by):
    count = 1500
    drives = [
        drive(f"{number}", vehicle=[f"v{number}"], place=[f"p{number}"], day=[f"t{number}"])
        for number in range(count)
    ]
    found = Counter(item.split for item in place(drives, (), make_version(name, by, shares)))
    for split, percent in zip(SPLITS, map(float, shares.split(",")), strict=True):
        share = percent / 100
        # five standard deviations of a binomial share
        assert abs(found[split] / count - share) <= 5 * (share * (1 - share) / count) ** 0.5


def test_a_version_is_a_draw_of_its_own():
    drives = [drive(f"{number}", vehicle=[f"v{number}"]) for number in range(300)]
    one, two = (place(drives, (), make_version(name, "vehicle", "50,25,25")) for name in ("a", "b"))
    same = sum(by_drive(one)[name] == split for name, split in by_drive(two).items())
    # .5² + .25² + .25² of two independent draws
    assert abs(same / 300 - 0.375) < 5 * (0.375 * 0.625 / 300) ** 0.5


def test_a_car_falls_to_the_same_split_in_every_data_set():
    version = make_version("v1", "vehicle", "34,33,33")
    for car in ("v1", "v2", "v3", "v4", "v5"):
        alone = place([drive("a", vehicle=[car])], (), version)
        elsewhere = place(
            [drive("b", vehicle=[car], folder=["/mnt"]), drive("c", vehicle=[car], car=["/mnt/x"])],
            (),
            version,
        )
        assert {item.split for item in elsewhere} == {alone[0].split}


def test_where_a_car_is_only_a_path_the_draw_is_that_of_the_drive():
    version = make_version("v1", "vehicle", "34,33,33")
    found = {
        folder: [by_drive(place([drive(f"{number}", car=[folder])], (), version)) for number in range(50)]
        for folder in ("/mnt/a", "/media/b")
    }
    assert found["/mnt/a"] == found["/media/b"]


def parted():
    """Two cars whose drives lie in different splits."""
    drives = [drive(f"old {number}", vehicle=[f"v{number}"], place=[f"p{number}"]) for number in range(30)]
    placed = place(drives, (), VERSION)
    split = by_drive(placed)
    found = {name: next(item for item in drives if split[item.drive_id] == name) for name in SPLITS}
    return drives, placed, found


@pytest.mark.parametrize(("one", "two"), [("train", "test"), ("test", "val"), ("val", "train")])
def test_a_bridge_is_held_out_with_its_group_and_the_banks_stay(one, two):
    drives, before, found = parted()
    bridge = drive("bridge", vehicle=found[one].facts["vehicle"], place=found[two].facts["place"], day=["t"])
    friend = drive("friend", day=["t"], place=["elsewhere"])
    after = {item.drive_id: item for item in place([*drives, bridge, friend], before, VERSION)}
    for name in ("bridge", "friend"):
        assert (after[name].split, after[name].rule) == (HELD_OUT, "bridges")
    assert set(before) < set(after.values())
    # whatever is held out ties nothing
    last = drive("last", place=["elsewhere"])
    (placed,) = [
        item
        for item in place([*drives, bridge, friend, last], after.values(), VERSION)
        if item.drive_id == "last"
    ]
    assert placed.rule == "drawn"
    assert placed.split in SPLITS


def test_clips_keep_their_split_under_another_drive_id():
    old = drive("old", "a", "b", vehicle=["v"])
    for split in (*SPLITS, HELD_OUT):
        before = [Placed("old", split, "drawn", old.clips)]
        grown = drive("grown", "earlier", "a", "b", vehicle=["v"])
        assert place([grown], before, VERSION) == [Placed("grown", split, "kept", grown.clips)]
        # a rolling buffer: the first minute stays behind, the rest is a drive of another name
        left, moved = drive("old", "a"), drive("moved", "b")
        assert place([left, moved], before, VERSION) == [
            Placed("moved", split, "kept", moved.clips),
            Placed("old", split, "drawn", left.clips),
        ]


def test_a_drive_whose_files_were_replaced_keeps_its_split():
    for split in SPLITS:
        before = [Placed("one", split, "drawn", frozenset({"a"}))]
        assert place([drive("one", "b")], before, VERSION) == [
            Placed("one", split, "drawn", frozenset({"b"}))
        ]


def test_a_drive_grown_together_from_two_splits_is_held_out():
    before = [
        Placed("one", "train", "drawn", frozenset({"a"})),
        Placed("two", "test", "drawn", frozenset({"b"})),
    ]
    whole = drive("one", "a", "between", "b", day=["t"])
    other = drive("other", day=["t"])
    first = place([whole, other], before, VERSION)
    assert first[0] == Placed("one", HELD_OUT, "merged", whole.clips)
    assert first[1].rule == "drawn"
    assert place([whole, other], first, VERSION) == first


def test_an_old_drive_that_reaches_into_another_split_is_told():
    drives, before, found = parted()
    grown = replace(
        found["train"], facts=found["train"].facts | {"place": found["test"].facts["place"] | {"p"}}
    )
    now = [grown if item.drive_id == grown.drive_id else item for item in drives]
    assert place(now, before, VERSION) == before
    assert torn(now, before, VERSION.ties) == {"place": 1}
