import json

import pytest
from golden_sets import unpack_schema_2
from running import SAMPLE

from pipelines.cli import main
from transforms.tables.schemas import SCHEMA_VERSION


@pytest.fixture
def old(tmp_path):
    return unpack_schema_2(tmp_path / "old")


def test_the_command_tells_what_it_did(old, capsys):
    assert main(["migrate", str(old), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data == {
        "dataset": str(old),
        "schema_before": 2,
        "schema": SCHEMA_VERSION,
        "files": {"rewritten": 16, "kept": 0},
    }
    assert main(["verify", str(old)]) == 0
    capsys.readouterr()
    assert main(["migrate", str(old)]) == 0
    assert capsys.readouterr().out == f"{old}: has schema {SCHEMA_VERSION} already\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["verify"], 1),
        (["inspect"], 2),
        (["sql", "SELECT 1"], 2),
        (["budget"], 2),
        (["evaluate", "--truth", str(SAMPLE / "truth")], 2),
    ],
)
def test_every_other_command_says_what_to_run(old, arguments, code, capsys):
    command, *more = arguments
    assert main([command, str(old), *more]) == code
    shown = capsys.readouterr()
    assert f"{old}: schema 2; run `clipmill migrate {old}`" in shown.out + shown.err


def test_labelling_into_an_older_data_set_says_what_to_run(old, capsys):
    clip = SAMPLE / "generic" / "variable_rate.mp4"
    assert main(["label", str(clip), "-o", str(old), "--model", "demo"]) == 1
    assert f"{old}: schema 2; run `clipmill migrate {old}`" in capsys.readouterr().err


def test_a_folder_without_a_data_set_is_bad_usage_and_stays_as_it_is(tmp_path, capsys):
    assert main(["migrate", str(tmp_path)]) == 2
    assert "no data set here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
