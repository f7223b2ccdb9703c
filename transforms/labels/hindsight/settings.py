"""The steps of hindsight, each a switch of the job."""

from typing import Final

from pydantic import BaseModel, ConfigDict


class HindsightSettings(BaseModel):
    """Which steps are taken; every one has its measured gain in docs/labels.md.

    Attributes:
        ego_motion: tracks are predicted with the camera's own motion taken out.
        both_directions: a second pass backwards in time gives tracks the boxes before their confident begin, and
            what no track took is tracked on its own.
        smoothing: boxes are smoothed along the track, past and future alike.
        rescoring: a box's score follows from its neighbours in time and from its track.
        gap_filling: frames between a track's boxes get one.
        extrapolation: tracks go on for a moment before the first and after the last sight.
        category_vote: a track has one category.
        static_removal: boxes that never move while the car does are set aside.
        calibration: the score becomes a probability, where the card tells how.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ego_motion: bool = True
    both_directions: bool = True
    smoothing: bool = True
    rescoring: bool = True
    gap_filling: bool = True
    extrapolation: bool = True
    category_vote: bool = True
    static_removal: bool = True
    calibration: bool = True


ONLINE: Final = HindsightSettings(**dict.fromkeys(HindsightSettings.model_fields, False))
"""No hindsight at all: boxes and scores as the network gave them, tracks by what was seen so far."""
