"""Corrections put into small data sets, also by those who are killed meanwhile."""

import shutil

import pyarrow.parquet as pq
import pytest
from made_sets import Box, Minute, make_set
from running import digests

from transforms.corrections import applying
from transforms.corrections.applying import apply, resume
from transforms.corrections.outcomes import told
from transforms.corrections.table import CorrectionsError, read_corrections
from transforms.tables.checks import find_problems
from transforms.tables.commits import read_commit
from transforms.tables.store import LocalStore

HERE, NEW = (1.0, 10.0, 21.0, 30.0), (100.0, 10.0, 150.0, 60.0)
MINUTES = (
    Minute("a", (Box(0, 1.0), Box(1, 1.0))),
    Minute("a", (Box(0, 1.0),), minute=1),
    Minute("b", (Box(0, 1.0),)),
)


class Killed(BaseException):
    """What ends a process at any moment."""


@pytest.fixture
def root(tmp_path):
    return make_set(tmp_path / "out", MINUTES)


@pytest.fixture
def corrections(make_correction):
    """What two files say: of the first frame of a's first minute, then of its second minute and of a clip that is gone."""

    def at(frame, clip="a"):
        return {"frame_id": f"{clip} {frame}", "timestamp_ns": frame * 10**9}

    def make(action, frame, clip="a", **more):
        made = make_correction(action, clip=clip, **more)
        return type(made)(
            **{name: getattr(made, name) for name in made.__dataclass_fields__} | at(frame, clip)
        )

    first = (
        make(
            "change",
            0,
            detection_id="a-m0000 0",
            category="bus",
            category_before="car",
            box=HERE,
            box_before=HERE,
        ),
        make("keep", 1, detection_id="a-m0000 1", category_before="car", box=HERE, box_before=HERE),
    )
    second = (
        make("add", 61, sequence=2, box=NEW, category="person"),
        make("add", 0, "gone", sequence=2, box=NEW),
    )
    return first, second


def human(root, shard):
    rows = pq.read_table(root / "detections" / f"{shard}.parquet").to_pylist()
    return [(row["category"], row["score"]) for row in rows if row["label_source"] == "human"]


def test_only_the_shards_that_are_concerned_change(root, corrections):
    before = digests(root)
    done = apply(root, corrections[0])
    after = digests(root)
    assert done.shards == ("a-m0000",)
    assert {name for name in after if after[name] != before.get(name)} == {
        "corrections/all.parquet",
        "dataset.json",
        "detections/a-m0000.parquet",
        "frames/a-m0000.parquet",
        "manifest.parquet",
        "objects/all.parquet",
        "budget/all.parquet",
        "splits/all.parquet",
        # the same rows: their metadata tells what the shard is made of
        "clips/a-m0000.parquet",
        "tracks/a-m0000.parquet",
    }
    assert human(root, "a-m0000") == [("bus", 1.0)]
    assert not list(find_problems(root))
    done = apply(root, corrections[1])
    assert done.shards == ("a-m0001",)
    assert human(root, "a-m0001") == [("person", 1.0)]
    assert list(done.conflicts.values()) == ["no_clip"]
    assert told([*corrections[0], *corrections[1]], done.conflicts) == {
        "said": 3,
        "applied": 2,
        "conflicts": {"no_clip": 1},
    }
    assert read_commit(LocalStore(root), "a-m0001").counts["detections"] == 2
    assert {item.correction_id for item in read_corrections(LocalStore(root))} == {
        item.correction_id for group in corrections for item in group
    }
    assert not list(find_problems(root))
    assert apply(root, ()).shards == ()


def test_one_file_after_the_other_is_both_at_once(tmp_path, root, corrections):
    other = make_set(tmp_path / "other", MINUTES)
    for group in corrections:
        apply(root, group)
    apply(other, (*corrections[0], *corrections[1]))
    assert digests(root) == digests(other)


def test_to_tell_changes_nothing(root, corrections):
    before = digests(root)
    assert apply(root, corrections[0], dry_run=True).shards == ("a-m0000",)
    assert digests(root) == before
    assert not (root / ".correcting").exists()


def test_whoever_is_killed_at_any_write_can_finish(tmp_path, corrections, monkeypatch):
    whole = make_set(tmp_path / "whole", MINUTES)
    before = digests(whole)
    apply(whole, corrections[0])
    write, finished = LocalStore.write, 0
    untouched = make_set(tmp_path / "untouched", MINUTES)
    for kill_at in range(0, 40, 2):
        root = shutil.copytree(untouched, tmp_path / f"killed {kill_at}")
        left = kill_at

        def killed(self, name, content):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            write(self, name, content)

        with monkeypatch.context() as patch:
            patch.setattr(LocalStore, "write", killed)
            try:
                apply(root, corrections[0])
            except Killed:
                pass
            else:
                break
        if (root / ".correcting").exists():
            assert any("that was cut short" in problem for problem in find_problems(root))
        if resume(root):
            finished += 1
            assert digests(root) == digests(whole), kill_at
        else:
            assert digests(root) == before, kill_at
        assert not (root / ".correcting").exists()
    else:
        pytest.fail("more writes than were thought of")
    assert finished > 3


def test_whoever_is_killed_while_tidying_up_loses_nothing(tmp_path, corrections, monkeypatch):
    whole = make_set(tmp_path / "whole", MINUTES)
    apply(whole, corrections[0])
    root = make_set(tmp_path / "killed", MINUTES)

    def killed(_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(applying.shutil, "rmtree", killed)
        with pytest.raises(Killed):
            apply(root, corrections[0])
    assert (root / ".correcting").exists()
    assert not resume(root)
    assert not (root / ".correcting").exists()
    assert digests(root) == digests(whole)


def test_a_note_without_its_table_is_not_taken_for_no_corrections(root, corrections, monkeypatch):
    apply(root, corrections[0])
    before = digests(root)
    with monkeypatch.context() as patch:
        patch.setattr(applying, "resume", lambda _: True)
        apply(root, corrections[1])
    shutil.rmtree(root / ".correcting" / "corrections")
    with pytest.raises(CorrectionsError, match="is gone: put it back from a copy"):
        resume(root)
    assert digests(root) == before


def test_a_shard_that_was_labelled_meanwhile_is_not_put_back(root, corrections, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(applying, "resume", lambda _: True)
        apply(root, corrections[0])
    newer = make_set(root, (Minute("a", (Box(0, 1.0), Box(1, 1.0), Box(2, 5.0))), *MINUTES[1:]))
    before = pq.read_table(newer / "detections/a-m0000.parquet").num_rows
    assert resume(root)
    assert pq.read_table(newer / "detections/a-m0000.parquet").num_rows == before
    assert human(root, "a-m0000") == []


def test_shards_that_hold_what_the_table_lacks_are_not_guessed_at(root, corrections):
    apply(root, corrections[0])
    (root / "corrections/all.parquet").unlink()
    with pytest.raises(
        CorrectionsError, match="the shard a-m0000 holds other corrections than the table tells"
    ):
        apply(root, corrections[1])
    (root / "corrections/all.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(CorrectionsError, match=r"corrections/all\.parquet: not a table of corrections"):
        apply(root, corrections[1])
