import itertools
from dataclasses import replace

import pytest
from clip_refs import clip
from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.refs import ClipRef
from transforms.clips.shards import (
    MINUTE_NS,
    WHOLE_CLIP_NS,
    TwoCarsError,
    drive_key,
    event_folder_id,
    event_id,
    plan_drives,
    split_duplicates,
)
from transforms.clips.sources import name_clip

CONTEXT_NS = 2_000_000_000


def minute_clip(number: int, camera: str = "front", seconds: float = 60.0) -> ClipRef:
    minute = f"2026-11-01_{12 + number // 60:02d}-{number % 60:02d}-00"
    return clip(f"/car/{minute}-{camera}.mp4", minute=minute, camera=camera, seconds=seconds)


@given(st.floats(min_value=0.04, max_value=600.0))
def test_a_long_clip_is_cut_at_whole_minutes_without_gap_or_overlap(seconds):
    whole = clip("/a/long drive.mp4", seconds=seconds)
    shards = list(plan_drives([whole], CONTEXT_NS))
    parts = [shard.parts[0] for shard in shards]
    assert parts[0].start_ns == 0
    assert parts[0].context is None
    assert parts[-1].stop_ns == WHOLE_CLIP_NS
    assert len(parts) == max(1, -(-whole.duration_ns // MINUTE_NS))
    for earlier, later in itertools.pairwise(parts):
        assert earlier.stop_ns == later.start_ns == later.context.stop_ns
        assert later.start_ns - later.context.start_ns == CONTEXT_NS
        assert later.context.offset_ns == 0
    assert len({shard.name for shard in shards}) == len(shards)
    assert len({shard.drive_id for shard in shards}) == 1


def test_names_are_plain_and_tell_clip_and_minute():
    shards = list(plan_drives([clip("/a/Nürnberg Süd (1).mp4", seconds=61, digest="ab" * 32)], CONTEXT_NS))
    assert [shard.name for shard in shards] == [
        "Nurnberg_Sud_1-ababababab-m0000",
        "Nurnberg_Sud_1-ababababab-m0001",
    ]


def test_minutes_of_one_car_follow_each_other_camera_by_camera():
    clips = [minute_clip(0), minute_clip(1), minute_clip(1, "back"), minute_clip(2), minute_clip(2, "back")]
    first, second, third = plan_drives(clips, CONTEXT_NS)
    assert first.drive_id == second.drive_id == third.drive_id
    assert [part.clip.name.camera for part in second.parts] == ["back", "front"]
    back, front = second.parts
    assert back.context is None
    assert front.context.clip == clips[0]
    assert (front.context.start_ns, front.context.offset_ns) == (58_000_000_000, -60_000_000_000)
    assert third.parts[0].context.clip == clips[2]


def test_a_missing_minute_begins_a_new_drive_without_context():
    first, second = plan_drives([minute_clip(0), minute_clip(2)], CONTEXT_NS)
    assert first.drive_id != second.drive_id
    assert second.parts[0].context is None


def test_a_new_minute_changes_no_earlier_shard():
    before = list(plan_drives([minute_clip(0), minute_clip(1)], CONTEXT_NS))
    after = list(plan_drives([minute_clip(0), minute_clip(1), minute_clip(2)], CONTEXT_NS))
    assert after[:2] == before


@given(st.permutations([minute_clip(n, camera) for n in (0, 1, 2, 5) for camera in ("front", "back")]))
def test_the_order_of_clips_does_not_matter(clips):
    expected = list(plan_drives(sorted(clips, key=lambda clip: clip.uri), CONTEXT_NS))
    assert list(plan_drives(clips, CONTEXT_NS)) == expected


def test_clock_jumps_are_followed_by_utc_where_it_is_known():
    # the repeated hour of daylight saving: names go back, UTC goes on
    names = ("2026-11-01_01-59-00", "2026-11-01_01-00-00")
    clips = [
        replace(clip(f"/{name}.mp4", minute=name), start_utc_ns=round((1000 + 60 * at) * 1e9))
        for at, name in enumerate(names)
    ]
    first, second = plan_drives(clips, CONTEXT_NS)
    assert first.name.startswith("car-2026-11-01_01-59-00")
    assert second.parts[0].context.clip == clips[0]


def test_names_without_seconds_are_minutes_too():
    clips = [clip(f"/{name}.mp4", minute=name) for name in ("2019-05-01_10-00", "2019-05-01_10-01")]
    first, second = plan_drives(clips, CONTEXT_NS)
    assert first.drive_id == second.drive_id


def test_a_second_recording_of_a_camera_and_minute_is_a_drive_of_its_own():
    one, other = minute_clip(0), replace(minute_clip(0), uri="/export/other.mp4", content_sha256="ff" * 32)
    shards = list(plan_drives([one, other], CONTEXT_NS))
    assert len({shard.drive_id for shard in shards}) == len(shards) == 2


def test_two_cars_of_one_name_are_refused():
    one = minute_clip(0)
    other = replace(
        minute_clip(7), uri="/b/x.mp4", content_sha256="ff" * 32, name=replace(one.name, car="/b")
    )
    with pytest.raises(TwoCarsError, match="both called 'car'"):
        list(plan_drives([one, other], CONTEXT_NS))


def test_no_context_where_none_is_wanted():
    shards = list(plan_drives([minute_clip(0), minute_clip(1)], 0))
    assert all(part.context is None for shard in shards for part in shard.parts)
    assert all(
        part.context is None
        for shard in plan_drives([clip("/a.mp4", seconds=130)], 0)
        for part in shard.parts
    )


def test_the_copy_in_an_event_folder_is_kept_then_the_smallest_uri():
    recent = clip(
        "/car/RecentClips/a.mp4", minute="2026-11-01_12-00-00", kind="RecentClips", digest="aa" * 32
    )
    saved = clip("/car/SavedClips/e/a.mp4", minute="2026-11-01_12-00-00", kind="SavedClips", digest="aa" * 32)
    other = replace(saved, uri="/car/SavedClips/e/b.mp4")
    kept, duplicates = split_duplicates([recent, other, saved])
    assert kept == saved
    assert {item.clip.uri for item in duplicates} == {recent.uri, other.uri}
    assert {item.duplicate_of for item in duplicates} == {saved.clip_id}
    assert event_id(kept)
    assert not event_id(recent)


def test_clips_without_a_minute_stand_alone():
    one, other = clip("/a.mp4"), clip("/b.mp4")
    assert drive_key(one) != drive_key(other)
    assert drive_key(minute_clip(0)) == drive_key(minute_clip(7, "back"))


def test_an_encrypted_event_and_its_decrypted_copy_are_two_events():
    place = "SavedClips/2026-11-01_12-03-00/2026-11-01_12-00-00-front.mp4"
    plain = name_clip(f"/car/TeslaCam/{place}", "/car")
    encrypted = name_clip(f"/car/TeslaCam/EncryptedClips/{place}", "/car")
    assert event_folder_id(plain) != event_folder_id(encrypted)
