"""What probing found, kept from run to run: a file that has not been written since is not read again."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from transforms.clips.probing import MAX_DURATION_NS, PROBING_VERSION
from transforms.clips.refs import ClipRef
from transforms.tables.digests import canonical_json
from transforms.tables.layout import RUNS
from transforms.tables.store import Store

MEMORY_FILE: Final = f"{RUNS}/probed.json"

MAX_CLIPS: Final = 200_000
"""More are not kept: reading them back would take longer than most runs save."""

MAX_MEMORY_BYTES: Final = 1 << 29
"""Longest file that is read: a clip takes less than a kilobyte, with a path of usual length."""


@dataclass(frozen=True, slots=True)
class Known:
    """A file that an earlier run probed.

    Attributes:
        clip: what it found.
        version: the file's version then, see `InputFile`.
    """

    clip: ClipRef
    version: str


@dataclass(frozen=True, slots=True)
class _Kept:
    version: int = 0
    timezone: str | None = None
    clips: tuple[Known, ...] = ()


_KEPT: Final = TypeAdapter(_Kept)


def remember(
    store: Store, clips: Iterable[ClipRef], versions: Mapping[str, str], timezone: str | None
) -> None:
    """Keeps what probing found.

    Args:
        store: the data set.
        clips: every clip that could be read.
        versions: of their files by URI.
        timezone: zone that their clocks were read with.
    """
    kept = sorted(clips, key=lambda clip: clip.uri)[:MAX_CLIPS]
    content = {
        "version": PROBING_VERSION,
        "timezone": timezone,
        "clips": [Known(clip, versions.get(clip.uri, "")) for clip in kept],
    }
    store.write(MEMORY_FILE, canonical_json(content).encode())


def recall(store: Store, timezone: str | None) -> dict[str, Known]:
    """What an earlier run kept, by URI; nothing where it was found in another way.

    Args:
        store: the data set.
        timezone: zone that clocks are read with now.
    """
    try:
        with store.open(MEMORY_FILE) as stream:
            content = stream.read(MAX_MEMORY_BYTES + 1)
        kept = _KEPT.validate_json(content, strict=True) if len(content) <= MAX_MEMORY_BYTES else _Kept()
    except (FileNotFoundError, ValueError):
        # it only saves time: whatever is wrong with it, the files themselves are there to be probed
        return {}
    if (kept.version, kept.timezone) != (PROBING_VERSION, timezone):
        return {}
    return {known.clip.uri: known for known in kept.clips if _is_possible(known.clip)}


def _is_possible(clip: ClipRef) -> bool:
    """Whether probing can have found this: what follows reckons with these numbers."""
    return (
        min(clip.time_base) > 0
        and min(clip.width, clip.height, clip.frame_count) > 0
        and clip.rotation_deg in {0, 90, 180, 270}
        and math.isfinite(clip.fps_mean)
        and 0 <= clip.duration_ns <= MAX_DURATION_NS
        and max(map(abs, (*clip.time_base, clip.first_pts, clip.start_utc_ns or 0))) < 2**63
    )
