"""Which frames get labels, and what must be known for them."""

import pytest
from pydantic import ValidationError

from transforms.labels.hindsight.settings import ONLINE, HindsightSettings
from transforms.labels.settings import LabelSettings
from transforms.tables.digests import digest


@pytest.mark.parametrize(
    ("fps", "label_fps"),
    [("5", "all"), ("5", "10"), ("5", "5"), (2.5, 5), ("all", "all"), ("keyframes", "all"), ("5", None)],
)
def test_labels_may_be_finer_than_what_the_networks_see(fps, label_fps):
    settings = LabelSettings(fps=fps, label_fps=label_fps)
    assert settings.label_fps == (None if label_fps is None else str(label_fps))
    assert settings.network_sampling.kind == ("fps" if fps in {"5", 2.5} else fps)
    assert (settings.sampling == settings.network_sampling) == (label_fps is None or str(label_fps) == fps)


@pytest.mark.parametrize(
    ("fps", "label_fps", "said"),
    [
        ("5", "4.9", "4.9 is less than fps = 5"),
        ("5", "keyframes", "give a rate or all"),
        ("all", "10", "only all can be finer"),
        ("keyframes", "30", "only all can be finer"),
        ("5", "0", "no frame rate"),
        ("5", "", "no frame rate"),
        ("5", True, "label_fps"),
    ],
)
def test_coarser_labels_and_what_is_no_rate_are_refused(fps, label_fps, said):
    with pytest.raises(ValidationError, match=said):
        LabelSettings(fps=fps, label_fps=label_fps)


@pytest.mark.parametrize("fps", ["all", "keyframes"])
def test_calls_are_saved_from_a_rate(fps):
    with pytest.raises(
        ValidationError, match=f"adaptive: fps = {fps} is no rate; give how many frames a second"
    ):
        LabelSettings(fps=fps, adaptive=True)


def test_a_job_that_saves_calls_is_another_job():
    assert digest(LabelSettings(adaptive=True)) != digest(LabelSettings())


def test_frames_that_the_networks_pass_over_are_labelled_at_the_rate_or_finer():
    assert not LabelSettings().adaptive
    assert not LabelSettings().labels_unseen_frames
    adaptive = LabelSettings(adaptive=True)
    assert adaptive.labels_unseen_frames
    assert adaptive.sampling == adaptive.network_sampling == LabelSettings().sampling
    assert LabelSettings(adaptive=True, label_fps="all").sampling.kind == "all"


def test_points_are_followed_only_where_something_needs_them():
    assert LabelSettings().follows_points
    assert not LabelSettings(hindsight=ONLINE).follows_points
    assert LabelSettings(hindsight=ONLINE, label_fps="all").follows_points
    assert LabelSettings(hindsight=ONLINE, adaptive=True).follows_points
    needing = [
        name
        for name in HindsightSettings.model_fields
        if LabelSettings(hindsight=ONLINE.model_copy(update={name: True})).follows_points
    ]
    assert sorted(needing) == ["ego_motion", "static_removal"]
