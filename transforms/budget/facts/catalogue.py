"""What the facts are about: accelerators, clusters, utilisation, energy and money."""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from transforms.budget.facts.values import (
    BitRate,
    ByteRate,
    CarbonIntensity,
    ComputeRate,
    Count,
    EnergyPrice,
    HourlyRate,
    Kind,
    Megawatts,
    Memory,
    Money,
    Parameters,
    Power,
    Ratio,
    Record,
    Share,
    WaterIntensity,
    Years,
)


class Rate(Record):
    """Rent of an accelerator from a date on.

    Attributes:
        hour: rent of an accelerator-hour.
        since: the day from which it holds.
    """

    hour: HourlyRate
    since: date


class Accelerator(Record):
    """One accelerator.

    Attributes:
        aliases: other names it goes by.
        bf16_dense: dense BF16 peak, without sparsity; utilisation is a share of it.
        fp8_dense: dense FP8 peak.
        memory: memory of one accelerator.
        memory_bandwidth: of that memory.
        scale_up: bandwidth to the accelerators of the same server or rack.
        scale_out: network bandwidth out of the server.
        scale_up_size: accelerators of that server or rack.
        thermal_design_power: of the accelerator alone; told, not counted with.
        server_power: of the server or rack, divided by its accelerators.
        capital: all-in cost of one: building, power, network and servers included.
        rents: by date.
    """

    aliases: tuple[str, ...] = ()
    bf16_dense: ComputeRate
    fp8_dense: ComputeRate | None = None
    memory: Memory
    memory_bandwidth: ByteRate | None = None
    scale_up: ByteRate | None = None
    scale_out: BitRate | None = None
    scale_up_size: Count
    thermal_design_power: Power | None = None
    server_power: Power
    capital: Money
    rents: tuple[Rate, ...] = ()


State = Literal["planned", "operating", "closed"]
"""Whether a phase's accelerators can train: not yet, yes, no longer."""


class Phase(Record):
    """A dated state of a cluster, for one kind of accelerator.

    A newer phase replaces an older one of the same accelerator and adds to those of others.

    Attributes:
        name: what the phase is called.
        accelerator: what it is made of; None where sources do not say or name a mixture.
        count: accelerators of this kind; None where unknown.
        facility: power of the building or site.
        capital: cost of what the source speaks of (often the site, not the pool).
        status: what became of it.
        state: planned, operating, or closed (leased out, disbanded); a closed phase without an accelerator
            closes the whole cluster.
        source: where it comes from.
        as_of: the day from which it holds.
        kind: how it is known.
    """

    name: str
    accelerator: str | None = None
    count: Count | None = None
    facility: Megawatts | None = None
    capital: Money | None = None
    status: str
    state: State
    source: str
    as_of: date
    kind: Kind


class Cluster(Record):
    """A cluster and its phases.

    Attributes:
        title: the cluster's name for people.
        place: where its electricity comes from.
        is_default: whether it is estimated when no cluster is asked for.
        phases: in the order of their dates.
    """

    title: str
    place: str
    is_default: bool = False
    phases: tuple[Phase, ...] = Field(min_length=1)


class SmallNetworks(Record):
    """Another kind that holds below a size.

    Attributes:
        below: networks with fewer parameters belong there.
        use: name of the kind.
    """

    below: Parameters
    use: str


class Utilisation(Record):
    """Share of the dense BF16 peak that trainings of a kind of network reach (MFU).

    It is worked out from published runs (`transforms.budget.evidence`), or assumed where there are none.

    Attributes:
        strata: the published trainings behind it, by stratum.
        step_strata: the published steps behind it: the same networks without downtime.
        mfu: what is assumed instead.
        small: the kind that holds for small networks.
    """

    strata: tuple[str, ...] = ()
    step_strata: tuple[str, ...] = ()
    mfu: Share | None = None
    small: SmallNetworks | None = None

    @model_validator(mode="after")
    def _published_or_assumed(self) -> "Utilisation":
        """Never both: a typed-in prior beside runs would be one that nobody tests."""
        if bool(self.strata) == (self.mfu is not None):
            raise ValueError("give one of strata (published runs) and mfu (assumed)")
        return self


class AssumedUtilisation(Record):
    """The same of an accelerator that nobody has published trainings of.

    Attributes:
        mfu: what is assumed.
    """

    mfu: Share


class TurbineShare(Record):
    """Part that gas turbines on a site have from a date on.

    Attributes:
        share: of the site's electricity.
        since: the day from which it holds.
    """

    share: Share
    since: date


class Place(Record):
    """Where electricity is made.

    Attributes:
        grid: carbon intensity of the grid.
        turbines: share of the electricity that comes from gas turbines on the site, by date.
    """

    grid: CarbonIntensity
    turbines: tuple[TurbineShare, ...] = ()


class Energy(Record):
    """What a kilowatt-hour needs.

    Attributes:
        power_usage_effectiveness: facility energy over server energy (PUE).
        water_on_site: water evaporated on the site per server energy (WUE).
        water_off_site: water evaporated in making electricity, per facility energy.
        turbine: carbon intensity of gas turbines on the site.
    """

    power_usage_effectiveness: Ratio
    water_on_site: WaterIntensity
    water_off_site: WaterIntensity
    turbine: CarbonIntensity


class Prices(Record):
    """Money that does not depend on the accelerator.

    Attributes:
        electricity: price of a kilowatt-hour.
        life: years over which an accelerator is written off.
        use: share of its life in which it works.
    """

    electricity: EnergyPrice
    life: Years
    use: Share


WorkKind = Literal["language", "vision", "video"]
"""The kinds a caller can name beside FLOPs."""
