"""What touches the bytes of clips, and so runs in a process that may die of them: probing, and labelling a shard."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO
from zoneinfo import ZoneInfo

import cv2

from models.refs import ModelRef
from models.sessions import load_detector
from transforms.access import StorageFlags, reach
from transforms.clips.errors import ClipError
from transforms.clips.probing import probe
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.clips.shards import ShardPlan
from transforms.clips.sources import named
from transforms.isolated import note
from transforms.labels.labelling import ShardRows, label_shard
from transforms.labels.settings import LabelSettings
from transforms.storage import is_remote, open_stream


def probe_file(file: InputFile, timezone: str | None, storage: StorageFlags = ()) -> ClipRef | Failure:
    """Probes one file.

    Args:
        file: the file.
        timezone: zone of the times in file names, or None.
        storage: how URLs are reached.
    """
    _reach(storage, [file.uri])
    try:
        with open_stream(file.uri) as stream:
            return probe(stream, file, named(file), ZoneInfo(timezone) if timezone else None)
    except ClipError as error:
        return probe_failure(file, error)
    except OSError as error:
        message = f"{file.uri}: {error.strerror or error}; check the disk and its permissions, then run again"
        return probe_failure(file, ClipError("unreadable", message))


def probe_failure(file: InputFile, error: ClipError) -> Failure:
    """The row of `failures` of a file that could not be probed."""
    return Failure(
        uri=file.uri,
        clip_id="",
        stage="probe",
        error=error.fault,
        message=str(error),
        retryable=error.retryable,
    )


def label_plan(
    plan: ShardPlan,
    models: Sequence[ModelRef],
    settings: LabelSettings,
    set_aside: Mapping[str, ClipError],
    storage: StorageFlags = (),
) -> ShardRows:
    """Labels a shard.

    Args:
        plan: the clips and windows.
        models: the networks, loaded once a process.
        settings: the job's options.
        set_aside: by clip_id, what is wrong with clips that are not to be opened.
        storage: how URLs are reached.
    """
    _reach(storage, [clip.uri for clip in plan.clips()])
    # parallel across shards, one thread inside: OpenCV's own threads would only get in each other's way
    cv2.setNumThreads(1)
    clip_ids = {clip.uri: clip.clip_id for clip in plan.clips()}

    def open_clip(uri: str) -> BinaryIO:
        note(clip_ids[uri])
        if fault := set_aside.get(clip_ids[uri]):
            raise fault
        return open_stream(uri)

    return label_shard(plan, open_clip, [load_detector(model) for model in models], settings, note)


def _reach(storage: StorageFlags, uris: Sequence[str]) -> None:
    """The process that calls has Beam's options; this one has not, nor Beam, as long as files are local."""
    if any(map(is_remote, uris)):
        reach(storage)
