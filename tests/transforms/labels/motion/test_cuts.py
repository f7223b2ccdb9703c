import io
import os
from functools import cache
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import pytest

from transforms.clips.decoding import ClipDecoder
from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, InputFile
from transforms.clips.sampling import Sampling
from transforms.labels.motion.cuts import is_cut, similarity
from transforms.labels.motion.thumbnails import thumbnail
from transforms.labels.motion.trails import PointTracker
from transforms.scenes.cameras import mounted_camera
from transforms.scenes.rendering import render
from transforms.scenes.worlds import Conditions, make_world

CLIPS = Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[5] / "shared")) / "clips"
CUTS_IN_CLIPS = {"mmdet_motorbike_highway_1280x720_h264.mp4": [64]}
"""It is two shots in one file; the rest are of one."""

WORLDS = {
    "day": (10, "front", Conditions("day")),
    "night and rain": (11, "front", Conditions("night", rain=True)),
    "lane at dusk": (12, "left_repeater", Conditions("dusk")),
    "rain": (13, "back", Conditions("day", rain=True)),
}


def cuts(pictures, times_ns=None):
    times_ns = [frame * 33_333_333 for frame in range(len(pictures))] if times_ns is None else times_ns
    tracker = PointTracker(640, 360)
    for frame, (luma, time_ns) in enumerate(zip(pictures, times_ns, strict=True)):
        tracker.add(luma, time_ns, is_anchor=frame % 6 == 0)
    return tracker.cuts


@cache
def rendered(name):
    """Pictures and times: ten at 30 frames a second, then four at 5."""
    seed, camera, conditions = WORLDS[name]
    world, mounted = make_world(seed, conditions), mounted_camera(camera, 640, 360)
    times = [*(frame / 30 for frame in range(10)), *(0.5 + frame / 5 for frame in range(4))]
    pictures = [cv2.cvtColor(render(world, mounted, time)[0], cv2.COLOR_BGR2GRAY) for time in times]
    small = [cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA) for picture in pictures]
    return small, [round(1e9 * time) for time in times]


@pytest.mark.parametrize("name", WORLDS)
def test_a_drive_has_no_cut(name):
    assert cuts(*rendered(name)) == []


@pytest.mark.parametrize(("first", "second"), list(permutations(WORLDS, 2)))
def test_a_splice_of_two_drives_is_a_cut(first, second):
    assert cuts([*rendered(first)[0][:8], *rendered(second)[0][2:10]]) == [8]


@pytest.mark.parametrize(
    "change",
    [
        lambda luma: cv2.convertScaleAbs(luma, alpha=0.45),
        lambda luma: cv2.convertScaleAbs(luma, alpha=1.5, beta=25),
        lambda luma: (luma * np.linspace(0.3, 1, 180)[:, None]).astype(np.uint8),
        lambda luma: cv2.GaussianBlur(luma, (0, 0), 4),
        lambda luma: cv2.add(luma, np.random.default_rng(5).integers(0, 40, luma.shape).astype(np.uint8)),
        np.zeros_like,
        lambda luma: np.full_like(luma, 255),
    ],
    ids=["darker", "brighter", "shadow", "blur", "noise", "black", "white"],
)
def test_light_that_changes_for_a_frame_is_no_cut(change):
    pictures = [picture.copy() for picture in rendered("day")[0][:10]]
    pictures[5] = change(pictures[5])
    assert cuts(pictures) == []


def test_a_fast_turn_is_no_cut(texture, view):
    scene = texture(size=1200)
    assert cuts([view(scene, ((1, 0, 45.0 * frame), (0, 1, 0))) for frame in range(9)]) == []


def test_a_static_plain_picture_with_noise_has_no_cut():
    rng = np.random.default_rng(6)
    assert cuts([np.clip(rng.normal(18, 4, (180, 320)), 0, 255).astype(np.uint8) for _ in range(8)]) == []


def test_both_signs_must_come_together(texture, view):
    first, second = (thumbnail(view(texture(seed))) for seed in (1, 2))
    assert similarity(first, first) == pytest.approx(1, abs=1e-5)
    assert similarity(first, second) < 0.5
    for elapsed_ns in (33_000_000, 200_000_000):
        assert is_cut(first, second, 100, 3, elapsed_ns)
        assert not is_cut(first, second, 100, 50, elapsed_ns)
        assert not is_cut(first, first, 100, 0, elapsed_ns)
        assert is_cut(first, second, 5, 5, elapsed_ns)


def test_pictures_that_are_alike_are_of_two_scenes_only_if_little_time_has_passed(texture, view):
    mixed = cv2.addWeighted(view(texture(1)), 0.6, view(texture(2)), 0.4, 0)
    first, second = thumbnail(view(texture(2))), thumbnail(mixed)
    assert 0.57 < similarity(first, second) < 0.75
    assert is_cut(first, second, 100, 3, 100_000_000)
    assert not is_cut(first, second, 100, 3, 100_000_001)
    assert not is_cut(first, second, 11, 0, 33_000_000)


@cache
def real(name):
    content = (CLIPS / name).read_bytes()
    file = InputFile(uri=f"/{name}", root="/", bytes=len(content))
    ref = probe(io.BytesIO(content), file, ClipName(source="generic", vehicle="", camera="front"), None)
    with ClipDecoder(io.BytesIO(content), ref) as decoder:
        frames = [(frame.luma(), frame.timestamp_ns) for frame in decoder.frames(Sampling.parse("all"))]
    return [luma for luma, _ in frames], [time_ns for _, time_ns in frames]


def real_names():
    return sorted(path.name for path in CLIPS.glob("*.*") if path.suffix in {".mp4", ".mkv", ".ts"})


@pytest.mark.slow
@pytest.mark.skipif(
    not CLIPS.is_dir(), reason="needs ../shared/clips: real drives, never part of the project"
)
def test_real_clips_have_the_cuts_they_have_and_splices_of_them_one_more():
    names = real_names()
    assert {name: cuts(*real(name)) for name in names} == {
        name: CUTS_IN_CLIPS.get(name, []) for name in names
    }
    told = 0
    pairs = [
        (first, second)
        for first, second in permutations(names, 2)
        # clips of one drive may show the same place
        if first.split("_")[:2] != second.split("_")[:2]
        and real(first)[0][0].shape == real(second)[0][0].shape
    ]
    for first, second in pairs:
        spliced = [*real(first)[0][:9], *real(second)[0][20:25]]
        found = cuts(spliced)
        assert set(found) <= {9}, (first, second, found)
        told += found == [9]
    assert told >= 0.9 * len(pairs), (told, len(pairs))
