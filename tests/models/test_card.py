from pathlib import Path

import pytest
from pydantic import ValidationError

from models.card import ModelCard, bundled_file, known_cards, load_card
from models.coco import COCO_CLASS_MAP, COCO_CLASSES
from models.errors import ModelUsageError
from models.taxonomy import CATEGORIES


def test_the_eighty_classes_are_coco_and_map_to_the_taxonomy():
    assert len(COCO_CLASSES) == len(set(COCO_CLASSES)) == 80
    assert [COCO_CLASSES[index] for index in (0, 2, 7, 9, 11, 79)] == [
        "person",
        "car",
        "truck",
        "traffic light",
        "stop sign",
        "toothbrush",
    ]
    assert set(COCO_CLASS_MAP) < set(COCO_CLASSES)
    assert set(COCO_CLASS_MAP.values()) < set(CATEGORIES)
    assert COCO_CLASS_MAP["stop sign"] == "traffic_sign"


def test_every_known_card_is_complete():
    cards = known_cards()
    assert {
        "yolox-nano",
        "yolox-tiny",
        "yolox-s",
        "yolox-m",
        "yolox-l",
        "yolox-x",
        "nanodet",
        "picodet-s",
    } <= set(cards)
    digests = [digest for card in cards.values() for digest in card.digests]
    assert len(digests) == len(set(digests))
    for name, card in cards.items():
        assert card.name == name
        if card.bundled is not None:
            assert bundled_file(card).stat().st_size == card.bytes


def test_yolox_nano_knows_its_release_and_another_export():
    card = known_cards()["yolox-nano"]
    assert card.sha256.startswith("c789161e")
    assert card.also_sha256[0].startswith("695e750a")
    assert (card.bytes, card.long_side, card.input.dynamic) == (3_659_407, 416, True)
    assert card.categories == tuple(name for name in CATEGORIES if name != "rider")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "http://x/net.onnx", "bundled": None}, "https://"),
        ({"bundled": None}, "either a url or a bundled file"),
        ({"url": "https://x/net.onnx"}, "either a url or a bundled file"),
        ({"bundled": "../net.onnx"}, "bundled"),
        ({"sha256": "abc"}, "sha256"),
        ({"bytes": 1 << 40}, "bytes"),
        ({"family": "ssd"}, "family"),
        ({"classes": ["auto", "auto"]}, "stands twice"),
        ({"class_map": {"lorry": "truck"}}, "not one of the classes"),
        ({"class_map": {"auto": "lorry"}}, "no category"),
        ({"outputs": {}}, "only for the family boxes"),
        ({"input": {"dynamic": True, "resize": "stretch"}}, "one size"),
        ({"input": {"dynamic": True, "width": 100}}, "multiples of its stride"),
        ({"input": {"std": [1, 0, 1]}}, "std"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(make_card, change, message):
    with pytest.raises(ValidationError, match=message):
        make_card(**change)


def test_load_card_names_file_and_fault(tmp_path: Path):
    path = tmp_path / "card.toml"
    with pytest.raises(ModelUsageError, match=r"card\.toml: cannot read"):
        load_card(path)
    path.write_text("name = ")
    with pytest.raises(ModelUsageError, match="not a TOML file"):
        load_card(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ModelUsageError, match="not a TOML file"):
        load_card(path)
    path.write_text('name = "x"\n[input]\nwidth = 0')
    with pytest.raises(ModelUsageError, match=r"not a model card: .*input\.width"):
        load_card(path)
    path.write_text("#" * (1 << 20) + "#")
    with pytest.raises(ModelUsageError, match="too large"):
        load_card(path)


def test_a_card_may_map_coco_in_its_own_way(make_card):
    card = make_card(classes="coco-80", class_map={"dog": "animal"})
    assert card.classes == COCO_CLASSES
    assert card.categories == ("animal",)
    with pytest.raises(ValidationError):
        ModelCard.model_validate([])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"name = {'9' * 5000}", "not a TOML file"),
        (f"name = {'[' * 3000}{']' * 3000}", "nested too deeply"),
        (f"bytes = {'9' * 4000}", "bytes"),
        ("name = 2024-13-45", "not a TOML file"),
    ],
)
def test_cards_that_try_the_parser(tmp_path: Path, line, said):
    path = tmp_path / "odd.toml"
    path.write_text(line)
    with pytest.raises(ModelUsageError, match=said):
        load_card(path)


def test_a_card_of_any_length_is_not_read():
    with pytest.raises(ModelUsageError, match="too large for a model card"):
        load_card(Path("/dev/zero"))
