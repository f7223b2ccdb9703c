"""The tables of docs/scale.md, made from the numbers in this folder."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from fleet.costs import ASSUMED_FILE, MEASURED_FILE, Assumed, Entry, Measured, from_entries, read_entries
from fleet.limits import limits, loads
from fleet.run import simulate
from fleet.splitting import LEAST_SHARDS, advised, split

PAGE: Final = Path(__file__).parents[3] / "docs" / "scale.md"
SEED: Final = 0
CAMERA_HOURS: Final = (10**4, 10**5, 10**6, 10**7, 10**8)
CORES: Final = (100, 1_000, 10_000, 50_000)
_STRAGGLING_HOURS: Final = 1000.0
_STRAGGLING_CORES: Final = (10, 100, 1_000, 10_000)

_BLOCK: Final = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def numbers() -> tuple[Measured, Assumed]:
    """The numbers that the repository holds."""
    return from_entries(Measured, read_entries(MEASURED_FILE)), from_entries(
        Assumed, read_entries(ASSUMED_FILE)
    )


def fleet_rows(
    measured: Measured,
    assumed: Assumed,
    sizes: Iterable[float] = CAMERA_HOURS,
    numbers_of_cores: Iterable[int] = CORES,
) -> list[dict[str, Any]]:
    """Every size on every number of cores: as one data set, and split."""
    known = limits(measured, assumed)
    rows = []
    for camera_hours in sizes:
        for cores in numbers_of_cores:
            one = simulate(camera_hours, cores, measured, assumed, seed=SEED)
            many = split(camera_hours, cores, measured, assumed, known, seed=SEED)
            free = split(camera_hours, cores, measured, assumed, known, seed=SEED, dispatch="free")
            reached = loads(camera_hours, cores, known)
            fatal = [(load, limit) for load, limit in reached if load >= 1 and limit.breaks]
            load, limit = fatal[0] if fatal else reached[0]
            name, share = one.costliest()
            rows.append(
                {
                    "camera_hours": camera_hours,
                    "cores": cores,
                    "one_data_set": {
                        "hours": one.seconds / 3600,
                        "efficiency": one.efficiency,
                        "costliest": name,
                        "costliest_share": share,
                        "first_limit": limit.name,
                        "load": load,
                        "breaks": bool(fatal),
                    },
                    "split": {
                        "data_sets": many.data_sets,
                        "side_by_side": many.side_by_side,
                        "cores_each": many.cores_each,
                        "hours": many.seconds / 3600,
                        "efficiency": many.efficiency,
                        "costliest": many.costliest[0],
                        "costliest_share": many.costliest[1],
                        "hours_if_free": free.seconds / 3600,
                    },
                }
            )
    return rows


def fleet_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """The main table."""
    head = (
        "camera-hours",
        "cores",
        "one data set: wall h",
        "cores' efficiency",
        "most beside labelling",
        "reached first",
        "split into data sets (at once, cores each)",
        "wall h",
        "cores' efficiency",
        "most beside labelling",
        "if free cores took the next shard: h",
    )
    lines = []
    for row in rows:
        one, many = row["one_data_set"], row["split"]
        lines.append(
            (
                power(row["camera_hours"]),
                f"{row['cores']:,}",
                "fails" if one["breaks"] else hours(one["hours"]),
                "" if one["breaks"] else f"{one['efficiency']:.0%}",
                "" if one["breaks"] else f"{one['costliest']} {one['costliest_share']:.0%}",
                f"{one['first_limit']}, {rounded(one['load'])} times" if one["load"] >= 1 else "nothing",
                f"{many['data_sets']:,} ({many['side_by_side']:,}, {many['cores_each']:,})",
                hours(many["hours"]),
                f"{many['efficiency']:.0%}",
                f"{many['costliest']} {many['costliest_share']:.0%}",
                hours(many["hours_if_free"]),
            )
        )
    return table(head, lines)


def limits_table(measured: Measured, assumed: Assumed) -> str:
    """What breaks, the first one first."""
    known = limits(measured, assumed)
    most_hours, most_cores = advised(known, assumed)
    lines = [
        (
            f"{rounded(limit.at)} {limit.grows}",
            f"**{limit.name}**: {limit.what}",
            limit.then,
            limit.setting,
        )
        for limit in known
    ]
    told = (
        f"Below all of them, with at least {LEAST_SHARDS} shards for each core, and in round numbers: "
        f"{most_hours:,.0f} camera-hours and {most_cores:,} cores a data set.\n"
    )
    return table(("at", "what", "then", "setting"), lines) + "\n" + told


def stragglers_table(measured: Measured, assumed: Assumed) -> str:
    """Free cores against dealt ones."""
    lines = []
    for cores in _STRAGGLING_CORES:
        runs = {
            dispatch: simulate(_STRAGGLING_HOURS, cores, measured, assumed, seed=SEED, dispatch=dispatch)
            for dispatch in ("free", "dealt")
        }
        stages = {
            dispatch: {stage.name: stage.seconds for stage in run.stages} for dispatch, run in runs.items()
        }
        labelling = {
            dispatch: found["labelling"] + found["retries"] + found["stragglers"]
            for dispatch, found in stages.items()
        }
        lines.append(
            (
                f"{cores:,}",
                hours(labelling["free"] / 3600),
                hours(labelling["dealt"] / 3600),
                f"{labelling['dealt'] / labelling['free']:.2f}",
            )
        )
    return table(("cores", "each free core takes the next shard: h", "dealt: h", "ratio"), lines)


def sizes_table(measured: Measured, assumed: Assumed) -> str:
    """How many things there are."""
    most_hours, _ = advised(limits(measured, assumed), assumed)
    lines = []
    for camera_hours in (most_hours, *CAMERA_HOURS):
        clips = camera_hours * 60
        shards = clips / assumed.cameras
        files = shards * measured.files_per_shard
        lines.append(
            (
                power(camera_hours),
                rounded(clips),
                rounded(shards),
                rounded(files),
                size(files * measured.file_bytes),
                size(files * measured.manifest_bytes),
                size(camera_hours * assumed.bytes_per_camera_hour),
                hours(shards * measured.verify_s / 3600),
            )
        )
    head = (
        "camera-hours",
        "clips",
        "shards",
        "files = rows of the manifest",
        "labels",
        "manifest",
        "video",
        "verify by one process: h",
    )
    return table(head, lines)


def entries_table(entries: Iterable[Entry]) -> str:
    """Numbers with their sources."""
    lines = [
        (entry.name, f"{shown(entry)} {entry.unit}", entry.kind, entry.source)
        for entry in entries
        if entry.kind != "checked"
    ]
    return table(("number", "value", "kind", "source"), lines)


def checks_table(entries: Iterable[Entry]) -> str:
    """Predictions against what was measured."""
    lines = []
    for entry in entries:
        if entry.kind == "checked" and isinstance(entry.value, list):
            predicted, measured = entry.value
            lines.append(
                (
                    entry.source,
                    f"{predicted:.3g} {entry.unit}",
                    f"{measured:.3g} {entry.unit}",
                    f"{predicted / measured:.2f}",
                )
            )
    return table(("what", "predicted", "measured", "ratio"), lines)


def blocks(measured: Measured, assumed: Assumed) -> dict[str, Callable[[], str]]:
    """What the page's marked places hold."""
    return {
        "fleet": lambda: fleet_table(fleet_rows(measured, assumed)),
        "limits": lambda: limits_table(measured, assumed),
        "stragglers": lambda: stragglers_table(measured, assumed),
        "sizes": lambda: sizes_table(measured, assumed),
        "measured": lambda: entries_table(read_entries(MEASURED_FILE)),
        "assumed": lambda: entries_table(read_entries(ASSUMED_FILE)),
        "checks": lambda: checks_table(read_entries(MEASURED_FILE)),
    }


def filled(text: str, made: Mapping[str, Callable[[], str]]) -> str:
    """A page with its marked places filled.

    Args:
        text: the page.
        made: by the places' names, what they hold.
    """
    return _BLOCK.sub(lambda found: f"{found[1]}{made[found[2]]()}{found[3]}", text)


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    rows = [head, ["---"] * len(head), *map(list, lines)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def shown(entry: Entry) -> str:
    """A value in a table.

    >>> shown(Entry("a", [1.0, 0.5, 1.5], "1", "measured", "b"))
    '3 values, 0.5 to 1.5'
    """
    if isinstance(entry.value, list):
        return f"{len(entry.value)} values, {min(entry.value):.2g} to {max(entry.value):.2g}"
    return f"{entry.value:,.3g}" if abs(entry.value) < 1e5 else f"{entry.value:.3g}"


def power(number: float) -> str:
    """A size of a table's rows.

    >>> power(100_000_000), power(3000.0)
    ('10^8', '3,000')
    """
    exponent = len(f"{number:.0f}") - 1
    return f"10^{exponent}" if number == 10**exponent and exponent >= 4 else f"{number:,.0f}"


def rounded(number: float) -> str:
    """Two digits, in words where there are many.

    >>> rounded(3333.3), rounded(1.5e9), rounded(42)
    ('3,300', '1.5 billion', '42')
    """
    for unit, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= unit:
            return f"{float(f'{number:.2g}') / unit:g} {word}"
    return f"{float(f'{number:.2g}'):,.0f}"


def size(number: float) -> str:
    """Bytes.

    >>> size(1.5e15), size(4e5)
    ('1.5 PB', '0.4 MB')
    """
    for unit, word in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB")):
        if number >= unit:
            return f"{float(f'{number:.2g}') / unit:g} {word}"
    return f"{float(f'{number:.2g}') / 1e6:g} MB"


def hours(number: float) -> str:
    """Hours of a wall clock.

    >>> hours(0.0312), hours(2.345), hours(12345.6)
    ('0.03', '2.3', '12,346')
    """
    return f"{number:.2f}" if number < 1 else f"{number:.1f}" if number < 100 else f"{number:,.0f}"
