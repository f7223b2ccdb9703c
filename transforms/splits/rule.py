"""Which split a drive belongs to: a function of what is known of the drives and of what was said before.

Drives that share a car, a place or a day show the same things; parted between train and test they make a network look
better than it is. So what is tied goes together, and what was said once is not taken back:

1. A drive that has a split keeps it, and so do its clips when they turn up in another drive (an earlier minute that
   comes late gives a drive another id). A drive that has grown together from drives of different splits is held out.
2. New drives that are tied to each other, directly or over others, are a group.
3. A group that is tied to drives of one split joins it; one that is tied to several is held out: whichever split it
   went to, another one would hold what it shows.
4. Any other group is drawn, by a hash of the version and of what ties it: anywhere, in any order, the same.

Held out drives tie nothing: no split has them.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from transforms.splits.versions import SplitVersion

SPLITS: Final = ("train", "val", "test")
HELD_OUT: Final = "none"

RULES: Final = ("drawn", "joined", "kept", "bridges", "merged")
"""Why a drive is where it is: 4, 3, 1, 3 and 1 of the above; the last two are held out."""

RULE_VERSION: Final = 1
"""Changes with whatever changes a draw."""

_SEEN_AS: Final[Mapping[str, tuple[str, ...]]] = {"vehicle": ("vehicle", "car")}
"""Facts by which a tie is seen, where they are not called like it."""

_ALWAYS: Final = ("recording",)
"""Two recordings of one car's minute are never parted."""

_OF_THIS_PLACE: Final = frozenset({"car", "folder", "recording"})
"""Facts that are paths: they tie, but a draw that rested on them would be another one where clips lie elsewhere."""

Ties = Sequence[tuple[str, ...]]
Key = tuple[tuple[str, ...], tuple[str, ...]]
"""Names of facts, and a value of each: what drives with the same key share."""


@dataclass(frozen=True, slots=True)
class Drive:
    """What is known of a drive.

    Attributes:
        drive_id: the drive.
        clips: ids of its clips.
        facts: values by the name of the fact (vehicle, car, place, day, folder, recording); a fact that is not known has none.
    """

    drive_id: str
    clips: frozenset[str]
    facts: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Placed:
    """A drive's place.

    Attributes:
        drive_id: the drive.
        split: train, val, test, or none.
        rule: why, one of `RULES`.
        clips: ids of its clips.
    """

    drive_id: str
    split: str
    rule: str
    clips: frozenset[str]


def place(drives: Iterable[Drive], earlier: Iterable[Placed], version: SplitVersion) -> list[Placed]:
    """Gives every drive its split.

    Args:
        drives: all drives that there are, in any order.
        earlier: what was said before, by the same version.
        version: ties, shares and salt.

    Returns:
        One entry a drive, by drive id.
    """
    placed, new = _settled(drives, earlier)
    taken: dict[Key, set[str]] = defaultdict(set)
    for drive, known in placed:
        if known.split != HELD_OUT:
            for key in keys(drive, version.ties):
                taken[key].add(known.split)
    found = [known for _, known in placed]
    for group in groups(new, version.ties):
        touched = {
            split for drive in group for key in keys(drive, version.ties) for split in taken.get(key, ())
        }
        if len(touched) > 1:
            split, rule = HELD_OUT, "bridges"
        elif touched:
            split, rule = touched.pop(), "joined"
        else:
            split, rule = _drawn(group, version), "drawn"
        found += [Placed(drive.drive_id, split, rule, drive.clips) for drive in group]
    return sorted(found, key=lambda item: item.drive_id)


def _settled(
    drives: Iterable[Drive], earlier: Iterable[Placed]
) -> tuple[list[tuple[Drive, Placed]], list[Drive]]:
    """Drives of which something was said before, with what holds now, and the others."""
    by_id = {known.drive_id: known for known in earlier}
    splits_of: dict[str, set[str]] = defaultdict(set)
    for known in by_id.values():
        for clip in known.clips:
            splits_of[clip].add(known.split)
    settled, new = [], []
    for drive in drives:
        before = by_id.get(drive.drive_id)
        said = {split for clip in drive.clips for split in splits_of.get(clip, ())}
        if before is not None:
            said.add(before.split)
        if not said:
            new.append(drive)
            continue
        if len(said) > 1:
            split, rule = HELD_OUT, "merged"
        else:
            split, rule = said.pop(), "kept" if before is None else before.rule
        settled.append((drive, Placed(drive.drive_id, split, rule, drive.clips)))
    return settled, new


def keys(drive: Drive, ties: Ties) -> Iterator[Key]:
    """All that ties a drive to others: every combination of what is known.

    Args:
        drive: the drive.
        ties: what ties.
    """
    for names in _names(ties):
        for values in product(*(sorted(drive.facts.get(name, ())) for name in names)):
            yield names, values


def _names(ties: Ties) -> Iterator[tuple[str, ...]]:
    for tie in ties:
        yield from product(*(_SEEN_AS.get(name, (name,)) for name in tie))
    yield _ALWAYS


def is_known(drive: Drive, ties: Ties) -> bool:
    """Whether anything is known of a drive that ties it.

    Args:
        drive: the drive.
        ties: what ties.
    """
    return any(names != _ALWAYS for names, _ in keys(drive, ties))


def groups(drives: Iterable[Drive], ties: Ties) -> list[list[Drive]]:
    """Drives that are tied, directly or over others.

    Args:
        drives: in any order.
        ties: what ties.

    Returns:
        The groups, each by drive id, and they by their first.
    """
    ordered = sorted(drives, key=lambda drive: drive.drive_id)
    leader = list(range(len(ordered)))

    def lead(at: int) -> int:
        while leader[at] != at:
            leader[at] = at = leader[leader[at]]
        return at

    first: dict[Key, int] = {}
    for at, drive in enumerate(ordered):
        for key in keys(drive, ties):
            one, two = lead(first.setdefault(key, at)), lead(at)
            leader[max(one, two)] = min(one, two)
    found: dict[int, list[Drive]] = defaultdict(list)
    for at, drive in enumerate(ordered):
        found[lead(at)].append(drive)
    return list(found.values())


def _drawn(group: Sequence[Drive], version: SplitVersion) -> str:
    """The split of a new group: where the hash of what ties it lies in 0 to 100."""
    names, values = _anchor(group, version.ties)
    text = "\x1f".join((str(RULE_VERSION), version.name, *names, *values))
    # six bytes: a number that stays below 100 as a float
    drawn = 100 * int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48
    train, _, test = version.shares
    if drawn < test:
        return "test"
    return "val" if drawn < 100 - train else "train"


def _anchor(group: Sequence[Drive], ties: Ties) -> Key:
    """What stands for a group: the least of what ties it, so that a car alone falls to the same split wherever it turns up."""
    order = {names: rank for rank, names in enumerate(_names(ties)) if not _OF_THIS_PLACE.intersection(names)}
    portable = (
        (order[names], values) for drive in group for names, values in keys(drive, ties) if names in order
    )
    least = min(portable, default=None)
    if least is None:
        return ("drive",), (min(drive.drive_id for drive in group),)
    names = next(names for names, rank in order.items() if rank == least[0])
    return names, least[1]


def torn(drives: Iterable[Drive], placed: Iterable[Placed], ties: Ties) -> Counter[str]:
    """What stands in several splits, though it ties: only drives that have grown since they were placed do that.

    Args:
        drives: all drives.
        placed: where they are.
        ties: what ties.

    Returns:
        Number of such values by tie.
    """
    split_of = {item.drive_id: item.split for item in placed}
    seen: dict[Key, set[str]] = defaultdict(set)
    for drive in drives:
        if split_of[drive.drive_id] != HELD_OUT:
            for key in keys(drive, ties):
                seen[key].add(split_of[drive.drive_id])
    return Counter("+".join(names) for (names, _), splits in seen.items() if len(splits) > 1)
