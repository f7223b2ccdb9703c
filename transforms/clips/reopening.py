"""A labelled clip opened once more, for its pictures."""

from collections.abc import Callable
from typing import BinaryIO

from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, ClipRef, InputFile

__all__ = ["ClipChangedError", "reopen"]


class ClipChangedError(Exception):
    """The file at a clip's place is not the one that was labelled."""


def reopen(uri: str, content_sha256: str, open_stream: Callable[[str], BinaryIO]) -> ClipRef:
    """Probes a clip again and makes sure that it is the one that was labelled.

    Args:
        uri: its place.
        content_sha256: digest of the bytes that were labelled.
        open_stream: opens the clip's URI.

    Raises:
        ClipChangedError: it has other bytes now.
        ClipError: it cannot be read any more.
        OSError: it cannot be opened.
    """
    with open_stream(uri) as stream:
        file = InputFile(uri=uri, root=uri, bytes=stream.seek(0, 2))
        clip = probe(stream, file, ClipName(source="generic", vehicle="", camera="unknown"), None)
    if clip.content_sha256 != content_sha256:
        raise ClipChangedError(f"{uri}: its bytes are no longer those that were labelled")
    return clip
