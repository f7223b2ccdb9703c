"""Stretches of clips whose frames the networks see where the picture changes: choice, labels, and joining."""

import functools
import io
import itertools
from dataclasses import replace

import numpy as np
import pytest
from clip_refs import clip
from hypothesis import given, settings
from hypothesis import strategies as st
from running import SAMPLE

from models.registry import find_model
from models.sessions import load_detector
from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, InputFile
from transforms.clips.shards import WHOLE_CLIP_NS, Context, plan_drives
from transforms.labels.joining import first_tracks
from transforms.labels.labelling import label_shard
from transforms.labels.settings import LabelSettings
from transforms.labels.windows import adaptive_sampler, windows_of
from transforms.scenes.cameras import mounted_camera
from transforms.scenes.encoding import TICKS_PER_S, ClipFrame, Encoding, encode
from transforms.scenes.filming import even_pts
from transforms.scenes.rendering import render
from transforms.scenes.worlds import Conditions, make_world
from transforms.storage import open_stream
from transforms.tasks import probe_file

SECOND_NS = 10**9
STANDS_S, SECONDS = 5, 7
ADAPTIVE, FIXED = LabelSettings(adaptive=True), LabelSettings()


@functools.cache
def picture(number):
    coarse = np.random.default_rng(number).integers(20, 230, (9, 16), np.uint8)
    return np.kron(coarse, np.ones((6, 6), np.uint8))


def calls(window, shown, options):
    """Times of the frames that the networks see of a clip that shows a picture every quarter second."""
    sampler = adaptive_sampler(window, options)
    return [
        time_ns
        for number, one in enumerate(shown)
        if window.start_ns <= (time_ns := number * SECOND_NS // 4) < window.stop_ns
        and sampler.wants(time_ns, picture(one))
    ]


def scenes(seconds):
    """What a clip shows: stretches of one picture, and others that change."""
    stretch = st.one_of(
        st.tuples(st.integers(0, 3), st.integers(1, 24)).map(lambda one: [one[0]] * one[1]),
        st.lists(st.integers(0, 3), min_size=1, max_size=12),
    )
    many = st.lists(stretch, min_size=8, max_size=20).map(lambda parts: list(itertools.chain(*parts)))
    return many.map(lambda shown: (shown * (4 * seconds // len(shown) + 1))[: 4 * seconds])


OPTIONS = st.builds(
    LabelSettings,
    fps=st.sampled_from(["0.7", "1", "2", "3"]),
    context_s=st.sampled_from([0.0, 1.3, 2.0, 7.0]),
    adaptive=st.just(True),
)


@settings(max_examples=40)
@given(OPTIONS, st.integers(61, 150), st.data())
def test_two_minutes_of_a_file_choose_the_same_frames_where_both_look(options, seconds, data):
    shown = data.draw(scenes(seconds))
    plans = list(plan_drives([clip("long.mp4", seconds=seconds)], options.context_ns))
    found = []
    for plan in plans:
        (window,) = windows_of(plan.parts[0])
        found.append((window, calls(window, shown, options)))
    assert len(found) == -(-seconds // 60)
    for (before, earlier), (after, later) in itertools.pairwise(found):
        assert before.stop_ns == after.own_ns
        shared = [one for one in earlier if one >= after.start_ns]
        assert shared == [one for one in later if one < before.stop_ns]
        assert shared or options.context_ns < 2 * SECOND_NS


@settings(max_examples=40)
@given(OPTIONS, st.integers(1, 20), st.data())
def test_so_do_two_files_of_a_drive(options, seconds, data):
    shown = data.draw(scenes(seconds))
    first, second = (
        clip(f"{at}.mp4", minute=f"2025-06-14_09-00-{at:02d}", seconds=seconds) for at in (0, seconds)
    )
    before, after = plan_drives([first, second], options.context_ns)
    (own,) = windows_of(before.parts[0])
    context, *rest = windows_of(after.parts[0])
    assert len(rest) == (options.context_ns > 0)
    if rest:
        earlier = calls(own, shown, options)
        assert calls(context, shown, options) == [one for one in earlier if one >= context.start_ns]


@pytest.fixture(scope="module")
def detector():
    return load_detector(find_model("demo"))


@pytest.fixture(scope="module")
def parks():
    """A clip's bytes and reference: the car stands for five seconds, then drives for two."""
    world = make_world(10_650, Conditions("day"))
    camera = mounted_camera("front", 640, 360)

    def frames():
        for number, at in enumerate(even_pts(SECONDS, 10)):
            # a microsecond a frame: the noise of the sensor goes on
            time_s = max(at / TICKS_PER_S - STANDS_S, 0) + 1e-6 * number
            yield ClipFrame(at, render(world, camera, time_s)[0])

    content = encode(frames(), Encoding(fps=10, duration_ticks=SECONDS * TICKS_PER_S))
    file = InputFile(uri="/parks.mp4", root="/", bytes=len(content))
    ref = probe(io.BytesIO(content), file, ClipName(source="generic", vehicle="", camera="front"), None)
    return content, ref


@pytest.fixture(scope="module")
def label(parks, detector):
    content, ref = parks

    @functools.cache
    def labelled(options, start_ns=0, stop_ns=WHOLE_CLIP_NS):
        (plan,) = plan_drives([ref], options.context_ns)
        context = None
        if start_ns:
            before = start_ns - options.context_ns
            context = Context(clip=ref, start_ns=before, stop_ns=start_ns, offset_ns=0)
        part = replace(plan.parts[0], start_ns=start_ns, stop_ns=stop_ns, context=context)
        shard = replace(plan, parts=(part,))
        return label_shard(shard, lambda _uri: io.BytesIO(content), [detector], options)

    return labelled


def looked(rows):
    """Times of the frames that the networks saw, seconds."""
    frames = rows.tables["frames"].to_pylist()
    return [frame["timestamp_ns"] / SECOND_NS for frame in frames if frame["network_ran"]]


def test_networks_rest_while_the_car_stands_and_see_what_the_rate_shows_them_while_it_drives(label, parks):
    adaptive, fixed = label(ADAPTIVE), label(FIXED)
    # the last two seconds begin anew
    assert looked(adaptive)[:4] == [0, 2, 4, 5]
    assert looked(adaptive)[4:] == [one for one in looked(fixed) if one > STANDS_S]
    assert adaptive.frames_labelled == {parks[1].clip_id: len(looked(adaptive))}
    assert len(looked(fixed)) == 5 * SECONDS


@pytest.mark.parametrize("label_fps", [None, "all"])
def test_frames_that_no_network_saw_have_rows_with_labels(label, label_fps):
    options = ADAPTIVE.model_copy(update={"label_fps": label_fps})
    rows, fixed = label(options), label(FIXED.model_copy(update={"label_fps": label_fps}))
    frames = rows.tables["frames"]
    assert frames.drop(["network_ran"]).equals(fixed.tables["frames"].drop(["network_ran"]))
    assert frames.num_rows == (10 if label_fps else 5) * SECONDS
    seen = dict(zip(frames["frame_id"].to_pylist(), frames["network_ran"].to_pylist(), strict=True))
    times = dict(zip(frames["frame_id"].to_pylist(), frames["timestamp_ns"].to_pylist(), strict=True))
    detections = rows.tables["detections"].to_pylist()
    assert {row["frame_id"] for row in detections} == set(seen)
    for row in detections:
        assert (row["label_source"] == "propagated") == (not seen[row["frame_id"]])
        assert row["timestamp_ns"] == times[row["frame_id"]]
    detected = [row["detection_id"] for row in detections if row["label_source"] == "detected"]
    assert set(detected) < set(fixed.tables["detections"]["detection_id"].to_pylist())


def test_what_stands_keeps_its_track_over_the_seconds_that_no_network_looked(label):
    detected = label(ADAPTIVE).tables["detections"].to_pylist()
    first, *later = (
        {
            row["track_id"]
            for row in detected
            if row["timestamp_ns"] == second * SECOND_NS
            and row["label_source"] == "detected"
            and row["score"] >= least
        }
        for second, least in ((0, 0.6), (2, 0), (4, 0))
    )
    assert len(first - {None}) > 2
    for tracks in later:
        assert first - {None} <= tracks


def test_neighbouring_parts_choose_alike_and_their_tracks_are_joined(label):
    """Cut while the car stands: nothing moves from one part's tail into the next one's context."""
    cut_ns = 3_400_000_000
    first, second = label(ADAPTIVE, 0, cut_ns), label(ADAPTIVE, cut_ns)
    # from 1.4 s on, where the second begins to look, it chooses anew
    assert looked(first) == [0, 1.4]
    assert looked(second)[:2] == [3.4, 5]
    before = first_tracks([first.links, second.links])
    tracks = [
        rows.tables["tracks"].filter(rows.tables["tracks"]["score"].to_numpy() >= 0.5)
        for rows in (first, second)
    ]
    named = [{before.get(one, one) for one in table["track_id"].to_pylist()} for table in tracks]
    assert len(named[0]) > 2
    assert named[0] <= named[1]


def test_of_a_moving_car_everything_is_as_at_the_fixed_rate(detector):
    paths = sorted(SAMPLE.glob("TeslaCam/SavedClips/*/*-front.mp4"))
    files = [InputFile(uri=str(path), root=str(SAMPLE), bytes=path.stat().st_size) for path in paths]
    _, plan = plan_drives([probe_file(file, None) for file in files], ADAPTIVE.context_ns)
    adaptive, fixed = (
        label_shard(plan, open_stream, [detector], options.model_copy(update={"label_fps": "all"}))
        for options in (ADAPTIVE, FIXED)
    )
    for name, table in fixed.tables.items():
        assert adaptive.tables[name].equals(table), name
    assert adaptive.links == fixed.links
