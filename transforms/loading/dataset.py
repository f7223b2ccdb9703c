"""The samples of a labelled data set, epoch by epoch: what training code goes through."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import BinaryIO, Final, Generic, TypeVar

import numpy as np

from transforms.clips.sampling import Sampling
from transforms.loading.index import Windows, find_units, read_clips
from transforms.loading.order import Part, ShuffleBuffer, source_of_chance, units_of_part
from transforms.loading.reading import Pictured, UnitReader
from transforms.loading.samples import FrameSample, LoadingError, Selection, WindowSample
from transforms.tables.digests import digest
from transforms.tables.finished import read_finished
from transforms.tables.store import Store

Sample = TypeVar("Sample", covariant=True)  # noqa: PLC0105 - the field's word
_Place = tuple[int, int]
"""A unit, and a sample within it."""

_SHORTEST_DIGEST: Final = 6

_log = logging.getLogger(__name__)


class LabelledSamples(ABC, Generic[Sample]):
    """An iterable over one part of a data set's samples; each pass is an epoch.

    Args:
        store: the data set, finished.
        place: its folder, for messages.
        open_stream: opens a clip's URI.
        selection: what is asked for.
        windows: how frames are gathered.

    Attributes:
        epoch: the epoch that the next pass goes through; a pass that comes to its end raises it.
        part: which part of an epoch a pass goes through.

    Raises:
        NotADatasetError: there is none, or one of another schema.
        UnfinishedError: a run has not ended.
        LoadingError: it lacks what is asked for.
    """

    def __init__(
        self,
        store: Store,
        place: object,
        open_stream: Callable[[str], BinaryIO],
        selection: Selection,
        windows: Windows,
    ) -> None:
        finished = read_finished(store, place)
        settings = finished.facts.get("settings", {})
        self._sampling = Sampling.parse(str(settings.get("label_fps") or settings.get("fps") or "all"))
        self._model = _model(finished.facts.get("models", []), selection.model)
        self._clips = read_clips(store, finished, selection)
        self._units = find_units(store, finished, self._clips, windows)
        if not self._units:
            raise LoadingError(f"{place}: no sample of this split, these cameras and this length of windows")
        self._store = store
        self._open = open_stream
        self._selection = selection
        self._windows = windows
        self._digest = digest([finished.facts["manifest_sha256"], selection, windows])
        self.part = Part()
        self.epoch = 0
        self._begin = 0
        self._given = 0

    def __len__(self) -> int:
        """Samples of all parts of an epoch."""
        return sum(unit.samples for unit in self._units)

    def __iter__(self) -> Iterator[Sample]:
        """Goes through an epoch, from its begin or from where `load_state_dict` said."""
        self._given, self._begin = self._begin, 0
        for pictured in self._pass(self._given):
            self._given += 1
            if pictured is not None:
                yield self._sample(pictured)
        self.epoch += 1
        self._given = 0

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch the next pass goes through: it is the same however often it is gone through."""
        self.epoch = epoch

    def set_part(self, part: Part) -> None:
        """Says which part of an epoch a pass goes through; all parts together hold every sample once."""
        self.part = part

    def samples_of_part(self) -> int:
        """Samples of this part of the epoch."""
        return sum(self._units[unit].samples for unit in self._order())

    def state_dict(self) -> dict[str, int | str]:
        """Where the pass is: what was given is not given again."""
        return {
            "epoch": self.epoch,
            "given": self._given,
            "part": self.part.number,
            "parts": self.part.parts,
            "digest": self._digest,
        }

    def load_state_dict(self, state: Mapping[str, int | str]) -> None:
        """Lets the next pass go on where another one was.

        Args:
            state: what `state_dict` gave, of the same part.

        Raises:
            LoadingError: it is of another data set, of other settings or of another part.
        """
        here = self.state_dict()
        for name, words in (
            ("digest", "of another data set, or of one that has changed, or of other settings"),
            ("parts", "of another number of processes and workers"),
            ("part", "of another process or worker"),
        ):
            if state.get(name) != here[name]:
                raise LoadingError(f"this state is {words}; begin an epoch anew")
        self.epoch, self._begin = int(state["epoch"]), int(state["given"])
        self._given = self._begin

    @abstractmethod
    def _sample(self, pictured: Pictured) -> Sample: ...

    def _order(self) -> list[int]:
        counts = [unit.samples for unit in self._units]
        return units_of_part(counts, self._selection.seed, self.epoch, self.part)

    def _pass(self, begin: int) -> Iterator[Pictured | None]:
        """The samples from the `begin`-th on; None for one that cannot be read.

        The first ones are gone through as places alone, which costs a microsecond each.
        """
        seed, number = self._selection.seed, (self.part.number, self.part.parts)
        size = 0 if seed is None else self._selection.buffer // self._windows.length
        arriving = ((unit, place) for unit in self._order() for place in range(self._units[unit].samples))
        seen = ShuffleBuffer[_Place](size, chance := source_of_chance(seed, self.epoch, *number))
        left = begin
        while left and (arrived := next(arriving, None)) is not None:
            left -= len(seen.exchange(arrived))
        while left and seen.items:
            seen.take()
            left -= 1
        reader = UnitReader(
            self._store, self._open, self._selection, self._windows, self._sampling, self._model
        )
        places = sorted(seen.items)
        held = dict(zip(places, self._read(reader, iter(places)), strict=True))
        mixing = ShuffleBuffer[Pictured | None](size, chance)
        mixing.items = [held[place] for place in seen.items]
        held.clear()
        for sample in self._read(reader, arriving):
            yield from mixing.exchange(sample)
        while mixing.items:
            yield mixing.take()

    def _read(self, reader: UnitReader, places: Iterator[_Place]) -> Iterator[Pictured | None]:
        """Samples at places; those of one unit follow each other."""
        for number, own in groupby(places, key=lambda place: place[0]):
            unit, wanted = self._units[number], [place for _, place in own]
            given = 0
            try:
                for pictured in reader.read(unit, self._clips[unit.clip_id], wanted):
                    given += 1
                    yield pictured
            except LoadingError as error:
                if not self._selection.skip_unreadable:
                    raise
                _log.warning("%s: %d samples are left out", error, len(wanted) - given)
                yield from [None] * (len(wanted) - given)


class LabelledFrames(LabelledSamples[FrameSample]):
    """Frame by frame."""

    def _sample(self, pictured: Pictured) -> FrameSample:
        (image,), (labels,) = pictured
        return FrameSample(image, labels)


class LabelledWindows(LabelledSamples[WindowSample]):
    """Windows of frames that follow each other in one clip."""

    def _sample(self, pictured: Pictured) -> WindowSample:
        images, labels = pictured
        return WindowSample(np.stack(images), tuple(labels))


def _model(models: list[Mapping[str, str]], asked: str | None) -> str:
    """The sha256 of the network whose labels are given: two networks label each object twice."""
    found = [
        model["sha256"]
        for model in models
        if asked in {None, model["name"]}
        or (asked and len(asked) >= _SHORTEST_DIGEST and model["sha256"].startswith(asked))
    ]
    if len(found) == 1 or (not models and asked is None):
        return found[0] if found else ""
    names = ", ".join(sorted(f"{model['name']} ({model['sha256'][:12]})" for model in models)) or "none"
    if asked is None:
        raise LoadingError(f"labels of several networks: choose one by `model`: {names}")
    raise LoadingError(f"model {asked}: there is {names}")
