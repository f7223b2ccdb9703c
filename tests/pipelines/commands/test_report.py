import json
import resource
import signal

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
    assert set(data) == {"dataset", "report", "bytes", "sections", "pictures", "missing_pictures"}
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
