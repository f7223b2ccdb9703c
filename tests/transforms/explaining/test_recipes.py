"""Options and networks, known again by digests."""

import json
from dataclasses import asdict, replace

import pytest
from made_sets import MODEL, Minute, make_set

from models.registry import find_model
from transforms.explaining.errors import CannotExplainError
from transforms.explaining.recipes import find_recipe
from transforms.labels.ingredients import code_digest
from transforms.labels.private_places import PrivatePlace
from transforms.labels.settings import LabelSettings
from transforms.mill import model_facts
from transforms.tables.commits import read_commit
from transforms.tables.digests import digest
from transforms.tables.store import LocalStore

SETTINGS = LabelSettings(fps="3", label_fps="all")


@pytest.fixture(scope="module")
def demo():
    return find_model("demo")


@pytest.fixture
def shard(tmp_path, demo):
    make_set(tmp_path, [Minute("a")])
    made_from = {"code": code_digest(), "options": digest(SETTINGS), "clips": "", "models": ""}
    summary = read_commit(LocalStore(tmp_path), "a-m0000")
    return replace(summary, made_from=made_from, models=(model_facts(demo),))


def note_run(root, name, settings, models=("demo",), device="cpu"):
    folder = root / "runs" / name
    folder.mkdir(parents=True)
    job = {"labels": settings.model_dump(), "models": list(models), "device": device}
    (folder / "run.json").write_text(json.dumps({"job": job}))


def test_the_run_with_these_options_is_found_among_others(tmp_path, shard, demo):
    note_run(tmp_path, "1", SETTINGS)
    note_run(tmp_path, "2", LabelSettings(fps="2"), ["nanodet"])
    (tmp_path / "runs" / "3").mkdir()
    (tmp_path / "runs" / "3" / "run.json").write_text("[]")
    (tmp_path / "runs" / "4").mkdir()
    (tmp_path / "runs" / "4" / "run.json").write_text("[" * 100_000)
    recipe = find_recipe(tmp_path, {}, shard, demo.sha256)
    assert (recipe.settings, recipe.model) == (SETTINGS, demo)


def test_without_records_the_data_set_itself_tells(tmp_path, shard, demo):
    facts = {"settings": json.loads(json.dumps(SETTINGS.model_dump()))}
    assert find_recipe(tmp_path, facts, shard, demo.sha256).settings == SETTINGS
    with pytest.raises(CannotExplainError, match=r"no record of a run"):
        find_recipe(tmp_path, {}, shard, demo.sha256)


def test_private_places_are_known_by_their_digest_only(tmp_path, shard, demo):
    place = PrivatePlace(latitude_deg=1.0, longitude_deg=2.0, radius_m=300.0)
    private = SETTINGS.model_copy(update={"location_privacy": (place,)})
    note_run(tmp_path, "1", private)
    shard = replace(shard, made_from=shard.made_from | {"options": digest(private)})
    assert find_recipe(tmp_path, {}, shard, demo.sha256).settings == SETTINGS


def test_another_version_that_labels_differently(tmp_path, shard, demo):
    note_run(tmp_path, "1", SETTINGS)
    for code in ({"code": "other"}, {}):
        other = replace(shard, made_from={"options": digest(SETTINGS), **code})
        with pytest.raises(CannotExplainError, match=r"last written by 0\.0\.1.*with that version"):
            find_recipe(tmp_path, {"clipmill_version": "0.0.1"}, other, demo.sha256)


def test_a_network_that_moved_is_found_by_its_own_name(tmp_path, shard, demo):
    note_run(tmp_path, "1", SETTINGS, [str(tmp_path / "gone.onnx")])
    assert find_recipe(tmp_path, {}, shard, demo.sha256).model == demo


def test_networks_that_are_gone_or_others(tmp_path, shard, demo, monkeypatch):
    gone = str(tmp_path / "gone.onnx")
    note_run(tmp_path, "1", SETTINGS, [gone])
    facts = asdict(shard.models[0])
    other = replace(shard, models=(type(MODEL)(**{**facts, "sha256": "f" * 64, "digest": "e" * 64}),))
    with pytest.raises(CannotExplainError, match=r"network demo \(sha256 ffffffffffff\).*gone\.onnx"):
        find_recipe(tmp_path, {}, other, "f" * 64)
    with pytest.raises(CannotExplainError, match=r"its file \(sha256 "):
        find_recipe(tmp_path, {}, other, "f" * 64)
    card = replace(shard, models=(type(MODEL)(**{**facts, "digest": "e" * 64}),))
    with pytest.raises(CannotExplainError, match=r"demo: its card is not the one"):
        find_recipe(tmp_path, {}, card, demo.sha256)
    with pytest.raises(CannotExplainError, match=r"does not name the network of the row"):
        find_recipe(tmp_path, {}, shard, "d" * 64)
    # one that was downloaded, on a machine that has not got it
    monkeypatch.setenv("CLIPMILL_MODELS", str(tmp_path / "cache"))
    monkeypatch.setenv("CLIPMILL_OFFLINE", "1")
    fetched = type(MODEL)(**{**facts, "name": "yolox-nano", "size": 416})
    with pytest.raises(CannotExplainError, match=r"yolox-nano is not on this machine"):
        find_recipe(tmp_path, {}, replace(shard, models=(fetched,)), demo.sha256)
