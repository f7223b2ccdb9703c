"""What running a training needs beside arithmetic: failures, storage, decoding, uplink, labelling."""

from typing import Annotated

from pydantic import AfterValidator

from transforms.budget.facts.values import Count, Fact, HourlyRate, Ratio, Record, Share, measured_in

# As in values.py, wide enough for any machine; they catch a slipped prefix or unit.
FailureRate = Annotated[Fact, AfterValidator(measured_in("1/h", 1e-8, 1e-1))]
Seconds = Annotated[Fact, AfterValidator(measured_in("s", 0.01, 1e5))]
StorageRate = Annotated[Fact, AfterValidator(measured_in("B/s", 1e6, 1e12))]
LinkRate = Annotated[Fact, AfterValidator(measured_in("bit/s", 1e3, 1e11))]
PixelRate = Annotated[Fact, AfterValidator(measured_in("px/s", 1e6, 1e11))]
PictureBytes = Annotated[Fact, AfterValidator(measured_in("B/px", 0.001, 12))]
Cores = Annotated[Fact, AfterValidator(measured_in("cores", 0.01, 1e8))]
HoursPerDay = Annotated[Fact, AfterValidator(measured_in("h/d", 0.01, 24))]
CoreSpeed = Annotated[Fact, AfterValidator(measured_in("cores/core", 0.01, 100))]


class Reliability(Record):
    """What stops a training, and how it goes on.

    Attributes:
        failure_rate: failures of an accelerator-hour that stop the training.
        checkpoint_write: time that writing a checkpoint takes from the training.
        published_count: accelerators of the trainings that utilisation is known from: it holds their failures.
        restart: from a failure until the training goes on from its last checkpoint.
    """

    failure_rate: FailureRate
    checkpoint_write: Seconds
    restart: Seconds
    published_count: Count


class Storage(Record):
    """How fast stored video comes to an accelerator, and how much of it there is.

    Attributes:
        read_rate: what the file system gives each accelerator.
        network_share: part of the accelerator's network that reading may take.
        camera_bitrate: of one camera's video, where the data set does not tell its size.
        picture_bytes: of a frame that is kept as a picture.
    """

    read_rate: StorageRate
    network_share: Share
    camera_bitrate: LinkRate
    picture_bytes: PictureBytes


class Decoding(Record):
    """How fast a server turns stored video into pixels.

    Attributes:
        speed: pixels of video that one core decodes a second.
        picture_speed: the same of pictures.
        share: part of a server's cores that decodes.
        cores: of the server, for each of its accelerators, by accelerator.
        cores_of_others: the same for accelerators without an entry.
    """

    speed: PixelRate
    picture_speed: PixelRate
    share: Share
    cores: dict[str, Cores]
    cores_of_others: Cores


class Uplink(Record):
    """How video comes from a vehicle to a data centre.

    Attributes:
        rate: of one vehicle while it is connected.
        connected: hours a day that it is.
    """

    rate: LinkRate
    connected: HoursPerDay


class LabellingRules(Record):
    """What labelling otherwise than in the measured run costs.

    Attributes:
        larger_side: width and height of a larger network input, over the measured one.
    """

    larger_side: Ratio


class LabellingMachine(Record):
    """Machines that label.

    Attributes:
        title: their name for people.
        cores: all their cores together.
        core_hour: price of one core for an hour.
        speed: of one core, over the core that was measured.
    """

    title: str
    cores: Cores
    core_hour: HourlyRate
    speed: CoreSpeed
