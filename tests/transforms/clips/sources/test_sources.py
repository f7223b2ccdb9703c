import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.clips.refs import ClipName
from transforms.clips.sources import SOURCES, VIDEO_SUFFIXES, name_clip

STAMP = "2024-05-01_10-20-30"
RECENT = f"TeslaCam/RecentClips/{STAMP}-front.mp4"
SAVED = f"TeslaCam/SavedClips/{STAMP}/2024-05-01_10-19-29-left_repeater.mp4"


def test_an_events_clip():
    assert name_clip(f"/media/usb/{SAVED}", "/media/usb") == ClipName(
        source="teslacam",
        vehicle="usb",
        camera="left_repeater",
        folder_kind="SavedClips",
        car="/media/usb",
        event_folder=f"/media/usb/TeslaCam/SavedClips/{STAMP}",
        minute="2024-05-01_10-19-29",
    )


@pytest.mark.parametrize(
    ("path", "root", "vehicle"),
    [
        (f"/data/fleet/car7/{RECENT}", "/data/fleet", "fleet/car7"),
        (f"/data/fleet/car7/{RECENT}", "/data/fleet/", "fleet/car7"),
        (f"/data/fleet/eu/car7/{SAVED}", "/data/fleet", "fleet/eu/car7"),
        (f"/data/fleet/car7/{RECENT}", "/data/fleet/car7", "car7"),
        (f"/data/fleet/car7/{RECENT}", "/data/fleet/car7/TeslaCam", "car7"),
        (f"/data/fleet/car7/{RECENT}", "/data/fleet/car7/TeslaCam/RecentClips", "car7"),
        (f"/data/fleet/car7/{RECENT}", f"/data/fleet/car7/{RECENT}", "car7"),
        (f"/data/fleet/car7/RecentClips/{STAMP}-front.mp4", "/data/fleet", "fleet/car7"),
        (f"/data/fleet/car7/teslacam/recentclips/2024-05-01/{STAMP}-front.MP4", "/data/fleet", "fleet/car7"),
        (f"gs://bucket/fleet/car7/{SAVED}", "gs://bucket/fleet", "fleet/car7"),
        (f"gs://bucket/{SAVED}", "gs://bucket", "bucket"),
        (f"/data/a/{STAMP}-front.mp4", "/data", "data/a"),
        (f"/data/a/{STAMP}/{STAMP}-front.mp4", "/data", "data/a"),
        (f"/{RECENT}", "/", ""),
        (f"/car/{RECENT}", "/", "car"),
    ],
)
def test_the_cars_folder(path, root, vehicle):
    name = name_clip(path, root)
    assert name.source == "teslacam"
    assert name.vehicle == vehicle


@pytest.mark.parametrize(
    ("folder", "kind", "event"),
    [
        ("RecentClips", "RecentClips", None),
        ("RecentClips/2024-05-01", "RecentClips", None),
        (f"SentryClips/{STAMP}", "SentryClips", f"SentryClips/{STAMP}"),
        (f"EncryptedClips/SavedClips/{STAMP}", "EncryptedClips", f"EncryptedClips/SavedClips/{STAMP}"),
        ("EncryptedClips/RecentClips", "EncryptedClips", None),
        ("SavedClips", "SavedClips", None),
    ],
)
def test_folders_and_events(folder, kind, event):
    name = name_clip(f"/car/TeslaCam/{folder}/{STAMP}-back.mp4", "/car")
    assert name.folder_kind == kind
    assert name.event_folder == (event and f"/car/TeslaCam/{event}")
    assert name.vehicle == "car"


@pytest.mark.parametrize(
    ("spelled", "camera"),
    [
        ("front", "front"),
        ("rear_view", "back"),
        ("left_bpillar", "left_pillar"),
        ("right_bpillar", "right_pillar"),
        ("right_repeater", "right_repeater"),
        ("cabin", "cabin"),
    ],
)
def test_cameras(spelled, camera):
    assert name_clip(f"/c/RecentClips/{STAMP}-{spelled}.mp4", "/c").camera == camera


def test_stamps_without_seconds():
    assert name_clip("/c/RecentClips/2019-01-02_03-04-front.mp4", "/c").minute == "2019-01-02_03-04"


@pytest.mark.parametrize(
    "path",
    [
        f"/c/TeslaCam/SavedClips/{STAMP}/event.mp4",
        f"/c/TeslaCam/SavedClips/{STAMP}/merged.mp4",
        f"/c/copied/{STAMP}/event.mp4",
        f"/c/RecentClips/._{STAMP}-front.mp4",
        f"/c/TeslaCam/SavedClips/{STAMP}/event.json",
        "/c/.hidden.mp4",
        "/c/notes.txt",
        "/c/mp4",
    ],
)
def test_what_is_no_clip_counts_only_when_named_itself(path):
    assert name_clip(path, "/c") is None
    assert name_clip(path, path) is not None


@pytest.mark.parametrize(
    "path", ["/c/a.mp4", "/c/event.mp4", "/c/RecentClips/holiday.MOV", "/c/x/y.hevc", "/c/b.ts"]
)
def test_any_other_video_is_generic(path):
    assert name_clip(path, "/c") == ClipName(source="generic", vehicle="", camera="unknown")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_path_has_an_answer(path, root):
    name = name_clip(path, root)
    assert name is None or name.source in SOURCES
    assert name_clip(path, path) is not None


def test_the_suffixes():
    assert sorted(VIDEO_SUFFIXES) == [".avi", ".hevc", ".m4v", ".mkv", ".mov", ".mp4", ".ts"]
