import pytest
from made_sets import Box, Minute, make_set

from transforms.views.overview import ConditionError, table_rows


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    boxes = [Box(frame, 10.0 * frame, "car" if frame % 2 else "person", frame / 10) for frame in range(5)]
    return make_set(tmp_path_factory.mktemp("rows") / "out", [Minute("a", boxes, frames=5)])


def scores(dataset, where, limit=20):
    columns, rows = table_rows(dataset, "detections", limit, where=where)
    return [round(row[columns.index("score")], 3) for row in rows]


def test_rows_for_which_a_condition_holds(dataset):
    assert scores(dataset, None) == [0, 0.1, 0.2, 0.3, 0.4]
    assert scores(dataset, "score > 0.15 AND category = 'car'") == [0.3]
    assert scores(dataset, "category = 'person' OR score < 0.15", limit=2) == [0, 0.1]
    assert scores(dataset, "frame_id IN (SELECT frame_id FROM frames WHERE timestamp_ns = 0)") == [0]
    assert scores(dataset, "category = 'train'") == []


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("", "Parser Error"),
        ("nope = 1", '"nope" not found'),
        ("category", "Could not convert string"),
        ("score > 0, score < 1", "a single expression"),
        ("score > 0; SELECT 1", "Parser Error"),
        ("1=1) OR (1=1", "syntax error"),
        ("clip_id = 'a' LIMIT 1", "Parser Error"),
        ("(SELECT count(*) FROM read_text('/etc/hostname')) = 1", "Cannot access file"),
        ("(SELECT count(*) FROM '/etc/hostname') = 1", "does not exist"),
    ],
)
def test_what_is_no_condition_is_told_in_a_line(dataset, where, message):
    with pytest.raises(ConditionError, match=message) as told:
        scores(dataset, where)
    assert "\n" not in str(told.value)
