"""The labels that are judged: a data set, or detections with tracks of `clipmill track`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import dataset

from transforms.evaluation.pairing import BOX_COLUMNS
from transforms.tables.evolution import schema_problem
from transforms.tables.layout import DATASET

DETECTED: Final = "detected"
"""The label_source of rows that a network saw."""

_NEEDED: Final = ("clip_id", "timestamp_ns", "category", *BOX_COLUMNS, "score")
_RAW_BOX: Final = tuple(f"raw_{name}" for name in BOX_COLUMNS)
_WELCOME: Final = ("track_id", "score_raw", "label_source", "category_raw", *_RAW_BOX)
_SHORTEST_DIGEST: Final = 6


class LabelsError(Exception):
    """The labels cannot be read or are not told apart: what, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip of a data set.

    Attributes:
        uri: its file; "" where it is not known.
        camera: its camera; "" where it is not known.
        kept_as: the clip that holds its labels: itself, or the one with the same bytes.
    """

    uri: str
    camera: str
    kept_as: str


@dataclass(frozen=True, slots=True)
class Model:
    """The network that found the labels."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What is judged.

    Attributes:
        root: its folder.
        model: the network, None where the labels do not say.
        looked_for: categories that were looked for.
        in_taxonomy: whether the categories are those of the taxonomy.
        clips: by clip_id.
        frames: clip_id, timestamp_ns and, where known, luma_mean of the frames that were labelled; None = not known.
    """

    root: Path
    model: Model | None
    looked_for: frozenset[str]
    in_taxonomy: bool
    clips: Mapping[str, Clip]
    frames: pa.Table | None

    def rows(self, clips: Iterable[str]) -> pa.Table:
        """The labels of some clips.

        Args:
            clips: their ids.

        Returns:
            clip_id, timestamp_ns, category, track_id (the object's over all minutes, null = none), the box and score;
            label_source ("detected" where it is not told); score_raw, category_raw and the raw box, each null
            where it is not told.

        Raises:
            LabelsError: a file cannot be read, or a box or score is not a finite number.
        """
        try:
            return self._rows(clips)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unreadable(self.root, error) from error

    def _rows(self, clips: Iterable[str]) -> pa.Table:
        source = _table_files(self.root, "detections")
        assert source is not None
        known = source.schema.names
        wanted = pc.field("clip_id").cast(pa.string()).isin(sorted(clips))
        if self.model is not None and "model_digest" in known:
            wanted &= pc.field("model_digest") == self.model.digest
        table = source.to_table([*_NEEDED, *(name for name in _WELCOME if name in known)], filter=wanted)
        for name in _WELCOME:
            if name not in known:
                kind = pa.string() if name in {"track_id", "label_source", "category_raw"} else pa.float64()
                table = table.append_column(name, pa.nulls(table.num_rows, kind))
        for name in (*BOX_COLUMNS, "score"):
            values = table[name].to_numpy().astype(np.float64)
            if broken := int((~np.isfinite(values)).sum()):
                raise LabelsError(
                    f"{self.root}: detections: {broken} rows whose {name} is not a finite number"
                )
        sources = [
            DETECTED if source is None else str(source) for source in table["label_source"].to_pylist()
        ]
        place = table.column_names.index("label_source")
        table = table.set_column(place, "label_source", pa.array(sources, pa.string()))
        return _with_objects(table, self.root)


def open_labels(root: Path, model: str | None) -> Labels:
    """Opens a data set or the output of `clipmill track`.

    Args:
        root: its folder.
        model: name or digest (or the digest's begin) of the network; None = the only one.

    Raises:
        LabelsError: there is neither, a file cannot be read, or it is not clear which network is meant.
    """
    try:
        return _open(root, model)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(root, error) from error


def _unreadable(root: Path, error: Exception) -> LabelsError:
    return LabelsError(f"{root}: cannot be read ({str(error).splitlines()[0]})")


def _open(root: Path, model: str | None) -> Labels:
    detections = _table_files(root, "detections")
    if detections is None:
        raise LabelsError(
            f"{root}: no labels here: a data set, or a folder with detections/*.parquet, is expected"
        )
    if missing := [name for name in _NEEDED if name not in detections.schema.names]:
        raise LabelsError(f"{root}: detections: no column {', '.join(missing)}")
    facts = _facts(root)
    chosen = _model(root, detections, facts, model)
    of_model = None
    if chosen is not None:
        of_model = pc.field("model_digest") == chosen.digest
    used = detections.to_table(["clip_id", "category"], filter=of_model)
    categories = {str(name) for name in pc.unique(used["category"]).to_pylist()}
    looked_for = _looked_for(root, chosen) or categories
    frames = _frames(root)
    clips = _clips(root)
    if clips is None:
        seen = pc.unique(used["clip_id"] if frames is None else frames["clip_id"]).to_pylist()
        clips = {str(clip): Clip("", "", str(clip)) for clip in seen}
    from models.taxonomy import CATEGORIES

    return Labels(
        root=root,
        model=chosen,
        looked_for=frozenset(looked_for),
        in_taxonomy=facts is not None or (bool(categories) and categories <= set(CATEGORIES)),
        clips=clips,
        frames=frames,
    )


def _table_files(root: Path, table: str) -> dataset.Dataset | None:
    """All files of a table; None where there is none."""
    paths = sorted((root / table).glob("[!.]*.parquet"))
    return dataset.dataset([str(path) for path in paths], format="parquet") if paths else None


def _facts(root: Path) -> Mapping[str, object] | None:
    """What dataset.json says; None where this is no data set."""
    try:
        found = json.loads((root / DATASET).read_bytes())
    except FileNotFoundError:
        return None
    if not isinstance(found, dict):
        raise LabelsError(f"{root}: {DATASET} is not a JSON object")
    if problem := schema_problem(root, found.get("schema_version")):
        raise LabelsError(problem)
    return found


def _model(
    root: Path, detections: dataset.Dataset, facts: Mapping[str, object] | None, asked: str | None
) -> Model | None:
    """The network whose labels are judged."""
    models = [Model(str(record.get("name")), str(record.get("sha256"))) for record in _records(facts)]
    if "model_digest" not in detections.schema.names:
        if asked is not None:
            raise LabelsError(f"{root}: these labels do not say which network found them: leave --model out")
        return None
    digests = set(pc.unique(detections.to_table(["model_digest"])["model_digest"]).to_pylist())
    coverage = _table_files(root, "coverage")
    if coverage is not None:
        digests |= set(pc.unique(coverage.to_table(["model_digest"])["model_digest"]).to_pylist())
    named = {model.digest: model for model in models}
    there = sorted(
        (named.get(str(digest), Model("", str(digest))) for digest in digests if digest is not None),
        key=lambda one: (one.name, one.digest),
    )
    chosen = [
        one
        for one in there
        if asked is None
        or one.name == asked
        or (len(asked) >= _SHORTEST_DIGEST and one.digest.startswith(asked))
    ]
    if len(chosen) == 1:
        return chosen[0]
    if not there and asked is None:
        return None
    names = ", ".join(f"{one.name} ({one.digest[:12]})".strip() for one in there) or "none"
    if asked is not None and not chosen:
        raise LabelsError(f"{root}: no labels of a network {asked!r}; there are {names}")
    raise LabelsError(f"{root}: labels of several networks: choose one with --model: {names}")


def _records(facts: Mapping[str, object] | None) -> Sequence[Mapping[str, object]]:
    found = (facts or {}).get("models")
    return [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []


def _looked_for(root: Path, model: Model | None) -> set[str]:
    """Categories that coverage says the network looks for; none where there is no such table."""
    coverage = _table_files(root, "coverage")
    if coverage is None or model is None:
        return set()
    lists = coverage.to_table(["categories"], filter=pc.field("model_digest") == model.digest)["categories"]
    return {str(name) for names in lists.to_pylist() for name in names or ()}


def _frames(root: Path) -> pa.Table | None:
    """The frames that were labelled."""
    source = _table_files(root, "frames")
    if source is None:
        return None
    known = source.schema.names
    columns = ["clip_id", "timestamp_ns", *(["luma_mean"] if "luma_mean" in known else [])]
    labelled = pc.scalar(value=True)
    if "sample_index" in known:
        labelled &= pc.field("sample_index").is_valid()
    if "is_damaged" in known:
        labelled &= ~pc.field("is_damaged")
    return source.to_table(columns, filter=labelled)


def _clips(root: Path) -> dict[str, Clip] | None:
    source = _table_files(root, "clips")
    if source is None:
        return None
    rows = source.to_table(["clip_id", "uri", "camera", "duplicate_of"]).to_pylist()
    return {
        row["clip_id"]: Clip(row["uri"], row["camera"], row["duplicate_of"] or row["clip_id"])
        for row in sorted(rows, key=lambda row: str(row["uri"]))
    }


def _with_objects(table: pa.Table, root: Path) -> pa.Table:
    """The tracks of the minutes replaced by the objects of the drive."""
    source = _table_files(root, "objects")
    if source is None:
        return table
    objects = source.to_table(["track_id", "object_id"])
    object_of = dict(zip(objects["track_id"].to_pylist(), objects["object_id"].to_pylist(), strict=True))
    tracks = [
        None if track is None else object_of.get(track, track) for track in table["track_id"].to_pylist()
    ]
    return table.set_column(table.column_names.index("track_id"), "track_id", pa.array(tracks, pa.string()))
