import json
from dataclasses import replace

import pytest
from clip_refs import clip

from transforms.clips import memory
from transforms.clips.memory import MEMORY_FILE, Known, recall, remember
from transforms.tables.store import LocalStore

CLIPS = [
    clip("/a.mp4"),
    clip("/car/2026-11-01_12-00-00-front.mp4", minute="2026-11-01_12-00-00", kind="SavedClips"),
]


def test_what_was_kept_comes_back_as_it_was(tmp_path):
    remember(LocalStore(tmp_path), CLIPS, {CLIPS[0].uri: "7"}, "Europe/Berlin")
    assert recall(LocalStore(tmp_path), "Europe/Berlin") == {
        item.uri: Known(item, "7" if item is CLIPS[0] else "") for item in CLIPS
    }


def test_another_zone_or_nothing_kept_is_nothing_known(tmp_path):
    assert recall(LocalStore(tmp_path), None) == {}
    remember(LocalStore(tmp_path), CLIPS, {}, None)
    assert recall(LocalStore(tmp_path), "Europe/Berlin") == {}


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"version": 1, "timezone": null, "clips": [{"uri": "/a"}]}']
)
def test_rubbish_is_nothing_known(tmp_path, content):
    LocalStore(tmp_path).write(MEMORY_FILE, content)
    assert recall(LocalStore(tmp_path), None) == {}


def test_the_order_does_not_reach_the_bytes(tmp_path):
    store = LocalStore(tmp_path)
    remember(store, CLIPS, {}, None)
    first = store.read(MEMORY_FILE)
    remember(store, CLIPS[::-1], {}, None)
    assert store.read(MEMORY_FILE) == first
    remember(store, [replace(CLIPS[0], bytes=2)], {}, None)
    assert store.read(MEMORY_FILE) != first


@pytest.mark.parametrize(
    "change",
    [
        {"time_base": [0, 0]},
        {"time_base": [1, -5]},
        {"width": "wide"},
        {"width": 0},
        {"rotation_deg": 45},
        {"duration_ns": 2**80},
        {"first_pts": -(2**64)},
        {"fps_mean": float("nan")},
        {"name": "front"},
        {"name": {"source": 1}},
        {"clock_source": "guess"},
        {"bytes": True},
    ],
)
def test_what_probing_cannot_have_found_is_not_known(tmp_path, change):
    store = LocalStore(tmp_path)
    remember(store, CLIPS[:1], {}, None)
    content = json.loads(store.read(MEMORY_FILE))
    assert set(recall(store, None)) == {"/a.mp4"}
    content["clips"][0]["clip"].update(change)
    store.write(MEMORY_FILE, json.dumps(content).encode())
    assert recall(store, None) == {}


def test_a_file_of_any_size_or_depth_is_nothing_known(tmp_path, monkeypatch):
    store = LocalStore(tmp_path)
    store.write(MEMORY_FILE, b"[" * 100_000)
    assert recall(store, None) == {}
    remember(store, CLIPS, {}, None)
    monkeypatch.setattr(memory, "MAX_MEMORY_BYTES", 100)
    assert recall(store, None) == {}
