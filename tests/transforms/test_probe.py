import shutil
from dataclasses import replace

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from running import SAMPLE

from transforms.clips.memory import Known, remember
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.probe import CLIPS, FAILED, Probe, ProbeClips, Recall
from transforms.set_aside import Patience
from transforms.tables.store import LocalStore
from transforms.tasks import probe_file


@pytest.fixture
def file(tmp_path) -> InputFile:
    path = tmp_path / "clip.mp4"
    shutil.copy(SAMPLE / "generic" / "variable_rate.mp4", path)
    return InputFile(uri=str(path), root=str(tmp_path), bytes=path.stat().st_size, version="17")


@pytest.fixture
def marked(file) -> ClipRef:
    """What probing finds, told apart from what probing would find now."""
    return replace(probe_file(file, None), codec="told by memory")


def recalled(tmp_path, file, **options):
    step = Recall(None, [str(tmp_path / "out")], **{"rehash": False, **options})
    step.start_bundle()
    (found,) = step.process(file)
    return found.tag, found.value


def test_a_known_file_that_was_not_written_since_is_not_read_again(tmp_path, file, marked):
    remember(LocalStore(tmp_path / "out"), [marked], {file.uri: "17"}, None)
    known = Known(marked, "17")
    assert recalled(tmp_path, file) == ("clips", marked)
    assert recalled(tmp_path, replace(file, version="18")) == ("unread", (replace(file, version="18"), known))
    assert recalled(tmp_path, file, rehash=True) == ("unread", (file, known))
    longer = replace(file, bytes=file.bytes + 1)
    assert recalled(tmp_path, longer) == ("unread", (longer, None))


def test_a_file_without_a_version_is_always_read(tmp_path, file, marked):
    remember(LocalStore(tmp_path / "out"), [marked], {}, None)
    new = replace(file, version="")
    assert recalled(tmp_path, new) == ("unread", (new, Known(marked, "")))


def test_a_file_that_is_read_is_believed_only_with_the_same_bytes(tmp_path, file, marked):
    probe = Probe(None, Patience())
    known = Known(marked, "17")
    assert probe((file, known)) == marked
    content = bytearray((tmp_path / "clip.mp4").read_bytes())
    content[-1] ^= 1
    (tmp_path / "clip.mp4").write_bytes(content)
    assert probe((file, known)) != marked
    shutil.copy(SAMPLE / "generic" / "truncated.mp4", file.uri)
    assert isinstance(probe((file, known)), Failure)


def test_the_stage_gives_what_is_known_and_what_is_read(tmp_path, file, marked):
    remember(LocalStore(tmp_path / "out"), [marked], {file.uri: "17"}, None)
    other, broken = tmp_path / "other.mp4", tmp_path / "broken.mp4"
    shutil.copy(SAMPLE / "generic" / "variable_rate.mp4", other)
    shutil.copy(SAMPLE / "generic" / "empty.mp4", broken)
    files = [file, *(replace(file, uri=str(path), bytes=path.stat().st_size) for path in (other, broken))]
    with beam.Pipeline("FnApiRunner") as root:
        stage = ProbeClips(None, Patience(), [str(tmp_path / "out")], threads=2, rehash=False)
        found = root | beam.Create(files) | stage
        assert_that(found[CLIPS], equal_to([marked, probe_file(files[1], None)]), "clips")
        assert_that(found[FAILED], equal_to([probe_file(files[2], None)]), "failed")


def test_what_cannot_be_opened_is_a_retryable_failure(tmp_path):
    file = InputFile(uri=str(tmp_path / "gone.mp4"), root=str(tmp_path), bytes=1)
    failure = probe_file(file, "Europe/Berlin")
    assert isinstance(failure, Failure)
    assert (failure.stage, failure.error, failure.retryable) == ("probe", "unreadable", True)
