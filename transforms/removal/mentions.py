"""Whether a text speaks of clips that are to go."""

import re
from collections import defaultdict
from collections.abc import Collection
from typing import Final

from transforms.removal.known import KnownClip
from transforms.removal.selecting import Selection, vehicle_digests

_IDS: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_CONTENT_IN_NAME: Final = re.compile(r"-([0-9a-f]{10})-m\d{4}")
"""The begin of a clip's digest in the name of its shards."""

_VEHICLE_IN_NAME: Final = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d(?:-\d\d)?-([0-9a-f]{8})(?![0-9a-f])")
"""The begin of a car's digest in the name of its shards."""

_SEPARATORS: Final = re.compile(r"/|: |, |['\"]")
"""What stands around file names in messages and paths."""


class Mentions:
    """Knows texts that name what is to go: ids, digests, places, file names.

    Args:
        selection: what is to go.
        kept: clips that stay; a file name that one of them has as well names nothing by itself.
        shards: names of shards that go whole.
    """

    def __init__(self, selection: Selection, kept: Collection[KnownClip], shards: Collection[str]) -> None:
        clips = selection.clips
        self._ids = {
            *selection.clip_ids,
            *selection.drives,
            *(clip.content_sha256 for clip in clips),
        } - {""}
        self._contents = {clip.content_sha256[:10] for clip in clips} - {""}
        self._shards = set(shards)
        self._vehicles = vehicle_digests(selection.uris, selection.vehicles)
        folders = "|".join(map(re.escape, selection.vehicles))
        self._folders = re.compile(rf"(?:^|/)(?:{folders})(?=/|$|[:\s'\",)])") if folders else None
        self._places: dict[str, set[str]] = defaultdict(set)
        for clip in clips:
            self._places[clip.file_name].add(clip.uri)
        self._shared = {clip.file_name for clip in kept}
        # names that a separator would cut in two are looked for as they stand
        self._odd = {uri for name, uris in self._places.items() if _SEPARATORS.search(name) for uri in uris}

    def __call__(self, text: str) -> bool:
        """Whether the text names anything that is to go."""
        return (
            any(found in self._ids for found in _IDS.findall(text))
            or self._is_shard(text)
            or any(self._names(piece, text) for piece in _SEPARATORS.split(text))
            or any(uri in text for uri in self._odd)
            or ("/" in text and self._folders is not None and self._folders.search(text) is not None)
        )

    def _is_shard(self, name: str) -> bool:
        """Whether a shard of this name held nothing but what is to go."""
        return (
            name in self._shards
            or any(found in self._contents for found in _CONTENT_IN_NAME.findall(name))
            or any(found in self._vehicles for found in _VEHICLE_IN_NAME.findall(name))
        )

    def _names(self, piece: str, text: str) -> bool:
        places = self._places.get(piece)
        if places is None:
            return False
        return piece not in self._shared or any(uri in text for uri in places)
