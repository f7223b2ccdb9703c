"""Stage: what is in each file, without decoding it."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from transforms.clips.memory import Known, recall
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.concurrent import ConcurrentMap
from transforms.set_aside import Patience, probe_apart
from transforms.storage import open_store, open_stream
from transforms.tasks import named

CLIPS: Final = "clips"
FAILED: Final = "failed"

_BLOCK_BYTES: Final = 1 << 20


class ProbeClips(beam.PTransform[PCollection[InputFile], Any]):
    """Reads every file once: digest, container, packets; one that an earlier run knew is not read again.

    Args:
        timezone: zone of the times in file names, or None.
        patience: what one file may cost.
        memories: data sets that keep what earlier runs found; the last one has the last word.
        rehash: whether known files are hashed all the same, in case one was changed without a trace.
        threads: files read at once.

    Returns:
        `clips` (ClipRef) and `failed` (Failure).
    """

    def __init__(
        self,
        timezone: str | None,
        patience: Patience,
        memories: Sequence[str],
        threads: int,
        *,
        rehash: bool,
    ) -> None:
        super().__init__()
        self._probe = Probe(timezone, patience, memories, rehash=rehash)
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
        memories: data sets that keep what earlier runs found; the last one has the last word.
        rehash: whether known files are hashed all the same.
    """

    def __init__(
        self, timezone: str | None, patience: Patience, memories: Sequence[str], *, rehash: bool = False
    ) -> None:
        self._timezone = timezone
        self._patience = patience
        self._memories = tuple(memories)
        self._rehash = rehash
        self._known: dict[str, Known] = {}

    def prepare(self) -> None:
        """Reads what earlier runs found, once a bundle."""
        for memory in self._memories:
            self._known |= recall(open_store(memory), self._timezone)

    def __call__(self, file: InputFile) -> ClipRef | Failure:
        """The file's reference, or what is wrong with it."""
        known = self._known.get(file.uri)
        if (
            known is not None
            and (known.clip.bytes, known.clip.name) == (file.bytes, named(file))
            and (self._is_unchanged(known, file) or _sha256(file.uri) == known.clip.content_sha256)
        ):
            return known.clip
        return probe_apart(file, self._timezone, self._patience)

    def _is_unchanged(self, known: Known, file: InputFile) -> bool:
        return not self._rehash and file.version != "" and file.version == known.version


def _sha256(uri: str) -> str | None:
    """The digest of a file, None where it cannot be read."""
    with suppress(OSError), open_stream(uri) as stream:
        digest = hashlib.sha256()
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
        return digest.hexdigest()
    return None


def _tagged(result: ClipRef | Failure) -> Iterator[Any]:
    yield TaggedOutput(FAILED if isinstance(result, Failure) else CLIPS, result)
