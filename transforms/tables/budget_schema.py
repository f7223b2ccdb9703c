"""The `budget` table: one row per workload, accelerator pool of a cluster, and quantity."""

from typing import Final

import pyarrow as pa

from transforms.tables.fields import field

_TEXT: Final = pa.string()
_REAL: Final = pa.float64()

_ASSUMPTION: Final = pa.struct(
    [
        pa.field("name", _TEXT, nullable=False),
        pa.field("p10", _REAL, nullable=False),
        pa.field("p50", _REAL, nullable=False),
        pa.field("p90", _REAL, nullable=False),
        pa.field("unit", _TEXT, nullable=False),
        pa.field("kind", _TEXT, nullable=False),
        pa.field("source", _TEXT, nullable=False),
    ]
)

BUDGET: Final = pa.schema(
    [
        field("workload", _TEXT, "what is trained, and how; null where FLOPs were given", nullable=True),
        field("network", _TEXT, "network that is trained; null where FLOPs were given", nullable=True),
        field("cluster", _TEXT, "target cluster; null where an accelerator was given", nullable=True),
        field("phase", _TEXT, "dated phase of the cluster that the pool comes from", nullable=True),
        field("as_of", pa.date32(), "date for which the phase and the prices were chosen"),
        field("accelerator", _TEXT, "accelerator of the pool; null before the first phase", nullable=True),
        field("accelerator_count", pa.int64(), "accelerators counted with, after allocation", nullable=True),
        field(
            "quantity",
            _TEXT,
            "accelerator_hours, training_days, energy_mwh, carbon_t, water_m3 or cost_usd",
        ),
        field(
            "p10",
            _REAL,
            "10 % quantile, in the row's unit; null where nothing can be estimated",
            nullable=True,
        ),
        field("p50", _REAL, "median, in the row's unit", nullable=True),
        field("p90", _REAL, "90 % quantile, in the row's unit", nullable=True),
        field("unit", _TEXT, "unit of p10, p50 and p90"),
        field("feasible", pa.bool_(), "whether the training could be run there on that date"),
        field(
            "reasons",
            pa.list_(pa.field("item", _TEXT, nullable=False)),
            "why not, and what to know about the pool",
        ),
        field("evidence", pa.int64(), "published runs behind the utilisation; 0 = assumed"),
        field(
            "assumptions",
            pa.list_(pa.field("item", _ASSUMPTION, nullable=False)),
            "every input with its range, unit, kind (published, reported, estimate, assumed, measured, user, default) and source",
        ),
    ]
)
"""Sorted by workload, cluster and accelerator as asked for, quantities in their fixed order."""


def _quantiles(name: str, description: str, unit: str) -> "list[pa.Field[pa.DataType]]":
    """The columns of a quantity: its 80 % interval and median."""
    told = {
        "p10": f"{description}: 10 % quantile; null where nothing can be estimated",
        "p50": f"{description}: median",
        "p90": f"{description}: 90 % quantile",
    }
    return [field(f"{name}_{at}", _REAL, text, unit, nullable=True) for at, text in told.items()]


SWEEP: Final = pa.schema(
    [
        field("scenario", pa.int64(), "index in the grid, whose last list turns fastest"),
        field("workload", _TEXT, "what is trained"),
        field("network", _TEXT, "the network that is trained"),
        field("cluster", _TEXT, "target cluster"),
        field("as_of", pa.date32(), "date for which the phase and the prices were chosen"),
        field("allocation", _TEXT, "part of the pool that was asked for; null = all of it", nullable=True),
        field("vehicles", _REAL, "vehicles that record; null = the data set as it stands", nullable=True),
        field("hours_per_day", _REAL, "hours that each vehicle drives a day", "h", nullable=True),
        field("days", _REAL, "days that the fleet drives", "d", nullable=True),
        field("keep_rate", _REAL, "share of what is recorded that is trained on", "share", nullable=True),
        field("precision", _TEXT, "number format of the multiplications: bf16 or fp8"),
        field("camera_hours", _REAL, "footage that is trained on, each hour counted once", "h"),
        field(
            "phase",
            _TEXT,
            "phase of the cluster that the pool comes from; null before the first",
            nullable=True,
        ),
        field("accelerator", _TEXT, "accelerator of the pool; null before the first phase", nullable=True),
        field(
            "accelerators_available", pa.int64(), "accelerators of the pool, after allocation", nullable=True
        ),
        field("accelerators_used", pa.int64(), "those that the training can make use of", nullable=True),
        field(
            "limited_by",
            _TEXT,
            "why not more are used: accelerators or critical batch; null where more would not help, or unknown",
            nullable=True,
        ),
        field("feasible", pa.bool_(), "whether the training could be run there on that date"),
        field("reasons", pa.list_(pa.field("item", _TEXT, nullable=False)), "why not"),
        *_quantiles("accelerator_hours", "accelerator-hours of the training", "h"),
        *_quantiles("training_days", "days from start to end", "d"),
        *_quantiles("energy_mwh", "energy of the facility", "MWh"),
        *_quantiles("carbon_t", "CO2 equivalent of that energy", "t"),
        *_quantiles("water_m3", "water that cooling and electricity take", "m3"),
        *_quantiles("cost_usd", "money", "USD"),
        field("training_flops_p50", _REAL, "FLOPs of the training: median", "FLOP", nullable=True),
        field("utilisation_p50", _REAL, "share of the dense BF16 peak: median", "share", nullable=True),
        field("power_mw_p50", _REAL, "power of the facility while it trains: median", "MW", nullable=True),
    ]
)
"""One row per scenario and accelerator pool, by scenario, pools by the age of their kind of accelerator."""
