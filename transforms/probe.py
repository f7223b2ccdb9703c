"""Stage: what is in each file, without decoding it."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from transforms.clips.errors import ClipError
from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, ClipRef, Failure, InputFile
from transforms.clips.sources import name_clip
from transforms.concurrent import ConcurrentMap
from transforms.storage import open_stream

CLIPS: Final = "clips"
FAILED: Final = "failed"


class ProbeClips(beam.PTransform[PCollection[InputFile], Any]):
    """Reads every file once: digest, container, packets.

    Args:
        timezone: zone of the times in file names, or None.
        threads: files read at once.

    Returns:
        `clips` (ClipRef) and `failed` (Failure).
    """

    def __init__(self, timezone: str | None, threads: int) -> None:
        super().__init__()
        self._timezone = timezone
        self._threads = threads

    def expand(self, files: PCollection[InputFile]) -> Any:
        """Probes the files side by side."""
        return (
            files
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(ConcurrentMap(partial(probe_file, timezone=self._timezone), self._threads))
            | "Sort out" >> beam.FlatMap(_tagged).with_outputs(CLIPS, FAILED)
        )


def named(file: InputFile) -> ClipName:
    """What a file's place says."""
    name = name_clip(file.uri, file.root)
    assert name is not None, "discovery lists only what has a name"
    return name


def probe_file(file: InputFile, timezone: str | None) -> ClipRef | Failure:
    """Probes one file.

    Args:
        file: the file.
        timezone: zone of the times in file names, or None.
    """
    try:
        with open_stream(file.uri) as stream:
            return probe(stream, file, named(file), ZoneInfo(timezone) if timezone else None)
    except ClipError as error:
        return _failure(file, error)
    except OSError as error:
        message = f"{file.uri}: {error.strerror or error}; check the disk and its permissions, then run again"
        return _failure(file, ClipError("unreadable", message))


def _failure(file: InputFile, error: ClipError) -> Failure:
    return Failure(
        uri=file.uri,
        clip_id="",
        stage="probe",
        error=error.fault,
        message=str(error),
        retryable=error.retryable,
    )


def _tagged(result: ClipRef | Failure) -> Iterator[Any]:
    yield TaggedOutput(FAILED if isinstance(result, Failure) else CLIPS, result)
