"""Every query of the cookbook, on the labelled sample."""

import re
import shutil
from pathlib import Path

import pytest
from running import ROOT

PAGE = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"^### (.+?)\n.*?^```sql\n(.+?)^```", PAGE, flags=re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def dataset(clipmill, labelled_sample, tmp_path_factory) -> Path:
    root = Path(shutil.copytree(labelled_sample, tmp_path_factory.mktemp("cookbook") / "out"))
    assert clipmill("split", root, "--by", "folder").code == 0
    return root


@pytest.fixture
def ask(command_here, dataset):
    def run(title):
        done = command_here("sql", dataset, QUERIES[title], "--json")
        assert done.code == 0, done.errors
        return [dict(zip(done.data["columns"], row, strict=True)) for row in done.data["rows"]]

    return run


def test_every_query_of_the_page_has_a_title_of_its_own():
    assert len(QUERIES) == PAGE.count("```sql") == PAGE.count("\n### ") >= 12


@pytest.mark.parametrize("title", QUERIES)
def test_every_query_finds_rows_in_the_sample(ask, title):
    assert ask(title)


def test_counts_are_those_of_the_sample(ask):
    assert sum(row["clips"] for row in ask("Hours by camera")) == 13
    assert {row["category"] for row in ask("What was looked for")} >= {"car", "person"}
    assert {(row["error"], row["files"], row["retryable"]) for row in ask("Failures by kind")} == {
        ("empty", 1, 0),
        ("no_moov", 1, 1),
    }
    assert [row["cameras_missing"] for row in ask("Events that lack a camera")] == [["right_repeater"]]
    assert len(ask("Copies")) == 4
    assert {row["table"] for row in ask("Room on the disk")} >= {"frames", "detections", "splits"}


def test_densities_add_up(ask):
    for row in ask("Label density"):
        assert row["boxes_a_frame"] == pytest.approx(row["boxes"] / row["frames"], abs=0.006)
    shares = {}
    for row in ask("Rare categories by camera"):
        shares.setdefault(row["camera"], []).append(row["percent_of_camera"])
    assert all(sum(found) < 100.1 for found in shares.values())
    rows = ask("Splits")
    assert sum(row["drives"] for row in rows) == 3
    hours = sum(row["hours"] for row in ask("Hours by camera"))
    assert sum(row["hours"] for row in rows) == pytest.approx(hours, abs=0.001)


def test_scenes_are_what_they_are_called(ask):
    assert all(1 / 3 < row["share_of_height"] + 0.005 <= 1.01 for row in ask("Objects close by"))
    seconds = [row["seconds"] for row in ask("Longest seen objects")]
    assert seconds == sorted(seconds, reverse=True)
    # the truth's telemetry brakes with up to 1.32 m/s²
    braking = [row["acceleration_mps2"] for row in ask("Hard braking")]
    assert min(braking) == pytest.approx(-1.32, abs=0.02)
    (night,) = ask("Night frames")
    assert night["uri"].endswith("rainy night über land.mp4")
    assert all(len(row["cameras"]) > 1 for row in ask("Moments that several cameras see"))


def test_labels_to_look_at_are_what_they_are_called(ask):
    assert all(0.2 <= row["score"] <= 0.6 and row["detected"] >= 3 for row in ask("Uncertain objects"))
    assert {row["change"] for row in ask("What hindsight changed")} <= {"box", "score", "category"}
    assert {row["label_source"] for row in ask("What hindsight added")} <= {
        "interpolated",
        "propagated",
        "extrapolated",
    }
    assert all(row["category_raw"] != row["category"] for row in ask("Categories that are mixed up"))
