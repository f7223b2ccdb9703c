"""In which order a part of the units is gone through, and how samples are mixed; the same on every machine."""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """Which of the equal parts of an epoch is gone through.

    Attributes:
        rank: the process that trains, from 0.
        world_size: how many of them there are.
        worker: the worker of that process that reads, from 0.
        workers: how many of them each process has.
    """

    rank: int = 0
    world_size: int = 1
    worker: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        if not (0 <= self.rank < self.world_size and 0 <= self.worker < self.workers):
            raise ValueError(
                f"rank {self.rank} of {self.world_size}, worker {self.worker} of {self.workers}: "
                "ranks and workers count from 0 and lie below their number"
            )

    @property
    def number(self) -> int:
        """Its place among all parts."""
        return self.rank * self.workers + self.worker

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return self.world_size * self.workers


def source_of_chance(*what: object) -> random.Random:
    """Numbers that are the same for the same words wherever they are drawn.

    Args:
        what: seed, epoch and what the numbers are for.
    """
    # a text as seed goes through SHA-512, and `random()` is the one method whose numbers Python keeps between versions
    return random.Random("/".join(map(str, what)))  # noqa: S311 - an order, no secret


def units_of_part(counts: Sequence[int], seed: int | None, epoch: int, part: Part) -> list[int]:
    """The units that a part goes through, in order: every unit falls to one part, and parts are of about one size.

    A unit goes to the part that has least so far, so that no part is larger than another by more than the largest unit.

    Args:
        counts: samples of each unit.
        seed: shuffles the units; None: as they stand.
        epoch: shuffles them anew.
        part: which part.

    >>> units_of_part([5, 1, 1, 4], None, 0, Part(rank=1, world_size=2))
    [1, 2, 3]
    """
    order = list(range(len(counts)))
    if seed is not None:
        chance = source_of_chance(seed, epoch, "units")
        for last in range(len(order) - 1, 0, -1):
            other = int(chance.random() * (last + 1))
            order[last], order[other] = order[other], order[last]
    sizes = [(0, number) for number in range(part.parts)]
    own = []
    for unit in order:
        size, number = sizes[0]
        heapq.heapreplace(sizes, (size + counts[unit], number))
        if number == part.number:
            own.append(unit)
    return own


class ShuffleBuffer(Generic[Item]):
    """Holds some samples and gives away one by chance for each that comes.

    What is drawn depends on how many came and went, never on what they are: an order can be gone through again with
    places instead of pictures.

    Attributes:
        items: what it holds.
    """

    def __init__(self, size: int, chance: random.Random) -> None:
        self._size = size
        self._chance = chance
        self.items: list[Item] = []

    def exchange(self, item: Item) -> list[Item]:
        """Takes an item in; gives another one away, or none while it fills up."""
        self.items.append(item)
        return [self.take()] if len(self.items) > self._size else []

    def take(self) -> Item:
        """Gives one away."""
        place = int(self._chance.random() * len(self.items))
        self.items[place], self.items[-1] = self.items[-1], self.items[place]
        return self.items.pop()
