"""What is fuzzed: readers of what others wrote. A target takes bytes and fails on anything but a documented error."""

import io
import json
import os
import re
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from fuzzing import ODD_TEXTS, mutated_bytes, mutated_json, mutated_toml
from hypothesis import strategies as st
from mutated_clips import SAMPLE, seeds

from models.card import ModelCard, known_cards, load_card
from models.errors import ModelUsageError
from models.taxonomy import CATEGORIES
from pipelines.job_specs import read_spec
from pipelines.jobs import AutolabelJob
from pipelines.outcome import UsageError
from transforms.budget.demand.figures import Tally
from transforms.clips.clock import read_clock
from transforms.clips.containers import triage
from transforms.clips.decoding import ClipDecoder
from transforms.clips.errors import ClipError
from transforms.clips.events import read_event
from transforms.clips.memory import MEMORY_FILE, recall
from transforms.clips.probing import PROBING_VERSION, probe
from transforms.clips.refs import ClipName, ClipRef, Failure, InputFile
from transforms.clips.sampling import Sampling
from transforms.clips.sei import SeiMetadata, build_nal, parse
from transforms.clips.shards import drive_key, event_folder_id
from transforms.clips.sources import name_clip
from transforms.clips.sources.teslacam import is_derived
from transforms.corrections.coco_file import read_coco
from transforms.corrections.corrected_files import CorrectedFile, CorrectedFileError
from transforms.corrections.cvat_file import read_cvat
from transforms.tables.commits import FileFacts, ModelFacts, ShardSummary, read_commit
from transforms.tables.digests import canonical_json
from transforms.tables.schemas import SCHEMA_VERSION

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Target:
    """A reader and what it is fed.

    Attributes:
        run: reads; raises only where the reader broke its word.
        inputs: makes its inputs.
    """

    run: Callable[[bytes], None]
    inputs: Callable[[], st.SearchStrategy[bytes]]


class OneFile:
    """A data set that holds one file."""

    def __init__(self, name: str, content: bytes) -> None:
        self._name, self._content = name, content

    def read(self, name: str) -> bytes:
        return self.open(name).read()

    def open(self, name: str) -> BinaryIO:
        if name != self._name:
            raise FileNotFoundError(name)
        return io.BytesIO(self._content)

    def write(self, name: str, content: bytes) -> None:
        raise NotImplementedError

    def delete(self, name: str) -> None:
        raise NotImplementedError

    def sizes(self, folder: str) -> dict[str, int]:
        path, _, base = self._name.rpartition("/")
        return {base: len(self._content)} if path == folder else {}


def in_line(text: str) -> str:
    """A message that a terminal and a table can take."""
    text.encode()
    assert len(text) < 20_000
    return text


def read_container(data: bytes) -> None:
    try:
        facts = triage(io.BytesIO(data), len(data))
    except ClipError as error:
        in_line(str(error.at("/in/clip.mp4")))
        return
    assert facts.missing_bytes >= 0
    read_clock(facts.created_s, None, None)


@cache
def whole_clips() -> list[bytes]:
    clips = seeds(frames=3)
    heads = [data[:700] for data in clips.values()]
    boxes = [data[data.index(b"moov") - 4 :] for data in clips.values() if b"moov" in data]
    ftyp = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    return [*heads, *(ftyp + box[:1500] for box in boxes), ftyp + boxes[0], (b"\x47" + bytes(187)) * 6]


def read_clip(data: bytes) -> None:
    file = InputFile(uri="/in/clip", root="/in", bytes=len(data))
    try:
        clip = probe(io.BytesIO(data), file, ClipName(source="generic", vehicle="", camera="unknown"), None)
        with ClipDecoder(io.BytesIO(data), clip) as decoder:
            for frame in decoder.frames(Sampling("all")):
                assert frame.luma().size
                assert frame.bgr(32, 16).shape == (16, 32, 3)
            # from its middle on it is sought
            for frame in decoder.frames(Sampling("all"), clip.duration_ns // 2):
                assert frame.timestamp_ns >= clip.duration_ns // 2
    except ClipError as error:
        in_line(str(error))


@cache
def short_clips() -> list[bytes]:
    return list(seeds(frames=3).values())


def read_sei(data: bytes) -> None:
    message = parse(data[1:], data[0] % 5) if data else None
    if message is not None:
        assert isinstance(message.vehicle_speed_mps, float)
        assert 0 <= message.version < 2**32
        assert 0 <= message.frame_seq_no < 2**64
        assert -(2**31) <= message.gear_state < 2**31
        assert parse(b"\0\0\1" + build_nal(message), 0) is not None


@cache
def pictures() -> list[bytes]:
    message = SeiMetadata(
        version=1,
        gear_state=1,
        frame_seq_no=2**40,
        vehicle_speed_mps=13.5,
        latitude_deg=47.5,
        brake_applied=True,
    )
    nal, slice_ = build_nal(message), b"\x65" + bytes(range(1, 30))
    other = b"\x06\x05\x20" + bytes(range(16, 48)) + b"\x80"
    annex_b = b"".join(b"\0\0\0\1" + unit for unit in (b"\x09\xf0", other, nal, nal, slice_))
    lengths = [
        b"".join(len(unit).to_bytes(size, "big") + unit for unit in (other, nal, slice_))
        for size in (1, 2, 4)
    ]
    return [b"\0" + annex_b, b"\1" + lengths[0], b"\2" + lengths[1], b"\4" + lengths[2]]


def read_event_file(data: bytes) -> None:
    facts = read_event(data)
    for text in (facts.reason, facts.timestamp, facts.city, facts.street, facts.camera, facts.problem):
        assert text is None or (text.isprintable() and 0 < len(in_line(text)) <= 200)
    assert facts.lat is None or (abs(facts.lat) <= 90 and facts.lon is not None and abs(facts.lon) <= 180)
    assert facts.reason_value is None or abs(facts.reason_value) < float("inf")


@cache
def event_files() -> list[object]:
    real = json.loads(next(SAMPLE.rglob("event.json")).read_bytes())
    return [real, {**real, "reason": "sentry_aware_accel_0.42", "est_lat": "-33.8", "est_lon": 151.2}]


def _scratch(name: str, data: bytes) -> Path:
    path = Path(tempfile.gettempdir()) / f"clipmill-fuzz-{os.getpid()}-{name}"
    path.write_bytes(data)
    return path


def read_job_file(data: bytes) -> None:
    path = _scratch("job.toml", data)
    try:
        job = read_spec(path, [], date(2026, 3, 1)).job
    except UsageError as error:
        in_line(str(error))
    else:
        assert isinstance(job, AutolabelJob)
        assert canonical_json(job)
    finally:
        path.unlink()


def read_override(data: bytes) -> None:
    path = _scratch("set.toml", JOB.encode())
    try:
        read_spec(path, [data.decode("utf-8", "surrogateescape")], date(2026, 3, 1))
    except UsageError as error:
        str(error)
    finally:
        path.unlink()


JOB = """inputs = ["/data/clips/{date-1}", "gs://bucket/more"]
output = "/data/labels"
models = ["yolox-nano"]
size = 640
timezone = "America/Los_Angeles"
workers = 4
max_failed_share = 0.1

[labels]
fps = "5"
label_fps = "all"
context_s = 2.0
license = "CC-BY-4.0"

[labels.hindsight]
online = false
"""
OVERRIDES = [
    b"labels.fps=10",
    b"size=640",
    b'inputs=["a", "b"]',
    b"labels.hindsight.online=true",
    b"timezone=UTC",
]


def read_card(data: bytes) -> None:
    path = _scratch("card.toml", data)
    try:
        card = load_card(path)
    except ModelUsageError as error:
        in_line(str(error))
    else:
        assert isinstance(card, ModelCard)
        assert card.categories
        assert 1 <= card.long_side <= 4096
    finally:
        path.unlink()


@cache
def card_texts() -> list[str]:
    folder = ROOT / "models" / "cards"
    assert len(known_cards()) > 3
    return [
        (folder / f"{name}.toml").read_text(encoding="utf-8") for name in ("demo", "yolox-nano", "picodet-s")
    ]


def read_name(data: bytes) -> None:
    uri, _, root = data.decode("utf-8", "replace").partition("\n")
    name = name_clip(uri, root)
    is_derived(uri)
    if name is None:
        return
    assert name.source in {"teslacam", "generic"}
    assert name.event_folder is None or uri.startswith(name.event_folder)
    in_line(name.vehicle + name.camera + name.folder_kind)
    read_clock(None, name.minute, None)
    if name.event_folder:
        assert event_folder_id(name)


NAMES = [
    b"/media/TeslaCam/SavedClips/2024-05-01_10-20-30/2024-05-01_10-19-30-left_repeater.mp4\n/media",
    b"/fleet/car7/TeslaCam/RecentClips/2024-05-01/2024-05-01_10-20-30-rear_view.mp4\n/fleet",
    b"/x/EncryptedClips/SentryClips/2024-05-01_10-20/event.mp4\n/x/EncryptedClips",
    b"/route/0/fcamera.hevc\n/route",
    b"gs://bucket/TeslaCam/SavedClips/2024-05-01_10-20-30/2024-02-30_10-19-30-front.mp4\ngs://bucket",
    b"clip.mp4\nclip.mp4",
]


def read_commit_file(data: bytes) -> None:
    summary = read_commit(OneFile("frames/s.parquet", data), "s")
    if summary is None:
        return
    assert isinstance(summary, ShardSummary)
    assert all(isinstance(file, FileFacts) and isinstance(file.bytes, int) for file in summary.files)
    assert all(isinstance(item, Failure) and isinstance(item.retryable, bool) for item in summary.failures)
    assert all(
        isinstance(count, int) for count in (*summary.counts.values(), *summary.frames_labelled.values())
    )
    assert all(type(text) is str for text in (*summary.tracks, *summary.tail, *summary.tail.values()))
    assert all(isinstance(item, ModelFacts) for item in summary.models)
    assert isinstance(summary.tally, Tally)
    assert canonical_json(summary).encode()


def read_commit_record(data: bytes) -> None:
    read_commit_file(committed(data))


def committed(record: bytes) -> bytes:
    """A Parquet file with a commit record."""
    table = pa.table({"frame_id": pa.array(["a"])})
    marks = {b"clipmill.schema_version": str(SCHEMA_VERSION).encode(), b"clipmill.commit": record}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(marks), sink)
    return sink.getvalue()


@cache
def records() -> list[Any]:
    summary = ShardSummary(
        name="s",
        drive_id="d",
        label_digest="l",
        files=(FileFacts(path="detections/s.parquet", rows=3, bytes=900, sha256="00"),),
        counts={"frames": 1, "detections": 3},
        clips=(("c", "/in/c.mp4"),),
        event_ids=("e",),
        models=(
            ModelFacts(name="demo", sha256="1", digest="2", size=416, task="detection", categories=("car",)),
        ),
        frames_labelled={"c": 5},
        tally=Tally(cameras=(("front", 1280, 960, 60_000_000_000, 2160),), frames=5, detections=3, tracks=1),
        tracks=("t",),
        heads={"t": ("x", "y")},
        tail={"z": "t"},
        failures=(
            Failure(
                uri="/in/d.mp4", clip_id="", stage="decode", error="truncated", message="m", retryable=False
            ),
        ),
    )
    return [json.loads(canonical_json(summary))]


def read_memory(data: bytes) -> None:
    # what was found while another version was current is still to reach the checks behind it
    current = re.sub(rb'"version": \d+', b'"version": %d' % PROBING_VERSION, data, count=1)
    known = recall(OneFile(MEMORY_FILE, current), None)
    for uri, clip in known.items():
        assert isinstance(clip, ClipRef)
        assert isinstance(clip.name, ClipName)
        assert clip.uri == uri
        assert min(clip.time_base) > 0
        assert clip.duration_ns * 1.0 < float("inf")
        assert drive_key(clip)
        assert canonical_json(clip).encode()


@cache
def memories() -> list[object]:
    clip = {
        "clip_id": "c",
        "uri": "/in/c.mp4",
        "name": {
            "source": "teslacam",
            "vehicle": "car",
            "camera": "front",
            "folder_kind": "RecentClips",
            "car": "/in/car",
            "event_folder": None,
            "minute": "2024-05-01_10-20-30",
        },
        "content_sha256": "00",
        "bytes": 5,
        "codec": "h264",
        "width": 1280,
        "height": 960,
        "rotation_deg": 0,
        "time_base": [1, 15360],
        "first_pts": 0,
        "frame_count": 36,
        "duration_ns": 1_000_000_000,
        "fps_mean": 36.0,
        "frame_jitter_ns": 0,
        "start_utc_ns": None,
        "clock_source": "none",
        "clock_uncertainty_ns": None,
        "clock_offset_ns": None,
        "telemetry_rows": 0,
    }
    return [{"version": PROBING_VERSION, "timezone": None, "clips": [clip, {**clip, "uri": "/in/d.mp4"}]}]


def read_corrected_xml(data: bytes) -> None:
    _read_corrected(read_cvat, data)


def read_corrected_json(data: bytes) -> None:
    _read_corrected(read_coco, data)


def _read_corrected(read: Callable[[BinaryIO, str], CorrectedFile], data: bytes) -> None:
    try:
        file = read(io.BytesIO(data), "corrected")
    except CorrectedFileError as error:
        if not str(error).startswith("corrected: "):
            raise AssertionError("the message does not begin with the file's name") from error
        return
    for clip in file.clips.values():
        for boxes in clip.boxes.values():
            for box in boxes:
                x_min, y_min, x_max, y_max = box.edges
                assert box.category in CATEGORIES
                assert -1e6 <= x_min < x_max <= 1e6
                assert -1e6 <= y_min < y_max <= 1e6


@cache
def corrected_texts() -> list[bytes]:
    box = (
        '<box frame="{}" outside="{}" keyframe="1" xtl="1.00" ytl="2.50" xbr="30" ybr="40.25" rotation="0.0">'
        '<attribute name="detection_id">0a1b</attribute></box>'
    )
    track = f'<track id="0" label="car">{box.format(0, 0)}{box.format(3, 1)}{box.format(5, 0)}</track>'
    meta = "<meta><task><name>a</name><size>9</size></task><dumped>2026-03-01 10:00:00+00:00</dumped></meta>"
    return [f"<annotations><version>1.1</version>{meta}{track}</annotations>".encode()]


@cache
def corrected_documents() -> list[object]:
    return [
        {
            "info": {"date_created": "2026-03-01"},
            "categories": [{"id": 5, "name": "car"}],
            "images": [
                {"id": 1, "file_name": "clip-a/000000200000000.jpg"},
                {"id": 2, "file_name": "x", "clip_id": "clip-b", "timestamp_ns": 5},
            ],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 5, "bbox": [1, 2.5, 30, 40], "detection_id": "0a1b"}
            ],
        }
    ]


TARGETS = {
    "containers": Target(read_container, lambda: mutated_bytes(whole_clips())),
    "clips": Target(read_clip, lambda: mutated_bytes(short_clips())),
    "sei": Target(read_sei, lambda: mutated_bytes(pictures())),
    "events": Target(read_event_file, lambda: mutated_json(event_files())),
    "jobs": Target(read_job_file, lambda: mutated_toml([JOB])),
    "overrides": Target(
        read_override,
        lambda: mutated_bytes(
            [*OVERRIDES, *(b"labels.x=" + text.encode("utf-8", "replace") for text in ODD_TEXTS)]
        ),
    ),
    "cards": Target(read_card, lambda: mutated_toml(card_texts())),
    "names": Target(read_name, lambda: mutated_bytes(NAMES)),
    "commit_files": Target(
        read_commit_file,
        lambda: mutated_bytes([committed(canonical_json(item).encode()) for item in records()]),
    ),
    "commit_records": Target(read_commit_record, lambda: mutated_json(records())),
    "memory": Target(read_memory, lambda: mutated_json(memories())),
    "corrected_xml": Target(read_corrected_xml, lambda: mutated_bytes(corrected_texts())),
    "corrected_json": Target(read_corrected_json, lambda: mutated_json(corrected_documents())),
}
