"""Stage: event folders, with what event.json says and which cameras can be read."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import PCollection

from transforms.clips.events import MAX_EVENT_BYTES, EventFacts, read_event
from transforms.clips.refs import ClipRef, InputFile
from transforms.clips.shards import event_folder_id
from transforms.clips.sources import name_clip, named
from transforms.clips.vins import mask_vins
from transforms.labels.private_places import PrivatePlace, hide
from transforms.storage import open_stream

Found = tuple[PCollection[InputFile], PCollection[ClipRef], PCollection[InputFile]]
"""Every clip found, every clip that can be read, every event.json."""

FOUR_CAMERAS: Final = frozenset({"front", "back", "left_repeater", "right_repeater"})
"""The cameras that every car with event folders has; pillars are expected where one was seen."""


class GatherEvents(beam.PTransform[Found, PCollection[dict[str, object]]]):
    """Makes the rows of `events`.

    Takes (files, clips, event files): every clip found, every clip that can be read, every event.json.

    Args:
        places: places that no event may show.

    Returns:
        Rows as dicts of the columns of `events`: one an event folder, a few thousand in all.
    """

    def __init__(self, places: Sequence[PrivatePlace] = ()) -> None:
        super().__init__()
        self._places = tuple(places)

    def expand(self, pcolls: Found) -> PCollection[dict[str, object]]:
        """Groups by event folder."""
        files, clips, event_files = pcolls
        return (
            {
                "found": files | "Found" >> beam.FlatMap(_found),
                "readable": clips | "Readable" >> beam.FlatMap(_readable),
                "event": event_files | "Events" >> beam.FlatMap(_event_file),
            }
            | "By folder" >> beam.CoGroupByKey()
            | "Describe" >> beam.FlatMap(_describe, self._places)
        )


def _found(file: InputFile) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    name = named(file)
    if name.event_folder:
        yield name.event_folder, (event_folder_id(name), name.folder_kind, name.minute or "", name.camera)


def _readable(clip: ClipRef) -> Iterator[tuple[str, tuple[str, str]]]:
    if clip.name.event_folder:
        yield clip.name.event_folder, (clip.name.minute or "", clip.name.camera)


def _event_file(file: InputFile) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """The event's id and kind as its clips would tell them: there may be none."""
    folder = file.uri.rpartition("/")[0]
    name = name_clip(f"{folder}/2000-01-01_00-00-00-front.mp4", file.root)
    if name is not None and name.event_folder == folder:
        yield folder, (event_folder_id(name), name.folder_kind, file.uri)


def _describe(
    group: tuple[str, dict[str, Iterable[Any]]], places: Sequence[PrivatePlace]
) -> Iterator[dict[str, object]]:
    folder, members = group
    found = sorted(members["found"])
    files = sorted(members["event"])
    event_id, kind, *_ = found[0] if found else files[0]
    readable = set(members["readable"])
    named_cameras = {camera for *_, camera in found}
    seen = named_cameras & {camera for _, camera in readable}
    expected = FOUR_CAMERAS | named_cameras
    minutes = {minute for *_, minute, _ in found} or {""}
    missing = {camera for camera in expected if any((minute, camera) not in readable for minute in minutes)}
    yield {
        "event_id": event_id,
        "uri": folder,
        "kind": kind,
        "cameras_present": sorted(seen),
        "cameras_missing": sorted(missing),
        **_facts([uri for *_, uri in files], places),
    }


def _facts(files: list[str], places: Sequence[PrivatePlace]) -> dict[str, object]:
    content: bytes | None = None
    problem: str | None = None
    try:
        if files:
            with open_stream(files[0]) as stream:
                content = stream.read(MAX_EVENT_BYTES + 1)
    except OSError as error:
        problem = f"event.json: {error.strerror or error}"
    facts = read_event(content)
    return {
        "reason": _masked(facts.reason),
        "reason_value": facts.reason_value,
        "timestamp": facts.timestamp,
        **_where(facts, places),
        "camera": _masked(facts.camera),
        "problem": problem or facts.problem,
    }


def _where(facts: EventFacts, places: Sequence[PrivatePlace]) -> dict[str, object]:
    """Where an event was, as far as it may be shown; names of places cannot be rounded, so they go."""
    exact = (np.array([np.nan if value is None else value]) for value in (facts.lat, facts.lon))
    lat, lon, hidden = (values.item() for values in hide(next(exact), next(exact), places))
    return {
        "lat": None if math.isnan(lat) else lat,
        "lon": None if math.isnan(lon) else lon,
        "city": None if hidden else _masked(facts.city),
        "street": None if hidden else _masked(facts.street),
    }


def _masked(text: str | None) -> str | None:
    return None if text is None else mask_vins(text)
