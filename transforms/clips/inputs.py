"""Which places the inputs of a job reach."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

__all__ = ["lies_in"]


def lies_in(uri: str, inputs: Iterable[str]) -> bool:
    """Whether a file would be found by a job if it were there: an input is its place or a folder above it.

    Args:
        uri: the file's place.
        inputs: files, folders, globs or URLs, absolute.

    >>> [lies_in("/clips/2026-03-01/a.mp4", [text]) for text in ("/clips", "/clips/*-01", "/clips/*-02", "/cl")]
    [True, True, False, False]
    """
    place = uri.split("/")
    return any(_reaches(text.rstrip("/").split("/"), place) for text in inputs)


def _reaches(pattern: Sequence[str], place: Sequence[str]) -> bool:
    depths = {0}
    for part in pattern:
        if part == "**":
            depths = set(range(min(depths), len(place) + 1))
        else:
            # a name may have the signs of a pattern in it
            names = {depth: place[depth] for depth in depths if depth < len(place)}
            depths = {depth + 1 for depth, name in names.items() if name == part or fnmatchcase(name, part)}
        if not depths:
            return False
    return True
