"""Where an export may be: in a folder apart, which can be replaced."""

from pathlib import Path


def fault_of_place(dataset: Path, output: Path) -> str | None:
    """What speaks against replacing or removing what stands at a place; None for nothing.

    Args:
        dataset: folder of the data set.
        output: absolute path of the export.

    Raises:
        OSError: the place cannot be looked at.
    """
    if not output.name or not str(output).isprintable():
        return "no name of a folder that can be written down; choose another"
    here, there = dataset.resolve(), output.resolve()
    if here == there or here in there.parents or there in here.parents:
        return f"the export of {dataset} needs a folder apart from it"
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        return "not a folder; an export takes the place of what stands there"
    if output.is_mount():
        return "a disk is mounted there, which cannot be replaced; name a folder on it"
    return None
