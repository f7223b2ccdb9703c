"""One data set from listing to the client's report: what each stage takes, and which of them hold the cluster."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from fleet.costs import Assumed, Measured
from fleet.dispatch import MINUTE_S, Dispatch, span

STORE_REQUESTS_PER_RECORD: Final = 2
"""Whether it is there, and its bytes: see `transforms.storage.RemoteStore.open`."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run.

    Attributes:
        name: what is done.
        seconds: that it takes.
        holds: whether the cluster waits meanwhile; else the client alone is at work.
    """

    name: str
    seconds: float
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """What one data set takes.

    Attributes:
        stages: one after the other.
        useful_s: core-seconds of labelling if nothing failed.
        cores: that the run had.
    """

    stages: tuple[Stage, ...]
    useful_s: float
    cores: int

    @property
    def seconds(self) -> float:
        """From the command's start to its end."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def held_s(self) -> float:
        """How long the cluster is held."""
        return sum(stage.seconds for stage in self.stages if stage.holds)

    @property
    def efficiency(self) -> float:
        """Labelling over what the cluster's cores could have done meanwhile."""
        return self.useful_s / (self.held_s * self.cores)

    def costliest(self, *, holds: bool = False) -> tuple[str, float]:
        """The stage that takes most beside labelling itself, and its share of all the time.

        Args:
            holds: whether only stages count for which the cluster is held, and their time.
        """
        counted = [stage for stage in self.stages if stage.holds or not holds]
        worst = max(
            (stage for stage in counted if stage.name != "labelling"), key=lambda stage: stage.seconds
        )
        return worst.name, worst.seconds / sum(stage.seconds for stage in counted)


@dataclass(frozen=True, slots=True)
class SerialCosts:
    """Seconds that each shard takes where one process works for all.

    Attributes:
        listing: its clips listed.
        beginning: before labelling.
        finishing: after labelling.
        reporting: in the client.
    """

    listing: float
    beginning: float
    finishing: float
    reporting: float

    @property
    def holding(self) -> float:
        """Those that the cluster waits for."""
        return self.listing + self.beginning + self.finishing


def serial_costs(measured: Measured, assumed: Assumed, *, object_store: bool) -> SerialCosts:
    """What each shard costs where one process works for all.

    Args:
        measured: what was measured on local folders.
        assumed: what an object store's requests take.
        object_store: whether clips and data set lie on one.
    """
    name_s = assumed.page_s / assumed.page_keys if object_store else 0.0
    record_s = STORE_REQUESTS_PER_RECORD * assumed.request_s if object_store else 0.0
    return SerialCosts(
        listing=assumed.cameras * (measured.list_s + name_s),
        beginning=measured.begin_s,
        # the folders of all tables are listed for the whole tables, and again for orphans
        finishing=measured.finish_s + 2 * measured.files_per_shard * name_s,
        reporting=measured.record_s + record_s,
    )


def simulate(
    camera_hours: float,
    cores: int,
    measured: Measured,
    assumed: Assumed,
    *,
    seed: int,
    dispatch: Dispatch = "dealt",
    object_store: bool = True,
) -> Run:
    """A first run that labels one data set.

    Args:
        camera_hours: of all its clips, a minute each.
        cores: that label.
        measured: what was measured.
        assumed: what was not.
        seed: of the draws.
        dispatch: how shards find cores.
        object_store: whether clips and data set lie on one, and a cluster is started; else all is on this machine.
    """
    files = max(1, round(camera_hours * 3600 / MINUTE_S))
    shards = max(1, round(files / assumed.cameras))
    cars = max(1, round(camera_hours / assumed.camera_hours_per_car))
    one_by_one = serial_costs(measured, assumed, object_store=object_store)
    labelling = span(shards, cores, dispatch, measured, assumed, np.random.default_rng(seed))
    even_s = labelling.even_s * labelling.useful_s / (labelling.useful_s + labelling.retried_s)
    clip_bytes = assumed.bytes_per_camera_hour * MINUTE_S / 3600
    probe_s = (
        measured.probe_s + clip_bytes * measured.probe_byte_s + (assumed.request_s if object_store else 0.0)
    )
    stages = (
        Stage("start", measured.start_s + (assumed.restart_s if object_store else 0.0)),
        Stage("listing", shards * one_by_one.listing),
        Stage("probing", files * probe_s / min(cores, files)),
        # a car's clips are planned by one worker
        Stage("planning", files * measured.plan_s / min(cores, cars)),
        Stage("beginning", shards * one_by_one.beginning),
        Stage("labelling", even_s),
        Stage("retries", labelling.even_s - even_s),
        Stage("stragglers", labelling.seconds - labelling.even_s),
        Stage("finishing", shards * one_by_one.finishing),
        Stage("client's report", shards * one_by_one.reporting, holds=False),
    )
    return Run(stages, labelling.useful_s, cores)
