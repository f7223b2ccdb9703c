import fcntl
import os

import pytest

from transforms.exports.folder import RECORD, ForeignFolderError, finish_killed, placed, remove_export
from transforms.exports.frames import ExportError


def test_it_gets_its_name_once_it_is_whole(tmp_path):
    output = tmp_path / "new" / "out"
    with placed(output) as folder:
        folder.write("a/b.txt", b"1")
        with folder.scratch() as scratch:
            scratch.write(b"2")
        assert not output.exists()
    assert [path.name for path in output.rglob("*")] == ["a", "b.txt"]
    assert [path.name for path in output.parent.iterdir()] == ["out"]


def test_what_stood_there_is_replaced_and_kept_until_then(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    (output / RECORD).write_text("old")
    with pytest.raises(TypeError), placed(output) as folder:
        folder.write("new", None)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", RECORD]
    with placed(output) as folder:
        folder.write("new", b"1")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "new"]


def leave_as_killed(place):
    """An export that was killed while it was written, another one while it removed what it had replaced."""
    for folder, mark in ((".out.exporting", ".clipmill_exporting"), (".out.replaced", RECORD)):
        (place / folder / "images").mkdir(parents=True)
        (place / folder / mark).touch()


def test_what_a_killed_export_left_goes(tmp_path):
    output = tmp_path / "out"
    leave_as_killed(tmp_path)
    (tmp_path / "other").mkdir()
    with placed(output) as folder:
        folder.write("new", b"1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]
    leave_as_killed(tmp_path)
    finish_killed(output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]


def test_killed_between_two_names_the_old_export_comes_back(tmp_path):
    (tmp_path / ".out.replaced").mkdir()
    (tmp_path / ".out.replaced" / RECORD).write_text("old")
    with pytest.raises(ZeroDivisionError), placed(tmp_path / "out"):
        raise ZeroDivisionError
    assert (tmp_path / "out" / RECORD).read_text() == "old"


def test_killed_between_two_names_it_comes_back_before_anything_is_removed(tmp_path):
    (tmp_path / ".out.exporting").mkdir()
    (tmp_path / ".out.replaced").mkdir()
    (tmp_path / ".out.replaced" / RECORD).write_text("old")
    finish_killed(tmp_path / "out")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["out", f"out/{RECORD}"]


@pytest.mark.parametrize("name", [".out.exporting", ".out.replaced", "out"])
def test_what_is_somebody_elses_is_never_removed(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("precious")
    with (
        pytest.raises(ForeignFolderError, match=r"move it elsewhere|were put there"),
        placed(tmp_path / "out"),
    ):
        pass
    with pytest.raises(ForeignFolderError, match="move it elsewhere"):
        remove_export(tmp_path / "out")
    assert (tmp_path / name / "thesis.txt").read_text() == "precious"


def test_what_is_put_there_meanwhile_stays(tmp_path):
    def export():
        with placed(tmp_path / "out") as folder:
            folder.write(RECORD, b"{}")
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "thesis.txt").write_text("precious")

    with pytest.raises(ForeignFolderError, match="were put there meanwhile"):
        export()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "thesis.txt"]


def test_two_at_once_are_refused(tmp_path):
    with placed(tmp_path / "out"):
        with (
            pytest.raises(ExportError, match="another export is being written there"),
            placed(tmp_path / "out"),
        ):
            raise AssertionError
        with pytest.raises(ExportError, match="another export"):
            finish_killed(tmp_path / "out")
    assert (tmp_path / "out").is_dir()


def test_an_export_is_removed_whole(tmp_path):
    (tmp_path / "out" / "a").mkdir(parents=True)
    (tmp_path / "out" / RECORD).touch()
    (tmp_path / ".out.exporting").mkdir()
    remove_export(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    remove_export(tmp_path / "out")


def test_links_are_not_followed(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (tmp_path / ".out.exporting").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="exporting"), placed(tmp_path / "out"):
        raise AssertionError
    assert (tmp_path / "precious" / "file").exists()


def test_a_lock_is_freed_with_its_process(tmp_path):
    (tmp_path / ".out.exporting").mkdir()
    held = os.open(tmp_path / ".out.exporting", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(ExportError), placed(tmp_path / "out"):
        raise AssertionError
    os.close(held)
    with placed(tmp_path / "out"):
        pass
    assert (tmp_path / "out").is_dir()
