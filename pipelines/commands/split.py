"""`clipmill split`: which drives are for training, which for validation, which for the test."""

import argparse
from typing import TYPE_CHECKING

from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from transforms.splits.splitting import Split

HELP = "part the drives of a data set into train, val and test, what belongs together on one side; old drives never move"
EXAMPLES = """
clipmill split out --dry-run
clipmill split out --by vehicle,place+day --shares 70,15,15
clipmill split out --by vehicle --version v1 --json
clipmill split out-2 --version v1 --from out-1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "--by",
        metavar="TIES",
        help="what ties drives: vehicle, place, day, folder, joined by commas, or by + where they must agree "
        "in several (default: vehicle,place,day)",
    )
    parser.add_argument(
        "--shares",
        metavar="TRAIN,VAL,TEST",
        help="percent of the groups that fall to each (default: 80,10,10)",
    )
    parser.add_argument(
        "--version",
        dest="name",
        metavar="NAME",
        help="the version's name, which salts the draw; a known one goes on with its ties and shares "
        "(default: ties and shares, as in vehicle-place-day-80-10-10)",
    )
    parser.add_argument(
        "--from",
        dest="base",
        type=local_folder,
        metavar="DIR2",
        help="another data set whose drives keep the split that they have there in this version",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would come out")


def run(arguments: argparse.Namespace) -> Outcome:
    """Splits the data set."""
    import duckdb

    from pipelines.changing import changing
    from transforms.splits.splitting import Wanted, split
    from transforms.splits.versions import SplitUsageError
    from transforms.tables.layout import DATASET, REMOVAL
    from transforms.tables.queries import NotADatasetError

    root, base = arguments.dataset, arguments.base
    if base is not None and not (base / DATASET).is_file():
        raise UsageError(f"{base}: no data set here ({DATASET} is missing)")
    wanted = Wanted(name=arguments.name, by=arguments.by, shares=arguments.shares, base=base)
    sealed = "split the data set that it was made of, then run `clipmill compact` again"
    try:
        with changing(root, sealed, dry_run=arguments.dry_run):
            if (root / REMOVAL).exists():
                raise UsageError(
                    f"{root}: clips were being removed, and that was cut short; run forget or prune again first"
                )
            done = split(root, wanted, dry_run=arguments.dry_run)
    except (SplitUsageError, NotADatasetError) as error:
        raise UsageError(str(error)) from error
    except duckdb.Error as error:
        raise JobError(
            f"{root}: cannot be read ({str(error).splitlines()[0]}); see clipmill verify"
        ) from error
    notes = done.notes()
    data = {
        "dataset": str(root),
        "dry_run": arguments.dry_run,
        "version": done.version.name,
        "tied_by": done.version.tied_by,
        "shares": list(done.version.shares),
        "drives": len(done.placed),
        "new": done.new,
        "splits": done.figures,
        "ties": done.ties,
        "torn": dict(done.torn),
        "versions": done.versions,
        "notes": notes,
    }
    return Outcome(data, _human(str(root), done, notes, dry_run=arguments.dry_run))


def _human(root: str, done: "Split", notes: list[str], *, dry_run: bool) -> "tuple[RenderableType, ...]":
    from rich.table import Table

    total = sum(figures["camera_hours"] for figures in done.figures.values()) or 1.0
    splits = Table("split", "drives", "camera-hours", "share", "frames", "boxes")
    for name, figures in done.figures.items():
        if figures["drives"] or name != "none":
            boxes = ", ".join(f"{count} {category}" for category, count in figures["boxes"].items())
            hours = figures["camera_hours"]
            splits.add_row(
                name,
                str(figures["drives"]),
                f"{hours:.4g}",
                f"{hours / total:.0%}",
                str(figures["frames"]),
                boxes,
            )
    ties = Table("--by", "groups", "largest", "unknown", title="what ties", title_justify="left")
    for name, facts in done.ties.items():
        ties.add_row(
            name, str(facts["groups"]), f"{facts['largest_share']:.0%}", f"{facts['unknown']} drives"
        )
    head = (
        f"{root}: version {done.version.name} {'would hold' if dry_run else 'holds'} "
        f"{len(done.placed)} drives, {done.new} of them new"
    )
    return (head, splits, ties, *(f"note: {note}" for note in notes))
