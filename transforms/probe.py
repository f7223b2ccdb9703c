"""Stage: what is in each file, without decoding it."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from transforms.clips.memory import recall
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.concurrent import ConcurrentMap
from transforms.set_aside import Patience, probe_apart
from transforms.storage import open_store, open_stream
from transforms.tasks import named

CLIPS: Final = "clips"
FAILED: Final = "failed"

_BLOCK_BYTES: Final = 1 << 20


class ProbeClips(beam.PTransform[PCollection[InputFile], Any]):
    """Reads every file once: digest, container, packets; one that an earlier run knew is only hashed.

    Args:
        timezone: zone of the times in file names, or None.
        patience: what one file may cost.
        output: the data set, which keeps what earlier runs found.
        threads: files read at once.

    Returns:
        `clips` (ClipRef) and `failed` (Failure).
    """

    def __init__(self, timezone: str | None, patience: Patience, output: str, threads: int) -> None:
        super().__init__()
        self._probe = Probe(timezone, patience, output)
        self._threads = threads

    def expand(self, files: PCollection[InputFile]) -> Any:
        """Probes the files side by side."""
        return (
            files
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(ConcurrentMap(self._probe, self._threads, self._probe.prepare))
            | "Sort out" >> beam.FlatMap(_tagged).with_outputs(CLIPS, FAILED)
        )


class Probe:
    """Probes one file.

    Args:
        timezone: zone of the times in file names, or None.
        patience: what one file may cost.
        output: the data set, which keeps what earlier runs found.
    """

    def __init__(self, timezone: str | None, patience: Patience, output: str) -> None:
        self._timezone = timezone
        self._patience = patience
        self._output = output
        self._known: dict[str, ClipRef] = {}

    def prepare(self) -> None:
        """Reads what earlier runs found, once a bundle."""
        self._known = recall(open_store(self._output), self._timezone)

    def __call__(self, file: InputFile) -> ClipRef | Failure:
        """The file's reference, or what is wrong with it."""
        known = self._known.get(file.uri)
        if known is not None and (known.bytes, known.name) == (file.bytes, named(file)):
            with suppress(OSError), open_stream(file.uri) as stream:
                digest = hashlib.sha256()
                while block := stream.read(_BLOCK_BYTES):
                    digest.update(block)
                if digest.hexdigest() == known.content_sha256:
                    return known
        return probe_apart(file, self._timezone, self._patience)


def _tagged(result: ClipRef | Failure) -> Iterator[Any]:
    yield TaggedOutput(FAILED if isinstance(result, Failure) else CLIPS, result)
