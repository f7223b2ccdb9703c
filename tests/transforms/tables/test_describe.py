from pathlib import Path

from transforms.tables.describe import describe
from transforms.tables.schemas import MANIFEST, TABLES

PAGE = Path(__file__).parents[3] / "docs" / "tables.md"


def test_the_page_is_the_one_the_schemas_make():
    assert PAGE.read_text(encoding="utf-8") == describe(), "stale: run `make docs`"


def test_every_column_says_what_it_means():
    for schema in (*TABLES.values(), MANIFEST):
        for column in schema:
            assert column.metadata[b"description"], column.name
            assert b"unit" in column.metadata
