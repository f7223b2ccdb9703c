"""What is blurred, and with which networks: what a picture's maker is told and what is kept of it."""

from dataclasses import dataclass
from typing import Final

from models.errors import ModelFetchError
from models.registry import find_model
from models.sessions import Detector, load_detector
from transforms.labels.privacy.regions import KINDS, Kind


@dataclass(frozen=True, slots=True)
class BlurNetwork:
    """A network that looks for faces or plates.

    Attributes:
        model: name of its card, or absolute path of card or network.
        sha256: hex digest of its file.
    """

    model: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Blur:
    """What is blurred in pictures; everything unless told.

    Attributes:
        kinds: faces, plates, both, or nothing.
        networks: that look for them.
        rules: whether the upper parts of people and the lower parts of vehicles are blurred too, whatever networks find.
    """

    kinds: tuple[Kind, ...] = KINDS
    networks: tuple[BlurNetwork, ...] = ()
    rules: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether everything that can be blurred is looked for."""
        return set(self.kinds) == set(KINDS) and (self.rules or bool(self.networks))


NO_BLUR: Final = Blur(kinds=())
"""Pictures as they were taken, and labels without any picture."""


def load_networks(blur: Blur) -> list[Detector]:
    """The networks of settings, each loaded once a process.

    Raises:
        ModelError: one is not here, or does not fit its card.
        ModelFetchError: one is not the one that the settings name.
    """
    detectors = []
    for network in blur.networks:
        ref = find_model(network.model, task="privacy")
        if ref.sha256 != network.sha256:
            raise ModelFetchError(
                f"{network.model}: its sha256 is {ref.sha256}, that of the network asked for {network.sha256}"
            )
        detectors.append(load_detector(ref))
    return detectors
