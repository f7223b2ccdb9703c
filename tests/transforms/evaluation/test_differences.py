import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.evaluation.differences import COLUMNS, box_changes

KNOWN = frozenset({"net"})


def detections(*rows):
    """Rows of (frame, left edge, category, score, network), each a box of 20 by 20 px."""
    columns = {
        "frame_id": [row[0] for row in rows],
        "clip_id": ["c"] * len(rows),
        "timestamp_ns": [0] * len(rows),
        "category": [row[2] for row in rows],
        "x_min_px": pa.array([row[1] for row in rows], pa.float32()),
        "y_min_px": pa.array([0.0] * len(rows), pa.float32()),
        "x_max_px": pa.array([row[1] + 20.0 for row in rows], pa.float32()),
        "y_max_px": pa.array([20.0] * len(rows), pa.float32()),
        "score": pa.array([row[3] for row in rows], pa.float32()),
        "model_digest": [row[4] for row in rows],
    }
    kinds = {
        "frame_id": pa.string(),
        "category": pa.string(),
        "model_digest": pa.string(),
        "clip_id": pa.string(),
    }
    return pa.table({name: pa.array(columns[name], kinds.get(name)) for name in COLUMNS})


def box(frame="f", left=0.0, category="car", score=0.5, network="net"):
    return frame, left, category, score, network


def test_each_box_is_one_of_the_kinds():
    first = detections(box(left=0), box(left=100), box(left=200), box(left=300), box(left=400))
    second = detections(
        box(left=500),
        box(left=400, category="truck"),
        box(left=303, score=0.6),
        box(left=200, score=0.7),
        box(left=100.4, score=0.5005),
    )
    found = box_changes(first, second, KNOWN)
    pairs = dict(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == {1: 4, 2: 3, 3: 2, 4: 1}
    told = {
        name: sorted(found.first[getattr(found, name)].tolist())
        for name in ("moved", "rescored", "recategorised")
    }
    assert told == {"moved": [3], "rescored": [2, 3], "recategorised": [4]}
    assert (found.removed.tolist(), found.added.tolist()) == ([0], [0])


def test_boxes_of_other_frames_never_pair():
    found = box_changes(detections(box("f")), detections(box("g")), KNOWN)
    assert (len(found.first), found.removed.tolist(), found.added.tolist()) == (0, [0], [0])


@pytest.mark.parametrize(("left", "pairs"), [(6.0, 1), (7.0, 0)])
def test_boxes_pair_from_half_an_overlap_on(left, pairs):
    # 20 px wide: shifted by 6 they share 14 of 26, by 7 13 of 27
    assert len(box_changes(detections(box()), detections(box(left=left)), KNOWN).first) == pairs


def test_the_same_category_comes_first_and_the_choice_is_the_best_of_the_frame():
    # the truck lies nearer to the first car than its own successor does
    found = box_changes(detections(box()), detections(box(left=1, category="truck"), box(left=5)), KNOWN)
    assert (found.second.tolist(), found.added.tolist()) == ([1], [0])
    # one by one, the first would take what the second needs
    found = box_changes(detections(box(), box(left=5)), detections(box(left=3), box(left=-3)), KNOWN)
    assert dict(zip(found.first.tolist(), found.second.tolist(), strict=True)) == {0: 1, 1: 0}


def test_networks_that_both_know_are_compared_with_themselves_only():
    first, second = detections(box(network="net")), detections(box(network="new"))
    assert len(box_changes(first, second, KNOWN).first) == 0
    assert len(box_changes(first, second, frozenset()).first) == 1
    both = detections(box(network="net"), box(network="new"))
    assert box_changes(detections(box(network="old"), box()), both, KNOWN).second.tolist() in ([0, 1], [1, 0])


def test_nothing_is_compared_with_nothing():
    none = detections()
    assert len(box_changes(none, none, KNOWN).first) == 0
    assert box_changes(detections(box()), none, KNOWN).removed.tolist() == [0]
    assert box_changes(none, detections(box()), KNOWN).added.tolist() == [0]


rows = st.lists(
    st.builds(
        box,
        frame=st.sampled_from("fg"),
        left=st.integers(0, 60).map(float),
        category=st.sampled_from(["car", "truck"]),
        network=st.sampled_from(["net", "other"]),
    ),
    max_size=15,
)


@given(rows, rows)
def test_every_row_is_told_once(one, two):
    found = box_changes(detections(*one), detections(*two), KNOWN)
    assert sorted([*found.first, *found.removed]) == list(range(len(one)))
    assert sorted([*found.second, *found.added]) == list(range(len(two)))
    for a, b in zip(found.first, found.second, strict=True):
        assert one[a][0] == two[b][0]
        assert {one[a][4], two[b][4]} in ({"net"}, {"other"})


@given(rows, st.randoms())
def test_a_labelling_differs_from_itself_in_nothing(one, random):
    shuffled = list(one)
    random.shuffle(shuffled)
    found = box_changes(detections(*one), detections(*shuffled), KNOWN)
    assert not len(found.added)
    assert not len(found.removed)
    assert not np.any(found.moved | found.rescored | found.recategorised)
