"""Rules of the architecture that import-linter cannot see."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path.relative_to(ROOT)
    for package in ("pipelines", "transforms", "models")
    for path in (ROOT / package).rglob("*.py")
)
WRITING = {"write_table", "write_to_dataset", "ParquetWriter"}


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


def test_no_module_has_a_name_that_says_nothing():
    assert not [module for module in MODULES if module.stem in {"utils", "common", "helpers", "misc"}]


def test_modules_are_small():
    lengths = {
        str(module): len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in MODULES
    }
    assert not {name: length for name, length in lengths.items() if length > 330}
