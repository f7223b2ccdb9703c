import glob
import os
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from transforms.clips.refs import Failure, InputFile
from transforms.discover import FILES, MAX_PATH_BYTES, Discover, _expand, _list_remote, has_clip, list_input


def touch(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "in put ü"
    touch(root / "b" / "two.MKV", b"12345")
    touch(root / "a.mp4")
    touch(root / "b" / "notes.txt")
    touch(root / "b" / "._a.mp4")
    touch(root / ".hidden.mp4")
    touch(root / "TeslaCam" / "SavedClips" / "2026-11-01_12-00-00" / "event.json")
    touch(root / "TeslaCam" / "SavedClips" / "2026-11-01_12-00-00" / "event.mp4")
    touch(root / "out" / "clip.mp4")
    return root


def names(found, root: Path) -> list[str]:
    return [str(Path(item.uri).relative_to(root)) for item in found]


def test_a_folder_is_searched_to_the_bottom_without_the_output(folder):
    found = list(list_input(str(folder), str(folder / "out")))
    assert names(found, folder) == [
        "a.mp4",
        "TeslaCam/SavedClips/2026-11-01_12-00-00/event.json",
        "b/two.MKV",
    ]
    assert {item.root for item in found} == {str(folder)}
    assert found[-1].bytes == 5


def test_a_named_file_always_counts(folder):
    path = folder / "b" / "notes.txt"
    assert list(list_input(str(path), "")) == [InputFile(uri=str(path), root=str(path), bytes=1)]


def test_globs_reach_files_and_folders(folder):
    found = list(list_input(f"{folder}/**/*", ""))
    assert set(names(found, folder)) == {
        *("TeslaCam/SavedClips/2026-11-01_12-00-00/event.json", "a.mp4", "b/two.MKV", "out/clip.mp4"),
    }
    assert list(list_input(f"{folder}/*.nothing", "")) == []


def test_a_file_whose_name_is_a_pattern_is_that_file(tmp_path):
    path = touch(tmp_path / "clip[1].mp4")
    assert [item.uri for item in list_input(str(path), "")] == [str(path)]


def test_relative_inputs_become_absolute(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert [item.uri for item in list_input("a.mp4", "")] == [str(folder / "a.mp4")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_an_unreadable_folder_is_a_failure_and_the_rest_is_listed(folder):
    (folder / "b").chmod(0)
    try:
        found = list(list_input(str(folder), ""))
    finally:
        (folder / "b").chmod(0o755)
    (failure,) = [item for item in found if isinstance(item, Failure)]
    assert (failure.stage, failure.error, failure.retryable) == ("discover", "unreadable", True)
    assert failure.uri == str(folder / "b")


def test_a_broken_link_is_a_failure(tmp_path):
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere")
    touch(tmp_path / "here.mp4")
    failure, file = list_input(str(tmp_path), "")
    assert file.uri == str(tmp_path / "here.mp4")
    assert failure.uri == str(tmp_path / "gone.mp4")
    assert "No such file" in failure.message


def test_a_name_that_is_no_text_is_a_failure(tmp_path):
    (tmp_path / "good.mp4").touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mp4")).touch()
    file, failure = list_input(str(tmp_path), "")
    assert file.uri == str(tmp_path / "good.mp4")
    assert failure.uri == f"{tmp_path}/bad\\xff.mp4"
    assert "not UTF-8" in failure.message


def test_a_file_under_several_inputs_is_found_once(folder):
    with beam.Pipeline("FnApiRunner") as root:
        found = root | Discover([str(folder), str(folder / "b"), f"{folder}/b/*"], "")
        uris = found[FILES] | beam.Map(lambda file: (file.uri, file.root))
        expected = [(str(folder / name), str(folder)) for name in ("a.mp4", "b/two.MKV", "out/clip.mp4")]
        assert_that(uris, equal_to(expected))


def test_a_pipe_is_a_failure_and_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "x.mp4")
    (failure,) = list_input(str(tmp_path), "")
    assert "not a regular file" in failure.message
    assert list(list_input(str(tmp_path / "x.mp4"), "")) == [failure]


def test_a_loop_of_links_ends(tmp_path):
    touch(tmp_path / "a" / "clip.mp4")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert len(list(list_input(str(tmp_path), ""))) == 1


def test_urls_are_listed_through_beam(tmp_path):
    clip = touch(tmp_path / "deep" / "clip.mp4")
    touch(tmp_path / "deep" / "notes.txt")
    assert [item.uri for item in _list_remote(str(tmp_path))] == [str(clip)]
    assert [item.root for item in _list_remote(str(clip))] == [str(clip)]
    assert [item.uri for item in _list_remote(f"{tmp_path}/*/*.mp4")] == [str(clip)]


def test_a_url_that_cannot_be_listed_is_a_failure():
    (failure,) = list_input("nosuchscheme://bucket/clips", "")
    assert (failure.error, failure.uri) == ("unreadable", "nosuchscheme://bucket/clips")


def test_whether_there_is_a_clip(folder, tmp_path):
    assert has_clip(str(folder), "")
    events = tmp_path / "events"
    touch(events / "SavedClips" / "2026-11-01_12-00-00" / "event.json")
    assert not has_clip(str(events), "")


@pytest.mark.parametrize(
    "pattern",
    [
        "**",
        "**/",
        "**/*.mp4",
        "a/**",
        "a/**/*.mp4",
        "*/**/c/*",
        "**/b/**/*.mp4",
        "[ab]/*",
        "./**/*.mp4",
    ],
)
def test_patterns_mean_what_they_mean_elsewhere(tmp_path, monkeypatch, pattern):
    for name in (
        "x.mp4",
        "a/x.mp4",
        "a/b/x.mp4",
        "a/b/c/x.mp4",
        "b/c/x.mp4",
        ".hidden/x.mp4",
        "a/[b]/x.mp4",
        "a/.x.mp4",
    ):
        touch(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert list(_expand("nowhere/**/*.mp4")) == []
    for prefix in ("", f"{tmp_path}/"):
        expected = {os.path.normpath(name) for name in glob.glob(prefix + pattern, recursive=True)}
        assert {os.path.normpath(name) for name in _expand(prefix + pattern)} == expected
    assert list(_expand("nowhere/**/*.mp4")) == []


def test_a_pattern_ends_where_links_lead_back(tmp_path):
    touch(tmp_path / "in" / "clip.mp4")
    for name in ("one", "two", "three"):
        (tmp_path / "in" / name).symlink_to(tmp_path / "in")
    for pattern in ("**/*.mp4", "**", "**/**/*.mp4"):
        found = list(list_input(f"{tmp_path}/in/{pattern}", ""))
        assert {item.uri for item in found} == {str(tmp_path / "in" / "clip.mp4")}
        assert len(found) < 10


def test_links_that_lead_to_themselves_are_failures(tmp_path):
    (tmp_path / "a.mp4").symlink_to(tmp_path / "b.mp4")
    (tmp_path / "b.mp4").symlink_to(tmp_path / "a.mp4")
    failures = list(list_input(str(tmp_path), ""))
    assert [failure.uri for failure in failures] == [str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4")]
    assert all("symbolic links" in failure.message for failure in failures)
    assert not has_clip(str(tmp_path / "a.mp4"), "")


def test_a_link_that_leads_out_is_a_failure(tmp_path):
    outside = touch(tmp_path / "private" / "family.mp4")
    inside = touch(tmp_path / "in" / "clip.mp4")
    (tmp_path / "in" / "out.mp4").symlink_to(outside)
    (tmp_path / "in" / "event.json").symlink_to(outside)
    (tmp_path / "in" / "same.mp4").symlink_to(inside)
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "private")
    found = list(list_input(str(tmp_path / "in"), ""))
    assert [item.uri for item in found] == [
        str(tmp_path / "in" / name) for name in ("clip.mp4", "event.json", "out.mp4", "same.mp4")
    ]
    failures = [item for item in found if isinstance(item, Failure)]
    assert [item.uri for item in failures] == [
        str(tmp_path / "in" / name) for name in ("event.json", "out.mp4")
    ]
    assert all("leads out of" in item.message for item in failures)
    # what the user names is the user's own choice: the link itself, or a link to the folder
    (named,) = list_input(str(tmp_path / "in" / "out.mp4"), "")
    assert isinstance(named, InputFile)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    assert [item.uri for item in list_input(str(tmp_path / "link"), "") if isinstance(item, InputFile)] == [
        str(tmp_path / "link" / name) for name in ("clip.mp4", "same.mp4")
    ]


@pytest.mark.parametrize(
    "name", ["a\nb.mp4", "a\x1b[31mred.mp4", "a\x7f.mp4", "a\x9b1m.mp4", "a\u2028b.mp4", "a\rb.mp4"]
)
def test_a_name_with_control_characters_is_a_failure(tmp_path, name):
    touch(tmp_path / name)
    (failure,) = list_input(str(tmp_path), "")
    assert "control characters" in failure.message
    assert failure.message.isprintable()
    assert failure.uri == f"{tmp_path}/{ascii(name)[1:-1]}"
    assert list(list_input(f"{tmp_path}/*.mp4", "")) == [failure]
    assert list(list_input(f"{tmp_path}/{name}", "")) == [failure]
    assert list(_list_remote(str(tmp_path))) == [failure]


@pytest.mark.parametrize(
    "name",
    [
        "Zürich\u202f9\u00a0Uhr.mp4",
        "👨\u200d👩\u200d👧.mp4",
        "[red]x[bold].mp4",
        "'; --.mp4",
        "-rf.mp4",
        "a b.mp4",
    ],
)
def test_odd_names_are_names(tmp_path, name):
    touch(tmp_path / name)
    (file,) = list_input(str(tmp_path), "")
    assert file.uri == f"{tmp_path}/{name}"


def test_a_path_that_no_system_opens_is_a_failure(tmp_path):
    touch(tmp_path / "short.mp4")
    depth = (MAX_PATH_BYTES - len(str(tmp_path))) // 201
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(depth + 1):
            os.mkdir("d" * 200, dir_fd=here)
            here, above = os.open("d" * 200, os.O_RDONLY, dir_fd=here), here
            os.close(above)
            os.close(os.open("clip.mp4", os.O_CREAT, dir_fd=here))
    finally:
        os.close(here)
    found = list(list_input(str(tmp_path), ""))
    assert sum(isinstance(item, InputFile) for item in found) >= depth
    failures = [item for item in found if isinstance(item, Failure)]
    assert failures
    assert all("too long" in item.message or "no system opens" in item.message for item in failures)
