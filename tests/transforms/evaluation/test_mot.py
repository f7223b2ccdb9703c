"""Tracking figures against TrackEval's (golden/tracking_figures) and by hand."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from transforms.evaluation.mot import category_figures, tracking_figures
from transforms.evaluation.pairing import pair

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "tracking_figures" / "figures.json"
BOX = (0.0, 0.0, 100.0, 100.0)
FAR = (500.0, 0.0, 600.0, 100.0)


def still(tracks, box=BOX, category="car", first=0):
    """A box that stands still and is given these tracks, frame by frame (None = not there)."""
    return [
        ("a", first + t, category, track, box, 0.5) for t, track in enumerate(tracks) if track is not None
    ]


def car(table, labels, truth):
    return tracking_figures(pair(table(*labels), table(*truth)))["car"]


@pytest.fixture
def golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def of_golden(rows):
    values = np.array(rows)
    names = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
    return pa.table(
        {
            "clip_id": [str(int(value)) for value in values[:, 0]],
            "timestamp_ns": values[:, 1].astype(np.int64),
            "category": ["car"] * len(values),
            "track_id": values[:, 2].astype(np.int64),
            **{name: values[:, 3 + place] for place, name in enumerate(names)},
        }
    )


def test_equals_trackeval(golden):
    labels, truth = of_golden(golden["labels"]), of_golden(golden["truth"])
    both = pa.concat_tables([labels, truth]).select(["clip_id", "timestamp_ns"])
    ours = tracking_figures(pair(labels, truth, both))["car"]
    for name, value in golden["figures"].items():
        assert getattr(ours, name) == pytest.approx(value, abs=1e-9), name
    assert (ours.truth, ours.labels) == (len(golden["truth"]), len(golden["labels"]))


def test_perfect_tracks(table):
    truth = still([1] * 5) + still([2] * 5, FAR)
    found = car(table, truth, truth)
    assert (found.hota, found.deta, found.assa, found.idf1, found.mota) == (1.0, 1.0, 1.0, 1.0, 1.0)
    assert (found.switches, found.missed, found.false) == (0, 0, 0)


def test_a_broken_track(table):
    found = car(table, still([1, 1, 2, 2]), still([7] * 4))
    assert (found.deta, found.assa, found.idf1) == (1.0, 0.5, 0.5)
    assert found.hota == pytest.approx(np.sqrt(0.5))
    assert (found.switches, found.mota) == (1, 0.75)


def test_labels_without_a_track_do_not_count(table):
    found = car(table, still([1, -1, 1, None]), still([7] * 4))
    assert (found.labels, found.missed, found.false) == (2, 2, 0)
    assert found.idf1 == pytest.approx(4 / 6)


def test_score_is_a_threshold(table):
    rows = table(*still([1, 1]))
    assert tracking_figures(pair(rows, rows), 0.5)["car"].hota == 1.0
    assert tracking_figures(pair(rows, rows), 0.51)["car"].hota == 0.0


def test_neutral_boxes_and_regions_count_neither_way(table):
    truth = still([7] * 3) + still([8] * 3, FAR, "van")
    truth += still([-1] * 3, (0.0, 300.0, 400.0, 400.0), "dontcare")
    labels = still([1] * 3) + still([2] * 3, FAR) + still([3] * 3, (10.0, 310.0, 40.0, 340.0))
    found = car(table, labels, truth)
    assert (found.hota, found.idf1, found.mota, found.labels) == (1.0, 1.0, 1.0, 3)
    # Without them every such label is false.
    assert car(table, labels, truth[:3]).false == 6


def test_a_label_that_finds_an_object_counts_even_in_a_region(table):
    truth = still([7] * 2) + still([-1] * 2, (-10.0, -10.0, 200.0, 200.0), "dontcare")
    assert car(table, still([1] * 2), truth).hota == 1.0
    assert car(table, still([1] * 2) + still([2] * 2, FAR), truth).false == 2


def test_nothing_to_judge(table):
    assert tracking_figures(pair(table(), table())) == {}
    found = category_figures(pair(table(), table()).of("car"))
    assert (found.hota, found.idf1, found.mota, found.truth, found.labels) == (0.0, 0.0, 0.0, 0, 0)
    missed = car(table, [], still([1] * 3))
    assert (missed.hota, missed.idf1, missed.mota, missed.missed) == (0.0, 0.0, 0.0, 3)


def test_clips_are_judged_apart(table):
    truth = still([1] * 3) + [("b", *row[1:]) for row in still([1] * 3)]
    assert car(table, truth, truth).assa == 1.0
