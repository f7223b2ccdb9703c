"""`forget` on data sets that it must not touch yet."""

import pytest
from made_sets import Box, Minute, make_set

from pipelines.cli import main
from pipelines.outcome import ExitCode
from transforms.tables.beginning import Planned, begin, unfinished
from transforms.tables.store import LocalStore


@pytest.fixture
def dataset(tmp_path):
    return make_set(tmp_path / "set", [Minute("a", (Box(0, 1.0),)), Minute("b", (Box(0, 1.0),))])


@pytest.mark.parametrize("command", [["forget", "--clip", "a"], ["prune"]])
def test_a_run_that_has_not_finished_comes_first(dataset, capsys, command):
    store = LocalStore(dataset)
    planned = Planned({"a-m0000": "other"}, {"a-m0000"}, [("a", "/in/a.mp4")], [])
    begin(store, planned, "20260101T000000Z-1", ["demo"])
    before = {path: path.read_bytes() for path in dataset.glob("*/*.parquet")}
    assert main([command[0], str(dataset), *command[1:]]) == ExitCode.JOB_FAILED
    assert "run 20260101T000000Z-1 has not finished" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in dataset.glob("*/*.parquet")} == before
    assert unfinished(store) is not None


def test_a_file_that_is_no_parquet_file_is_one_line(dataset, capsys):
    (dataset / "clips" / "a-m0000.parquet").write_bytes(b"no Parquet")
    assert main(["forget", str(dataset), "--clip", "a"]) == ExitCode.JOB_FAILED
    assert "clipmill verify" in capsys.readouterr().err
