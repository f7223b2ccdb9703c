"""What labelling costs: the speed that a data set's own run measured, scaled to its figures."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from math import isfinite
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from transforms.budget.demand.figures import DatasetFigures
from transforms.budget.demand.flops import SECONDS_PER_HOUR
from transforms.budget.draws import Inputs
from transforms.budget.errors import BudgetUsageError
from transforms.budget.estimates import Quantity, summary
from transforms.budget.facts.library import Facts
from transforms.tables.layout import RUNS
from transforms.tables.store import Store

SPEED_FILE: Final = f"{RUNS}/speed.json"
"""What the newest run that labelled anything measured."""

DEFAULT_MACHINE: Final = "cloud-cpu"


class SpeedRecord(BaseModel):
    """What a run measured: the content of `SPEED_FILE`.

    Attributes:
        run_id: the run; it begins with the day.
        device: what the network ran on: cpu, or an accelerator.
        sampling: frames that were labelled: a rate in Hz, `all` or `keyframes`.
        frames: labelled frames.
        camera_seconds: length of their clips.
        worker_seconds: that workers spent on them, all together.
        decode_seconds: the part of it that was decoding and scaling.
        workers: that worked at once on one machine; None where a runner's own workers did.
        cores: of that machine.
        cpu: its processor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str = Field(min_length=8)
    device: str
    sampling: str
    frames: int = Field(gt=0)
    camera_seconds: float = Field(gt=0, allow_inf_nan=False)
    worker_seconds: float = Field(gt=0, allow_inf_nan=False)
    decode_seconds: float = Field(ge=0, allow_inf_nan=False)
    workers: int | None = Field(gt=0)
    cores: int | None = Field(gt=0)
    cpu: str | None


@dataclass(frozen=True, slots=True)
class LabellingSpeed:
    """How fast a run labelled.

    Attributes:
        frames_per_second_per_core: labelled frames a second, for each core that worked.
        cores: that worked; None where a runner's own workers did.
        frames_per_camera_hour: labelled frames of a camera-hour.
        decode_share: part of the work that was decoding and scaling: it does not grow with labelled frames.
        sampling: frames that were labelled: a rate in Hz, `all` or `keyframes`.
        cpu: the processor, where it is known.
        run_id: the run.
        as_of: its day.
    """

    frames_per_second_per_core: float
    cores: int | None
    frames_per_camera_hour: float
    decode_share: float
    sampling: str
    cpu: str | None
    run_id: str
    as_of: date

    @property
    def source(self) -> str:
        """Where the speed comes from, in words."""
        where = f"{self.cores or 'several'} cores of {self.cpu or 'unknown processors'}"
        return f"run {self.run_id} of {self.as_of} on {where}"


def newest_speed(store: Store) -> LabellingSpeed | None:
    """The speed of the newest run that labelled anything.

    A worker is held to keep one core busy; where there were more workers than cores, they shared them.

    Args:
        store: the data set.

    Returns:
        None where no run noted it, or the network ran on an accelerator: that says nothing of cores.
    """
    try:
        record = SpeedRecord.model_validate_json(store.read(SPEED_FILE))
        day = datetime.strptime(record.run_id[:8], "%Y%m%d").date()  # noqa: DTZ007 - ids are in UTC
    except (FileNotFoundError, ValidationError, ValueError):
        # files that an earlier version wrote, or that were damaged, tell no speed
        return None
    if record.device != "cpu":
        return None
    cores = record.workers and min(record.workers, record.cores or record.workers)
    core_seconds = record.worker_seconds * (cores / record.workers if cores and record.workers else 1.0)
    return LabellingSpeed(
        frames_per_second_per_core=record.frames / core_seconds,
        cores=cores,
        frames_per_camera_hour=record.frames / record.camera_seconds * SECONDS_PER_HOUR,
        decode_share=min(1.0, record.decode_seconds / record.worker_seconds),
        sampling=record.sampling,
        cpu=record.cpu,
        run_id=record.run_id,
        as_of=day,
    )


@dataclass(frozen=True, slots=True)
class LabellingMode:
    """The cost of labelling in one way.

    Attributes:
        name: the way.
        frames_per_second: labelled frames of a second of video.
        core_hours: hours of the machine's cores.
        cost_usd: their price.
        days: that the machine takes.
        decode_share: part of the work that is decoding and scaling.
    """

    name: str
    frames_per_second: float
    core_hours: Quantity
    cost_usd: Quantity
    days: Quantity
    decode_share: float


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of what labelling, decoding and training cost together, at the medians.

    Attributes:
        labelling: running and following the networks' detections.
        decoding: decoding and scaling the frames that are labelled.
        training: the training.
    """

    labelling: float
    decoding: float
    training: float


@dataclass(frozen=True, slots=True)
class LabellingCost:
    """What labelling a data set costs.

    Attributes:
        speed: what was measured.
        machine: where it would be labelled.
        camera_hours_per_core_hour: hours of video that a measured core labels in an hour, as in the run.
        modes: as in the run first; every frame; with a larger input.
    """

    speed: LabellingSpeed
    machine: str
    camera_hours_per_core_hour: float
    modes: tuple[LabellingMode, ...]

    def shares(self, training_usd: float) -> Shares:
        """How the money parts between labelling as in the run, its decoding, and a training.

        Args:
            training_usd: median cost of the training.

        Raises:
            BudgetUsageError: the cost is no such number.
        """
        if not (isfinite(training_usd) and training_usd >= 0):
            raise BudgetUsageError(f"a training of {training_usd:g} dollars: give a number, 0 or more")
        mode = self.modes[0]
        together = mode.cost_usd.p50 + training_usd
        decoding = mode.cost_usd.p50 * mode.decode_share
        return Shares(
            labelling=(mode.cost_usd.p50 - decoding) / together,
            decoding=decoding / together,
            training=training_usd / together,
        )

    def as_json(self) -> dict[str, object]:
        """The form of `budget --json`."""
        return {
            "run_id": self.speed.run_id,
            "frames_per_second_per_core": self.speed.frames_per_second_per_core,
            "camera_hours_per_core_hour": self.camera_hours_per_core_hour,
            "machine": self.machine,
            "modes": [asdict(mode) for mode in self.modes],
        }


def labelling_cost(
    speed: LabellingSpeed,
    figures: DatasetFigures,
    facts: Facts,
    inputs: Inputs,
    machine: str = DEFAULT_MACHINE,
) -> LabellingCost | None:
    """What labelling a data set's camera-hours would cost.

    Decoding goes with camera-hours, since every frame is decoded whichever are labelled; all else goes
    with labelled frames, and with the pixels of the network's input.

    Args:
        speed: what a run measured.
        figures: what is to be labelled; cameras like those of the run are supposed.
        facts: the facts.
        inputs: where draws come from and are noted.
        machine: name of the machines.

    Returns:
        None where there are no camera-hours.

    Raises:
        BudgetUsageError: no machine is called so.
    """
    if machine not in facts.machines:
        raise BudgetUsageError(f"machine {machine!r} is unknown; known: {', '.join(facts.machines)}")
    if figures.camera_hours <= 0:
        return None
    known = facts.machines[machine]
    inputs.given(
        "labelling_speed", speed.frames_per_second_per_core, "frames/s/core", "measured", speed.source
    )
    machine_speed = inputs.draw("labelling_core_speed", known.speed, f"core_speed/{machine}")
    price = inputs.draw("labelling_core_hour", known.core_hour, f"core_hour/{machine}")
    cores = inputs.note("labelling_cores", known.cores)
    frame_s = 1 / speed.frames_per_second_per_core
    decode_s = frame_s * speed.decode_share * speed.frames_per_camera_hour
    detect_s = frame_s * (1 - speed.decode_share)

    def mode(way: _Way) -> LabellingMode:
        detecting = way.frames_per_camera_hour * detect_s * way.pixels
        measured_hours = figures.camera_hours * (decode_s + detecting) / SECONDS_PER_HOUR
        core_hours = measured_hours / machine_speed
        return LabellingMode(
            name=way.name,
            frames_per_second=way.frames_per_camera_hour / SECONDS_PER_HOUR,
            core_hours=summary(core_hours, "h"),
            cost_usd=summary(core_hours * price, "USD"),
            days=summary(core_hours / cores / 24, "d"),
            decode_share=decode_s / (decode_s + detecting),
        )

    return LabellingCost(
        speed=speed,
        machine=machine,
        camera_hours_per_core_hour=SECONDS_PER_HOUR / (speed.frames_per_camera_hour * frame_s),
        modes=tuple(map(mode, _ways(speed, figures, facts, inputs))),
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """A way of labelling: labelled frames of a camera-hour, and pixels of the input over the run's."""

    name: str
    frames_per_camera_hour: float
    pixels: float


def _ways(speed: LabellingSpeed, figures: DatasetFigures, facts: Facts, inputs: Inputs) -> Iterator[_Way]:
    as_measured = speed.frames_per_camera_hour
    yield _Way(f"as in the run ({_told(speed.sampling)})", as_measured, 1.0)
    shown = sum(camera.hours * camera.fps_mean for camera in figures.cameras) * SECONDS_PER_HOUR
    every = shown / figures.camera_hours
    # a run that sampled all of them has measured this one
    if speed.sampling != "all":
        yield _Way("every frame", max(every, as_measured), 1.0)
    side = inputs.note("larger_input_side", facts.labelling.larger_side)
    yield _Way(f"input {side:g} times as wide and high", as_measured, side**2)


def _told(sampling: str) -> str:
    return {"all": "every frame", "keyframes": "keyframes"}.get(sampling, f"{sampling} frames a second")
