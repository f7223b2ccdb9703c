"""What probing found, kept from run to run: a file that has not been written since is not read again."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from transforms.clips.probing import PROBING_VERSION
from transforms.clips.refs import ClipName, ClipRef
from transforms.tables.digests import canonical_json
from transforms.tables.layout import RUNS
from transforms.tables.store import Store

MEMORY_FILE: Final = f"{RUNS}/probed.json"

MAX_CLIPS: Final = 200_000
"""More are not kept: reading them back would take longer than most runs save."""


@dataclass(frozen=True, slots=True)
class Known:
    """A file that an earlier run probed.

    Attributes:
        clip: what it found.
        version: the file's version then, see `InputFile`.
    """

    clip: ClipRef
    version: str


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
        "clips": [{"file_version": versions.get(clip.uri, ""), **asdict(clip)} for clip in kept],
    }
    store.write(MEMORY_FILE, canonical_json(content).encode())


def recall(store: Store, timezone: str | None) -> dict[str, Known]:
    """What an earlier run kept, by URI; nothing where it was found in another way.

    Args:
        store: the data set.
        timezone: zone that clocks are read with now.
    """
    try:
        content = json.loads(store.read(MEMORY_FILE))
        if (content["version"], content["timezone"]) != (PROBING_VERSION, timezone):
            return {}
        return {record["uri"]: _known(record) for record in content["clips"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # it only saves time: whatever is wrong with it, the files themselves are there to be probed
        return {}


def _known(record: dict[str, Any]) -> Known:
    version, name, time_base = record.pop("file_version"), record["name"], record["time_base"]
    clip = ClipRef(**{**record, "name": ClipName(**name), "time_base": tuple(time_base)})
    return Known(clip, str(version))
