import json

import pytest
from made_sets import Box, Minute, make_set

from pipelines.cli import main


@pytest.fixture
def sets(tmp_path):
    first = make_set(tmp_path / "one", [Minute("a", (Box(0, 10), Box(1, 50)))])
    second = make_set(tmp_path / "two", [Minute("a", (Box(0, 12), Box(1, 50, "truck"))), Minute("b")])
    return str(first), str(second)


def test_exit_codes(sets, capsys):
    first, second = sets
    assert main(["diff", first, second]) == 0
    assert main(["diff", first, second, "--exit-code"]) == 1
    assert main(["diff", first, first, "--exit-code"]) == 0
    assert f"{first} and {first}: the same rows" in capsys.readouterr().out


def test_with_json_one_object(sets, capsys):
    assert main(["diff", *sets, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(data) == {
        *("first", "second", "equal", "clips", "shards", "tables", "frames", "detections"),
        *("tracks", "objects", "lineage", "examples"),
    }
    assert (data["equal"], data["detections"]["moved"], data["detections"]["recategorised"]) == (False, 1, 1)


def test_the_text_tells_counts_and_examples(sets, capsys):
    main(["diff", *sets])
    shown = capsys.readouterr().out
    assert "shards: 0 equal, 1 different, 0 only in the first, 1 only in the second" in shown
    assert "frames: 3 in both, 0 only in the first, 3 only in the second" in shown
    assert "clips only in the second: 1 (/in/b.mp4)" in shown
    assert "0 unchanged, 0 added, 0 removed, 1 moved, 0 rescored, 1 of another category" in shown
    assert "moved at 0.000 s in frame a 0: car 0.900 [10.0 10.0 30.0 30.0] -> car 0.900 [12.0" in shown


def test_what_cannot_be_compared_is_told(sets, tmp_path, capsys):
    assert main(["diff", sets[0], str(tmp_path / "nowhere")]) == 2
    assert "no data set here" in capsys.readouterr().err
    assert main(["compact", sets[0]]) == 0
    assert main(["diff", sets[0], f"{sets[0]}-compact"]) == 1
    assert "only one is a compacted copy" in capsys.readouterr().err
