import pytest
from made_sets import Box, Minute, make_set

from transforms.tables.queries import connect
from transforms.views.report.choosing import KINDS, MOST_EXAMPLES, choose
from transforms.views.report.sections import Tables


def chosen(root):
    with connect(root) as data:
        return choose(Tables(data))


def scores(examples, kind, category="car"):
    return [round(its.score, 3) for its in examples if (its.kind, its.box.category) == (kind, category)]


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    boxes = [Box(0, 1.0, score=score) for score in (0.1, 0.32, 0.52, 0.97)]
    others = [Box(1, 1.0, score=score) for score in (0.45, 0.9)]
    minutes = [
        Minute("a", [*boxes, Box(2, 5.0, "person", 0.8)]),
        Minute("b", others),
        Minute("c", [], frames=0),
    ]
    return chosen(make_set(tmp_path_factory.mktemp("choosing") / "out", minutes))


def test_of_each_minute_one_of_a_kind_the_most_telling_first(examples):
    assert scores(examples, "best") == [0.97, 0.9]
    # what exports leave out is not the worst of what they keep
    assert scores(examples, "worst") == [0.32, 0.45]
    assert scores(examples, "uncertain") == [0.52, 0.45]
    # without the network's own box there is no change
    assert scores(examples, "changed") == []


def test_frequent_categories_come_first_and_kinds_in_their_order(examples):
    assert list(dict.fromkeys(its.box.category for its in examples)) == ["car", "person"]
    kinds = [its.kind for its in examples if its.box.category == "car"]
    assert kinds == sorted(kinds, key=list(KINDS).index)


def test_an_example_knows_its_frame_and_the_labels_around_it(examples):
    best = examples[0]
    assert (best.timestamp_ns, best.width, best.height, best.uri) == (0, 640, 360, "/in/a.mp4")
    assert best.box.edges == (1.0, 10.0, 21.0, 30.0)
    # itself and what scores below 0.3 left out
    assert len(best.others) == 2
    assert best.network is None


def test_there_are_never_too_many(tmp_path):
    categories = [f"category {number:02d}" for number in range(40)]
    minutes = [
        Minute(clip, [Box(0, 1.0, category, 0.5) for category in categories]) for clip in ("a", "b", "c", "d")
    ]
    found = chosen(make_set(tmp_path / "out", minutes))
    assert 0 < len(found) <= MOST_EXAMPLES


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -1.0])
def test_scores_that_are_none_are_left_out(tmp_path, score):
    root = make_set(tmp_path / "out", [Minute("a", [Box(0, 1.0, score=score), Box(1, 1.0, score=0.4)])])
    assert {round(its.score, 3) for its in chosen(root)} == {0.4}


@pytest.mark.parametrize("left", [float("nan"), float("inf"), 1e30])
def test_boxes_that_cannot_be_drawn_are_left_out(tmp_path, left):
    root = make_set(tmp_path / "out", [Minute("a", [Box(0, left), Box(0, 3.0, score=0.5)])])
    found = chosen(root)
    assert {its.box.edges[0] for its in found} == {3.0}
    assert all(its.others == () for its in found)
