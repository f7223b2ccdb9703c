import json
import os
import resource
import signal
import socket

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_sets import MODEL, Box, Minute, make_set

from pipelines.cli import main


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("report") / "out", [Minute("a", (Box(0, 10), Box(1, 50)))])


def refused(capsys, arguments, code, *said):
    assert main(["report", *map(str, arguments)]) == code
    shown = capsys.readouterr()
    assert shown.err.startswith("clipmill: ")
    for word in said:
        assert word in shown.err
    assert not shown.out


def led_elsewhere(root, uri):
    """The data set with another place of its clips, as a stranger may write it."""
    for path in (root / "clips").glob("*.parquet"):
        rows = pq.read_table(path)
        at = rows.column_names.index("uri")
        field = rows.schema.field(at).with_nullable(nullable=True)
        pq.write_table(rows.set_column(at, field, pa.array([uri] * rows.num_rows, pa.string())), path)
    return root


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://127.0.0.1:{port}/a.mp4", "the clip lies in an object store; copy it to this machine"),
        ("/in/\0.mp4", "the clip is no longer where it was labelled"),
    ],
)
def test_a_clip_of_another_machine_is_not_asked_for(tmp_path, capsys, uri, said):
    root = make_set(tmp_path / "out", [Minute("a", (Box(0, 10),))])
    with socket.create_server(("127.0.0.1", 0)) as asked:
        asked.settimeout(0)
        led_elsewhere(root, uri.format(port=asked.getsockname()[1]))
        assert main(["report", str(root), "-o", str(tmp_path / "page.html"), "--json"]) == 0
        with pytest.raises(BlockingIOError):
            asked.accept()
    assert list(json.loads(capsys.readouterr().out)["missing_pictures"]) == [said]


def test_with_json_one_object_and_what_was_there_is_replaced(dataset, tmp_path, capsys):
    target = tmp_path / "new" / "page.html"
    assert main(["report", str(dataset), "-o", str(target), "--json"]) == 0
    first = target.read_bytes()
    target.write_text("older")
    assert main(["report", str(dataset), "-o", str(target), "--json"]) == 0
    assert target.read_bytes() == first
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]
    lines = capsys.readouterr().out.splitlines()
    data = json.loads(lines[0])
    assert lines[0] == lines[1]
    assert set(data) == {"dataset", "report", "bytes", "sections", "pictures", "missing_pictures", "pending"}
    assert (data["report"], data["bytes"], data["pictures"]) == (str(target), len(first), 0)
    assert data["missing_pictures"] == {"the clip is no longer where it was labelled": 3}


def test_without_a_name_the_page_is_report_html_here(dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(dataset)]) == 0
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (
        "note: 3 frames are not shown: the clip is no longer where it was labelled" in capsys.readouterr().out
    )


def test_a_folder_that_is_no_data_set_is_bad_usage(tmp_path, capsys):
    target = tmp_path / "page.html"
    refused(capsys, [tmp_path, "-o", target], 2, "no data set here")
    refused(capsys, [tmp_path / "nowhere", "-o", target], 2, "no data set here")
    refused(capsys, ["gs://bucket/out", "-o", target], 2, "is a URL")
    assert not target.exists()


def test_what_cannot_be_written_is_told(dataset, tmp_path, capsys):
    refused(capsys, [dataset, "-o", tmp_path], 2, "is a folder")
    (tmp_path / "file").touch()
    refused(capsys, [dataset, "-o", tmp_path / "file" / "page.html"], 1, "the report cannot be written")


def test_what_is_no_file_or_is_the_data_sets_own_is_not_replaced(dataset, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    refused(capsys, [dataset, "-o", tmp_path / "pipe"], 2, "is no regular file")
    refused(capsys, [dataset, "-o", "/dev/null"], 2, "is no regular file")
    (tmp_path / "link").symlink_to(dataset)
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob("*")}
    for name in (
        "dataset.json",
        "manifest.parquet",
        "clips/report.html",
        "runs/page.html",
        "clips/../frames/a",
    ):
        for root in (dataset, tmp_path / "link"):
            refused(capsys, [dataset, "-o", root / name], 2, "the data set's own files")
    assert {path: path.stat().st_mtime_ns for path in dataset.rglob("*")} == before
    # beside them it may lie
    assert main(["report", str(dataset), "-o", str(dataset / "report.html")]) == 0
    (dataset / "report.html").unlink()


def test_a_run_that_has_not_finished_is_noted(tmp_path, capsys):
    root = make_set(tmp_path / "out", [Minute("a")])
    path = root / "manifest.parquet"
    rows = pq.read_table(path)
    at = rows.column_names.index("state")
    states = pa.array(["pending", *["committed"] * (rows.num_rows - 1)])
    pq.write_table(rows.set_column(at, rows.schema.field(at), states), path)
    arguments = ["report", str(root), "-o", str(tmp_path / "page.html")]
    assert main(arguments) == 0
    assert f"note: a run on {root} has not finished: 1 files are still to come" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pending"] == 1


def test_a_full_disk_leaves_the_old_page(dataset, tmp_path, capsys):
    target = tmp_path / "page.html"
    target.write_text("older")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # files may not grow beyond a few bytes: what a full disk does, without the right to mount one
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        assert main(["report", str(dataset), "-o", str(target)]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "the report cannot be written: File too large" in capsys.readouterr().err
    assert target.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_damaged_table_is_told_in_a_line(tmp_path, capsys):
    root = make_set(tmp_path / "out", [Minute("a", (Box(0, 10),))])
    for path in (root / "detections").glob("*.parquet"):
        path.write_bytes(b"no parquet")
    refused(capsys, [root, "-o", tmp_path / "page.html"], 1, "cannot be read", "clipmill verify")


def test_a_clip_without_a_place_is_told_in_a_line(tmp_path, capsys):
    root = led_elsewhere(make_set(tmp_path / "out", [Minute("a", (Box(0, 10),))]), None)
    refused(capsys, [root, "-o", tmp_path / "page.html"], 2, "clips: rows without uri; see clipmill verify")


@pytest.mark.parametrize("models", [5, {"a": 1}, ["net"], [{"name": "net"}], None])
def test_networks_that_are_no_list_are_told_in_a_line(tmp_path, capsys, models):
    root = make_set(tmp_path / "out", [Minute("a")])
    path = root / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "models": models}))
    refused(capsys, [root, "-o", tmp_path / "page.html"], 2, "dataset.json: models is no list of networks")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "not what `clipmill evaluate DIR --truth TRUTH --json` prints (mean:"),
        ("no json", "not what"),
        ('{"mean": {"ap50": "x"}}', "(mean.ap50:"),
        ('{"mean": {}, "model": {"digest": "another"}}', "judges labels of the network another"),
    ],
)
def test_what_is_no_evaluation_of_it_is_bad_usage(dataset, tmp_path, capsys, text, said):
    evaluation = tmp_path / "evaluation.json"
    evaluation.write_text(text)
    refused(capsys, [dataset, "-o", tmp_path / "page.html", "--evaluation", evaluation], 2, said)


def test_an_evaluation_that_is_not_there_is_bad_usage(dataset, tmp_path, capsys):
    refused(capsys, [dataset, "--evaluation", tmp_path / "nowhere.json"], 2, "cannot be read: No such file")


def test_the_gain_of_hindsight_is_told_where_it_was_measured(dataset, tmp_path):
    evaluation, target = tmp_path / "evaluation.json", tmp_path / "page.html"
    judged = {"ap": 0.5, "ap50": 0.75, "raw": {"ap": 0.4, "ap50": 0.5}}
    recovery = {"hindsight": {"recovery": {"missed": 40, "recovered": 10, "share": 0.25}}}
    found = {
        "truth": "truth",
        "model": {"name": "net", "digest": MODEL.sha256},
        "frames": {"compared": 7},
        "mean": {
            **judged,
            **recovery,
            "calibration": {"score": {"error": 0.02}, "score_raw": {"error": 0.12}},
        },
        "categories": {"car": judged},
    }
    evaluation.write_text(json.dumps(found))
    assert main(["report", str(dataset), "-o", str(target), "--evaluation", str(evaluation)]) == 0
    text = target.read_text(encoding="utf-8")
    for told in ("+0.250", "+0.100", "-0.100", "labels of net, on 7 frames", "find 10 (25%)"):
        assert told in text
    assert "No gain is shown" not in text
