"""The tutorial and the how-to pages, followed step by step on the sample."""

import re

import pytest
from guides import follow, steps
from running import ROOT, SAMPLE

TUTORIAL = ROOT / "docs" / "tutorial.md"
HOW_TO = sorted((ROOT / "docs" / "howto").glob("*.md"))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where somebody has just finished the tutorial: the how-to pages go on from there."""
    folder = tmp_path_factory.mktemp("guides")
    (folder / "sample_data").symlink_to(SAMPLE)
    follow(TUTORIAL, folder)
    return folder


def test_the_tutorial_ends_with_images_and_labels_of_training_drives(place):
    assert (place / "labels" / "dataset.json").is_file()
    assert any(place.glob("training/*.tar"))


@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_a_how_to_page_can_be_followed(place, page):
    follow(page, place)


@pytest.mark.parametrize("page", [TUTORIAL, *HOW_TO], ids=lambda page: page.stem)
def test_most_of_a_guide_is_run(page):
    known = steps(page)
    assert sum(step.is_run for step in known) >= 2, "a guide that nobody can follow here is no guide"
    loose = re.findall(r"^    clipmill .*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert not loose, "write it as a ```console block, or mark it with `  # needs …`"


def test_what_a_page_says_must_come_out(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ clipmill completion bash --json\n{...shell...}\n```\n")
    follow(page, tmp_path)
    page.write_text("```console\n$ clipmill completion bash --json\nsomething else\n```\n")
    with pytest.raises(AssertionError, match="completion bash --json prints"):
        follow(page, tmp_path)
    page.write_text(
        "```console\n$ clipmill verify nowhere\n$ clipmill verify nowhere  # needs a data set\n```\n"
    )
    with pytest.raises(AssertionError, match="exit code 2"):
        follow(page, tmp_path)
