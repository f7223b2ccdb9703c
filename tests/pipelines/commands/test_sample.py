import argparse
from pathlib import Path

import pytest

from pipelines.commands import sample
from pipelines.outcome import JobError, UsageError


def run(*argv):
    parser = argparse.ArgumentParser()
    sample.add_arguments(parser)
    return sample.run(parser.parse_args([str(a) for a in argv]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "-1"], "not be negative"),
        (["--seconds", "0"], "above 0"),
        (["--seconds", "20"], "at most 19"),
        (["--seconds", "1.5"], "whole seconds"),
        (["--clips", "0"], "1 or more"),
        (["--clips", "2", "--cameras", "front"], "does not go with"),
        (["--cameras", "front,roof"], "'roof'"),
        (["--cameras", "front,front"], "each camera once"),
    ],
)
def test_bad_options_are_usage_errors(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        run(tmp_path / "new", *options)
    assert not (tmp_path / "new").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        run(tmp_path)
    (tmp_path / "made_with.json").write_text('["of another program"]')
    with pytest.raises(UsageError, match="not empty"):
        run(tmp_path)
    with pytest.raises(UsageError, match="not a folder"):
        run(tmp_path / "mine.txt")


def test_loose_clips_are_written_and_written_again(tmp_path):
    for _ in range(2):
        outcome = run(tmp_path / "many", "--seed", "12", "--clips", "1", "--seconds", "0.1")
        assert outcome.data["clips"] == 1
        assert outcome.data["frames"] == 1
        assert outcome.data["truth_rows"]["frames"] == 1
        assert outcome.data["bytes"] == sum(
            p.stat().st_size for p in (tmp_path / "many").rglob("*") if p.is_file()
        )


def test_a_stick_is_written(tmp_path):
    outcome = run(tmp_path / "demo", "--seconds", "1", "--cameras", "front,left_pillar")
    assert outcome.data["clips"] == 12
    assert "12 clips" in outcome.human[0]
    assert (tmp_path / "demo/TeslaCam/SavedClips/2025-06-14_09-01-00/event.json").is_file()
    # Two cameras are left whole: no minute lacks one.
    assert len(list((tmp_path / "demo/TeslaCam/SavedClips").rglob("*.mp4"))) == 4
    readme = (tmp_path / "demo/README.md").read_text(encoding="utf-8")
    assert "--seconds 1 --cameras front,left_pillar" in readme


def test_a_place_that_cannot_be_written_fails_the_job(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JobError, match="cannot be written"):
        run(Path(tmp_path / "file" / "below"), "--clips", "1", "--seconds", "0.1")
