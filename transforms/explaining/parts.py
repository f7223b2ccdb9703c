"""What a row is a function of: one camera's minute with the end of the minute before, found and read again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import BinaryIO

from transforms.clips.errors import ClipError
from transforms.clips.probing import MAX_DURATION_NS, probe
from transforms.clips.refs import ClipName, ClipRef, InputFile
from transforms.clips.shards import Part, own_drive_id, plan_drives
from transforms.clips.sources import name_clip
from transforms.explaining.errors import CannotExplainError
from transforms.explaining.stored import Row
from transforms.labels.rows import CLIP_FACTS

OpenStream = Callable[[str], BinaryIO]


def find_part(clips: Sequence[Row], row: Row, context_ns: int, open_stream: OpenStream) -> Part:
    """Plans a row's minute as it was planned when it was labelled.

    Args:
        clips: rows of `clips` of the row's drive.
        row: the row of `detections`.
        context_ns: how much of the previous minute it sees.
        open_stream: opens a clip's URI for reading at any place.

    Returns:
        The part; its clips have been read, and their bytes are those that were labelled.

    Raises:
        CannotExplainError: a clip is gone or has changed.
    """
    clip, time_ns = row["clip_id"], max(row["timestamp_ns"], 0)
    plans = plan_drives(map(_planned, clips), context_ns)
    found = next(
        (
            part
            for plan in plans
            for part in plan.parts
            if part.clip.clip_id == clip and part.start_ns <= time_ns < part.stop_ns
        ),
        None,
    )
    if found is None:
        raise CannotExplainError(f"no row of clips tells of the clip {clip}; see clipmill verify")
    own = _read(found.clip, open_stream)
    context = found.context
    if context is not None:
        is_own = context.clip.clip_id == own.clip_id
        context = replace(context, clip=own if is_own else _read(context.clip, open_stream))
    return replace(found, clip=own, context=context)


def _planned(row: Row) -> ClipRef:
    """A clip as its row tells it: enough to plan by; what is needed to read it, the row does not hold.

    Raises:
        CannotExplainError: it cannot be as the row tells it.
    """
    if not 0 <= row["duration_ns"] <= MAX_DURATION_NS:
        raise CannotExplainError(
            f"the row of clips of {row['uri']} tells of {row['duration_ns']} ns: no clip is as long; see clipmill verify"
        )
    name = name_clip(row["uri"], row["uri"])
    is_minute = name is not None and row["drive_id"] != own_drive_id(row["clip_id"])
    return ClipRef(
        clip_id=row["clip_id"],
        # all clips are of one drive, so of one car, whatever it was called
        name=ClipName(
            source=row["source"],
            vehicle="",
            camera=row["camera"],
            minute=name.minute if name is not None and is_minute else None,
        ),
        rotation_deg=0,
        time_base=(1, 1),
        first_pts=0,
        **{column: row[column] for column in CLIP_FACTS},
    )


def _read(clip: ClipRef, open_stream: OpenStream) -> ClipRef:
    """The clip as its bytes tell it; its clock, which no box depends on, may be another than that of its row.

    Raises:
        CannotExplainError: it is gone or has changed.
    """
    try:
        with open_stream(clip.uri) as stream:
            file = InputFile(uri=clip.uri, root=clip.uri, bytes=stream.seek(0, 2))
            found = probe(stream, file, clip.name, None)
    except OSError as error:
        raise CannotExplainError(
            f"{clip.uri}: cannot be read ({error.strerror or error}); a row is derived from the bytes of its clip: "
            "put it back in its place"
        ) from error
    except ClipError as error:
        raise CannotExplainError(
            f"{clip.uri}: is no longer the file that was labelled ({error}); put that one back in its place"
        ) from error
    if found.content_sha256 != clip.content_sha256:
        raise CannotExplainError(
            f"{clip.uri}: is no longer the file that was labelled (sha256 {found.content_sha256}, labelled "
            f"{clip.content_sha256}); put that one back in its place, or label this one"
        )
    return found
