"""Ids, the context's share, and what joins neighbouring shards."""

from dataclasses import replace

import numpy as np
import pytest
from clip_refs import clip
from sighted import CAR, TRUCK, box, trail

from models.detections import Detections
from models.registry import find_model
from models.sessions import load_detector
from transforms.clips.shards import WHOLE_CLIP_NS, Context, Part
from transforms.labels.following import follow, links
from transforms.labels.hindsight.settings import ONLINE, HindsightSettings
from transforms.labels.seen import FrameRow, PartLabels
from transforms.labels.settings import LabelSettings
from transforms.labels.sightings import ADDED, EXTRAPOLATED, INTERPOLATED, NO_TRACK, PROPAGATED
from transforms.tables.ids import stable_id

STEP_NS = 200_000_000
ALL = LabelSettings()


@pytest.fixture(scope="module")
def detector():
    """Only its card and its digest are asked for."""
    return load_detector(find_model("demo"))


def said(*boxes):
    """What the network says of a frame: (box, score) or (box, score, category), best first."""
    boxes = sorted(boxes, key=lambda one: -one[1])
    return Detections(
        np.array([edges for edges, *_ in boxes], np.float32).reshape(-1, 4),
        np.array([score for _, score, *_ in boxes], np.float32),
        np.array([rest[0] if rest else CAR for _, _, *rest in boxes], np.uint8),
    )


def frame(number, time_ns, *, ran=True, in_context=False, damaged=False):
    return FrameRow(
        frame_id=f"frame {number}",
        timestamp_ns=time_ns,
        pts=number,
        sample_index=number,
        is_keyframe=True,
        is_damaged=damaged,
        network_ran=ran,
        gop_start_pts=0,
        quality=None,
        in_context=in_context,
    )


def seen(detections, context=0, step_ns=STEP_NS, name="front.mp4"):
    """A minute by what was said of each frame; None = the network did not look. The first are of the context."""
    own = replace(clip(name, seconds=len(detections) - context), width=640, height=360)
    own = replace(own, duration_ns=(len(detections) - context) * step_ns)
    before = Context(clip=own, start_ns=-context * step_ns, stop_ns=0, offset_ns=0) if context else None
    part = Part(clip=own, start_ns=0, stop_ns=WHOLE_CLIP_NS, context=before)
    frames = [
        frame(number, (number - context) * step_ns, ran=one is not None, in_context=number < context)
        for number, one in enumerate(detections)
    ]
    return PartLabels(
        part,
        frames=frames,
        sound=list(range(len(frames))),
        detections=[[one for one in detections if one is not None]],
    )


def followed(labels, detector, settings=ALL):
    (one,) = follow(labels, [detector], settings)
    return one


def car(number, score=0.9):
    return box(100 + 6 * number, 100), score


def rows_of(tracked):
    """Frame number, source and id of every row."""
    frames = [int(tracked.frame(row).frame_id.split()[1]) for row in range(len(tracked.ids))]
    return list(zip(frames, tracked.seen.sources.tolist(), tracked.ids, strict=True))


def test_a_detections_id_is_of_frame_network_category_and_raw_box(detector):
    tracked = followed(seen([said(car(0)), said((box(50, 50), 0.7, TRUCK))]), detector)
    edges = np.array(box(50, 50), np.float32).tobytes().hex()
    assert tracked.ids[1] == stable_id("detection", "frame 1", detector.sha256, TRUCK, edges)
    assert len(set(tracked.ids)) == 2


def test_ids_of_detections_do_not_depend_on_hindsight_and_the_rows_added_have_their_own(detector):
    labels = seen([said(car(number)) if number not in {3, 4} else said() for number in range(8)])
    online = followed(labels, detector, LabelSettings(hindsight=ONLINE))
    whole = followed(labels, detector)
    assert online.ids == [one for _, source, one in rows_of(whole) if source == 0]
    added = [(number, one) for number, source, one in rows_of(whole) if source == INTERPOLATED]
    # of the frame and the track's first detection
    assert added == [
        (number, stable_id("interpolated", f"frame {number}", whole.ids[0])) for number in (3, 4)
    ]
    assert len(set(whole.ids)) == len(whole.ids) == 8
    assert followed(labels, detector).ids == whole.ids


def test_nothing_is_seen_where_the_network_looks_at_nothing(detector):
    for labels in (seen([]), seen([None, None]), seen([said(), said()])):
        tracked = followed(labels, detector)
        assert (tracked.ids, tracked.own, tracked.track_ids()) == ([], 0, {})


def test_a_track_is_named_by_its_first_own_detection_and_linked_to_the_context(detector):
    labels = seen([said(car(number)) for number in range(8)], context=3)
    tracked = followed(labels, detector)
    assert tracked.own == 3
    assert tracked.track_ids() == {0: stable_id("track", tracked.ids[3])}
    # the last one first
    assert tracked.previous_ids() == {0: tuple(tracked.ids[2::-1])}


def test_the_context_gets_no_added_rows_and_takes_none_from_its_own_objects(detector):
    """One car is seen in the context alone, just before the minute begins; the other goes on after a gap in it."""
    gone = [(box(400 + 2 * number, 200), 0.95) for number in range(8)]
    detections = [said(car(number), gone[number]) for number in range(8)]
    detections[3] = said(gone[3])
    detections += [said(car(number)) for number in range(8, 14)]
    labels = seen(detections, context=8)
    tracked = followed(labels, detector)
    added = [number for number, source, _ in rows_of(tracked) if source]
    assert added == []
    # in a minute that begins earlier the same rows are there
    whole = followed(seen(detections), detector)
    assert [(number, source) for number, source, _ in rows_of(whole) if source] == [
        (3, INTERPOLATED),
        (8, EXTRAPOLATED),
    ]
    assert tracked.own == sum(number < 8 for number, _, _ in rows_of(tracked)) == 15


def test_an_added_row_next_to_the_context_is_kept_where_its_object_goes_on(detector):
    detections = [said(car(number)) if number != 4 else said() for number in range(9)]
    tracked = followed(seen(detections, context=4), detector)
    assert [(number, source) for number, source, _ in rows_of(tracked) if source] == [(4, INTERPOLATED)]
    assert tracked.own == 4


def test_links_are_heads_and_tail(detector):
    detections = [said(car(number), (box(500, 50 + number), 0.9)) for number in range(20)]
    detections[9] = said(car(9), (box(500, 59), 0.9), (box(300, 300), 0.5))
    labels = seen(detections, context=5)
    tracked = followed(labels, detector)
    found = links([[tracked]], 2 * STEP_NS)
    tracks = tracked.track_ids()
    assert found.tracks == tuple(sorted(tracks.values()))
    assert len(tracks) == 2
    assert found.heads == {tracks[number]: tracked.previous_ids()[number] for number in tracks}
    assert all(len(ids) == 5 for ids in found.heads.values())
    late = [one for number, _, one in rows_of(tracked) if number >= 18]
    assert sorted(found.tail) == sorted(late)
    assert set(found.tail.values()) == set(found.tracks)


def test_the_tail_of_a_minute_is_what_the_next_one_sees_as_its_context(detector):
    """Two minutes of one clip: the second finds the very ids with which the first ended."""
    detections = [said(car(number)) for number in range(20)]
    first = followed(seen(detections[:14]), detector)
    second = seen(detections[9:], context=5)
    numbers = [f"frame {number + 9}" for number in range(11)]
    second.frames = [replace(row, frame_id=one) for row, one in zip(second.frames, numbers, strict=True)]
    heads = links([[followed(second, detector)]], 5 * STEP_NS).heads
    tail = links([[first]], 5 * STEP_NS).tail
    assert {tail[one] for ids in heads.values() for one in ids} == set(first.track_ids().values())
    assert [len(ids) for ids in heads.values()] == [5]


def test_the_camera_is_followed_from_points(detector):
    """The picture shifts by more than a box's width from frame to frame."""
    speed = 45.0
    labels = seen([said((box(60 + speed * number, 100), 0.9)) for number in range(8)])
    labels.trails = [
        trail(number, np.array([number, number + 1]) * STEP_NS / 1e9, (speed, 0.0)) for number in range(7)
    ]
    assert followed(labels, detector).seen.tracks.tolist() == [0] * 8
    steady = LabelSettings(hindsight=HindsightSettings(ego_motion=False))
    assert followed(labels, detector, steady).seen.tracks.tolist() == [NO_TRACK] * 8


def test_points_on_things_that_move_do_not_tell_the_camera(detector):
    """A train passes and fills most of the picture; the camera stands, and so does the car before it."""
    train = (0.0, 0.0, 620.0, 312.0)
    labels = seen([said((box(560, 340), 0.9), (train, 0.9, TRUCK)) for _ in range(3)])
    for number in range(2):
        still = trail(number, np.array([number, number + 1]) * STEP_NS / 1e9, points=300)
        first, last = still.positions
        inside = (first <= train[2:]).all(axis=1)
        last = last + np.float32([60, 0]) * inside[:, None]
        labels.trails.append(replace(still, positions=np.stack([first, last])))
    tracked = followed(labels, detector)
    assert tracked.seen.tracks.tolist() == [0, 1] * 3
    stands = tracked.seen.categories == CAR
    assert tracked.seen.boxes[stands] == pytest.approx(np.tile(box(560, 340), (3, 1)), abs=0.5)


@pytest.mark.parametrize("every", [1, 2])
def test_the_bonnet_is_set_aside_whichever_frames_get_labels(detector, every):
    """Six seconds of a picture that moves, with a box that does not; networks look at every so-many-th frame."""
    bonnet = said(((100.0, 300.0, 540.0, 360.0), 0.9))
    count = 30 * every
    labels = seen(
        [bonnet if not number % every else None for number in range(count)], step_ns=STEP_NS // every
    )
    labels.trails = [
        trail(
            first, np.arange(first, first + every + 1) * STEP_NS / every / 1e9, (9.0 / every, 1.0), points=20
        )
        for first in range(0, count - every, every)
    ]
    tracked = followed(labels, detector, LabelSettings(fps="5", label_fps=str(5 * every)))
    assert len(tracked.ids) == 30
    assert not tracked.seen.scores.any()
    assert (tracked.seen.tracks == NO_TRACK).all()


def test_frames_between_get_rows_only_where_labels_are_wanted_there(detector):
    every = [said(car(number)) if number % 4 == 0 else None for number in range(9)]
    labels = seen(every, step_ns=50_000_000)
    labels.trails = [trail(first, np.arange(first, first + 5) / 20, (6.0, 0.0)) for first in (0, 4)]
    assert len(followed(labels, detector).ids) == 3
    dense = followed(labels, detector, LabelSettings(label_fps="20"))
    assert [(number, source) for number, source, _ in rows_of(dense)] == [
        (number, 0 if number % 4 == 0 else PROPAGATED) for number in range(9)
    ]
    assert len(set(dense.ids)) == 9
    assert (dense.seen.origins[dense.seen.sources == PROPAGATED] == ADDED).all()


def test_a_box_of_no_track_is_carried_under_an_id_of_its_own(detector):
    lone = (box(300, 300), 0.3), (box(500, 50), 0.3)
    labels = seen([said(*lone), None, None, None, said()], step_ns=50_000_000)
    labels.trails = [trail(0, np.arange(5) / 20)]
    dense = followed(labels, detector, LabelSettings(label_fps="20"))
    assert (dense.seen.tracks == NO_TRACK).all()
    assert [(number, source) for number, source, _ in rows_of(dense)] == [(0, 0)] * 2 + [(1, PROPAGATED)] * 2
    assert len(set(dense.ids)) == 4
    assert followed(labels, detector, LabelSettings(label_fps="20")).ids == dense.ids
    assert dense.track_ids() == {}


def test_a_damaged_frame_gets_no_row(detector):
    every = [said(car(number)) if number % 4 == 0 else None for number in range(9)]
    labels = seen(every, step_ns=50_000_000)
    labels.frames[2] = replace(labels.frames[2], is_damaged=True)
    labels.sound.remove(2)
    # what is followed is counted over sound frames
    labels.trails = [
        trail(0, [0, 0.05, 0.15, 0.2], (8.0, 0.0)),
        trail(3, np.arange(4, 9) / 20, (6.0, 0.0)),
    ]
    dense = followed(labels, detector, LabelSettings(label_fps="20"))
    assert [number for number, _, _ in rows_of(dense)] == [0, 1, 3, 4, 5, 6, 7, 8]


def test_networks_are_followed_apart(detector):
    labels = seen([said(car(number)) for number in range(4)])
    labels.detections.append([said((box(300, 50), 0.9)) for _ in range(4)])
    first, second = follow(labels, [detector, detector], ALL)
    assert (first.seen.tracks == 0).all()
    assert (second.seen.tracks == 0).all()
    assert not set(first.ids) & set(second.ids)
    assert len(links([[first, second]], 0).tracks) == 2
