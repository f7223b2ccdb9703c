"""Detectors: loaded once a process, checked before the first frame."""

import hashlib
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from models import downloads
from models.card import InputSpec, ModelCard, bundled_file, known_cards
from models.detections import Detections
from models.errors import ModelFetchError, ModelMismatchError
from models.families import FAMILIES
from models.graphs import read_network
from models.networks import Network, check_fit, open_network
from models.postprocessing import category_table, finish
from models.preprocessing import InputFiller
from models.refs import ModelRef
from models.resizing import ResizePlan, plan_resize

CUDA_BATCH: Final = 8
"""Pictures a run on a GPU, for networks that take more than one."""


class Detector:
    """A network that finds objects in frames; one serves all threads of a process.

    Attributes:
        ref: which network, and how it is used.
        network: its session.
        batch_size: pictures a run.
    """

    def __init__(self, ref: ModelRef, network: Network, batch_size: int = 1) -> None:
        self.ref = ref
        self.network = network
        self.batch_size = batch_size
        self._filler = InputFiller(ref.card.input)
        self._family = FAMILIES[ref.card.family]
        self._categories_of = category_table(ref.card)

    @property
    def card(self) -> ModelCard:
        """What is known of the network."""
        return self.ref.card

    @property
    def sha256(self) -> str:
        """Hex digest of the network's file."""
        return self.ref.sha256

    def plan(self, frame_width: int, frame_height: int) -> ResizePlan:
        """How large frames of this size in px have to be handed to `detect`."""
        return _plan(self.card.input, self.ref.size, frame_width, frame_height)

    def detect(
        self, images: Sequence[npt.NDArray[np.uint8]], plan: ResizePlan, frame_width: int, frame_height: int
    ) -> list[Detections]:
        """Finds the objects of some frames of one size.

        Args:
            images: BGR pictures scaled to the plan, uint8[image_height, image_width, 3] each.
            plan: of `plan(frame_width, frame_height)`.
            frame_width: in px, as displayed.
            frame_height: in px, as displayed.

        Returns:
            One for each picture, boxes in pixels of the frame.
        """
        found = []
        for start in range(0, len(images), self.batch_size):
            batch = images[start : start + self.batch_size]
            pictures = self._filler.fill(batch, plan)
            outputs = self.network.run(pictures, plan.input_width, plan.input_height)
            for item in range(len(batch)):
                candidates = self._family.decode(
                    self.card, outputs, item, plan.input_height, plan.input_width
                )
                found.append(
                    finish(candidates, self.card, self._categories_of, plan, frame_width, frame_height)
                )
        return found


@lru_cache(maxsize=256)
def _plan(spec: InputSpec, size: int, frame_width: int, frame_height: int) -> ResizePlan:
    return plan_resize(spec, size, frame_width, frame_height)


_detectors: Final[dict[tuple[str, str], Detector]] = {}
_loading: Final = threading.Lock()


def load_detector(ref: ModelRef) -> Detector:
    """The detector of a reference; loaded and checked once a process.

    Raises:
        ModelFetchError: the file is not there, or not the one that was found before.
        ModelMismatchError: the network does not fit its card; the message has the shapes found and expected.
        ModelUsageError: the device cannot be used.
    """
    key = (ref.digest, ref.device)
    with _loading:
        detector = _detectors.get(key)
        if detector is None:
            data = read_network(_file_here(ref))
            digest = hashlib.sha256(data).hexdigest()
            if digest != ref.sha256:
                raise ModelFetchError(
                    f"{ref.path}: changed since it was found (sha256 {digest}, expected {ref.sha256}): "
                    "delete it and run again"
                )
            network = open_network(data, ref.card.input, ref.card.name, ref.device)
            check_fit(network, ref.card)
            detector = _detectors[key] = Detector(ref, network, _batch_size(network, ref))
        return detector


def _file_here(ref: ModelRef) -> Path:
    """The network's file on this machine, which may be another than the one where the reference was made."""
    path = Path(ref.path)
    if path.is_file():
        return path
    card = ref.card
    if card.bundled is not None and known_cards().get(card.name) == card:
        return bundled_file(card)
    if card.url is not None and ref.sha256 == card.sha256:
        return downloads.fetch(card)
    raise ModelFetchError(
        f"{path}: the network {card.name} is not on this machine: put it there, on every worker"
    )


def _batch_size(network: Network, ref: ModelRef) -> int:
    """More than one picture a run pays on a GPU only, and only some graphs allow it."""
    if ref.device == "cpu" or isinstance(network.picture_shape[0], int):
        return 1
    try:
        check_fit(network, ref.card, batch=2)
    except ModelMismatchError:
        return 1
    return CUDA_BATCH
