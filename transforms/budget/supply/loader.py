"""The data loader: how much video reading and decoding can feed to accelerators, and what limits it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from transforms.budget.arrays import FloatArray
from transforms.budget.demand.flops import SECONDS_PER_HOUR
from transforms.budget.demand.footage import BITS_PER_BYTE, Footage
from transforms.budget.draws import Inputs
from transforms.budget.facts.library import Facts

_SECONDS_PER_DAY: Final = 24 * SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Limit:
    """One thing that a loader needs.

    Attributes:
        rate: camera-hours a second that it allows, float64[draws].
        means: what allows so much, in words that end in a verb.
    """

    rate: FloatArray
    means: str


@dataclass(frozen=True, slots=True)
class Feed:
    """What a data loader can feed to some accelerators.

    Attributes:
        limits: decode, storage, and network where it is known.
    """

    limits: Mapping[str, Limit]

    @property
    def rate(self) -> FloatArray:
        """Camera-hours a second under all limits, float64[draws]."""
        rate: FloatArray = np.min([limit.rate for limit in self.limits.values()], axis=0)
        return rate

    @property
    def limit(self) -> str:
        """Name of the limit that is tightest at the medians."""
        return min(self.limits, key=lambda name: float(np.median(self.limits[name].rate)))

    def says(self, wanted: float) -> str:
        """The tightest limit in words.

        Args:
            wanted: camera-hours a second that the training takes if it never waits for data.
        """
        tightest = self.limits[self.limit]
        allowed = float(np.median(tightest.rate))
        return (
            f"{self.limit}: {tightest.means} {allowed:,.3g} h of video a second, "
            f"the training wants {wanted:,.3g}"
        )


def feed(facts: Facts, accelerator: str, count: float | FloatArray, footage: Footage, inputs: Inputs) -> Feed:
    """What the loader can feed to accelerators.

    Each accelerator has its part of the server's cores, of the file system and of its own network.

    Args:
        facts: the facts.
        accelerator: name of the accelerator.
        count: how many of them train.
        footage: what is read.
        inputs: where draws come from and are noted.
    """
    decoding, storage = facts.decoding, facts.storage
    cores = decoding.cores.get(accelerator, decoding.cores_of_others)
    drawn = inputs.draw("host_cores", cores, f"host_cores/{accelerator}")
    decoding_cores = drawn * inputs.draw("decoding_share", decoding.share)
    read_rate = inputs.draw("storage_rate", storage.read_rate)
    limits = {
        "decode": Limit(
            count * decoding_cores / footage.decode_core_s,
            f"{decoding.share.p50:.0%} of {float(np.median(count)):,.0f} x {cores.p50:.3g} cores decode",
        ),
        "storage": Limit(
            count * read_rate / footage.stored_bytes,
            f"{float(np.median(count)):,.0f} x {storage.read_rate.p50 / 1e9:.2g} GB/s read",
        ),
    }
    scale_out = facts.accelerators[accelerator].scale_out
    if scale_out is not None:
        link = inputs.draw("scale_out", scale_out, f"scale_out/{accelerator}")
        part = inputs.draw("network_share", storage.network_share)
        limits["network"] = Limit(
            count * link * part / BITS_PER_BYTE / footage.stored_bytes,
            f"{storage.network_share.p50:.0%} of {float(np.median(count)):,.0f} x {scale_out.p50 / 1e9:,.3g} Gbit/s carry",
        )
    return Feed(limits)


def loader_days(supply: Feed, camera_hours: FloatArray) -> FloatArray:
    """Days that feeding video takes: a training takes these, or its compute days where they are more.

    Args:
        supply: what the loader can feed.
        camera_hours: from begin to end of the training, each as often as it is seen, float64[draws].

    Returns:
        Days, float64[draws].
    """
    return camera_hours / supply.rate / _SECONDS_PER_DAY


def wanted_rate(camera_hours: FloatArray, compute_days: FloatArray) -> float:
    """Camera-hours a second that a training takes if it never waits for data, at the median.

    Args:
        camera_hours: from begin to end of the training, each as often as it is seen, float64[draws].
        compute_days: days of computing alone, float64[draws].
    """
    return float(np.median(camera_hours / (compute_days * _SECONDS_PER_DAY)))
