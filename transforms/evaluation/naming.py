"""The same names on both sides: which clip and which category of the labels the truth means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from models.taxonomy import CATEGORIES
from transforms.evaluation.labels import Clip
from transforms.labels.tabular import ALIASES


@dataclass(frozen=True, slots=True)
class ClipNames:
    """Clips of the truth among those of the labels.

    Attributes:
        label_of: clip of the truth → clip of the labels; no two to the same.
        unmatched: clips of the truth that the labels do not have.
        ambiguous: clips of the truth whose name several clips of the labels have.
        repeated: clips of the truth that are the same clip as another one.
    """

    label_of: Mapping[str, str]
    unmatched: tuple[str, ...]
    ambiguous: tuple[str, ...]
    repeated: tuple[str, ...]


def match_clips(truth: Mapping[str, Sequence[str]], clips: Mapping[str, Clip]) -> ClipNames:
    """Finds the clips of the truth by clip_id, else by file name, else by the name without its suffix.

    Args:
        truth: clip → further names of its file.
        clips: clips of the labels.
    """
    by_name: dict[str, set[str]] = {}
    by_stem: dict[str, set[str]] = {}
    for clip_id, clip in clips.items():
        path = PurePosixPath(clip.uri or clip_id)
        by_name.setdefault(path.name, set()).add(clip_id)
        by_stem.setdefault(path.stem, set()).add(clip_id)
    label_of: dict[str, str] = {}
    unmatched, ambiguous, repeated = [], [], []
    for name in sorted(truth):
        candidates = {name} & clips.keys()
        for other in (name, *truth[name]):
            path = PurePosixPath(other)
            candidates = candidates or _ending_in(other, by_name.get(path.name, set()), clips)
            candidates = candidates or by_stem.get(path.stem, set()) | by_stem.get(path.name, set())
        found = {clips[candidate].kept_as for candidate in candidates}
        if not found:
            unmatched.append(name)
        elif len(found) > 1:
            ambiguous.append(name)
        elif found & set(label_of.values()):
            repeated.append(name)
        else:
            label_of[name] = found.pop()
    return ClipNames(label_of, tuple(unmatched), tuple(ambiguous), tuple(repeated))


def _ending_in(name: str, candidates: set[str], clips: Mapping[str, Clip]) -> set[str]:
    """The clips whose place ends as the name does; all of them where the name's folders are others."""
    parts = PurePosixPath(name).parts
    exact = {one for one in candidates if PurePosixPath(clips[one].uri or one).parts[-len(parts) :] == parts}
    return exact or candidates


def category_names(
    truth: Iterable[str], labels: Iterable[str], neutral: Iterable[str], *, in_taxonomy: bool
) -> dict[str, str]:
    """What each category of the truth is called among the labels.

    Names that the labels use, and neutral ones, stay as they are but for their spelling. Where the labels are in
    the taxonomy, its other names (pedestrian for person) and spellings ("Traffic Light") become its own.

    Args:
        truth: categories of the truth.
        labels: categories of the labels.
        neutral: categories of the truth that count neither way for another one.
        in_taxonomy: whether the labels' categories are the taxonomy's.

    >>> category_names(["pedestrian", "van", "Traffic Light"], ["car"], ["van"], in_taxonomy=True)
    {'pedestrian': 'person', 'van': 'van', 'Traffic Light': 'traffic_light'}
    """
    kept = {*labels, *neutral}
    names = {}
    for name in truth:
        spelt = name.lower().replace(" ", "_").replace("-", "_")
        own = ALIASES.get(spelt, spelt)
        if name not in kept and spelt in kept:
            names[name] = spelt
        elif name not in kept and in_taxonomy and own in CATEGORIES:
            names[name] = own
        else:
            names[name] = name
    return names
