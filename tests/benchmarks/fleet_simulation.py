"""Fleets on clusters that nobody here has: what labelling takes, what breaks first, and what to set then.

    python tests/benchmarks/fleet_simulation.py [--json]
    python tests/benchmarks/fleet_simulation.py --camera-hours 2e6 --cores 20000
    python tests/benchmarks/fleet_simulation.py --calibrate DIR
    python tests/benchmarks/fleet_simulation.py --check [--keep]
    python tests/benchmarks/fleet_simulation.py --renew

Without options it prints the tables of docs/scale.md, from the numbers in `fleet/`. `--calibrate` takes the cost of
labelling and its spread from the last run of a data set. `--check` measures all numbers anew on small runs, predicts
larger ones, and prints predicted over measured; it needs real clips and the network beside the checkout
(`CLIPMILL_SHARED` names their folder). `--keep` puts the numbers in their file and renews the page; `--renew` only does
the latter.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from clip_sets import NETWORK  # noqa: E402 - the folder is known from here on
from fleet.costs import MEASURED_FILE, Assumed, Entry, Measured, from_entries, read_entries, write_entries  # noqa: E402
from fleet.limits import limits  # noqa: E402
from fleet.page import PAGE, blocks, checks_table, entries_table, filled, fleet_rows, fleet_table, numbers  # noqa: E402

MOST_CAMERA_HOURS = 1e10
MOST_CORES = 1_000_000


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--camera-hours", type=float, metavar="H")
    parser.add_argument("--cores", type=int, metavar="N")
    parser.add_argument("--calibrate", type=Path, metavar="DIR")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--renew", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    one_fleet = (arguments.camera_hours, arguments.cores) != (None, None)
    if one_fleet and not (
        0 < (arguments.camera_hours or 0) <= MOST_CAMERA_HOURS and 0 < (arguments.cores or 0) <= MOST_CORES
    ):
        parser.error(
            f"give --camera-hours up to {MOST_CAMERA_HOURS:g} and --cores up to {MOST_CORES:,}, both"
        )
    if arguments.check:
        if not NETWORK.exists():
            parser.error(
                f"{NETWORK} is not there: CLIPMILL_SHARED names the folder of real clips and the network"
            )
        return check(keep=arguments.keep, as_json=arguments.json)
    if arguments.renew:
        renew()
        return 0
    try:
        measured, assumed = calibrated(arguments.calibrate) if arguments.calibrate else numbers()
    except (OSError, ValueError) as error:
        parser.error(str(error))
    fleets = ([arguments.camera_hours], [arguments.cores]) if one_fleet else ()
    if arguments.json:
        told = {
            "fleets": fleet_rows(measured, assumed, *fleets),
            "limits": [asdict(limit) for limit in limits(measured, assumed)],
        }
        print(json.dumps(told))
    elif one_fleet:
        print(fleet_table(fleet_rows(measured, assumed, *fleets)))
    else:
        for name, make in blocks(measured, assumed).items():
            print(f"{name}\n\n{make()}")
    return 0


def calibrated(output: Path) -> tuple[Measured, Assumed]:
    """The repository's numbers, but for those that a data set tells."""
    from fleet.measuring import from_data_set, hanging_share

    _, assumed = numbers()
    measured = from_entries(Measured, [*read_entries(MEASURED_FILE), *from_data_set(output)])
    share = hanging_share(output)
    return measured, assumed if share is None else replace(assumed, hanging_share=share)


def check(*, keep: bool, as_json: bool) -> int:
    """Measures and checks; keeps what was found, where that is wanted."""
    from fleet.checking import measure_and_check

    entries: list[Entry] = []
    with tempfile.TemporaryDirectory(prefix="clipmill-fleet-") as folder:
        for entry in measure_and_check(Path(folder)):
            entries.append(entry)
            print(f"{entry.name}: {entry.value} {entry.unit}", file=sys.stderr)
    if keep:
        write_entries(MEASURED_FILE, entries)
        renew()
    print(
        json.dumps([asdict(entry) for entry in entries])
        if as_json
        else f"{entries_table(entries)}\n{checks_table(entries)}"
    )
    return 0


def renew() -> None:
    """Writes the page's tables anew from the numbers in their files."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), blocks(*numbers())), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
