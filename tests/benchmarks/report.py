"""The report of many clips: how long it takes to make and to open, and how large it is. And the pictures of docs/report.md.

    python tests/benchmarks/report.py [--clips 1000] [--seconds 60] [--labelled DIR]
    python tests/benchmarks/report.py --pictures [--labelled DIR]

The sample is labelled (or DIR, a labelled data set whose clips are still there, is taken) and multiplied: each clip is
copied with a box that no reader minds, and its rows are repeated until they are as many as `--seconds` of footage
have. `--pictures` writes docs/pictures/report-*.jpg.
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parents[2]
sys.path.insert(0, str(HERE / "tests" / "support"))

from browsers import browser, watched  # noqa: E402 - the folder is known from here on
from process_memory import run_measured  # noqa: E402

SAMPLE = HERE / "sample_data"
PICTURES = HERE / "docs" / "pictures"
MINUTE_NS = 60_000_000_000
KEYS = ("clip_id", "frame_id", "detection_id", "track_id", "drive_id", "object_id")
LOADED = "Promise.all([...document.images].map((image) => image.decode()))"
VIEWS = (
    ("report-1440", 1440, 900, "light", 0),
    ("report-390", 390, 844, "dark", 0),
    ("report-wall", 1440, 900, "light", 1),
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--labelled", type=Path, metavar="DIR")
    parser.add_argument("--pictures", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-report-") as name:
        folder = Path(name)
        labelled = arguments.labelled or label(folder)
        if arguments.pictures:
            pictures(folder, labelled)
        else:
            measure(folder, multiplied(folder, labelled, arguments.clips, arguments.seconds))
    return 0


def command(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", name, *map(str, arguments)]


def label(folder: Path) -> Path:
    options = ("--model", "demo", "--max-failed-share", "1")
    subprocess.run(
        command("label", SAMPLE, "-o", folder / "sample", *options), check=True, capture_output=True
    )
    return folder / "sample"


def multiplied(folder: Path, labelled: Path, count: int, seconds: float) -> Path:
    """A data set of `count` clips made of the rows of another one."""
    tables = {
        name: pa.concat_tables(pq.read_table(path) for path in sorted((labelled / name).glob("*.parquet")))
        for name in ("clips", "frames", "detections", "tracks", "telemetry", "objects")
    }
    clips = tables["clips"].filter(pc.is_null(tables["clips"]["duplicate_of"]))
    own = {
        key: {
            name: table.filter(pc.equal(table["clip_id"], key))
            for name, table in tables.items()
            if "clip_id" in table.column_names
        }
        for key in clips["clip_id"].to_pylist()
    }
    output = folder / "many"
    for name in ("budget", "events", "failures", "coverage", "splits"):
        shutil.copytree(labelled / name, output / name)
    for name in ("dataset.json", "manifest.parquet"):
        shutil.copy(labelled / name, output / name)
    (folder / "clips").mkdir()
    rows = clips.to_pylist()
    for number in range(count):
        source = rows[number % len(rows)]
        path = folder / "clips" / f"{number:06d}-{Path(source['uri']).name}"
        path.write_bytes(Path(source["uri"]).read_bytes() + struct.pack(">I4sQ", 16, b"free", number))
        copied = own[source["clip_id"]]
        repeats = max(1, round(seconds * 1e9 / source["duration_ns"]))
        for name in ("frames", "detections", "tracks", "telemetry"):
            write(
                output, name, number, renamed(repeated(copied[name], repeats, source["duration_ns"]), number)
            )
        digest = subprocess.run(
            ["sha256sum", path], check=True, capture_output=True, text=True
        ).stdout.split()[0]
        start = (
            None
            if source["start_utc_ns"] is None
            else source["start_utc_ns"] + number // len(rows) * MINUTE_NS
        )
        changed = {
            **source,
            "uri": str(path),
            "bytes": path.stat().st_size,
            "content_sha256": digest,
            "start_utc_ns": start,
            "duration_ns": int(seconds * 1e9),
        }
        write(output, "clips", number, renamed(pa.Table.from_pylist([changed], clips.schema), number))
    write(output, "objects", 0, tables["objects"])
    return output


def repeated(table: pa.Table, repeats: int, step_ns: int) -> pa.Table:
    """Rows again and again at later times; the copies score too low to be looked at, for no frame is there."""
    if not table.num_rows:
        return table
    parts = [table]
    for repeat in range(1, repeats):
        part = table
        for at, column in enumerate(table.schema):
            if column.name in {"timestamp_ns", "first_ns", "last_ns", "pts"}:
                part = part.set_column(at, column, pc.add(part[column.name], repeat * step_ns))
            elif column.name in {"frame_id", "detection_id", "track_id"}:
                part = part.set_column(
                    at, column, pc.binary_join_element_wise(part[column.name], str(repeat), "+")
                )
            elif column.name == "score" and "detection_id" in table.column_names:
                part = part.set_column(
                    at, column, pc.min_element_wise(part["score"], pa.scalar(0.2, pa.float32()))
                )
            elif column.name == "score_raw":
                part = part.set_column(at, column, pa.nulls(len(part), column.type))
        parts.append(part)
    return pa.concat_tables(parts)


def renamed(table: pa.Table, number: int) -> pa.Table:
    """Rows with ids of their own."""
    for at, column in enumerate(table.schema):
        if column.name in KEYS:
            joined = pc.binary_join_element_wise(table[column.name], str(number), "-")
            table = table.set_column(at, column, joined)
    return table


def write(output: Path, name: str, number: int, table: pa.Table) -> None:
    (output / name).mkdir(parents=True, exist_ok=True)
    pq.write_table(table, output / name / f"{number:06d}.parquet", compression="zstd")


def measure(folder: Path, dataset: Path) -> None:
    target = folder / "report.html"
    peak, seconds, told = run_measured(command("report", dataset, "-o", target, "--json"))
    made = json.loads(told)
    used = os.times()
    rows = sum(pq.read_metadata(path).num_rows for path in (dataset / "detections").glob("*.parquet"))
    clips = len(list((dataset / "clips").glob("*.parquet")))
    if made["missing_pictures"]:
        raise SystemExit(f"frames are not shown, so figures would say little: {made['missing_pictures']}")
    print(f"{clips} clips, {rows:,} boxes, {made['pictures']} labelled frames shown")
    print(
        f"report: {seconds:.1f} s (wanted < 30), {used.children_user + used.children_system:.1f} s of a core "
        f"with labelling and copying, {peak / 2**20:.0f} MiB"
    )
    print(f"size: {target.stat().st_size / 1e6:.1f} MB (wanted <= 15)")
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        wrong = watched(page)
        started = time.perf_counter()
        page.goto(target.as_uri())
        page.evaluate(LOADED)
        print(
            f"open, every picture decoded: {time.perf_counter() - started:.1f} s (wanted < 3); complaints: {len(wrong)}"
        )


def pictures(folder: Path, dataset: Path) -> None:
    target = folder / "report.html"
    subprocess.run(command("report", dataset, "-o", target), check=True, capture_output=True)
    with browser() as chromium:
        for name, width, height, scheme, at_wall in VIEWS:
            page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(target.as_uri())
            page.evaluate(LOADED)
            if at_wall:
                page.evaluate("document.getElementById('wall').scrollIntoView()")
            page.screenshot(path=PICTURES / f"{name}.jpg", type="jpeg", quality=72)
            page.close()


if __name__ == "__main__":
    sys.exit(main())
