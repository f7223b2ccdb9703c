"""Labels and truth on the same frames."""

import numpy as np
import pyarrow as pa
import pytest

from transforms.evaluation.pairing import pair

BOX = (0.0, 0.0, 10.0, 10.0)


def frames_of(*keys):
    return pa.table({"clip_id": [clip for clip, _ in keys], "timestamp_ns": [time for _, time in keys]})


def test_rows_are_sorted_by_frame_and_keep_their_values(table):
    labels = table(
        ("b", 0, "car", 5, BOX, 0.25), ("a", 10, "car", 5, (1, 2, 3, 4), 0.5), ("a", 0, "bus", None, BOX, 1)
    )
    found = pair(labels, labels).labels
    assert found.frames.tolist() == [0, 1, 2]
    assert found.boxes[1].tolist() == [1, 2, 3, 4]
    assert found.categories.tolist() == ["bus", "car", "car"]
    assert found.scores.tolist() == [1.0, 0.5, 0.25]
    # The same id in two clips is two objects.
    assert found.tracks[0] == -1
    assert len(set(found.tracks.tolist())) == 3


def test_frames_decide_what_counts(table):
    labels = table(("a", 0, "car", 0, BOX, 1), ("a", 1, "car", 0, BOX, 1), ("z", 0, "car", 0, BOX, 1))
    truth = table(("a", 0, "car", 0, BOX, 1), ("a", 2, "car", 0, BOX, 1))
    assert pair(labels, truth).labels.frames.tolist() == [0]
    wider = pair(labels, truth, frames_of(("a", 0), ("a", 1)))
    assert wider.labels.frames.tolist() == [0, 1]
    assert wider.truth.frames.tolist() == [0]
    assert len(wider.clips) == 2


def test_tolerance_takes_the_nearest_frame_of_the_same_clip(table):
    frames = frames_of(("a", 0), ("a", 100), ("b", 57))
    labels = table(
        *[("a", time, "car", 0, BOX, 1) for time in (-5, 4, 55, 94, 200)], ("b", 50, "car", 0, BOX, 1)
    )
    assert pair(labels, table(), frames, tolerance_ns=6).labels.frames.tolist() == [0, 0, 1]
    near = pair(labels, table(), frames, tolerance_ns=50).labels
    assert near.frames.tolist() == [0, 0, 1, 1, 2]
    assert pair(labels, table(), frames).labels.frames.tolist() == []


def test_negative_and_missing_tracks_are_none_and_text_ids_are_welcome(table):
    rows = table(("a", 0, "car", -1, BOX, 1), ("a", 0, "car", 3, BOX, 1))
    assert (pair(rows, rows).labels.tracks >= 0).tolist() == [False, True]
    texts = rows.set_column(3, "track_id", pa.array([None, "one"]))
    assert (pair(texts, rows).labels.tracks >= 0).tolist() == [False, True]
    bare = rows.drop_columns(["track_id", "score"])
    assert pair(bare, rows).labels.tracks.tolist() == [-1, -1]
    assert pair(bare, rows).labels.scores.tolist() == [1.0, 1.0]


def test_categories_are_those_that_can_be_judged(table):
    truth = table(*[("a", 0, name, 0, BOX, 1) for name in ("car", "van", "dontcare", "person")])
    pairing = pair(table(("a", 0, "truck", 0, BOX, 1)), truth)
    assert pairing.categories() == ["car", "person"]
    assert pair(truth, truth, neutral={}).categories() == ["car", "person", "van"]
    car = pairing.of("car")
    assert [len(part.frames) for part in (car.labels, car.truth, car.neutral, car.regions)] == [0, 1, 1, 1]
    assert [len(part.frames) for part in (pairing.of("person").neutral, pairing.of("bus").truth)] == [0, 0]


def test_rows_lead_back_to_the_table(table):
    labels = table(
        ("b", 0, "car", 5, BOX, 0.25), ("a", 10, "car", 5, BOX, 0.5), ("a", 0, "bus", None, BOX, 1)
    )
    pairing = pair(labels, labels)
    assert pairing.labels.rows.tolist() == [2, 1, 0]
    assert pairing.of("car").above(0.3).labels.rows.tolist() == [1]
    assert len(pairing.of("car").labels) == 2


def test_a_missing_column_is_named(table):
    with pytest.raises(ValueError, match="truth: no column category; there are clip_id"):
        pair(table(), table().drop_columns(["category"]))
    with pytest.raises(ValueError, match="frames: no column timestamp_ns"):
        pair(table(), table(), pa.table({"clip_id": ["a"]}))


def test_empty_tables(table):
    pairing = pair(table(), table())
    assert pairing.categories() == []
    assert np.array_equal(pairing.clips, [])
