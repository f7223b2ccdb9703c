"""Job specs: what a run is told, as TOML checked to the letter; `label`'s options are the same spec."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.outcome import UsageError
from pipelines.toml_files import read_toml
from transforms.clips.vins import holds_vin, mask_vins
from transforms.labels.settings import LabelSettings

DEFAULT_MODEL = "yolox-nano"

Text = Annotated[str, Field(min_length=1, max_length=4000)]
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

    @field_validator("inputs", "output")
    @classmethod
    def _no_vin(cls, value: tuple[str, ...] | str) -> tuple[str, ...] | str:
        for path in (value,) if isinstance(value, str) else value:
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


def check_job(values: dict[str, Any], where: str) -> AutolabelJob:
    """Checks the values of a job.

    Args:
        values: the spec.
        where: what the message calls the spec, a file's name or "options".

    Raises:
        UsageError: a value is missing, unknown or out of range.
    """
    try:
        return AutolabelJob.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{where}: {_first_line(error)}") from error


def _first_line(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg'].removeprefix('Value error, ')}" if place else first["msg"]


def read_job(path: Path, overrides: list[str]) -> AutolabelJob:
    """Reads a job spec.

    Args:
        path: a TOML file.
        overrides: `key=value`, the value as TOML or else as text; dots lead into tables.

    Raises:
        UsageError: the file is not there, not TOML, or no job.
    """
    values = read_toml(path)
    for item in overrides:
        override(values, item)
    return check_job(values, str(path))


def override(values: dict[str, Any], item: str) -> None:
    """Sets one value of a job.

    Args:
        values: the spec.
        item: `key=value`, see `read_job`.

    Raises:
        UsageError: it is not of that form, or leads through something that is no table.
    """
    key, equals, text = item.partition("=")
    if not (key and equals):
        raise UsageError(f"--set {item}: expected key=value")
    *tables, last = key.split(".")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise UsageError(f"--set {item}: {table} is not a table")
    try:
        values[last] = tomllib.loads(f"value = {text}")["value"]
    except (
        ValueError
    ):  # no TOML, or a number of thousands of digits: the check tells what it should have been
        values[last] = text
    except RecursionError:
        raise UsageError(f"--set {key}: nested too deeply") from None
