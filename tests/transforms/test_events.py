import json
from dataclasses import replace

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that
from clip_refs import clip

from transforms.clips.refs import InputFile
from transforms.events import GatherEvents
from transforms.labels.private_places import PrivatePlace

FOLDER = "TeslaCam/SavedClips/2026-11-01_12-03-00"


def gather(root, clips: dict[str, bool], event: bytes | None, places=()) -> dict:
    """Runs the stage on clips by name (True = readable)."""
    from transforms.tasks import named

    folder = root / FOLDER
    folder.mkdir(parents=True)
    files = [InputFile(uri=str(folder / f"{name}.mp4"), root=str(root), bytes=1) for name in clips]
    readable = [
        replace(clip(file.uri), name=named(file))
        for file, good in zip(files, clips.values(), strict=True)
        if good
    ]
    events = []
    if event is not None:
        (folder / "event.json").write_bytes(event)
        events = [InputFile(uri=str(folder / "event.json"), root=str(root), bytes=len(event))]
    with beam.Pipeline("FnApiRunner") as pipeline:
        inputs = tuple(
            pipeline | name >> beam.Create(items, reshuffle=False)
            for name, items in (("files", files), ("clips", readable), ("events", events))
        )
        result = inputs | GatherEvents(places)
        assert_that(result, lambda found: (root / "rows.json").write_text(json.dumps(found)))
    (row,) = json.loads((root / "rows.json").read_text())
    return row


def minute(number: int, *cameras: str) -> list[str]:
    return [f"2026-11-01_12-0{number}-00-{camera}" for camera in cameras]


FOUR = ("back", "front", "left_repeater", "right_repeater")


def test_an_event_with_all_it_needs(tmp_path):
    event = {
        "timestamp": "2026-11-01T12:02:30",
        "reason": "sentry_aware_accel_0.42",
        "city": "Fremont",
        "est_lat": "37.5",
        "est_lon": "-122.0",
    }
    row = gather(
        tmp_path, dict.fromkeys(minute(1, *FOUR) + minute(2, *FOUR), True), json.dumps(event).encode()
    )
    assert (row["reason"], row["reason_value"], row["city"]) == ("sentry_aware_accel", 0.42, "Fremont")
    assert row["cameras_present"] == list(FOUR)
    assert row["cameras_missing"] == []
    assert row["kind"] == "SavedClips"
    assert row["problem"] is None


def test_a_camera_that_lacks_a_minute_is_missing(tmp_path):
    row = gather(tmp_path, dict.fromkeys(minute(1, *FOUR) + minute(2, *FOUR[:3]), True), b"{}")
    assert row["cameras_missing"] == ["right_repeater"]
    assert "right_repeater" in row["cameras_present"]


def test_pillars_are_expected_where_one_was_seen(tmp_path):
    row = gather(tmp_path, dict.fromkeys([*minute(1, *FOUR, "left_pillar"), *minute(2, *FOUR)], True), b"{}")
    assert row["cameras_missing"] == ["left_pillar"]


def test_an_event_folder_without_any_clip_has_a_row(tmp_path):
    row = gather(tmp_path, {}, b'{"city": "Fremont"}')
    assert (row["city"], row["kind"]) == ("Fremont", "SavedClips")
    assert row["cameras_missing"] == list(FOUR)


@pytest.mark.parametrize("event", [None, b"", b"not json", b"[1, 2]"])
def test_an_event_whose_clips_all_failed_and_whose_file_is_bad_still_has_a_row(tmp_path, event):
    row = gather(tmp_path, dict.fromkeys(minute(1, *FOUR), False), event)
    assert row["cameras_present"] == []
    assert row["cameras_missing"] == list(FOUR)
    assert row["problem"]
    assert row["reason"] is None


@pytest.mark.parametrize(
    ("position", "city"),
    [(("37.5", "-122.0"), None), (("37.6", "-122.0"), "Fremont"), ((None, None), None), (("0", "0"), None)],
)
def test_an_event_near_a_private_place_or_nowhere_does_not_tell_its_town(tmp_path, position, city):
    event = {"timestamp": "2026-11-01T12:02:30", "reason": "a", "city": "Fremont", "street": "Elm St"}
    event |= {"est_lat": position[0], "est_lon": position[1]}
    place = PrivatePlace(latitude_deg=37.501, longitude_deg=-122, radius_m=500)
    row = gather(tmp_path, dict.fromkeys(minute(1, *FOUR), True), json.dumps(event).encode(), [place])
    assert (row["city"], row["street"]) == (city, city and "Elm St")
    assert (row["lat"], row["lon"]) == ((37.6, -122) if city else (None, None))
