import hashlib
import os
from pathlib import Path

import pytest

from models.card import bundled_file, known_cards
from models.downloads import cache_folder
from models.errors import ModelFetchError, ModelUsageError
from models.registry import find_card, find_model, reference_to_file


def _card_text(digest: str, size: int, place: str) -> str:
    return f"""
name = "mine"
family = "yolox"
licence = "MIT"
{place}
sha256 = "{digest}"
bytes = {size}
classes = ["auto", "walker"]
class_map = {{ auto = "car", walker = "person" }}

[input]
width = 96
height = 64
dynamic = true
"""


def test_a_card_with_its_network_beside_it(save, brightness_network, tmp_path: Path):
    data = save(brightness_network()).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    card = tmp_path / "card.TOML"
    card.write_text(_card_text(digest, len(data), 'bundled = "net.onnx"'))
    ref = find_model(str(card), size=320)
    assert (ref.card.name, ref.path, ref.sha256, ref.size, ref.device) == (
        "mine",
        str(tmp_path / "net.onnx"),
        digest,
        320,
        "cpu",
    )
    assert find_model(str(card)).size == 96
    (tmp_path / "net.onnx").write_bytes(data + b"\0")
    with pytest.raises(ModelFetchError, match="but its card mine names"):
        find_model(str(card))
    (tmp_path / "net.onnx").unlink()
    with pytest.raises(ModelUsageError, match="not there, though the card mine says so"):
        find_model(str(card))


def test_a_card_with_a_url_is_looked_for_in_the_cache(save, brightness_network, tmp_path: Path):
    data = save(brightness_network()).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    card = tmp_path / "card.toml"
    card.write_text(_card_text(digest, len(data), 'url = "https://example.org/net.onnx"'))
    with pytest.raises(ModelFetchError, match="downloads are switched off"):
        find_model(str(card))
    cache_folder().mkdir()
    (cache_folder() / "any.onnx").write_bytes(data)
    assert find_model(str(card), offline=True).path == str(cache_folder() / "any.onnx")


def test_names_that_are_not_known_are_answered_with_those_that_are():
    with pytest.raises(ModelUsageError, match=r"no model is called 'yolo'; there are .*yolox-nano"):
        find_model("yolo")
    with pytest.raises(ModelUsageError, match="cannot read the network"):
        find_model("absent.onnx")
    with pytest.raises(ModelUsageError, match="cannot read the model card"):
        find_model("absent.toml")
    assert find_card("yolox-nano") is known_cards()["yolox-nano"]


def test_a_network_without_a_card_is_recognised(save, brightness_network, monkeypatch, tmp_path):
    path = save(brightness_network(classes=80))
    monkeypatch.chdir(tmp_path)
    ref = find_model("net.onnx", size=64)
    assert (ref.card.family, ref.path, ref.size) == ("yolox", str(path), 64)


def test_a_size_that_does_not_go_is_refused_before_anything_is_fetched():
    with pytest.raises(ModelUsageError, match="fixed size"):
        find_model("picodet-s", size=640)
    with pytest.raises(ModelUsageError, match="--device tpu"):
        find_model("picodet-s", device="tpu")


def test_a_file_may_be_taken_for_the_network_of_a_card(save, brightness_network):
    path = save(brightness_network())
    ref = reference_to_file("yolox-nano", os.path.relpath(path), size=640)
    assert (ref.card.name, ref.path, ref.size) == ("yolox-nano", str(path), 640)
    assert ref.sha256 not in ref.card.digests


@pytest.mark.parametrize("name", [name for name, card in known_cards().items() if card.bundled])
def test_bundled_networks_are_found_without_a_connection(name):
    ref = find_model(name, offline=True)
    assert ref.path == str(bundled_file(ref.card))
    assert ref.sha256 == ref.card.sha256


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("yolox_nano_416.onnx", "yolox-nano"),
        ("object_detection_nanodet_2022nov.onnx", "nanodet"),
        ("picodet_s_416_coco.onnx", "picodet-s"),
    ],
)
def test_known_networks_are_known_by_their_digest(shared_model, tmp_path, file, name):
    path = tmp_path / "renamed.onnx"
    path.write_bytes(shared_model(file).read_bytes())
    assert find_model(str(path)).card is known_cards()[name]
    assert find_model(str(path)).digest != find_model(str(path)).card.sha256
