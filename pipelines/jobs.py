"""Jobs: what a run is told, checked to the letter; `label`'s options and job specs are the same."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.outcome import UsageError
from transforms.clips.vins import holds_vin, mask_vins
from transforms.labels.settings import LabelSettings

DEFAULT_MODEL = "yolox-nano"

_LONGEST_KEY: Final = 64
"""Keys that are longer are no slips of the pen, and long to compare."""

_WANTED: Final = {
    "tuple_type": 'expected a list, such as ["..."]',
    "model_type": "expected a table",
    "string_type": 'expected a text, such as "..."',
}
"""What TOML calls what pydantic has a Python name for."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("no name or path holds the character U+0000")
    return text


Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_without_nul)]
"""A name or path; longer ones no file system takes."""


class AutolabelJob(BaseModel):
    """One labelling job.

    Attributes:
        inputs: files, folders, globs or URLs.
        output: the data set: a folder or a URL.
        base: another data set: shards that are there as this job would make them are taken over.
        models: names, cards or networks.
        size: long side of the networks' input in pixels, or None for the cards' own.
        device: where networks run.
        timezone: zone of the times in TeslaCam's file names, or None.
        workers: shards worked on at once on this machine, or None for one a core.
        rehash: whether files are hashed again though their size and time of change are as they were.
        stall_s: seconds without progress after which a clip is set aside, beside a second for each second of it.
        clip_memory_gb: private memory of the process that works on a clip; one that needs more is set aside
            (not with a GPU, whose drivers claim any amount).
        max_failed_share: largest share of clips that may fail without exit code 3.
        labels: options that reach the rows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: Annotated[tuple[Text, ...], Field(min_length=1)]
    output: Text
    base: Text | None = None
    models: Annotated[tuple[Text, ...], Field(min_length=1)]
    size: Annotated[int, Field(ge=32, le=4096)] | None = None
    device: Literal["cpu", "cuda"] = "cpu"
    timezone: str | None = None
    workers: Annotated[int, Field(ge=1, le=1024)] | None = None
    rehash: bool = False
    stall_s: Annotated[float, Field(ge=1, le=86400)] = 60.0
    clip_memory_gb: Annotated[float, Field(ge=1, le=4096)] = 4.0
    max_failed_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    labels: LabelSettings = LabelSettings()

    @field_validator("inputs", "output", "base")
    @classmethod
    def _no_vin(cls, value: tuple[str, ...] | str | None) -> tuple[str, ...] | str | None:
        for path in (value,) if isinstance(value, str) else value or ():
            # the record of a run keeps them as absolute paths
            place = path if "://" in path else os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
            if holds_vin(place):
                raise ValueError(
                    f"{mask_vins(place)} holds a vehicle identification number, which a data set would keep; "
                    "rename the folder, or give a link to it (ln -s) with another name"
                )
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (KeyError, OSError, ValueError) as error:
                raise ValueError(f"{value!r} is no time zone (for example America/Los_Angeles)") from error
        return value


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a job.

    Attributes:
        place: keys and positions that lead to the value.
        message: what is wrong with it.
    """

    place: tuple[str | int, ...]
    message: str

    def __str__(self) -> str:
        place = ".".join(map(str, self.place))
        return f"{place}: {self.message}" if place else self.message


def check_job(values: dict[str, Any], where: str) -> AutolabelJob:
    """Checks the values of a job.

    Args:
        values: the job.
        where: what the message calls it, a file's name or "options".

    Raises:
        UsageError: a value is missing, unknown or out of range.
    """
    try:
        return AutolabelJob.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{where}: {faults(error)[0]}") from error


def faults(error: ValidationError) -> list[Fault]:
    """What the check of a job found, at least one thing."""
    return [_fault(item["type"], item["loc"], item["msg"]) for item in error.errors(include_url=False)]


def _fault(kind: str, place: tuple[str | int, ...], message: str) -> Fault:
    if kind == "extra_forbidden":
        return Fault(place, f"unknown key{_meant(place)}")
    if kind == "missing":
        return Fault(place, "is missing")
    if kind in _WANTED:
        return Fault(place, _WANTED[kind])
    message = message.removeprefix("Value error, ")
    key, colon, rest = message.partition(": ")
    table = tuple(part for part in place if isinstance(part, str))
    # a rule about several values of a table names the one that breaks it
    return Fault((*place, key), rest) if colon and (*table, key) in _KEYS else Fault(place, message)


def _meant(place: tuple[str | int, ...]) -> str:
    *table, last = [part for part in place if isinstance(part, str)]
    if len(last) > _LONGEST_KEY:
        return ""
    elsewhere = [".".join(key) for key in _KEYS if key[-1] == last]
    here = [key[-1] for key in _KEYS if key[:-1] == tuple(table)]
    if found := elsewhere or get_close_matches(last, here, n=1):
        above = ", above the first [table]" if table and "." not in found[0] and elsewhere else ""
        return f"; did you mean {found[0]}{above}?"
    return ""


def _keys(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*above, name)
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from _keys(inner, (*above, name))


_KEYS: Final = tuple(_keys(AutolabelJob))
"""Every key that a job may have, with the tables that lead to it."""
