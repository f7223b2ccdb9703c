"""Rules of the architecture that import-linter cannot see."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path.relative_to(ROOT)
    for package in ("pipelines", "transforms", "models")
    for path in (ROOT / package).rglob("*.py")
)
RUNS_WHAT_IT_READS = {
    "pickle",
    "cPickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "yaml",
    "jsonpickle",
}
WRITING = {"write_table", "write_to_dataset", "ParquetWriter"}
MAKES_PICTURES = {"imencode", "imwrite", "VideoWriter", "FileResponse"}
PICTURES_LEAVE_BY = {
    "pipelines/viewer.py",
    "transforms/exports/pictures.py",
    "transforms/viewing/stills.py",
    "transforms/views/drawing.py",
    "transforms/views/report/pictures.py",
}
"""Places at which frames of clips become files or answers; docs/blurring.md says of each what is blurred, and
tests/e2e/test_blurring.py shows it."""
PICTURES_OF_NOBODY = {
    "models/training/frames.py",
    "transforms/scenes/samples.py",
    "transforms/scenes/training_frames.py",
}
"""Rendered scenes, coded."""


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_parquet_is_written_in_one_place(module):
    if module == Path("transforms/tables/files.py"):
        return
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8")))
        if isinstance(node, (ast.Attribute, ast.Name))
    }
    assert not names & WRITING


def test_pictures_leave_by_known_places_alone():
    found = set()
    for module in MODULES:
        tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
        called = {
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        }
        if called & MAKES_PICTURES:
            found.add(module.as_posix())
    assert found == PICTURES_LEAVE_BY | PICTURES_OF_NOBODY


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_nothing_that_runs_what_it_reads(module):
    """What the linter's rules S301, S307, S506 and their kin do not see: imports, and numpy's pickles."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {name.partition(".")[0] for name in names} & RUNS_WHAT_IT_READS
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load":
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            options = {item.arg: item.value for item in node.keywords}
            wanted = {"np": "allow_pickle", "torch": "weights_only"}.get(owner)
            value = options.get(wanted) if wanted else None
            assert not wanted or (isinstance(value, ast.Constant) and value.value is (owner == "torch"))


def test_the_linter_looks_for_what_is_unsafe():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    ignored = {*lint["ignore"]}.union(
        *(codes for place, codes in lint["per-file-ignores"].items() if "tests" not in place)
    )
    # asserts and queries from the schemas' own names: nothing about loading or running what was read
    assert {code for code in ignored if re.fullmatch(r"S\d*", code)} == {"S101", "S608"}


def test_no_module_has_a_name_that_says_nothing():
    assert not [module for module in MODULES if module.stem in {"utils", "common", "helpers", "misc"}]


def test_modules_are_small():
    lengths = {
        str(module): len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in MODULES
    }
    assert not {name: length for name, length in lengths.items() if length > 330}
