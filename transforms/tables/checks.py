"""Checking a data set: files, schemas, digests, and the keys between tables."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.tables.beginning import Unfinished, unfinished
from transforms.tables.commits import COMMIT_TABLE, committed_shards, read_commit
from transforms.tables.evolution import schema_problem
from transforms.tables.file_facts import sha256_of
from transforms.tables.files import read_parquet
from transforms.tables.finished import SEALED
from transforms.tables.half_corrected import half_corrected
from transforms.tables.layout import CORRECTING, DATASET, MANIFEST, REMOVAL, is_place_of, shard_of
from transforms.tables.manifest import COMMITTED, PENDING
from transforms.tables.queries import NotADatasetError, connect
from transforms.tables.schemas import TABLES
from transforms.tables.store import LocalStore

_UNIQUE: Final = {
    "clips": "clip_id",
    "events": "event_id",
    "frames": "frame_id",
    "detections": "detection_id",
    "tracks": "track_id",
    "objects": "track_id",
    "coverage": "clip_id, task, model_digest",
    "telemetry": "clip_id, pts",
    "splits": "version, drive_id",
    "corrections": "correction_id",
}

_REFERENCES: Final = (
    ("frames", "clip_id", "clips", "clip_id"),
    ("telemetry", "clip_id", "clips", "clip_id"),
    ("detections", "clip_id", "clips", "clip_id"),
    ("detections", "frame_id", "frames", "frame_id"),
    ("detections", "track_id", "tracks", "track_id"),
    ("tracks", "clip_id", "clips", "clip_id"),
    ("tracks", "track_id", "objects", "track_id"),
    ("objects", "track_id", "tracks", "track_id"),
    ("coverage", "clip_id", "clips", "clip_id"),
    ("clips", "event_id", "events", "event_id"),
    ("clips", "duplicate_of", "clips", "clip_id"),
    ("splits", "drive_id", "clips", "drive_id"),
)

_CUT_SHORT: Final = {
    REMOVAL: "clips were being removed",
    CORRECTING: "corrections were being put into labels",
}

_RULES: Final = {
    "detections: 0 <= min < max within the frame": """
        SELECT count(*) FROM detections JOIN frames USING (frame_id)
        WHERE NOT (0 <= x_min_px AND x_min_px < x_max_px AND x_max_px <= width
               AND 0 <= y_min_px AND y_min_px < y_max_px AND y_max_px <= height)""",
    "detections: 0 <= score <= 1": "SELECT count(*) FROM detections WHERE NOT (score BETWEEN 0 AND 1)",
    "detections: time stamp of their frame": """
        SELECT count(*) FROM detections JOIN frames USING (frame_id)
        WHERE detections.timestamp_ns <> frames.timestamp_ns OR detections.clip_id <> frames.clip_id""",
    "detections: none on frames that were not labelled": """
        SELECT count(*) FROM detections JOIN frames USING (frame_id) WHERE is_damaged OR sample_index IS NULL""",
    "tracks: as many detections as they tell": """
        SELECT count(*) FROM tracks LEFT JOIN
            (SELECT track_id, count(*) AS seen FROM detections WHERE track_id IS NOT NULL GROUP BY ALL)
            USING (track_id)
        WHERE seen IS DISTINCT FROM detected + added""",
    "corrections: an action that there is, with the box that it needs": """
        SELECT count(*) FROM corrections
        WHERE action NOT IN ('keep', 'change', 'add', 'remove', 'look')
           OR (action IN ('keep', 'change', 'add')) IS DISTINCT FROM (category IS NOT NULL)
           OR (action IN ('keep', 'change', 'add')) IS DISTINCT FROM
              coalesce(0 <= x_min_px AND x_min_px < x_max_px AND 0 <= y_min_px AND y_min_px < y_max_px, false)""",
    "detections: a person's word is whole: score 1, or 0 for no object": """
        SELECT count(*) FROM detections WHERE label_source = 'human' AND score NOT IN (0, 1)""",
    "splits: train, val, test or none": """
        SELECT count(*) FROM splits WHERE split NOT IN ('train', 'val', 'test', 'none')""",
    "splits: every drive in every version": """
        SELECT count(*) FROM (SELECT DISTINCT drive_id FROM clips WHERE drive_id IS NOT NULL)
        CROSS JOIN (SELECT DISTINCT version FROM splits) ANTI JOIN splits USING (version, drive_id)""",
    "splits: the clips of their drive": """
        SELECT count(*) FROM (SELECT drive_id, unnest(clip_ids) AS clip_id FROM splits) AS held
        LEFT JOIN clips USING (clip_id) WHERE clips.drive_id IS DISTINCT FROM held.drive_id""",
    "splits: one set of ties and shares a version": """
        SELECT count(*) FROM (SELECT 1 FROM splits GROUP BY version HAVING count(DISTINCT (tied_by, shares)) > 1)""",
}


def find_problems(root: Path) -> Iterator[str]:
    """Checks a data set.

    Args:
        root: its folder.

    Yields:
        One line for each thing that does not hold; nothing for a sound data set.

    Raises:
        NotADatasetError: the folder holds no data set.
    """
    try:
        facts = json.loads((root / DATASET).read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        if run := unfinished(LocalStore(root)):
            # the first run of a data set writes its description last
            yield _how_far(run)
            return
        raise NotADatasetError(f"{root}: no data set here ({DATASET} is missing)") from error
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        yield f"{DATASET}: not a JSON object"
        return
    if problem := schema_problem(root, facts.get("schema_version")):
        yield problem
        return
    yield from _cut_short(root)
    if half_corrected(LocalStore(root), root):
        # files are not those of the manifest until that is finished
        return
    run = unfinished(LocalStore(root))
    if run is not None:
        yield _how_far(run)
    broken = list(_check_files(root, facts, is_finished=run is None))
    yield from broken
    if not broken and run is None:
        if not facts.get(SEALED):
            # the manifest pins the files of a sealed data set; its shards are those of another
            yield from _check_commits(root)
        yield from _check_keys(root)


def _cut_short(root: Path) -> Iterator[str]:
    for folder, what in _CUT_SHORT.items():
        if (root / folder).exists():
            yield f"{folder}: {what}, and that was cut short; run the same command again"


def _how_far(run: Unfinished) -> str:
    return (
        f"unfinished: of {run.planned} shards that run {run.run_id} labels with {', '.join(run.models)}, "
        f"{run.labelled} are done; run the same command again"
    )


def _check_files(root: Path, facts: dict[str, object], *, is_finished: bool) -> Iterator[str]:
    try:
        content = (root / MANIFEST).read_bytes()
    except FileNotFoundError:
        yield f"{MANIFEST}: missing: a run was cut short; run it again"
        return
    if is_finished and hashlib.sha256(content).hexdigest() != facts.get("manifest_sha256"):
        yield f"{MANIFEST}: not the one that {DATASET} names: a run was cut short; run it again"
        return
    rows = read_parquet(content).to_pylist()
    listed = {row["path"] for row in rows}
    pending = {row["shard"] for row in rows if row["state"] == PENDING}
    for row in rows:
        if row["table"] not in TABLES or not is_place_of(row["path"], row["table"], row["shard"]):
            yield f"{MANIFEST}: names {row['path']!r}, which is no file of a data set"
        elif row["state"] == COMMITTED:
            yield from _check_file(root, row)
    for table in TABLES:
        for path in sorted((root / table).glob("*.parquet")):
            name = f"{table}/{path.name}"
            if name not in listed and shard_of(path.name) not in pending:
                yield f"{name}: not in the manifest"


def _check_file(root: Path, row: dict[str, object]) -> Iterator[str]:
    path = root / str(row["path"])
    try:
        with path.open("rb") as source:
            sha256 = sha256_of(source)
    except FileNotFoundError:
        yield f"{row['path']}: missing; the command that wrote the data set makes it again"
        return
    if path.stat().st_size != row["bytes"] or sha256 != row["sha256"]:
        yield f"{row['path']}: bytes differ from the manifest's digest"
        return
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowException:
        yield f"{row['path']}: no Parquet file"
        return
    if file.metadata.num_rows != row["rows"]:
        yield f"{row['path']}: {file.metadata.num_rows} rows, the manifest says {row['rows']}"
    if not file.schema_arrow.equals(TABLES[str(row["table"])]):
        yield f"{row['path']}: columns differ from the schema of {row['table']}"


def _check_commits(root: Path) -> Iterator[str]:
    store = LocalStore(root)
    for name in committed_shards(store):
        commit = read_commit(store, name)
        if commit is None:
            yield f"{COMMIT_TABLE}/{name}.parquet: no commit record"
            continue
        for file in commit.files:
            if hashlib.sha256((root / file.path).read_bytes()).hexdigest() != file.sha256:
                yield f"{file.path}: not the file that its shard committed"


def _check_keys(root: Path) -> Iterator[str]:
    with connect(root) as data:

        def count(query: str) -> int:
            row = data.execute(query).fetchone()
            return int(row[0]) if row else 0

        for table, key in _UNIQUE.items():
            if repeated := count(
                f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY {key} HAVING count(*) > 1)"
            ):
                yield f"{table}: {repeated} values of {key} stand more than once"
        for table, column, other, key in _REFERENCES:
            # NOT IN is never true where a null is among the keys
            known = f"SELECT {key} FROM {other} WHERE {key} IS NOT NULL"
            query = f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN ({known})"
            if dangling := count(query):
                yield f"{table}: {dangling} rows whose {column} is not in {other}"
        for rule, query in _RULES.items():
            if broken := count(query):
                yield f"{rule}: {broken} rows do not hold"
