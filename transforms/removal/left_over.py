"""Clips that the last job did not find among its inputs any more."""

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from transforms.clips.inputs import lies_in
from transforms.clips.memory import MAX_CLIPS, MEMORY_FILE
from transforms.removal.known import clips_in_tables, read_rows
from transforms.removal.selecting import Selection
from transforms.tables.commits import committed_shards, read_commit
from transforms.tables.layout import DUPLICATES, RUNS, table_file
from transforms.tables.store import LocalStore


def last_inputs(root: Path) -> list[str] | None:
    """The inputs of the last job that ended, or None where no run has left its record.

    Args:
        root: the data set's folder.
    """
    store = LocalStore(root)
    for folder in sorted((root / RUNS).glob("*/run.json"), reverse=True):
        with suppress(ValueError, KeyError, TypeError):
            inputs = json.loads(store.read(str(folder.relative_to(root))))["job"]["inputs"]
            return [str(item) for item in inputs]
    return None


def clips_of_last_run(root: Path) -> list[tuple[str, str]] | None:
    """(clip_id, uri) of every clip that the last run found, or None where its record does not hold them all.

    Args:
        root: the data set's folder.
    """
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        known = json.loads(LocalStore(root).read(MEMORY_FILE))["clips"]
        if len(known) < MAX_CLIPS:
            return [(item["clip"]["clip_id"], item["clip"]["uri"]) for item in known]
    return None


def select_left_over(
    root: Path, inputs: Collection[str], clip_ids: Collection[str], uris: Collection[str]
) -> Selection:
    """Clips of the data set that are not among some inputs, neither by their bytes nor by their place.

    A file that could not be read in the last run is still among its inputs: its labels stay. Files that failed,
    and copies, go where an earlier run found them outside these inputs.

    Args:
        root: the data set's folder.
        inputs: files, folders, globs or URLs, absolute.
        clip_ids: clips among the inputs.
        uris: files among the inputs.
    """
    store = LocalStore(root)
    failed = {row["uri"] for row in read_rows(store, table_file("failures"), ("uri",))}
    copies = {row["uri"] for row in read_rows(store, table_file("clips", DUPLICATES), ("uri",))}
    elsewhere = {uri for uri in failed | copies if not lies_in(uri, inputs)}
    ids, places = set(clip_ids), {*uris, *failed} - elsewhere
    commits = (read_commit(store, name) for name in committed_shards(store))
    left = {
        clip
        for commit in commits
        if commit is not None
        for clip, uri in commit.clips
        if clip not in ids and uri not in places
    }
    every = clips_in_tables(store)
    return Selection(clips=tuple(clip for clip in every if clip.clip_id in left or clip.uri in elsewhere))
