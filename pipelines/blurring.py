"""The options of every command whose pictures leave: what is blurred in them."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.outcome import UsageError

if TYPE_CHECKING:
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
    if arguments.blur_model and not asked:
        raise UsageError("--blur-model looks for what is blurred, and --blur none blurs nothing")
    networks = []
    for model in arguments.blur_model:
        ref = find_model(model, task="privacy")
        if not set(ref.card.categories).intersection(asked):
            found = ", ".join(f"{kind}s" for kind in ref.card.categories)
            raise UsageError(f"--blur-model {model}: finds {found}, and --blur {arguments.blur} leaves them")
        place = model if model in known_cards() else str(Path(model).absolute())
        networks.append(BlurNetwork(place, ref.sha256))
    blur = Blur(asked, tuple(dict.fromkeys(networks)))
    by_environment = os.environ.get(REQUIRED, "0") not in {"", "0"}
    if (required or by_environment) and not blur.is_whole:
        said = "--require-blur" if required else f"{REQUIRED}={os.environ[REQUIRED]}"
        raise UsageError(f"--blur {arguments.blur}: {said} lets no picture leave without --blur faces,plates")
    return blur
