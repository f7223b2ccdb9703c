"""Which clips are meant: by id, name or place, by car, by drive."""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from transforms.removal.known import KnownClip, clips_in_runs, clips_in_tables
from transforms.tables.digests import digest
from transforms.tables.store import LocalStore


class NotFoundError(Exception):
    """Nothing in the data set is called so."""


class AmbiguousError(Exception):
    """Several different clips are called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is to go, in words that outlive its rows: what a killed removal is finished by.

    Attributes:
        clips: every clip and failed file that is meant, copies included.
        vehicles: names of folders that nothing may speak of afterwards.
        drives: ids of drives that nothing may speak of afterwards.
    """

    clips: tuple[KnownClip, ...]
    vehicles: tuple[str, ...] = ()
    drives: tuple[str, ...] = ()

    @property
    def clip_ids(self) -> set[str]:
        """Ids of its clips, and of their copies."""
        return {clip.clip_id for clip in self.clips} - {""}

    @property
    def uris(self) -> set[str]:
        """Places of its clips and failed files."""
        return {clip.uri for clip in self.clips}

    def as_json(self) -> dict[str, Any]:
        """The form in which it is kept while a removal runs."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(
            clips=tuple(KnownClip(**clip) for clip in data["clips"]),
            vehicles=tuple(data["vehicles"]),
            drives=tuple(data["drives"]),
        )


def select(
    root: Path, *, clips: Sequence[str] = (), vehicles: Sequence[str] = (), drives: Sequence[str] = ()
) -> Selection:
    """Finds what is meant, and all copies of it: a clip is its bytes, wherever they lie.

    Args:
        root: the data set's folder.
        clips: ids, places or file names.
        vehicles: names of cars: a folder of the clips' paths, or several joined by `/`.
        drives: ids of drives.

    Raises:
        NotFoundError: one of them is nowhere in the data set.
        AmbiguousError: a file name that several different clips have.
    """
    known = clips_in_tables(LocalStore(root))
    recorded = clips_in_runs(root)
    chosen: list[KnownClip] = []
    for name in clips:
        # what only the records of old runs tell counts where no table has it
        chosen += _named(name, known) or _named(name, recorded)
        if not _named(name, (*known, *recorded)):
            raise NotFoundError(f"{root}: no clip {name}: give its id, path, URL or file name")
    for name in vehicles:
        found = [clip for clip in (*known, *recorded) if has_folder(clip.uri, name)]
        if not found:
            raise NotFoundError(f"{root}: no clip has a folder called {name} in its path")
        chosen += found
    for name in drives:
        found = [clip for clip in known if clip.drive_id == name]
        if not found:
            raise NotFoundError(f"{root}: no drive {name}; the column drive_id of the table clips has them")
        chosen += found
    names = tuple(name.strip("/") for name in vehicles)
    return Selection(clips=_with_copies(chosen, (*known, *recorded)), vehicles=names, drives=tuple(drives))


def _with_copies(chosen: Iterable[KnownClip], known: Iterable[KnownClip]) -> tuple[KnownClip, ...]:
    """Adds what has the same bytes, and whatever else is told of the same ids and places."""
    chosen = list(chosen)
    known = list(known)
    bytes_of = {clip.content_sha256 for clip in chosen} - {""}
    uris = {clip.uri for clip in chosen}
    bytes_of |= {clip.content_sha256 for clip in known if clip.uri in uris} - {""}
    copies = [clip for clip in known if clip.content_sha256 in bytes_of or clip.uri in uris]
    ids = {clip.clip_id for clip in (*chosen, *copies)} - {""}
    same = [clip for clip in known if clip.clip_id in ids]
    every = {*chosen, *copies, *same}
    return tuple(sorted(every, key=lambda clip: (clip.uri, clip.clip_id, clip.content_sha256)))


def _named(name: str, known: Iterable[KnownClip]) -> list[KnownClip]:
    places = {name, os.path.abspath(name)}  # noqa: PTH100 - resolve() would follow the user's links
    known = list(known)
    exact = [clip for clip in known if clip.clip_id == name or clip.uri in places]
    if exact:
        return exact
    called = [clip for clip in known if clip.file_name == name]
    if len({clip.content_sha256 or clip.uri for clip in called}) > 1:
        uris = ", ".join(sorted({clip.uri for clip in called})[:5])
        raise AmbiguousError(f"{name}: several clips are called so ({uris}): give a path or an id")
    return called


def has_folder(uri: str, name: str) -> bool:
    """Whether a path leads through a folder, or through several in a row.

    >>> has_folder("/fleet/car7/TeslaCam/a.mp4", "fleet/car7"), has_folder("/fleet/car77/a.mp4", "car7")
    (True, False)
    """
    return f"/{name.strip('/')}/" in f"/{uri}/"


def vehicle_digests(uris: Collection[str], names: Collection[str]) -> set[str]:
    """Ends of the names that shards of these cars may have had: a shard is called after digest and minute.

    A car's name is the part of its folder's path below an input, and inputs change from run to run.

    Args:
        uris: places of the cars' clips.
        names: the cars' names.
    """
    folders = {uri.rpartition("/")[0] for uri in uris}
    ends = set()
    for parts in (folder.split("/") for folder in folders):
        for start, stop in combinations(range(len(parts) + 1), 2):
            run = "/".join(parts[start:stop])
            if any(has_folder(run, name) for name in names):
                ends.add(digest(run)[:8])
    return ends
