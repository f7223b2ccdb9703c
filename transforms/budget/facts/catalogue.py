"""What the facts are about: accelerators, clusters, utilisation, energy and money."""

from datetime import date
from typing import Literal

from pydantic import Field

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
        thermal_design_power: of the accelerator alone.
        server_power: of the server or rack, divided by its accelerators.
    """

    aliases: tuple[str, ...] = ()
    bf16_dense: ComputeRate
    fp8_dense: ComputeRate | None = None
    memory: Memory
    memory_bandwidth: ByteRate | None = None
    scale_up: ByteRate | None = None
    scale_out: BitRate | None = None
    thermal_design_power: Power
    server_power: Power


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
        in_service: whether `status` needs no mention beside an estimate.
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
    in_service: bool
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

    Attributes:
        mfu: the prior.
        transfer: factor by which an unseen family of networks leaves the median, either way, in 80 % of cases.
        strata: the published runs behind it, by stratum; none = assumed.
        small: the kind that holds for small networks.
    """

    mfu: Share
    transfer: Ratio | None = None
    strata: tuple[str, ...] = ()
    small: SmallNetworks | None = None


class Place(Record):
    """Where electricity is made.

    Attributes:
        grid: carbon intensity of the grid.
        turbine_share: share of the electricity that comes from gas turbines on the site.
    """

    grid: CarbonIntensity
    turbine_share: Share | None = None


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


class Rate(Record):
    """Rent of an accelerator from a date on.

    Attributes:
        hour: rent of an accelerator-hour.
        since: the day from which it holds.
    """

    hour: HourlyRate
    since: date


class Prices(Record):
    """Money.

    Attributes:
        electricity: price of a kilowatt-hour.
        life: years over which an accelerator is written off.
        use: share of its life in which it works.
        capital: all-in cost per accelerator (building, network and servers included), by accelerator.
        rates: rent, oldest first, by accelerator.
    """

    electricity: EnergyPrice
    life: Years
    use: Share
    capital: dict[str, Money]
    rates: dict[str, tuple[Rate, ...]]


WorkKind = Literal["language", "vision", "video"]
"""The kinds a caller can name beside FLOPs."""
