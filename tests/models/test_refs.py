import pytest

from models.refs import ModelRef


def _digest(card, sha256="0" * 64, size=96, path="/a", device="cpu"):
    return ModelRef(card, path, sha256, size, device).digest


def test_the_digest_follows_what_shapes_results_and_nothing_else(make_card):
    card = make_card()
    digest = _digest(card)
    assert len(digest) == 64
    assert digest == _digest(card, path="/b", device="cuda")
    named = make_card(name="other", notes="x", licence="MIT", source="y", published="z", bundled="other.onnx")
    assert digest == _digest(named)
    assert digest != _digest(card, sha256="1" * 64)
    assert digest != _digest(card, size=128)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"family": "picodet"},
        {"min_score": 0.2},
        {"nms_iou": None},
        {"drop_own_bonnet": True},
        {"class_map": {"auto": "truck"}},
        {"classes": ["auto", "walker", "x"]},
        {"input": {"channels": "RGB"}},
        {"family": "boxes", "outputs": {"first_label": 1}},
    ],
)
def test_every_setting_of_the_card_shapes_the_digest(make_card, change):
    assert _digest(make_card()) != _digest(make_card(**change))
