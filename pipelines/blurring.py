"""The options of every command whose pictures leave: what is blurred in them."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.outcome import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transforms.labels.privacy.regions import Kind
    from transforms.labels.privacy.settings import Blur

REQUIRED: Final = "CLIPMILL_REQUIRE_BLUR"
"""Where this variable is 1, no command lets a picture leave in which a face or a plate is left as it is."""

_NAMES: Final = {"faces": "face", "plates": "plate"}

HINT: Final = (
    "faces and plates are blurred by rule: heads of people, lower parts of vehicles; --blur-model yunet looks for faces "
    "in vehicles too"
)


def add_blur_arguments(parser: argparse.ArgumentParser, *, is_default: bool = True) -> None:
    """Declares the options.

    Args:
        parser: of the command.
        is_default: whether pictures are blurred unless told.
    """
    parser.add_argument(
        "--blur",
        type=_kinds,
        default="faces,plates" if is_default else "none",
        metavar="WHAT",
        help="what is blurred in pictures: faces,plates (default), one of them, or none"
        if is_default
        else "what is blurred: faces,plates, one of them, or none (default: the clips are played as they are); labelled "
        "frames alone are shown then, and no clip is handed out",
    )
    parser.add_argument(
        "--blur-model",
        action="append",
        default=[],
        metavar="NAME",
        help="network that looks for faces or plates beside the rules: yunet, lpd-yunet, or a card; repeatable",
    )
    parser.add_argument(
        "--no-blur-rules",
        action="store_true",
        help="blur only what a --blur-model finds, not every head of a person and lower part of a vehicle; for images to train on",
    )


def blur_asked(arguments: argparse.Namespace, *, required: bool = False) -> "Blur":
    """What is to be blurred; networks are found, and downloaded once where that is needed.

    Args:
        arguments: with the options of `add_blur_arguments`.
        required: refuse whatever leaves a face or a plate as it is; `CLIPMILL_REQUIRE_BLUR=1` says the same.

    Raises:
        UsageError: an option is not understood, or leaves what must not leave.
        ModelError: a network is not known, or cannot be had.
    """
    from models.card import known_cards
    from models.registry import find_model
    from transforms.labels.privacy.regions import KINDS, Kind
    from transforms.labels.privacy.settings import Blur, BlurNetwork

    names = [] if arguments.blur == "none" else arguments.blur.split(",")
    wanted = {_NAMES[name] for name in names}
    asked: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind in wanted)
    for option, is_given in (
        ("--blur-model", arguments.blur_model),
        ("--no-blur-rules", arguments.no_blur_rules),
    ):
        if is_given and not asked:
            raise UsageError(f"{option} says how to look for what is blurred, and --blur none blurs nothing")
    networks = []
    looked_for: set[str] = set()
    for model in arguments.blur_model:
        # what a card says needs no download
        if (card := known_cards().get(model)) and card.task == "privacy":
            _refuse_other_kinds(model, card.categories, asked, arguments.blur)
        ref = find_model(model, task="privacy")
        looked_for.update(ref.card.categories)
        _refuse_other_kinds(model, ref.card.categories, asked, arguments.blur)
        place = model if model in known_cards() else str(Path(model).absolute())
        networks.append(BlurNetwork(place, ref.sha256))
    blur = Blur(asked, tuple(dict.fromkeys(networks)), rules=not arguments.no_blur_rules)
    if arguments.no_blur_rules:
        _refuse_unlooked([kind for kind in asked if kind not in looked_for], arguments.blur)
    if (required or is_required()) and not blur.is_whole:
        said = "--require-blur" if required else f"{REQUIRED}={os.environ[REQUIRED]}"
        raise UsageError(f"--blur {arguments.blur}: {said} lets no picture leave without --blur faces,plates")
    return blur


def is_required() -> bool:
    """Whether the environment lets no picture leave in which a face or a plate is left as it is."""
    return os.environ.get(REQUIRED, "0") not in {"", "0"}


def _kinds(text: str) -> str:
    """A value of `--blur`, as it was written."""
    for name in [] if text == "none" else text.split(","):
        if name not in _NAMES:
            raise argparse.ArgumentTypeError(f"{name!r} is not among {', '.join(_NAMES)} and none")
    return text


def _refuse_other_kinds(model: str, found: "Sequence[str]", asked: "Sequence[Kind]", blur: str) -> None:
    """Refuses a network that finds nothing of what is asked for."""
    if not set(found).intersection(asked):
        kinds = ", ".join(f"{kind}s" for kind in found)
        raise UsageError(f"--blur-model {model}: finds {kinds}, and --blur {blur} leaves them")


def _refuse_unlooked(kinds: "Sequence[Kind]", asked: str) -> None:
    """Refuses to go without rules where nothing else would look.

    Args:
        kinds: what no network looks for.
        asked: value of `--blur`.
    """
    from models.card import known_cards

    if kinds:
        suited = [
            card.name
            for card in known_cards().values()
            if card.task == "privacy" and kinds[0] in card.categories
        ]
        raise UsageError(
            f"--no-blur-rules: --blur {asked} asks for {kinds[0]}s, and no --blur-model looks for them: "
            f"name one ({', '.join(suited)}), or leave --no-blur-rules out"
        )
