"""A made-up speed of labelling: easy to compute with."""

from datetime import date

from transforms.budget.labelling import LabellingSpeed

SPEED = LabellingSpeed(
    frames_per_second_per_core=10.0,
    cores=2,
    frames_per_camera_hour=18_000.0,
    decode_share=0.25,
    sampling="5",
    cpu="Made-up 1",
    run_id="20260102T030405Z-c35883",
    as_of=date(2026, 1, 2),
)
