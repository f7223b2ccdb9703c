"""`clipmill report`: a data set on one page, with pictures."""

import argparse
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from pipelines.blurring import add_blur_arguments, blur_asked
from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

if TYPE_CHECKING:
    from transforms.views.report.hindsight import Evaluation
    from transforms.views.report.lineage import LastRun

HELP = (
    "write a data set's report: one HTML file with charts, maps and labelled frames, which needs no network"
)
EXAMPLES = """
clipmill report out
clipmill report out -o out.html
clipmill report out --evaluation evaluation.json
"""

_MOST_EVALUATION_BYTES: Final = 64 * 2**20
_MOST_RECORD_BYTES: Final = 64 * 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "-o",
        "--output",
        type=local_folder,
        default=Path("report.html"),
        metavar="FILE",
        help="where the page goes; what is there is replaced (default: report.html)",
    )
    parser.add_argument(
        "--evaluation",
        type=local_folder,
        metavar="FILE",
        help="what `clipmill evaluate DIR --json` printed: shows the gain of hindsight",
    )
    add_blur_arguments(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Writes the report."""
    import duckdb

    from transforms.tables.queries import NotADatasetError
    from transforms.tables.store import LocalStore
    from transforms.views.report.page import report_page

    root, target = arguments.dataset, arguments.output
    _refuse_target(target, root)
    blur = blur_asked(arguments)
    try:
        evaluation = _evaluation(arguments.evaluation, root)
        report = report_page(root, _open_clip, _last_run(root), evaluation, blur)
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    except duckdb.Error as error:
        raise JobError(
            f"{root}: cannot be read ({str(error).splitlines()[0]}); see clipmill verify"
        ) from error
    content = report.html.encode()
    try:
        LocalStore(target.parent).write(target.name, content)
    except OSError as error:
        raise JobError(f"{target}: the report cannot be written: {error.strerror}") from error
    data = {
        "dataset": str(root),
        "report": str(target),
        "bytes": len(content),
        "sections": list(report.sections),
        "pictures": report.pictures,
        "missing_pictures": report.missing,
        "pending": report.pending,
    }
    human = [f"{target}: {len(content) / 1e6:.1f} MB, {report.pictures} labelled frames"]
    human += [f"note: {count} frames are not shown: {reason}" for reason, count in report.missing.items()]
    if report.pending:
        human.append(f"note: a run on {root} has not finished: {report.pending} files are still to come")
    return Outcome(data, tuple(human))


def _refuse_target(target: Path, root: Path) -> None:
    """Makes sure that the page takes the place of no device and of nothing of the data set."""
    from transforms.tables.layout import CORRECTING, DATASET, EXPORTS, MANIFEST, REMOVAL, RUNS
    from transforms.tables.schemas import TABLES

    if target.is_dir():
        raise UsageError(f"-o {target}: is a folder; name a file in it")
    if target.exists() and not target.is_file():
        raise UsageError(f"-o {target}: is no regular file; name another")
    # the name itself may be a link, which is replaced
    place, own = target.parent.resolve() / target.name, root.resolve()
    names = {DATASET, MANIFEST, RUNS, EXPORTS, REMOVAL, CORRECTING, *TABLES}
    if place.is_relative_to(own) and place.relative_to(own).parts[0] in names:
        raise UsageError(f"-o {target}: is a place of the data set's own files; name another")


def _open_clip(uri: str) -> BinaryIO:
    """Opens a clip of this machine.

    A data set may come from anybody: its URLs would connect to whom they name, and reading from what is no file may
    never end.
    """
    from transforms.storage import is_remote
    from transforms.views.report.pictures import RemoteClipError

    if is_remote(uri):
        raise RemoteClipError(f"{uri}: not on this machine")
    path = Path(uri)
    if not path.is_file():
        raise FileNotFoundError(f"{uri}: no file")
    return path.open("rb")


def _evaluation(path: Path | None, root: Path) -> "Evaluation | None":
    if path is None:
        return None
    from transforms.tables.layout import DATASET
    from transforms.views.report.hindsight import EvaluationError, read_evaluation

    try:
        if path.stat().st_size > _MOST_EVALUATION_BYTES:
            raise UsageError(f"--evaluation {path}: too large for what `clipmill evaluate --json` prints")
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--evaluation {path}: cannot be read: {error.strerror}") from error
    try:
        models = json.loads((root / DATASET).read_bytes())["models"]
        networks = {model["sha256"]: model["name"] for model in models}
    except (OSError, ValueError, KeyError, TypeError):
        # what is wrong with the data set is told where it is opened
        return None
    try:
        return read_evaluation(text, networks)
    except EvaluationError as error:
        raise UsageError(f"--evaluation {path}: {error}") from error


def _last_run(root: Path) -> "LastRun":
    """The last run that ended, as far as its record tells."""
    from pipelines.job_text import job_toml
    from pipelines.last_job import RUN_RECORD, read_last_job
    from transforms.tables.layout import RUNS
    from transforms.views.report.lineage import LastRun

    record: Mapping[str, Any] = {}
    for path in sorted((root / RUNS).glob(f"*/{RUN_RECORD}"))[-1:]:
        with suppress(OSError, ValueError):
            found = json.loads(path.read_bytes()) if path.stat().st_size <= _MOST_RECORD_BYTES else None
            record = found if isinstance(found, dict) else {}
    job = None
    # a record of an earlier version, or a job with private places, does not tell all of it
    with suppress(UsageError):
        job = job_toml(read_last_job(root.absolute(), []))
    return LastRun(record=record, job=job)
