import pytest

from pipelines import truth_files as module
from pipelines.outcome import UsageError
from pipelines.truth_files import truth_files


def test_files_are_named_by_their_path_below_the_folder(tmp_path):
    for name in ("a.txt", "b/gt/gt.txt", "b/gt/deeper/no.txt", ".hidden.txt", "c.jpg", "d.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    found = truth_files(tmp_path)
    assert set(found) == {"a.txt", "b/gt/gt.txt", "d.json"}
    assert found["d.json"].bytes == len("d.json")
    with found["b/gt/gt.txt"].open() as stream:
        assert stream.read() == b"b/gt/gt.txt"
    assert set(truth_files(tmp_path / "a.txt")) == {"a.txt"}


def test_places_without_a_truth_are_usage_errors(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="nowhere: no such file or folder"):
        truth_files(tmp_path / "nowhere")
    monkeypatch.setattr(module, "_MOST_FILES", 1)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    with pytest.raises(UsageError, match="more than 1 files"):
        truth_files(tmp_path)
