"""One minute: decode each clip once, label the sampled frames, track, and lay the rows out as tables."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from models.sessions import Detector
from transforms.clips.decoding import ClipDecoder
from transforms.clips.errors import PASSING, ClipError
from transforms.clips.refs import ClipRef, Failure
from transforms.clips.shards import Part, ShardPlan
from transforms.labels import rows
from transforms.labels.following import Links, follow, links
from transforms.labels.seen import PartLabels
from transforms.labels.settings import LabelSettings
from transforms.labels.windows import Timings, Window, WindowLabels, windows_of

OpenStream = Callable[[str], BinaryIO]
OnFrame = Callable[[], object]


@dataclass(frozen=True, slots=True)
class ShardRows:
    """A shard's tables and what does not stand in them.

    Attributes:
        tables: rows by table name.
        failures: faults of its clips.
        frames_labelled: by clip_id; clips that gave no good frame have 0.
        links: what the join needs.
        timings: where the seconds went.
    """

    tables: dict[str, pa.Table]
    failures: tuple[Failure, ...]
    frames_labelled: dict[str, int]
    links: Links
    timings: Timings


def label_shard(
    plan: ShardPlan,
    open_stream: OpenStream,
    detectors: Sequence[Detector],
    settings: LabelSettings,
    on_frame: OnFrame = tuple,
) -> ShardRows:
    """Labels one shard.

    Args:
        plan: the clips and windows.
        open_stream: opens a clip's URI for reading at any place.
        detectors: the networks, in the job's order.
        settings: the job's options.
        on_frame: called after each sampled frame, for those who watch whether it goes on.

    Returns:
        The rows of the shard; a clip's fault is among its failures and never an exception.
    """
    timings = Timings()
    failures: list[Failure] = []
    labelled: list[PartLabels] = []
    for part in plan.parts:
        labels, faults = see_part(part, open_stream, detectors, settings, timings, on_frame)
        labelled.append(labels)
        failures += faults
    started = time.perf_counter()
    tracked = [follow(labels, detectors, settings) for labels in labelled]
    timings.track_s += time.perf_counter() - started
    return ShardRows(
        tables=rows.tables(plan, labelled, tracked, settings),
        failures=tuple(failures),
        frames_labelled={
            labels.part.clip.clip_id: sum(
                frame.network_ran and not frame.in_context for frame in labels.frames
            )
            for labels in labelled
        },
        links=links(tracked, settings.context_ns),
        timings=timings,
    )


def see_part(
    part: Part,
    open_stream: OpenStream,
    detectors: Sequence[Detector],
    settings: LabelSettings,
    timings: Timings,
    on_frame: OnFrame = tuple,
) -> tuple[PartLabels, list[Failure]]:
    """What one camera's minute and its context show, before it is looked at as a whole.

    Args:
        part: the clip and its window.
        open_stream: opens a clip's URI for reading at any place.
        detectors: the networks, in the job's order.
        settings: the job's options.
        timings: gets the seconds spent.
        on_frame: called after each sampled frame.

    Returns:
        What was seen, and the clip's faults.
    """
    labels = PartLabels(part, detections=[[] for _ in detectors])
    failures = []
    for window in windows_of(part):
        fault = _see_window(window, labels, open_stream, detectors, settings, timings, on_frame)
        is_own = window.own_ns < window.stop_ns
        # what is wrong with the previous minute's clip is that minute's to report; but where it may pass, this
        # minute's tracks may yet find out where they come from
        if fault is not None and (is_own or fault.fault in PASSING):
            failures.append(_failure(window.clip, fault))
    return labels, failures


def _see_window(
    window: Window,
    labels: PartLabels,
    open_stream: OpenStream,
    detectors: Sequence[Detector],
    settings: LabelSettings,
    timings: Timings,
    on_frame: OnFrame,
) -> ClipError | None:
    clip = window.clip
    work = WindowLabels(window, labels, detectors, settings, timings)
    fault: ClipError | None
    try:
        with open_stream(clip.uri) as stream, ClipDecoder(stream, clip) as decoder:
            frames = decoder.frames(settings.sampling, window.start_ns, window.stop_ns)
            while True:
                started = time.perf_counter()
                sampled = next(frames, None)
                timings.decode_s += time.perf_counter() - started
                if sampled is None:
                    break
                work.add(sampled)
                on_frame()
            if window.own_ns < window.stop_ns:
                labels.telemetry += [row for row in decoder.telemetry if row[1] >= window.own_ns]
            fault = decoder.fault
    except ClipError as error:
        fault = error
    except OSError as error:
        message = f"{clip.uri}: {error.strerror or error}; check the disk and run again"
        fault = ClipError("unreadable", message)
    work.finish()
    return fault


def _failure(clip: ClipRef, fault: ClipError) -> Failure:
    return Failure(
        uri=clip.uri,
        clip_id=clip.clip_id,
        stage="decode",
        error=fault.fault,
        message=str(fault),
        retryable=fault.retryable,
    )
