"""`clipmill inspect`: what is in a data set."""

import argparse
from pathlib import Path
from typing import Any

from pipelines.blurring import add_blur_arguments, blur_asked
from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

HELP = "show what is in a data set: counts, cameras, categories, failures, lineage; rows; drawn frames"
EXAMPLES = """
clipmill inspect out
clipmill inspect out --table detections --limit 5
clipmill inspect out --table frames --where "luma_mean < 60 AND camera = 'front'"
clipmill inspect out --clip front --frames 8 --to pictures
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--table", metavar="T", help="show rows of this table")
    what.add_argument("--clip", metavar="C", help="draw frames of this clip: an id, or a part of its path")
    parser.add_argument(
        "--where", metavar="CONDITION", help="only rows of --table for which this holds (DuckDB's SQL)"
    )
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="rows of --table (default: 20)")
    parser.add_argument("--frames", type=int, default=6, metavar="N", help="pictures of --clip (default: 6)")
    parser.add_argument(
        "--min-score", type=float, default=0.3, metavar="S", help="boxes of --clip (default: 0.3)"
    )
    parser.add_argument(
        "--to",
        type=Path,
        default=Path("pictures"),
        metavar="DIR",
        help="folder for pictures (default: pictures)",
    )
    add_blur_arguments(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Shows an overview, rows or pictures."""
    import duckdb

    from transforms.tables.queries import NotADatasetError

    if min(arguments.limit, arguments.frames) < 1:
        raise UsageError("--limit and --frames are counts from 1 on")
    if arguments.where is not None and arguments.table is None:
        raise UsageError("--where chooses rows of a table: name it with --table")
    try:
        if arguments.table is not None:
            return _rows(arguments)
        if arguments.clip is not None:
            return _pictures(arguments)
        return _overview(arguments.dataset)
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    except duckdb.Error as error:
        raise JobError(
            f"{arguments.dataset}: cannot be read ({str(error).splitlines()[0]}); see clipmill verify"
        ) from error


def _overview(root: Path) -> Outcome:
    from rich.table import Table

    from transforms.views.overview import overview

    facts = overview(root)
    parts: list[Any] = [
        (
            f"{root}: {facts['rows']['clips'] - facts['duplicates']} clips in {facts['drives']} drives, "
            f"{facts['duplicates']} duplicates, {facts['rows']['failures']} failures"
        ),
        "rows: " + ", ".join(f"{count} {name}" for name, count in facts["rows"].items()),
    ]
    for name in ("cameras", "categories", "frames", "clocks", "events", "corrections", "failures"):
        rows = facts[name]
        if rows:
            table = Table(*rows[0], title=name, title_justify="left")
            for row in rows:
                table.add_row(*("" if value is None else _text(value) for value in row.values()))
            parts.append(table)
    lineage = facts["lineage"]
    models = ", ".join(f"{model['name']} ({model['sha256'][:12]})" for model in lineage["models"])
    parts.append(
        f"lineage: clipmill {lineage['clipmill_version']}, networks {models}, settings {lineage['settings']}"
    )
    return Outcome(facts, tuple(parts))


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rows(arguments: argparse.Namespace) -> Outcome:
    from rich.table import Table

    from transforms.tables.schemas import TABLES
    from transforms.views.overview import ConditionError, table_rows

    if arguments.table not in TABLES:
        raise UsageError(f"no table {arguments.table!r}; there are {', '.join(TABLES)}")
    try:
        columns, rows = table_rows(arguments.dataset, arguments.table, arguments.limit, where=arguments.where)
    except ConditionError as error:
        raise UsageError(f"--where: {error}") from error
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if value is None else _text(value) for value in row))
    plain = [{name: _plain(value) for name, value in zip(columns, row, strict=True)} for row in rows]
    return Outcome({"table": arguments.table, "rows": plain}, (table,))


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, (bool, int, float, str, list, dict)) else str(value)


def _pictures(arguments: argparse.Namespace) -> Outcome:
    from models.errors import ModelError
    from transforms.clips.errors import ClipError
    from transforms.views.pictures import draw_clip

    blur = blur_asked(arguments)
    try:
        paths, audit = draw_clip(
            arguments.dataset,
            arguments.clip,
            arguments.to,
            frames=arguments.frames,
            min_score=arguments.min_score,
            blur=blur,
        )
    except LookupError as error:
        raise UsageError(str(error.args[0])) from error
    except (OSError, ClipError, ModelError) as error:
        raise JobError(str(error)) from error
    told = None if audit is None else str(audit)
    human = (*map(str, paths), *([f"blurred: {told}"] if told else []))
    return Outcome({"pictures": [str(path) for path in paths], "blurred": told}, human)
