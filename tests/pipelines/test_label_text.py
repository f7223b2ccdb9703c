"""What `label` says to people."""

import shlex

from pipelines.label_text import run_text, too_many_failed_text

DATA = {
    "output": "/data/my labels/$(ls)",
    "clips": {"found": 5, "labelled": 2, "failed": 2, "duplicate": 1},
    "shards": {"written": 0, "skipped": 3},
    "frames": 10,
    "detections": 20,
    "tracks": 4,
    "objects": 3,
    "corrections": {"said": 0},
    "notes": [],
    "failures": [],
    "left_over_shards": 0,
}


def test_commands_to_go_on_with_can_be_pasted():
    look, budget = run_text(DATA).splitlines()[-2:]
    for line, command in ((look, "inspect"), (budget, "budget")):
        assert shlex.split(line.split(": ", 1)[1]) == ["clipmill", command, DATA["output"]]


def test_what_a_run_ends_badly_for_is_told():
    told = too_many_failed_text(DATA, 0.1)
    assert told == "exit code 3: 2 of 5 clips failed, more than max_failed_share 0.1 allows"
