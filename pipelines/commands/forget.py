"""`clipmill forget`: everything that a data set knows of a clip, a car or a drive, removed."""

import argparse

from pipelines.folders import local_folder
from pipelines.outcome import Outcome, UsageError

HELP = "remove all that a data set knows of a clip, a car or a drive; the clips themselves are never touched"
EXAMPLES = """
clipmill forget out --clip 2025-06-14_09-01-00-front.mp4 --dry-run
clipmill forget out --clip /media/stick/a.mp4 --clip /media/stick/b.mp4
clipmill forget out --vehicle car7
clipmill forget out --drive 0a1b2c3d-0000-5000-8000-000000000000 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "--clip",
        action="append",
        default=[],
        metavar="CLIP",
        help="a clip's id, path, URL or file name, copies of its bytes included; repeatable",
    )
    parser.add_argument(
        "--vehicle",
        action="append",
        default=[],
        metavar="NAME",
        help="every clip with this folder in its path (a/b for two in a row); repeatable",
    )
    parser.add_argument(
        "--drive", action="append", default=[], metavar="ID", help="every clip of a drive; repeatable"
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would go")


def run(arguments: argparse.Namespace) -> Outcome:
    """Forgets."""
    if not (arguments.clip or arguments.vehicle or arguments.drive):
        raise UsageError("forget: name what is to go: --clip, --vehicle or --drive")
    if not all(name.strip("/") for name in (*arguments.clip, *arguments.vehicle, *arguments.drive)):
        raise UsageError("forget: an empty name would be everything")
    from pipelines.removal import remove_selected
    from transforms.removal.selecting import AmbiguousError, NotFoundError, Selection, select

    def choose() -> Selection:
        try:
            return select(
                arguments.dataset,
                clips=arguments.clip,
                vehicles=arguments.vehicle,
                drives=arguments.drive,
            )
        except (NotFoundError, AmbiguousError) as error:
            raise UsageError(str(error)) from error

    return remove_selected(arguments.dataset, choose, dry_run=arguments.dry_run, word="forgotten")
