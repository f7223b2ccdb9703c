"""What a job may choose about labelling; every field reaches the label digest."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from transforms.clips.sampling import Sampling

LABELLING_VERSION = 1
"""Raised whenever the same inputs and settings would give other rows."""


class LabelSettings(BaseModel):
    """Options of labelling.

    Attributes:
        fps: which frames are labelled: samples a second, `all` or `keyframes`.
        context_s: seconds of the previous minute that a shard also sees, so that tracks go on.
        license: licence of the footage, copied to `clips`.
        region: region of the footage, copied to `clips`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fps: str = "5"
    context_s: Annotated[float, Field(ge=0, le=30)] = 2.0
    license: str | None = None
    region: str | None = None

    @field_validator("fps", mode="before")
    @classmethod
    def _known_rule(cls, value: object) -> object:
        text = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        if isinstance(text, str):
            Sampling.parse(text)
        return text

    @property
    def sampling(self) -> Sampling:
        """The sampling rule."""
        return Sampling.parse(self.fps)

    @property
    def context_ns(self) -> int:
        """`context_s` in nanoseconds."""
        return round(self.context_s * 1e9)
