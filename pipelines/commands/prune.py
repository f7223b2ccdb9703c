"""`clipmill prune`: labels of clips that are no longer among the inputs, removed."""

import argparse
from pathlib import Path

from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome

HELP = "remove what belongs to clips that were no longer among the inputs of the last job"
EXAMPLES = """
clipmill prune out --dry-run
clipmill prune out --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument("--dry-run", action="store_true", help="only tell what would go")


def run(arguments: argparse.Namespace) -> Outcome:
    """Prunes."""
    from pipelines.removal import remove_selected
    from transforms.removal.left_over import clips_of_last_run, last_inputs, select_left_over
    from transforms.removal.selecting import Selection

    root: Path = arguments.dataset

    def choose() -> Selection:
        inputs = last_inputs(root)
        if inputs is None:
            raise JobError(
                f"{root}: no run has left its record (runs/*/run.json): label once more, then prune"
            )
        found = clips_of_last_run(root)
        if found is None:
            # the record was cut off, or is gone: what lies there now tells as well
            return select_left_over(root, inputs, (), _listed(inputs, root))
        return select_left_over(root, inputs, [clip for clip, _ in found], [uri for _, uri in found])

    return remove_selected(root, choose, dry_run=arguments.dry_run, word="pruned")


def _listed(inputs: list[str], root: Path) -> set[str]:
    from transforms.clips.refs import InputFile
    from transforms.discover import list_input

    every = {
        item: {file.uri for file in list_input(item, str(root)) if isinstance(file, InputFile)}
        for item in inputs
    }
    for item, found in every.items():
        if not found:
            # a disk that is not mounted must not look like clips that were deleted
            raise JobError(
                f"{item}: no clip there now; if a disk is missing, mount it, else label once more, then prune"
            )
    return set().union(*every.values())
