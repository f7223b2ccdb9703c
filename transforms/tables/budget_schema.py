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
        field("workload", _TEXT, "network that is trained; null where FLOPs were given", nullable=True),
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
        field("feasible", pa.bool_(), "whether the training fits the pool"),
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
