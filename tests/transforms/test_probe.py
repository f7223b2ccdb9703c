import shutil
from dataclasses import replace

import pytest
from running import SAMPLE

from transforms.clips.memory import remember
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.probe import Probe
from transforms.set_aside import Patience
from transforms.tables.store import LocalStore
from transforms.tasks import probe_file


@pytest.fixture
def file(tmp_path) -> InputFile:
    path = tmp_path / "clip.mp4"
    shutil.copy(SAMPLE / "generic" / "variable_rate.mp4", path)
    return InputFile(uri=str(path), root=str(tmp_path), bytes=path.stat().st_size)


def test_a_known_file_is_believed_only_with_the_same_bytes(tmp_path, file):
    store = LocalStore(tmp_path / "out")
    found = probe_file(file, None)
    assert isinstance(found, ClipRef)
    marked = replace(found, codec="told by memory")
    remember(store, [marked], {}, None)
    probe = Probe(None, Patience(), [str(tmp_path / "out")])
    probe.prepare()
    assert probe(file) == marked
    shutil.copy(SAMPLE / "generic" / "truncated.mp4", file.uri)
    assert isinstance(probe(file), Failure)
    content = bytearray((SAMPLE / "generic" / "variable_rate.mp4").read_bytes())
    content[-1] ^= 1
    (tmp_path / "clip.mp4").write_bytes(content)
    assert probe(file) != marked


def test_a_known_file_that_was_not_written_since_is_not_read_again(tmp_path, file):
    store = LocalStore(tmp_path / "out")
    known = replace(probe_file(file, None), codec="told by memory")
    remember(store, [known], {file.uri: "17"}, None)
    content = bytearray((tmp_path / "clip.mp4").read_bytes())
    content[-1] ^= 1
    (tmp_path / "clip.mp4").write_bytes(content)

    def found(version: str, *, rehash: bool = False) -> object:
        probe = Probe(None, Patience(), [str(tmp_path / "out")], rehash=rehash)
        probe.prepare()
        return probe(replace(file, version=version))

    assert found("17") == known
    assert found("18") != known
    assert found("") != known
    assert found("17", rehash=True) != known


def test_what_cannot_be_opened_is_a_retryable_failure(tmp_path):
    file = InputFile(uri=str(tmp_path / "gone.mp4"), root=str(tmp_path), bytes=1)
    failure = probe_file(file, "Europe/Berlin")
    assert isinstance(failure, Failure)
    assert (failure.stage, failure.error, failure.retryable) == ("probe", "unreadable", True)
