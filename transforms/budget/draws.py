"""Correlated draws: one named uncertainty is the same number wherever it is used."""

import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from scipy.special import ndtri

from transforms.budget.arrays import FloatArray
from transforms.budget.facts.values import Assumption, Fact, InputKind

DEFAULT_DRAWS: Final = 4000

_Z90: Final = 1.2815515655446004
"""90 % quantile of the standard normal distribution."""


class NormalDraws(Protocol):
    """Standard normal draws by name: random ones, or a plan."""

    @property
    def count(self) -> int:
        """Draws of a name."""

    def normal(self, name: str) -> FloatArray:
        """The draws of a name, float64[count]."""


class Draws:
    """Standard normal draws by name.

    The stream of a name depends on seed and name alone: not on what else is drawn, so that an estimate
    stays the same whichever workloads and clusters are asked for beside it, and ratios between targets
    are free of noise that both share. Draws are stratified (one in each of `count` slices of equal
    probability), which puts the quantiles of a single input where its fact has them.
    """

    def __init__(self, seed: int = 0, count: int = DEFAULT_DRAWS) -> None:
        self.seed = seed
        self.count = count
        self._streams: dict[str, FloatArray] = {}

    def normal(self, name: str) -> FloatArray:
        """The draws of a name, float64[count]."""
        if name not in self._streams:
            key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
            generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, key])))
            slices = generator.permutation(self.count) + generator.random(self.count)
            # the first slice may hold 0 itself, whose normal quantile is minus infinity
            self._streams[name] = np.asarray(ndtri(np.maximum(slices / self.count, 1e-12)), dtype=np.float64)
        return self._streams[name]


class OneAtATime:
    """A plan instead of draws: all at their medians, then each name in turn at its 10 % and 90 % quantiles.

    Attributes:
        names: in their order; the first draw is the medians, then two for each.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    @property
    def count(self) -> int:
        """One draw of medians, and two for each name."""
        return 1 + 2 * len(self.names)

    def normal(self, name: str) -> FloatArray:
        """Zero but for the name's own two draws, float64[count]."""
        values = np.zeros(self.count)
        if name in self.names:
            first = 1 + 2 * self.names.index(name)
            values[first : first + 2] = -_Z90, _Z90
        return values


def spread(fact: Fact, normal: FloatArray) -> FloatArray:
    """Puts a fact's distribution over standard normal draws.

    Two half log-normal distributions that meet in the median: 10 %, 50 % and 90 % quantiles are the
    fact's, values are positive, and a higher draw never gives a lower value.

    Args:
        fact: the fact.
        normal: standard normal draws, float64[N].

    Returns:
        Values in the fact's unit, float64[N]; shares do not pass 1.
    """
    below = np.log(fact.p50 / fact.p10) / _Z90
    above = np.log(fact.p90 / fact.p50) / _Z90
    values: FloatArray = fact.p50 * np.exp(np.where(normal < 0, below, above) * normal)
    if fact.unit == "share":
        return np.minimum(values, 1.0, out=values)
    # ratios (PUE, multiples of a pass) do not fall under 1
    return np.maximum(values, 1.0, out=values) if fact.unit == "1" else values


class Inputs:
    """The inputs of one estimate: drawing a value notes it, so nothing is used without provenance."""

    def __init__(self, draws: NormalDraws) -> None:
        self._draws = draws
        self._noted: dict[str, Assumption] = {}
        self._streams: dict[str, str] = {}

    def draw(self, name: str, fact: Fact, shared: str | None = None) -> FloatArray:
        """Draws a fact, and notes it.

        Args:
            name: what the fact is in this estimate.
            fact: the fact.
            shared: name of the uncertainty, where estimates of other targets share it; default `name`.

        Returns:
            Values in the fact's unit, float64[draws].
        """
        self.note(name, fact)
        if fact.is_exact:
            return np.full(self._draws.count, fact.p50)
        stream = shared or name
        self._streams.setdefault(stream, name)
        return spread(fact, self._draws.normal(stream))

    def note(self, name: str, fact: Fact) -> float:
        """Notes a fact of which only the median counts, and gives that."""
        self._noted[name] = Assumption(name, fact.p10, fact.p50, fact.p90, fact.unit, fact.kind, fact.source)
        return fact.p50

    def note_known(self, name: str, fact: Fact | None) -> float | None:
        """The same for a fact that may not be known; then nothing is noted."""
        return None if fact is None else self.note(name, fact)

    def given(self, name: str, value: float, unit: str, kind: InputKind, source: str) -> float:
        """Notes a value that is no fact of ours: the data set's or the caller's."""
        value = float(value)
        self._noted[name] = Assumption(name, value, value, value, unit, kind, source)
        return value

    @property
    def count(self) -> int:
        """Draws of every value."""
        return self._draws.count

    @property
    def streams(self) -> dict[str, Assumption]:
        """What was uncertain, by the name of its draws; where two inputs share them, the first."""
        return {stream: self._noted[name] for stream, name in self._streams.items()}

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """All that was noted, in the order of use."""
        return tuple(self._noted.values())
