"""What was ingested, and what failed and why."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from transforms.budget.amounts import amount, count
from transforms.views.pages import folded, table
from transforms.views.report.plots import moment
from transforms.views.report.sections import Section, Tables, heading, number, paragraph, place, said

_MOST_FAILURES: Final = 200
_MOST_DRIVES: Final = 50
_MOST_EVENTS: Final = 50
_MOST_CAMERAS: Final = 40

_DRIVES: Final = """
    SELECT drive_id, min(start_utc_ns) AS start_utc_ns, count(*) AS clips, count(DISTINCT camera) AS cameras,
           sum(duration_ns) / 3.6e12 AS hours, sum(bytes)::BIGINT AS bytes,
           first(uri ORDER BY start_utc_ns NULLS LAST, uri) AS uri
    FROM clips WHERE duplicate_of IS NULL GROUP BY drive_id ORDER BY hours DESC, drive_id LIMIT 50"""


def ingested(facts: Mapping[str, Any], tables: Tables) -> Section:
    """Clips, cameras, drives, events and failures.

    Args:
        facts: what `transforms.views.overview.overview` tells.
        tables: the data set.
    """
    drives = tables.ask(_DRIVES)
    parts = [
        paragraph(_counts(facts)),
        _failures(facts["failures"]),
        heading("Cameras"),
        table(
            "Clips by camera, duplicates left out",
            ("camera", "clips", "camera-hours", "size in px", "frames a second", "rows of telemetry"),
            (
                (
                    said(row["camera"]),
                    count(row["clips"]),
                    number(row["hours"]),
                    said(row["size"]),
                    number(row["fps"]),
                    count(row["telemetry_rows"]),
                )
                for row in facts["cameras"][:_MOST_CAMERAS]
            ),
        ),
        _more(len(facts["cameras"]), _MOST_CAMERAS, "cameras", "clips"),
        paragraph(
            "Clocks: "
            + ", ".join(f"{said(row['clock_source'])} {count(row['clips'])} clips" for row in facts["clocks"])
            + "."
        )
        if facts["clocks"]
        else Markup(),
        folded(f"Drives: {facts['drives']}, the longest first", _drives(drives, facts["drives"]))
        if drives
        else Markup(),
        _events(facts["events"]),
    ]
    return Section("ingested", "What was ingested", Markup().join(parts))


def _counts(facts: Mapping[str, Any]) -> str:
    rows, duplicates = facts["rows"], facts["duplicates"]
    labelled = rows["clips"] - duplicates
    return (
        f"{count(labelled)} clips in {count(facts['drives'])} drives could be read; "
        f"{count(duplicates)} more are copies of one of them, and {count(rows['failures'])} faults were met."
    )


def _failures(failures: list[dict[str, Any]]) -> Markup:
    title = heading("What failed, and why")
    if not failures:
        return title + paragraph("Nothing failed.")
    kinds = Counter((row["error"], row["stage"], row["retryable"]) for row in failures)
    listed = table(
        "Faults by kind",
        ("fault", "stage", "how many", "may the next run succeed"),
        (
            (said(error), said(stage), count(times), "yes" if retryable else "no")
            for (error, stage, retryable), times in sorted(
                kinds.items(), key=lambda item: (-item[1], item[0])
            )[:40]
        ),
    )
    each = table(
        "Every fault",
        ("file", "fault", "what to do"),
        ((place(row["uri"]), said(row["error"]), said(row["message"])) for row in failures[:_MOST_FAILURES]),
    )
    more = _more(len(failures), _MOST_FAILURES, "faults", "failures")
    return title + listed + folded(f"Every fault, file by file: {len(failures)}", each + more)


def _drives(drives: list[dict[str, Any]], total: int) -> Markup:
    listed = table(
        "Drives",
        ("begins (UTC)", "first clip", "clips", "cameras", "camera-hours", "size"),
        (
            (
                "unknown" if row["start_utc_ns"] is None else moment(row["start_utc_ns"] // 10**9),
                place(row["uri"]),
                count(row["clips"]),
                count(row["cameras"]),
                number(row["hours"]),
                amount(row["bytes"], "B"),
            )
            for row in drives
        ),
    )
    return listed + _more(total, _MOST_DRIVES, "drives", "clips")


def _events(events: list[dict[str, Any]]) -> Markup:
    if not events:
        return Markup()
    listed = table(
        "Events",
        ("when (car-local)", "folder", "reason", "city", "cameras", "cameras missing"),
        (
            (
                said(row["timestamp"]) or "unknown",
                said(row["kind"]),
                said(row["reason"]),
                said(row["city"]),
                said(", ".join(row["cameras_present"])),
                said(", ".join(row["cameras_missing"])),
            )
            for row in events[:_MOST_EVENTS]
        ),
    )
    return folded(f"Events: {len(events)}", listed + _more(len(events), _MOST_EVENTS, "events", "events"))


def _more(total: int, shown: int, what: str, name: str) -> Markup:
    """How to see what is not shown; nothing where all is."""
    if total <= shown:
        return Markup()
    return paragraph(f"{total - shown:,} more {what}: clipmill inspect DIR --table {name}", "hint")
