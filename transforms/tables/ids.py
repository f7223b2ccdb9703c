"""Ids: uuid5 of content, stable across runs and machines."""

import uuid
from typing import Final

_NAMESPACE: Final = uuid.UUID("6c1d3f0a-8f0e-5c7b-9a53-0f4f1f8f2a61")


def stable_id(kind: str, *parts: object) -> str:
    """Names a thing by its kind and what it is made of.

    Args:
        kind: clip, frame, detection, track, ...: keeps equal parts of different kinds apart.
        parts: values whose text defines the thing; their order counts.

    Returns:
        A uuid5 as text.

    >>> stable_id("clip", "ab") == stable_id("clip", "ab") != stable_id("frame", "ab")
    True
    """
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join((kind, *map(str, parts)))))


def clip_id(content_sha256: str) -> str:
    """The id of a clip: its content's.

    Args:
        content_sha256: hex digest of the whole file.
    """
    return stable_id("clip", content_sha256)


def frame_id(clip: str, pts: int, repeat: int = 0) -> str:
    """The id of a frame.

    Args:
        clip: the clip's id.
        pts: the frame's presentation time stamp in container ticks.
        repeat: how many earlier frames of the clip carry the same PTS (0 in sound files).
    """
    return stable_id("frame", clip, pts, repeat) if repeat else stable_id("frame", clip, pts)
