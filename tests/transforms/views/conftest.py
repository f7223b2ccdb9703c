"""Compute budgets: one of made-up figures of the usual size as `budget --json` prints it, and one that was worked out."""

import copy
from datetime import date

import pytest

from transforms.budget.answering import answer
from transforms.budget.chances import Limits
from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.fleet import Fleet
from transforms.budget.demand.onnx_networks import counted_network
from transforms.budget.labelling import LabellingSpeed
from transforms.budget.request import BudgetRequest


def spread(p50, factor, unit):
    return {"p10": p50 / factor, "p50": p50, "p90": p50 * factor, "unit": unit}


ASSUMPTIONS = [
    {"name": "camera_hours", "value": 1.2e6, "unit": "h", "kind": "measured", "source": "the data set"},
    {
        "name": "utilisation",
        "value": {"p10": 0.25, "p50": 0.4, "p90": 0.5},
        "unit": "share",
        "kind": "assumed",
        "source": "no run with hours and FLOPs",
    },
    {
        "name": "water_off_site",
        "value": 3.14,
        "unit": "L/kWh",
        "kind": "published",
        "source": "Li et al., https://arxiv.org/abs/2304.03271",
    },
    {"name": "allocation", "value": 1.0, "unit": "share", "kind": "default", "source": "all of the pool"},
]


def driver(name, unit, low, high, hours, times):
    """An input that multiplies hours and dollars."""
    return {
        "name": name,
        "unit": unit,
        "low": low,
        "high": high,
        "accelerator_hours": {"low": hours * times[0], "high": hours * times[1]},
        "training_days": None,
        "cost_usd": {"low": hours * 1.79 * times[0], "high": hours * 1.79 * times[1]},
    }


def drivers(hours):
    electricity = {
        "name": "electricity",
        "unit": "USD/kWh",
        "low": 0.05,
        "high": 0.1,
        "accelerator_hours": {"low": hours, "high": hours},
        "cost_usd": {"low": hours * 1.74, "high": hours * 1.88},
    }
    return [
        driver("passes", "1", 1.0, 10.0, hours, (1 / 3, 10 / 3)),
        driver("utilisation", "share", 0.25, 0.5, hours, (1.6, 0.8)),
        electricity,
    ]


def estimate(workload, cluster, accelerator, count, hours, **changes):
    return {
        "workload": workload,
        "network": "video-1b",
        "cluster": cluster,
        "phase": "phase 2",
        "as_of": "2026-05-06",
        "accelerator": accelerator,
        "accelerator_count": count,
        "quantities": {
            "accelerator_hours": spread(hours, 4, "h"),
            "training_days": spread(hours / 24 / count, 4.5, "d"),
            "energy_mwh": spread(hours * 1.47e-3, 4.2, "MWh"),
            "carbon_t": spread(hours * 6.8e-4, 4.6, "t"),
            "water_m3": spread(hours * 5.4e-3, 4.8, "m3"),
            "cost_usd": spread(hours * 1.79, 4.4, "USD"),
        },
        "also": {
            "h100_hours": spread(hours * 1.1, 4, "h"),
            "goodput": {"p10": 0.84, "p50": 0.91, "p90": 0.96, "unit": "share"},
            "power_mw": spread(6.0, 1.1, "MW"),
        },
        "programme_year": {
            "accelerator_hours": spread(hours * 14, 5, "h"),
            "energy_mwh": spread(hours * 0.0206, 5, "MWh"),
            "carbon_t": spread(hours * 9.5e-3, 5.4, "t"),
            "water_m3": spread(hours * 0.0756, 5.6, "m3"),
            "cost_usd": spread(hours * 25.1, 5.2, "USD"),
        },
        "feasible": True,
        "reasons": ["Memphis: leased out in full on that date"],
        "change": None,
        "allocation": {
            "available": count,
            "used": 4096,
            "kind": "default",
            "limited_by": "critical batch",
        },
        "layout": {
            "best": {
                "tensor": 8,
                "pipeline": 1,
                "data": 512,
                "zero_stage": 1,
                "recomputation": "selective",
                "micro_batch": 1,
                "micro_batches": 4,
                "memory_bytes": 6.14e10,
                "bubble": 0.0,
                "step_seconds": 1.83,
                "efficiency": 0.93,
            },
            "runner_up": {
                "tensor": 4,
                "pipeline": 2,
                "data": 512,
                "zero_stage": 2,
                "recomputation": "full",
                "micro_batch": 1,
                "micro_batches": 8,
                "memory_bytes": 4.4e10,
                "bubble": 0.11,
                "step_seconds": 2.21,
                "efficiency": 0.77,
            },
            "reasons": ["full recomputation costs a third more FLOPs"],
        },
        "reliability": {
            "mean_time_between_failures_h": spread(12.2, 1.7, "h"),
            "checkpoint_interval_s": spread(1621.0, 1.5, "s"),
            "goodput": {"p10": 0.84, "p50": 0.91, "p90": 0.96, "unit": "share"},
        },
        "drivers": drivers(hours),
        "data_share": 0.93,
        "checks": [
            {"name": "power against the site", "holds": True, "says": "6.02 MW of 150 MW"},
            {"name": "tokens per parameter", "holds": False, "says": "0.4 tokens a parameter"},
        ],
        "chances": [
            {"limit": "deadline", "value": 30, "unit": "d", "probability": 0.83},
            {"limit": "money", "value": 2e6, "unit": "USD", "probability": 0.71},
        ],
        "backtest": {
            "kind": "language",
            "runs": 15,
            "families": 9,
            "median_error": 0.118,
            "coverage": 0.8,
            "factor": 1.52,
        },
        "evidence": 15,
        "assumptions": ASSUMPTIONS,
        **changes,
    }


BUDGET = {
    "headline": "Training fsd on these 1.2 M camera-hours takes 540 thousand H100-hours (135 k to 2.2 M): 5.5 days "
    "on 4,096 of Colossus' 150,000 H100.",
    "dataset": "out/fleet-2026",
    "figures": {
        "camera_hours": 1.2e6,
        "clips": 72_000_000,
        "frames": 21_600_000_000,
        "cameras": [
            {"camera": "front", "width": 1280, "height": 960, "fps_mean": 36.0, "hours": 2e5},
            {"camera": "left_repeater", "width": 1280, "height": 960, "fps_mean": 36.01, "hours": 2e5},
        ],
        "detections": 98_000_000_000,
        "tracks": 1_400_000_000,
        "bytes": 5.4e15,
    },
    "fleet": {"vehicles": 1000, "hours_per_day": 2.0, "days": 100, "keep_rate": 1.0},
    "uplink": {
        "bytes_per_vehicle_hour": {"p10": 2.1e10, "p50": 2.7e10, "p90": 3.5e10, "unit": "B/h"},
        "transfer_days": {"p10": 12.0, "p50": 30.0, "p90": 75.0, "unit": "d"},
    },
    "labelling": {
        "run_id": "20260601T080000-7f3a",
        "frames_per_second_per_core": 34.5,
        "camera_hours_per_core_hour": 6.9,
        "machine": "cloud-cpu",
        "modes": [
            {
                "name": "5 frames a second",
                "frames_per_second": 5.0,
                "core_hours": spread(2.4e5, 1.1, "h"),
                "cost_usd": spread(9.9e3, 1.4, "USD"),
                "days": spread(9.9, 1.1, "d"),
                "decode_share": 0.31,
            },
            {
                "name": "every frame",
                "frames_per_second": 36.0,
                "core_hours": spread(1.7e6, 1.1, "h"),
                "cost_usd": spread(7.1e4, 1.4, "USD"),
                "days": spread(71.0, 1.1, "d"),
                "decode_share": 0.05,
            },
        ],
        "share": {"fsd": {"labelling": 0.0071, "decoding": 0.0032, "training": 0.9897}},
    },
    "network": {
        "name": "net",
        "forward_flops": 1.2e9,
        "parameters": 236_558,
        "inputs": {"images": [1, 3, 736, 1280]},
        "uncounted": [{"op_type": "Relu", "domain": "", "nodes": 30, "flops": None, "unknown": False}],
        "uncounted_share": 0.6,
    },
    "assumptions": ASSUMPTIONS[:1],
    "facts_as_of": "2026-05-06",
    "seed": 0,
    "draws": 4000,
    "estimates": [
        estimate(
            "fsd", "colossus", "H100-SXM", 150_000, 5.4e5, stands_in="no size of the network is published"
        ),
        estimate("fsd", "colossus", "GB200", 30_000, 2.1e5),
        estimate("fsd", "cortex", "H100-SXM", 50_000, 5.4e5, backtest=None, evidence=0),
        estimate(
            "fsd",
            "dojo",
            "D1",
            3_000,
            3.1e6,
            feasible=False,
            reasons=["17.1 GB of state do not fit 1.25 GB an accelerator", "disbanded in August 2025"],
            change="ZeRO over 64 accelerators or more",
            allocation={"available": 3000, "used": 3000, "kind": "user", "limited_by": "allocation"},
            layout={"best": None, "runner_up": None, "reasons": ["no layout fits 1.25 GB"]},
        ),
        {
            "workload": "fsd",
            "cluster": "colossus2",
            "phase": None,
            "as_of": "2026-05-06",
            "accelerator": None,
            "accelerator_count": None,
            "quantities": None,
            "feasible": False,
            "reasons": ["colossus2: no phase with a known count before that date"],
            "assumptions": [],
            "evidence": 0,
        },
        estimate("grok", "colossus", "H100-SXM", 150_000, 3.1e7, data_share=0.0004),
    ],
}


@pytest.fixture
def budget():
    return copy.deepcopy(BUDGET)


@pytest.fixture(scope="session")
def worked_out():
    """Two workloads on all clusters, for a fleet of which a labelled data set is a sample, within limits."""
    request = BudgetRequest(
        workloads=("fsd", "grok"),
        fleet=Fleet(vehicles=1e3, hours_per_day=2, days=100, keep_rate=0.5),
        limits=Limits(deadline=30.0, money=1e6),
        draws=100,
    )
    speed = LabellingSpeed(
        frames_per_second_per_core=34.5,
        cores=8,
        frames_per_camera_hour=18_000.0,
        decode_share=0.3,
        sampling="5",
        cpu="an example",
        run_id="20260101T000000",
        as_of=date(2026, 1, 1),
    )
    return answer(
        request,
        DatasetFigures.of_hours(1e4),
        "measured",
        dataset="out",
        speed=speed,
        network=counted_network("demo"),
    )
