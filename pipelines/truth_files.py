"""The files of a truth, as a user names them."""

from pathlib import Path
from typing import Final

from pipelines.outcome import UsageError
from transforms.evaluation.truths.files import Files, TruthFile
from transforms.evaluation.truths.forms import SUFFIXES
from transforms.exports.folder import AUDIT, RECORD

_MOST_FILES: Final = 100_000
_DEEPEST: Final = 3


def truth_files(path: Path) -> Files:
    """The files of a truth, by their path below its folder.

    Args:
        path: a file or a folder.

    Raises:
        UsageError: it is neither, or the folder holds too many files.
    """
    if path.is_file():
        return {path.name: truth_file(path)}
    if not path.is_dir():
        raise UsageError(f"{path}: no such file or folder")
    found: dict[str, TruthFile] = {}
    for pattern in ("/".join("*" * depth) for depth in range(1, _DEEPEST + 1)):
        for file in path.glob(pattern):
            # an export's own record and audit are no part of the truth that it may be read as
            is_hidden = file.name.startswith(".") or file.name in {RECORD, AUDIT}
            if file.suffix in SUFFIXES and not is_hidden and file.is_file():
                found[file.relative_to(path).as_posix()] = truth_file(file)
                if len(found) > _MOST_FILES:
                    raise UsageError(
                        f"{path}: more than {_MOST_FILES} files; name a folder with the truth alone"
                    )
    return found


def truth_file(path: Path) -> TruthFile:
    """A file that can be opened.

    Args:
        path: the file.
    """
    return TruthFile(str(path), path.stat().st_size, lambda: path.open("rb"))
