"""A data set's report: one HTML document that needs nothing beside it."""

from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from markupsafe import Markup

from transforms.clips.vins import mask_vins
from transforms.labels.privacy.settings import Blur
from transforms.tables.queries import NotADatasetError, connect
from transforms.tables.schemas import CLIPS
from transforms.views.blurring import frame_cover
from transforms.views.overview import overview
from transforms.views.pages import page
from transforms.views.report.budget import budget
from transforms.views.report.choosing import choose
from transforms.views.report.coverage import coverage
from transforms.views.report.hindsight import Evaluation, hindsight
from transforms.views.report.ingested import ingested
from transforms.views.report.labels import categories, quality, tracks
from transforms.views.report.lineage import LastRun, lineage
from transforms.views.report.pictures import OpenStream, pictures
from transforms.views.report.sections import Section, Tables, said
from transforms.views.report.telemetry import read_drives, telemetry
from transforms.views.report.wall import wall

_SCRIPT: Final = "report.js"
_PENDING: Final = "SELECT count(*) FILTER (state <> 'committed') AS pending FROM manifest"


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        html: the document.
        sections: keys of its sections in their order.
        pictures: how many frames it shows.
        missing: how many frames it cannot show, by reason.
        pending: how many files a run that has not finished has still to write.
    """

    html: str
    sections: tuple[str, ...]
    pictures: int
    missing: dict[str, int]
    pending: int


def report_page(
    root: Path,
    open_stream: OpenStream,
    run: LastRun,
    evaluation: Evaluation | None = None,
    blur: Blur | None = None,
) -> Report:
    """The report of a data set: the same bytes for the same data set and clips.

    Args:
        root: the data set's folder.
        open_stream: opens a clip's URI.
        run: the last run that ended there.
        evaluation: its labels judged by ground truth; None where nobody has.
        blur: what is blurred in its frames; None = faces and plates, by rule.

    Raises:
        NotADatasetError: the folder holds no data set, or clips without what every clip has.
    """
    facts = overview(root)
    with connect(root) as data:
        tables = Tables(data)
        _refuse_incomplete(root, tables)
        drives = read_drives(tables)
        examples = choose(tables)
        blur = blur or Blur()
        shown = {(example.clip_id, example.timestamp_ns) for example in examples}
        drawn = pictures(examples, open_stream, frame_cover(data, blur, shown))
        networks = {model["sha256"]: model["name"] for model in facts["lineage"].get("models", [])}
        parts = [
            ingested(facts, tables),
            coverage(tables, drives, networks),
            categories(facts, tables),
            wall(examples, drawn, blur.kinds),
            tracks(tables),
            quality(tables),
            telemetry(drives),
            hindsight(tables, evaluation),
            budget(tables),
            lineage(facts, run),
        ]
        pending = tables.ask(_PENDING)[0]["pending"]
    script = files("transforms.views").joinpath("templates", _SCRIPT).read_text(encoding="utf-8")
    html = page(
        "report.html.j2",
        name=said(root.absolute().name),
        lead=_lead(facts["rows"], facts["duplicates"]),
        pending=pending,
        sections=[_masked(part) for part in parts],
        script=Markup(script),  # noqa: S704 - the package's own file
        script_digest=b64encode(sha256(script.encode()).digest()).decode(),
    )
    missing = Counter(item.problem for item in drawn if item.jpeg is None)
    return Report(
        html, tuple(part.key for part in parts), len(drawn) - missing.total(), dict(missing), pending
    )


def _refuse_incomplete(root: Path, tables: Tables) -> None:
    """Makes sure that every clip has what the schema says that it has."""
    required = [column.name for column in CLIPS if not column.nullable]
    counts = ", ".join(f"count(*) FILTER ({name} IS NULL) AS {name}" for name in required)
    [found] = tables.ask(f"SELECT {counts} FROM clips")  # noqa: S608 - names of the schema
    if missing := [name for name, rows in found.items() if rows]:
        raise NotADatasetError(f"{root}: clips: rows without {', '.join(missing)}; see clipmill verify")


def _lead(rows: dict[str, int], duplicates: int) -> str:
    return (
        f"{rows['clips'] - duplicates:,} clips, {rows['frames']:,} frames, {rows['detections']:,} boxes, "
        f"{rows['tracks']:,} tracks, {rows['failures']:,} faults."
    )


def _masked(part: Section) -> Section:
    """A section without vehicle identification numbers; the wall masks its texts itself, for its pictures are text, too."""
    return part if part.key == "wall" else replace(part, body=Markup(mask_vins(str(part.body))))  # noqa: S704 - it was HTML before
