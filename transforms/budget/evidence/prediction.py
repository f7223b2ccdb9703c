"""What published runs say of a family of networks that is not among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log, sqrt
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from transforms.budget.arrays import FloatArray
from transforms.budget.evidence.work import Measured, whole_over_step
from transforms.budget.facts.library import Facts

_NODES: Final = 16
"""Values of each spread at which the posterior is summed; ten times as many move no quantile by 0.1 %."""

_QUANTILES: Final = (0.1, 0.5, 0.9)
_HALVINGS: Final = 18
_REACH: Final = 9.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """Utilisation of a training of an unseen family.

    Attributes:
        p10: 10 % quantile.
        p50: median.
        p90: 90 % quantile.
        whole_over_step: utilisation of a whole training over that of its steps.
    """

    p10: float
    p50: float
    p90: float
    whole_over_step: float

    @property
    def factor(self) -> float:
        """Half-width of the 80 % interval, as a factor either way."""
        return sqrt(self.p90 / self.p10)


def predict(runs: Sequence[Measured], facts: Facts) -> Prediction:
    """Predicts the utilisation of a training whose family is not among the runs.

    Steps count as trainings that lost the part of their hours which trainings lose.

    Args:
        runs: published runs of one kind, at least one.
        facts: the accelerators' peaks, and the spread that is supposed beforehand.
    """
    share = whole_over_step(runs, facts)
    families: dict[str, list[float]] = {}
    for item in runs:
        whole = item.utilisation * share if item.is_step else item.utilisation
        families.setdefault(item.run.family, []).append(log(whole))
    logs = [np.array(values) for values in families.values()]
    p10, p50, p90 = np.minimum(np.exp(unseen_family(logs, log(facts.family_spread.p50))), 1.0)
    return Prediction(float(p10), float(p50), float(p90), share)


def unseen_family(families: Sequence[FloatArray], scale: float) -> FloatArray:
    """Predictive quantiles of one more run, of a family that is not among those seen.

    The random-effects model of meta-analysis: a run's value is normal about its family's mean with a
    spread s, a family's mean is normal about the kind's with a spread t. The kind's mean has a flat
    prior, s and t have half-normal priors: with two to ten families their estimates are so uncertain
    that plugging them in would promise too much (Gelman 2006, Bayesian Analysis 1(3); Röver 2020,
    arXiv:1711.08683). What is returned is averaged over all s, t and means that the runs allow. The
    weight of a family saturates with the number of its runs.

    Args:
        families: values (here logarithms of utilisation) by family, float64[runs] each.
        scale: of both half-normal priors.

    Returns:
        10 %, 50 % and 90 % quantiles, float64[3].
    """
    spreads = _half_normal_nodes(scale) ** 2
    between, within = spreads[:, None], spreads[None, :]
    sizes = np.array([len(values) for values in families], dtype=np.float64)
    means = np.array([values.mean() for values in families])
    scatter = sum(float(((values - values.mean()) ** 2).sum()) for values in families)
    # of a family's mean about the kind's: float64[t, s, families]
    variance = between[..., None] + within[..., None] / sizes
    precision = 1 / variance
    total = precision.sum(axis=-1)
    centre = (precision * means).sum(axis=-1) / total
    misfit = (precision * (means - centre[..., None]) ** 2).sum(axis=-1) + scatter / within
    spare = sizes.sum() - len(sizes)
    log_likelihood = -0.5 * (np.log(variance).sum(axis=-1) + np.log(total) + spare * np.log(within) + misfit)
    # the nodes are equally likely beforehand: the likelihood alone weighs them
    weight = np.exp(log_likelihood - log_likelihood.max())
    deviation = np.sqrt(between + within + 1 / total)
    return _mixture_quantiles(weight.ravel() / weight.sum(), centre.ravel(), deviation.ravel())


@lru_cache
def _half_normal_nodes(scale: float) -> FloatArray:
    """Values of equal probability under a half-normal distribution, float64[nodes]."""
    probabilities = 0.5 + (np.arange(_NODES) + 0.5) / (2 * _NODES)
    return np.asarray(scale * ndtri(probabilities), dtype=np.float64)


def _mixture_quantiles(weight: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Quantiles of a mixture of normal distributions, by halving, float64[3]."""
    kept = weight > weight.max() * 1e-5
    weight, mean, deviation = weight[kept], mean[kept], deviation[kept]
    wanted = np.array(_QUANTILES)
    low = np.full(wanted.shape, (mean - _REACH * deviation).min())
    high = np.full(wanted.shape, (mean + _REACH * deviation).max())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = (weight * ndtr((middle[:, None] - mean) / deviation)).sum(axis=1) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)
