import fcntl
import json
import resource
import signal

import pytest
from made_sets import Box, Minute, make_set
from running import SAMPLE, digests

from pipelines.cli import main

MINUTES = [Minute("a", (Box(0, 5), Box(1, 7))), Minute("a", (Box(0, 5),), minute=1)]


@pytest.fixture
def source(tmp_path):
    return make_set(tmp_path / "in", MINUTES)


def test_the_copy_stands_beside_the_data_set_and_reads_like_it(source, tmp_path, capsys):
    assert main(["compact", str(source), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    copy = tmp_path / "in-compact"
    assert data["output"] == str(copy)
    assert (data["files_before"], data["files"], data["written"], data["removed"]) == (13, 10, 10, 0)
    assert (
        data["bytes"] == sum(path.stat().st_size for path in copy.glob("*/*.parquet")) < data["bytes_before"]
    )
    for command in (["verify"], ["inspect"], ["sql", "SELECT count(*) FROM detections"], ["budget"]):
        assert main([command[0], str(copy), *command[1:]]) == 0, command
    assert main(["verify", str(copy)]) == 0
    capsys.readouterr()
    assert main(["compact", str(source), "-o", str(copy)]) == 0
    # the budget was asked of the copy in between: its table is the data set's again
    assert "1 written, 0 removed" in capsys.readouterr().out


def test_nothing_is_labelled_into_a_copy(source, tmp_path, capsys):
    main(["compact", str(source)])
    before = digests(tmp_path / "in-compact")
    clip = SAMPLE / "generic" / "variable_rate.mp4"
    assert main(["label", str(clip), "-o", str(tmp_path / "in-compact"), "--model", "demo"]) == 1
    assert "is a compacted copy, which is sealed" in capsys.readouterr().err
    assert digests(tmp_path / "in-compact") == before


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("in", "needs a folder apart from it"),
        ("in/copy", "needs a folder apart from it"),
        (".", "needs a folder apart from it"),
        ("other", "not a compacted copy"),
        ("broken", "not a compacted copy"),
        ("foreign", "holds notes.txt and no data set"),
        ("file", "not a folder"),
    ],
)
def test_places_that_hold_something_else_are_refused(source, tmp_path, capsys, place, message):
    make_set(tmp_path / "other", MINUTES)
    for folder, name in (("foreign", "notes.txt"), ("broken", "dataset.json")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text("[")
    (tmp_path / "file").write_text("")
    assert main(["compact", str(source), "-o", str(tmp_path / place)]) == 2
    assert message in capsys.readouterr().err


def test_two_runs_do_not_write_one_copy(source, tmp_path, capsys):
    copy = tmp_path / "copy"
    copy.mkdir()
    with (copy / ".clipmill.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert main(["compact", str(source), "-o", str(copy)]) == 1
    assert "another run is writing" in capsys.readouterr().err
    assert main(["compact", str(source), "-o", str(copy)]) == 0


def test_a_file_that_does_not_fit_is_told_and_the_next_run_completes(source, tmp_path, capsys):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        code = main(["compact", str(source), "-o", str(tmp_path / "copy")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert code == 1
    shown = capsys.readouterr().err
    assert "File too large" in shown
    assert ".parquet" in shown
    assert main(["verify", str(tmp_path / "copy")]) == 1
    assert main(["compact", str(source), "-o", str(tmp_path / "copy")]) == 0
    assert main(["verify", str(tmp_path / "copy")]) == 0


def test_what_is_no_data_set_is_bad_usage(tmp_path, capsys):
    assert main(["compact", str(tmp_path / "nowhere")]) == 2
    assert "no data set here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
