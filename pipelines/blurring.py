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
    if unknown := [name for name in names if name not in _NAMES]:
        raise UsageError(f"--blur: {unknown[0]!r} is not among {', '.join(_NAMES)} and none")
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
        ref = find_model(model, task="privacy")
        looked_for.update(ref.card.categories)
        if not set(ref.card.categories).intersection(asked):
            found = ", ".join(f"{kind}s" for kind in ref.card.categories)
            raise UsageError(f"--blur-model {model}: finds {found}, and --blur {arguments.blur} leaves them")
        place = model if model in known_cards() else str(Path(model).absolute())
        networks.append(BlurNetwork(place, ref.sha256))
    blur = Blur(asked, tuple(dict.fromkeys(networks)), rules=not arguments.no_blur_rules)
    if arguments.no_blur_rules:
        _refuse_unlooked([kind for kind in asked if kind not in looked_for], arguments.blur)
    by_environment = os.environ.get(REQUIRED, "0") not in {"", "0"}
    if (required or by_environment) and not blur.is_whole:
        said = "--require-blur" if required else f"{REQUIRED}={os.environ[REQUIRED]}"
        raise UsageError(f"--blur {arguments.blur}: {said} lets no picture leave without --blur faces,plates")
    return blur


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
