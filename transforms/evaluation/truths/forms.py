"""The forms of truth, and which one lies before us."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final

from transforms.evaluation.truths import coco, corrections, kitti, motchallenge, parquet, sample
from transforms.evaluation.truths.files import Files, TruthError, lines
from transforms.evaluation.truths.rows import fields
from transforms.evaluation.truths.truth import Truth

FORMS: Final[Mapping[str, Callable[[Files, float | None], Truth]]] = {
    "parquet": parquet.read,
    "sample": sample.read,
    "corrections": corrections.read,
    "coco": coco.read,
    "mot": motchallenge.read,
    "kitti": kitti.read,
}
"""Every form by name: reads files, with the frame rate where one is told."""

SUFFIXES: Final = (".parquet", ".json", ".txt", ".ini")
"""Files that a truth is made of."""

_TYPE_FIELD: Final = 2
_SIDE_FILES: Final = ("labels.txt", "seqmap.txt")


def read_truth(files: Files, fps: float | None = None) -> Truth:
    """Reads a truth of any form.

    Args:
        files: its files.
        fps: frames a second, for forms that number their frames.

    Raises:
        TruthError: the form is not known, or a file cannot be read.
    """
    truth = FORMS[form_of(files)](files, fps)
    if not truth.boxes.num_rows and truth.frames is None:
        raise TruthError("the truth holds no box")
    return truth


def form_of(files: Files) -> str:
    """The form of a truth, by its files' names and, for text, by the first line.

    Args:
        files: its files.

    Raises:
        TruthError: it is none that is known.
    """
    if "evaluation.parquet" in files:
        return "sample"
    if corrections.is_corrections(files):
        return "corrections"
    suffixes = {PurePosixPath(path).suffix for path in files}
    present = [name for name, suffix in (("parquet", ".parquet"), ("coco", ".json")) if suffix in suffixes]
    texts = [
        path
        for path in sorted(files)
        if path.endswith(".txt") and PurePosixPath(path).name not in _SIDE_FILES
    ]
    if texts:
        present.append(_text_form(files, texts))
    if len(present) > 1:
        raise TruthError(f"the truth holds files of several forms ({', '.join(present)}): name one file")
    if not present:
        raise TruthError(
            "no truth is there: Parquet, COCO JSON, MOT text or KITTI text (.parquet, .json, .txt) is expected"
        )
    return present[0]


def _text_form(files: Files, texts: list[str]) -> str:
    """KITTI names a type in the third field, where MOT has a number."""
    for path in texts:
        if not files[path].bytes:
            continue
        for _, line in lines(files[path]):
            parts = fields(line)
            kind = parts[_TYPE_FIELD] if len(parts) > _TYPE_FIELD else ""
            return "kitti" if kind[:1].isalpha() else "mot"
    raise TruthError(f"{files[texts[0]].name}: empty")
