"""What made the data set, and how to make it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from transforms.budget.amounts import count
from transforms.views.pages import folded, table
from transforms.views.report.sections import Section, heading, number, paragraph, said

_LONGEST_JOB: Final = 20_000
"""Characters of a job that are shown; one may name any number of files."""

_MOST_SETTINGS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """What the last run that ended on a data set left of itself.

    Attributes:
        record: its record (`run.json`); empty where there is none.
        job: its job as TOML; None where it cannot be told.
    """

    record: Mapping[str, Any]
    job: str | None


def lineage(facts: Mapping[str, Any], run: LastRun) -> Section:
    """Versions, networks, settings, and the commands that lead to the same data set.

    Args:
        facts: what `transforms.views.overview.overview` tells.
        run: the last run.
    """
    made: Mapping[str, Any] = facts["lineage"]
    libraries = ", ".join(f"{name} {version}" for name, version in made.get("libraries", {}).items())
    rows = [
        ("clipmill", said(made.get("clipmill_version"))),
        ("schema", said(made.get("schema_version"))),
        ("libraries", said(libraries)),
        ("processor", said(made.get("cpu"))),
        ("manifest's sha256", said(made.get("manifest_sha256"))),
        *_of_run(run.record),
    ]
    networks = table(
        "Networks",
        ("network", "sha256 of its file", "long side in px", "categories"),
        (
            (
                said(model.get("name")),
                said(model.get("sha256")),
                said(model.get("size")),
                said(", ".join(map(str, model.get("categories", ())))),
            )
            for model in made.get("models", [])[:40]
        ),
    )
    settings = table(
        "Settings of the labels",
        ("setting", "value"),
        (
            (said(name), said(_plain(value)))
            for name, value in _flat(made.get("settings", {}))[:_MOST_SETTINGS]
        ),
    )
    contents = table(
        "Rows", ("table", "rows"), ((name, count(rows_of)) for name, rows_of in facts["rows"].items())
    )
    parts = (
        table("Made by", ("what", "value"), [row for row in rows if row[1]]),
        networks,
        folded("Settings and rows", settings + contents),
        heading("How to reproduce it"),
        _again(run),
    )
    return Section("lineage", "Lineage", Markup().join(parts))


def _of_run(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not record:
        return []
    seconds = record.get("wall_seconds")
    return [
        ("last run", said(record.get("run_id"))),
        ("began", said(record.get("started"))),
        ("took", f"{number(seconds)} s" if isinstance(seconds, int | float) else ""),
        ("runner", said(record.get("runner"))),
    ]


def _again(run: LastRun) -> Markup:
    if run.job is None:
        return paragraph(
            "No run has left its job here, or not all of it: label the clips with the settings above."
        )
    if len(run.job) > _LONGEST_JOB:
        return paragraph("The last job is too long to be shown; it stands in run.json of the last run.")
    told = paragraph(
        "With the same clips, networks, version and libraries the tables come out with the same bytes. "
        "Save this as job.toml:"
    )
    commands = "clipmill run job.toml\nclipmill verify DIR\nclipmill report DIR"
    return (
        told
        + Markup("<pre>{}</pre>\n").format(run.job)
        + paragraph("and run")
        + Markup("<pre>{}</pre>\n").format(commands)
    )


def _flat(values: object, above: str = "") -> list[tuple[str, object]]:
    """Settings with their names joined by dots."""
    if not isinstance(values, dict):
        return [(above, values)]
    return [
        item
        for name, value in values.items()
        for item in _flat(value, f"{above}.{name}" if above else str(name))
    ]


def _plain(value: object) -> str:
    return (
        "not given" if value is None else "yes" if value is True else "no" if value is False else str(value)
    )
