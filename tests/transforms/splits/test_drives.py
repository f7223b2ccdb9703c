from made_sets import filled

from transforms.splits.drives import drives_of
from transforms.splits.versions import TIES
from transforms.tables.schemas import CLIPS, EVENTS

NO_COPIES, NO_EVENTS = CLIPS.empty_table(), EVENTS.empty_table()
DAY_NS = 86_400_000_000_000
MINUTE = "2025-06-14_09-01-00"
CAR_SHARD = f"car7-{MINUTE}-0a1b2c3d"


def facts(drives):
    return {item.drive_id: {name: set(item.facts[name]) for name in item.facts} for item in drives}


def test_a_car_is_known_by_its_name_and_its_folder_and_a_drive_by_its_first_day(store, make_shard):
    folder = "/fleet/car7/TeslaCam/RecentClips"
    shards = [
        make_shard("car7-2025-06-15_00-00-00-0a1b2c3d", "d", [f"{folder}/2025-06-15_00-00-00-front.mp4"]),
        make_shard("car7-2025-06-14_23-59-00-0a1b2c3d", "d", [f"{folder}/2025-06-14_23-59-00-front.mp4"]),
    ]
    (drive,) = drives_of(store, shards, NO_COPIES, NO_EVENTS, TIES)
    assert drive.clips == {clip for shard in shards for clip, _ in shard.clips}
    assert {name: set(values) for name, values in drive.facts.items() if values} == {
        "vehicle": {"0a1b2c3d"},
        "car": {"/fleet/car7"},
        "day": {"2025-06-14"},
        "folder": {folder},
        "recording": {"/fleet/car7\x1f2025-06-14_23-59-00", "/fleet/car7\x1f2025-06-15_00-00-00"},
    }


def test_a_second_recording_of_a_minute_shares_it(store, make_shard):
    shards = [
        make_shard(CAR_SHARD, "chain", [f"/fleet/car7/TeslaCam/RecentClips/{MINUTE}-front.mp4"]),
        make_shard(
            "trimmed-0a1b2c3d4e-m0000",
            "own",
            [f"/fleet/car7/TeslaCam/SavedClips/{MINUTE}/{MINUTE}-front.mp4"],
        ),
    ]
    found = facts(drives_of(store, shards, NO_COPIES, NO_EVENTS, ()))
    assert found["own"]["recording"] == found["chain"]["recording"] == {f"/fleet/car7\x1f{MINUTE}"}
    assert "vehicle" not in found["own"]


def test_places_are_hundredths_of_degrees_without_what_is_no_fix(store, make_shard):
    positions = [
        (36.004, -119.996),
        (36.006, -120.0),
        (0.0, 0.0),
        (None, None),
        (float("nan"), 1.0),
        (-0.001, 0.0),
    ]
    shards = [
        make_shard("a-0a1b2c3d4e-m0000", "a", ["/in/a.mp4"], positions=positions),
        make_shard("b-0a1b2c3d4e-m0000", "b", ["/in/b.mp4"], events=["event"]),
        make_shard("c-0a1b2c3d4e-m0000", "c", ["/in/c.mp4"], events=["hidden"]),
    ]
    events = filled(EVENTS, {"event_id": ["event", "hidden"], "lat": [36.0, None], "lon": [-120.0, None]})
    found = facts(drives_of(store, shards, NO_COPIES, events, {"place"}))
    assert found["a"]["place"] == {"3600 -12000", "3601 -12000", "0 0"}
    assert found["b"]["place"] == {"3600 -12000"}
    assert not found["c"]["place"]
    unasked = facts(drives_of(store, shards, NO_COPIES, events, {"vehicle"}))
    assert not any(item.get("place") for item in unasked.values())


def test_days_of_clips_without_a_telling_name_are_those_of_their_clocks(store, make_shard):
    shards = [
        make_shard("a-0a1b2c3d4e-m0000", "a", ["/in/a.mp4"], starts_ns=[3 * DAY_NS + 5]),
        make_shard("b-0a1b2c3d4e-m0000", "b", ["/in/b.mp4"], starts_ns=[None]),
    ]
    found = facts(drives_of(store, shards, NO_COPIES, NO_EVENTS, {"day"}))
    assert found["a"]["day"] == {"1970-01-04"}
    assert "day" not in found["b"]


def test_a_copy_tells_where_its_clip_was_as_well(store, make_shard):
    shard = make_shard(CAR_SHARD, "d", [f"/fleet/car7/TeslaCam/RecentClips/{MINUTE}-front.mp4"])
    copies = filled(
        CLIPS,
        {
            "clip_id": ["copy", "of nothing"],
            "uri": [f"/fleet/car8/TeslaCam/RecentClips/{MINUTE}-front.mp4", "/elsewhere/x.mp4"],
            "duplicate_of": [shard.clips[0][0], "not there"],
        },
    )
    found = facts(drives_of(store, [shard], copies, NO_EVENTS, TIES))
    assert found["d"]["car"] == {"/fleet/car7", "/fleet/car8"}
    assert found["d"]["folder"] == {
        "/fleet/car7/TeslaCam/RecentClips",
        "/fleet/car8/TeslaCam/RecentClips",
    }
