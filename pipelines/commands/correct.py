"""`clipmill correct`: labels that people corrected come back in."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

if TYPE_CHECKING:
    from transforms.corrections.corrected_files import CorrectedFile
    from transforms.corrections.taking_in import Taken
    from transforms.exports.settings import ExportSettings

HELP = (
    "take corrected labels in, from CVAT or COCO: they stay corrected whenever their clips are labelled again"
)
EXAMPLES = """
clipmill correct out annotations.xml --by "Ada L." --dry-run
clipmill correct out annotations.xml --by "Ada L."
clipmill correct out corrected.json --by team-3 --at 2026-03-01T12:00:00Z --export out-coco --json
"""

_LONGEST_NAME: Final = 200
_LAST_SECOND: Final = 9_000_000_000
"""In the year 2255: nanoseconds of later times do not fit a column."""
_FORMS: Final = {".xml": "cvat", ".json": "coco"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="annotations.xml in the form CVAT for video 1.1, or COCO JSON (.json)",
    )
    parser.add_argument("--by", required=True, metavar="NAME", help="who corrected")
    parser.add_argument("--at", metavar="TIME", help="when, ISO 8601 (default: as the file tells, else now)")
    parser.add_argument(
        "--clip",
        metavar="CLIP",
        help="the clip of a CVAT file that does not tell it: id, path, URL or file name",
    )
    parser.add_argument(
        "--export",
        type=local_folder,
        metavar="OUT",
        help="the export that was corrected (default: the one of this form that the data set remembers)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would change")


def run(arguments: argparse.Namespace) -> Outcome:
    """Takes the file in."""
    import duckdb
    from pyarrow import ArrowException

    from pipelines.changing import changing
    from transforms.corrections.corrected_files import CorrectedFileError
    from transforms.tables.finished import UnfinishedError
    from transforms.tables.layout import REMOVAL
    from transforms.tables.queries import NotADatasetError

    root: Path = arguments.dataset
    by = arguments.by.strip()
    if not by or not by.isprintable() or len(by) > _LONGEST_NAME:
        raise UsageError(f"--by: a name of 1 to {_LONGEST_NAME} printable letters is expected")
    sealed = "correct the data set that it was made of, then run `clipmill compact` again"
    try:
        with changing(root, sealed, dry_run=arguments.dry_run):
            if (root / REMOVAL).exists():
                raise UsageError(
                    f"{root}: clips were being removed, and that was cut short; run forget or prune again first"
                )
            return _take_in(root, by, arguments)
    except (CorrectedFileError, NotADatasetError) as error:
        raise UsageError(str(error)) from error
    except UnfinishedError as error:
        raise JobError(str(error)) from error
    except (duckdb.Error, ArrowException) as error:
        raise JobError(
            f"{root}: cannot be read ({str(error).splitlines()[0]}); see clipmill verify"
        ) from error


def _take_in(root: Path, by: str, arguments: argparse.Namespace) -> Outcome:
    import time
    from collections import Counter

    from transforms.corrections.applying import apply
    from transforms.corrections.comparing import Told
    from transforms.corrections.outcomes import told as told_of
    from transforms.corrections.table import read_corrections
    from transforms.corrections.taking_in import Taken, clips_of, take_in
    from transforms.exports.labelled_set import LabelledSet
    from transforms.tables.queries import connect
    from transforms.tables.store import LocalStore

    file, sha256 = _read(arguments.file)
    own = read_corrections(LocalStore(root))
    at = arguments.at or file.at
    about = Told(
        by=by,
        at_utc_ns=_time_ns(at, arguments.file) if at else time.time_ns() // 1_000_000_000 * 1_000_000_000,
        source="".join(letter if letter.isprintable() else "?" for letter in arguments.file.name),
        source_sha256=sha256,
        sequence=max((item.sequence for item in own), default=0) + 1,
    )
    notes = list(file.notes)
    with connect(root) as data:
        told = clips_of(data, file, arguments.file.name, _asked(root, arguments.clip))
        before = {item.clip_id for item in own if item.source_sha256 == sha256}
        anew = {clip: said for clip, said in told.items() if clip not in before}
        if len(anew) < len(told):
            notes.append(
                f"this file has been taken in before, for {len(told) - len(anew)} of its {len(told)} clips: files taken in "
                "since stand over it; save it anew in the tool to take it in once more"
            )
        taken = Taken(clips=(), frames=0, corrections=())
        if anew:
            settings = _settings(root, file.form, arguments.export, set(anew))
            taken = take_in(data, LabelledSet(LocalStore(root), root), anew, settings, about)
    applied = apply(root, taken.corrections, dry_run=arguments.dry_run)
    ids = {item.correction_id for item in taken.corrections}
    actions = Counter(item.action for item in taken.corrections)
    outcome: dict[str, Any] = {
        "dataset": str(root),
        "dry_run": arguments.dry_run,
        "file": str(arguments.file),
        "sha256": sha256,
        "by": by,
        "at_utc_ns": about.at_utc_ns,
        "clips": list(taken.clips),
        "frames": taken.frames,
        "boxes": {name: actions[name] for name in ("keep", "change", "add", "remove")},
        "shards": list(applied.shards),
        "corrections": told_of((*own, *taken.corrections), applied.conflicts),
        "conflicts": {name: why for name, why in applied.conflicts.items() if name in ids},
        "notes": notes,
    }
    return Outcome(outcome, (_human(outcome, taken),))


def _read(path: Path) -> "tuple[CorrectedFile, str]":
    from transforms.corrections.coco_file import read_coco
    from transforms.corrections.corrected_files import MOST_BYTES
    from transforms.corrections.cvat_file import read_cvat
    from transforms.tables.file_facts import sha256_of

    form = _FORMS.get(path.suffix.lower())
    if form is None:
        raise UsageError(
            f"{path}: a file .xml (CVAT for video 1.1) or .json (COCO) is expected; unpack a zip first"
        )
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    if path.stat().st_size > MOST_BYTES:
        raise UsageError(f"{path}: larger than {MOST_BYTES} bytes: export the clips one by one")
    with path.open("rb") as stream:
        sha256 = sha256_of(stream)
        stream.seek(0)
        return (read_cvat if form == "cvat" else read_coco)(stream, path.name), sha256


def _time_ns(text: str, path: Path) -> int:
    from datetime import UTC, datetime

    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        seconds = int(time.timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if not 0 <= seconds <= _LAST_SECOND:
        raise UsageError(
            f"{path}: {text[:100]!r} is no time since 1970; give one with --at, such as 2026-03-01T12:00:00Z"
        )
    return seconds * 1_000_000_000


def _asked(root: Path, clip: str | None) -> str | None:
    from transforms.removal.selecting import AmbiguousError, NotFoundError, select

    if clip is None:
        return None
    try:
        found = select(root, clips=[clip]).clips
    except (NotFoundError, AmbiguousError) as error:
        raise UsageError(str(error)) from error
    kept = {item.clip_id for item in found if item.drive_id}
    if len(kept) != 1:
        raise UsageError(f"--clip {clip}: has no labels")
    return kept.pop()


def _settings(root: Path, form: str, output: Path | None, clip_ids: set[str]) -> "ExportSettings":
    """What was exported, as the export tells: what a file lacks was deleted only where it was shown."""
    from transforms.exports.folder import RECORD
    from transforms.exports.record import read_record
    from transforms.exports.remembered import remembered
    from transforms.tables.store import LocalStore

    if output is not None:
        found = read_record(output)
        if found is None:
            raise UsageError(f"--export {output}: no export ({RECORD} is missing)")
        if found.settings.form != form:
            raise UsageError(f"--export {output}: is of the form {found.settings.form}, the file of {form}")
        return found.settings
    places = [item.output for item in remembered(LocalStore(root)) if item.form == form]
    known = {place: record for place in places if (record := read_record(Path(place))) is not None}
    fitting = {
        place: record
        for place, record in known.items()
        if record.settings.form == form and record.is_of(root) and clip_ids <= record.clip_ids
    }
    kinds = {
        (settings.min_score, settings.categories, settings.label_sources, settings.model): settings
        for settings in (record.settings for record in fitting.values())
    }
    if len(kinds) == 1:
        return next(iter(kinds.values()))
    if kinds:
        raise UsageError(
            f"{root}: which export was corrected? name it with --export: {', '.join(sorted(fitting))}"
        )
    raise UsageError(
        f"{root}: no {form} export with these clips is remembered, and what a file lacks was deleted only where it was shown: "
        "name the export that was corrected with --export, or export once more with the same options and name that"
    )


def _human(data: dict[str, Any], taken: "Taken") -> str:
    boxes, would = data["boxes"], "would be " if data["dry_run"] else ""
    lines = [
        f"{data['file']}: {taken.frames} frames of {len(taken.clips)} clips: {boxes['keep']} boxes as they were",
        (
            f"{boxes['change']} {would}changed, {boxes['add']} {would}added, {boxes['remove']} {would}removed; "
            f"{len(data['shards'])} shards {would}written anew"
        ),
    ]
    told = data["corrections"]
    if told["conflicts"]:
        reasons = ", ".join(f"{count} {name}" for name, count in told["conflicts"].items())
        lines.append(f"of {told['said']} corrections in all do not stand as they were said: {reasons}")
    return "\n".join([*lines, *(f"note: {note}" for note in data["notes"])])
