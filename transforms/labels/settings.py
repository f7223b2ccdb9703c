"""What a job may choose about labelling; every field reaches the label digest."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator, model_validator

from transforms.clips.sampling import Sampling
from transforms.labels.hindsight.settings import HindsightSettings
from transforms.labels.private_places import MOST_PLACES, PrivatePlace, places_digest

LABELLING_VERSION = 4
"""Raised whenever the same inputs and settings would give other rows."""

TRACKING_VERSION = 2
"""Raised whenever the same detections may get other tracks."""


class LabelSettings(BaseModel):
    """Options of labelling.

    Attributes:
        fps: which frames the networks see: samples a second, `all` or `keyframes`.
        label_fps: which frames get labels, those between included: samples a second or `all`; None = those of
            `fps`.
        adaptive: whether the networks, of the frames that get labels, see those where the picture has changed, never
            more than `fps` a second.
        context_s: seconds of the previous minute that a shard also sees, so that tracks go on.
        license: licence of the footage, copied to `clips`.
        region: region of the footage, copied to `clips`.
        hindsight: what is done once the whole minute has been seen.
        location_privacy: places whose positions do not reach the rows. Whatever is written of the settings holds a
            digest in their stead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fps: str = "5"
    label_fps: str | None = None
    adaptive: bool = False
    context_s: Annotated[float, Field(ge=0, le=30)] = 2.0
    license: str | None = None
    region: str | None = None
    hindsight: HindsightSettings = HindsightSettings()
    location_privacy: Annotated[tuple[PrivatePlace, ...], Field(max_length=MOST_PLACES)] = ()

    @field_serializer("location_privacy")
    def _unreadable(self, places: tuple[PrivatePlace, ...]) -> str | None:
        return places_digest(places)

    @field_validator("fps", "label_fps", mode="before")
    @classmethod
    def _known_rule(cls, value: object) -> object:
        text = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        if isinstance(text, str):
            Sampling.parse(text)
        return text

    @model_validator(mode="after")
    def _finer_labels(self) -> Self:
        networks, labels = self.network_sampling, self.sampling
        if self.label_fps is None or labels.kind == "all":
            return self
        if labels.kind == "keyframes":
            msg = "label_fps: give a rate or all"
        elif networks.fps is None:
            msg = f"label_fps: with fps = {self.fps} only all can be finer"
        elif labels.fps is not None and labels.fps < networks.fps:
            msg = f"label_fps: {self.label_fps} is less than fps = {self.fps}"
        else:
            return self
        raise ValueError(msg)

    @model_validator(mode="after")
    def _rate_to_save_from(self) -> Self:
        if self.adaptive and self.network_sampling.fps is None:
            raise ValueError(
                f"adaptive: fps = {self.fps} is no rate; give how many frames a second the networks see at most"
            )
        return self

    @property
    def network_sampling(self) -> Sampling:
        """Which frames the networks see."""
        return Sampling.parse(self.fps)

    @property
    def sampling(self) -> Sampling:
        """Which frames get labels."""
        return Sampling.parse(self.label_fps or self.fps)

    @property
    def labels_unseen_frames(self) -> bool:
        """Whether frames that the networks do not see get labels."""
        return self.label_fps is not None or self.adaptive

    @property
    def follows_points(self) -> bool:
        """Whether anything needs to know how the picture moves."""
        steps = self.hindsight
        return self.labels_unseen_frames or steps.ego_motion or steps.static_removal

    @property
    def context_ns(self) -> int:
        """`context_s` in nanoseconds."""
        return round(self.context_s * 1e9)
