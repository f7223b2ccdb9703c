"""From what a user calls a network to the network's file."""

import hashlib
from pathlib import Path
from typing import cast

from models.card import ModelCard, Task, bundled_file, known_cards, load_card
from models.downloads import Progress, fetch, file_digest
from models.errors import ModelFetchError, ModelUsageError
from models.graphs import read_network
from models.networks import check_device
from models.recognition import recognise
from models.refs import Device, ModelRef
from models.resizing import check_size

__all__ = ["ModelRef", "find_card", "find_model", "reference_to_file"]


def find_model(
    name_or_path: str,
    *,
    task: Task | None = "detection",
    size: int | None = None,
    device: str = "cpu",
    offline: bool = False,
    progress: Progress | None = None,
) -> ModelRef:
    """Finds a network, downloading it once where that is needed.

    Args:
        name_or_path: the name of a card, or the path of a card (`.toml`) or of a network (`.onnx`).
        task: what the network is wanted for; None = whatever it is for.
        size: long side of the input in px; None = the card's.
        device: cpu or cuda.
        offline: never download.
        progress: called during a download.

    Raises:
        ModelUsageError: there is no such network, it is not known how to read it, it is for another task, or it does
            not go with the size or the device.
        ModelFetchError: its file cannot be had, or is not the one the card names.
    """
    check_device(device)
    if name_or_path.lower().endswith(".onnx"):
        path = Path(name_or_path).resolve()
        data = read_network(path)
        digest = hashlib.sha256(data).hexdigest()
        card = _card_of_digest(digest) or recognise(path, data)
        _check_task(card, task)
        return ModelRef(card, str(path), digest, check_size(card, size), cast("Device", device))
    card = find_card(name_or_path)
    _check_task(card, task)
    long_side = check_size(card, size)
    if card.bundled is None:
        path = fetch(card, offline=offline, progress=progress)
    elif _is_path(name_or_path):
        path = Path(name_or_path).absolute().parent / card.bundled
    else:
        path = bundled_file(card)
    if not path.is_file():
        raise ModelUsageError(f"{path}: not there, though the card {card.name} says so")
    digest = file_digest(path)
    if digest not in card.digests:
        raise ModelFetchError(f"{path}: sha256 {digest}, but its card {card.name} names {card.sha256}")
    return ModelRef(card, str(path.absolute()), digest, long_side, cast("Device", device))


def reference_to_file(
    name_or_path: str, file: str, *, size: int | None = None, device: str = "cpu"
) -> ModelRef:
    """A file taken for the network of a card, whatever its digest is.

    Args:
        name_or_path: name or path of the card.
        file: path of the network.
        size: long side of the input in px; None = the card's.
        device: cpu or cuda.

    Raises:
        ModelUsageError: there is no such card or file, or they do not go with the size or the device.
    """
    check_device(device)
    card = find_card(name_or_path)
    path = Path(file).resolve()
    digest = hashlib.sha256(read_network(path)).hexdigest()
    return ModelRef(card, str(path), digest, check_size(card, size), cast("Device", device))


def find_card(name_or_path: str) -> ModelCard:
    """The card of this name, or at this path.

    Raises:
        ModelUsageError: there is none; the message lists the names.
    """
    if _is_path(name_or_path):
        return load_card(Path(name_or_path))
    card = known_cards().get(name_or_path)
    if card is None:
        raise ModelUsageError(
            f"no model is called {name_or_path!r}; there are {', '.join(known_cards())}, "
            "or give the path of a card (.toml) or of a network (.onnx)"
        )
    return card


def _check_task(card: ModelCard, task: Task | None) -> None:
    if task in {None, card.task}:
        return
    if card.task == "privacy":
        raise ModelUsageError(
            f"{card.name} finds faces or plates to be blurred, no road users: it goes with --blur-model"
        )
    suited = ", ".join(name for name, known in known_cards().items() if known.task == task)
    raise ModelUsageError(f"{card.name} finds neither faces nor plates; there are {suited}")


def _is_path(name_or_path: str) -> bool:
    return name_or_path.lower().endswith(".toml")


def _card_of_digest(digest: str) -> ModelCard | None:
    return next((card for card in known_cards().values() if digest in card.digests), None)
