"""Stage: what is in each file, without decoding it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from transforms.access import StorageFlags
from transforms.clips.memory import Known, recall
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.clips.sources import named
from transforms.concurrent import ConcurrentMap
from transforms.metrics import count
from transforms.set_aside import Patience, probe_apart
from transforms.storage import open_store, open_stream
from transforms.tables.file_facts import sha256_of

CLIPS: Final = "clips"
FAILED: Final = "failed"

_UNREAD: Final = "unread"

Unread = tuple[InputFile, Known | None]
"""A file that must be read, and what an earlier run found in the file of its name and size."""


class ProbeClips(beam.PTransform[PCollection[InputFile], dict[str, PCollection[Any]]]):
    """Reads every file once: digest, container, packets; one that an earlier run knew is not read again.

    Args:
        timezone: zone of the times in file names, or None.
        patience: what one file may cost.
        memories: data sets that keep what earlier runs found; the last one has the last word.
        threads: files read at once.
        storage: how URLs are reached.
        rehash: whether known files are hashed all the same, in case one was changed without a trace.

    Returns:
        `clips` (ClipRef) and `failed` (Failure).
    """

    def __init__(
        self,
        timezone: str | None,
        patience: Patience,
        memories: Sequence[str],
        threads: int,
        storage: StorageFlags = (),
        *,
        rehash: bool,
    ) -> None:
        super().__init__()
        self._recall = Recall(timezone, memories, rehash=rehash)
        self._probe = Probe(timezone, patience, storage)
        self._threads = threads

    def expand(self, files: PCollection[InputFile]) -> dict[str, PCollection[Any]]:
        """Recalls what is known, and probes the other files side by side."""
        recalled = files | "Recall" >> beam.ParDo(self._recall).with_outputs(CLIPS, _UNREAD)
        read = (
            recalled[_UNREAD]
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(ConcurrentMap(self._probe, self._threads))
            | "Sort out" >> beam.FlatMap(_tagged).with_outputs(CLIPS, FAILED)
        )
        return {CLIPS: (recalled[CLIPS], read[CLIPS]) | "All" >> beam.Flatten(), FAILED: read[FAILED]}


class Recall(beam.DoFn):
    """Tells files that were not written since an earlier run probed them from those that must be read.

    Args:
        timezone: zone of the times in file names, or None.
        memories: data sets that keep what earlier runs found; the last one has the last word.
        rehash: whether every file must be read.
    """

    def __init__(self, timezone: str | None, memories: Sequence[str], *, rehash: bool) -> None:
        self._timezone = timezone
        self._memories = tuple(memories)
        self._rehash = rehash
        self._known: dict[str, Known] = {}

    def start_bundle(self) -> None:
        """Reads what earlier runs found."""
        for memory in self._memories:
            self._known |= recall(open_store(memory), self._timezone)

    def process(self, file: InputFile) -> Iterator[Any]:
        """Yields the file's reference, or the file with what may still be true of it."""
        known = self._known.get(file.uri)
        if known is not None and (known.clip.bytes, known.clip.name) != (file.bytes, named(file)):
            known = None
        if known is not None and not self._rehash and file.version and file.version == known.version:
            count("clips_known")
            yield TaggedOutput(CLIPS, known.clip)
        else:
            yield TaggedOutput(_UNREAD, (file, known))


class Probe:
    """Probes one file, or finds its bytes to be those that an earlier run probed.

    Args:
        timezone: zone of the times in file names, or None.
        patience: what one file may cost.
        storage: how URLs are reached.
    """

    def __init__(self, timezone: str | None, patience: Patience, storage: StorageFlags = ()) -> None:
        self._timezone = timezone
        self._patience = patience
        self._storage = storage

    def __call__(self, unread: Unread) -> ClipRef | Failure:
        """The file's reference, or what is wrong with it."""
        file, known = unread
        if known is not None and _sha256(file.uri) == known.clip.content_sha256:
            return known.clip
        return probe_apart(file, self._timezone, self._patience, self._storage)


def _sha256(uri: str) -> str | None:
    """The digest of a file, None where it cannot be read."""
    with suppress(OSError), open_stream(uri) as stream:
        return sha256_of(stream)
    return None


def _tagged(result: ClipRef | Failure) -> Iterator[Any]:
    failed = isinstance(result, Failure)
    count("clips_unreadable" if failed else "clips_probed")
    yield TaggedOutput(FAILED if failed else CLIPS, result)
