import fcntl
import os

import pytest

from transforms.exports.folder import placed, remove_export, remove_leftovers
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
    (output / "old").write_text("old")
    with pytest.raises(TypeError), placed(output) as folder:
        folder.write("new", None)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "old"]
    with placed(output) as folder:
        folder.write("new", b"1")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "new"]


def test_what_a_killed_export_left_goes(tmp_path):
    output = tmp_path / "out"
    for name in (".out.exporting/half", ".out.replaced/old", "other"):
        (tmp_path / name).mkdir(parents=True)
    with placed(output) as folder:
        folder.write("new", b"1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]
    for name in (".out.exporting/half", ".out.replaced/old"):
        (tmp_path / name).mkdir(parents=True)
    remove_leftovers(output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]


def test_killed_between_two_names_the_old_export_comes_back(tmp_path):
    (tmp_path / ".out.replaced").mkdir()
    (tmp_path / ".out.replaced" / "old").write_text("old")
    with pytest.raises(ZeroDivisionError), placed(tmp_path / "out"):
        raise ZeroDivisionError
    assert (tmp_path / "out" / "old").read_text() == "old"


def test_two_at_once_are_refused(tmp_path):
    with placed(tmp_path / "out"):
        with (
            pytest.raises(ExportError, match="another export is being written there"),
            placed(tmp_path / "out"),
        ):
            raise AssertionError
        with pytest.raises(ExportError, match="another export"):
            remove_leftovers(tmp_path / "out")
    assert (tmp_path / "out").is_dir()


def test_an_export_is_removed_whole(tmp_path):
    (tmp_path / "out" / "a").mkdir(parents=True)
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
