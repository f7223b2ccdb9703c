"""What probing found, kept from run to run: a file whose bytes are the same need only be hashed."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from transforms.clips.probing import PROBING_VERSION
from transforms.clips.refs import ClipName, ClipRef
from transforms.tables.digests import canonical_json
from transforms.tables.layout import RUNS
from transforms.tables.store import Store

MEMORY_FILE: Final = f"{RUNS}/probed.json"

MAX_CLIPS: Final = 200_000
"""More are not kept: reading them back would take longer than most runs save."""


def remember(store: Store, clips: Iterable[ClipRef], timezone: str | None) -> None:
    """Keeps what probing found.

    Args:
        store: the data set.
        clips: every clip that could be read.
        timezone: zone that their clocks were read with.
    """
    kept = sorted(clips, key=lambda clip: clip.uri)[:MAX_CLIPS]
    content = {"version": PROBING_VERSION, "timezone": timezone, "clips": [asdict(clip) for clip in kept]}
    store.write(MEMORY_FILE, canonical_json(content).encode())


def recall(store: Store, timezone: str | None) -> dict[str, ClipRef]:
    """What an earlier run kept, by URI; nothing where it was found in another way.

    Args:
        store: the data set.
        timezone: zone that clocks are read with now.
    """
    try:
        content = json.loads(store.read(MEMORY_FILE))
        if (content["version"], content["timezone"]) != (PROBING_VERSION, timezone):
            return {}
        return {record["uri"]: _clip(record) for record in content["clips"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # it only saves time: whatever is wrong with it, the files themselves are there to be probed
        return {}


def _clip(record: dict[str, Any]) -> ClipRef:
    name, time_base = record["name"], record["time_base"]
    return ClipRef(**{**record, "name": ClipName(**name), "time_base": tuple(time_base)})
