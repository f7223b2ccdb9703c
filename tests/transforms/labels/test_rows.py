"""Rows of real shards: what the network said, what hindsight made of it, and what it added."""

import functools
import io
import random
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from running import SAMPLE

from models.registry import find_model
from models.sessions import load_detector
from models.taxonomy import CATEGORIES
from transforms.clips.refs import ClipRef, InputFile
from transforms.clips.shards import plan_drives
from transforms.labels.hindsight.settings import ONLINE
from transforms.labels.labelling import label_shard
from transforms.labels.settings import LabelSettings
from transforms.labels.tracking import TrackerSettings, track
from transforms.storage import open_stream
from transforms.tables.schemas import SHARD_TABLES
from transforms.tasks import probe_file

EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
RAW = ("category_raw", *(f"raw_{edge}" for edge in EDGES), "score_raw")
WHOLE = LabelSettings()
BARE = LabelSettings(hindsight=ONLINE)
DENSE = LabelSettings(label_fps="all")


def probed(path: Path) -> ClipRef:
    clip = probe_file(InputFile(uri=str(path), root=str(SAMPLE), bytes=path.stat().st_size), None)
    assert isinstance(clip, ClipRef), clip
    return clip


@pytest.fixture(scope="module")
def clips():
    """The front camera's two minutes."""
    return sorted(map(probed, SAMPLE.glob("TeslaCam/SavedClips/*/*-front.mp4")), key=lambda clip: clip.uri)


@pytest.fixture(scope="module")
def shards(clips):
    return list(plan_drives(clips, WHOLE.context_ns))


@pytest.fixture(scope="module")
def detector():
    return load_detector(find_model("demo"))


@pytest.fixture(scope="module")
def labelled(shards, detector):
    @functools.cache
    def label(minute: int, settings: LabelSettings):
        return label_shard(shards[minute], open_stream, [detector], settings)

    return label


@pytest.fixture
def detections(labelled):
    def rows(minute: int, settings: LabelSettings) -> list[dict]:
        return labelled(minute, settings).tables["detections"].to_pylist()

    return rows


SOURCES = [
    (WHOLE, {"detected", "interpolated", "extrapolated"}),
    (BARE, {"detected"}),
    (DENSE, {"detected", "interpolated", "extrapolated", "propagated"}),
]


@pytest.mark.parametrize(("settings", "sources"), SOURCES, ids=["whole", "bare", "dense"])
def test_what_the_network_said_is_missing_for_added_rows_and_for_no_other(detections, settings, sources):
    rows = detections(1, settings)
    assert {row["label_source"] for row in rows} == sources
    for row in rows:
        assert {row[name] is None for name in RAW} == {row["label_source"] != "detected"}
        assert not (row["label_source"] != "detected" and row["changes"])


@pytest.mark.parametrize("minute", [0, 1])
def test_changes_name_what_differs_from_what_the_network_said(detections, minute):
    told = Counter()
    for row in detections(minute, WHOLE):
        if row["label_source"] != "detected":
            continue
        differs = {
            "box": any(row[edge] != row[f"raw_{edge}"] for edge in EDGES),
            "score": row["score"] != row["score_raw"],
            "category": row["category"] != row["category_raw"],
        }
        assert row["changes"] == [name for name, is_changed in differs.items() if is_changed]
        told.update(row["changes"])
    assert min(told[name] for name in ("box", "score", "category")) > 0


def test_without_hindsight_boxes_and_scores_are_the_networks_and_tracks_the_trackers(
    labelled, detections, detector
):
    rows, frames = detections(0, BARE), labelled(0, BARE).tables["frames"]
    for row in rows:
        assert row["changes"] == []
        assert [row[edge] for edge in EDGES] == [row[f"raw_{edge}"] for edge in EDGES]
        assert (row["score"], row["category"]) == (row["score_raw"], row["category_raw"])
    least, sure = detector.card.min_score, detector.card.confident_score
    place = {one: index for index, one in enumerate(frames["frame_id"].to_pylist())}
    numbers = track(
        frames["timestamp_ns"].to_numpy(),
        np.array([place[row["frame_id"]] for row in rows], np.int32),
        np.array([[row[edge] for edge in EDGES] for row in rows], np.float32),
        np.array([row["score"] for row in rows], np.float32),
        np.array([CATEGORIES.index(row["category"]) for row in rows], np.uint8),
        TrackerSettings(high_score=sure, new_score=sure, low_score=least),
    )
    expected, found = defaultdict(list), defaultdict(list)
    for number, row in zip(numbers.tolist(), rows, strict=True):
        expected[number].append(row["detection_id"])
        found[row["track_id"]].append(row["detection_id"])
    assert sorted(expected.pop(-1)) == sorted(found.pop(None))
    assert sorted(expected.values()) == sorted(found.values())
    assert len(found) > 10


@pytest.mark.parametrize("minute", [0, 1])
def test_ids_are_unique_and_those_of_detections_do_not_depend_on_hindsight(detections, minute):
    seen_as = {}
    for settings, _ in SOURCES:
        rows = detections(minute, settings)
        assert len({row["detection_id"] for row in rows}) == len(rows)
        seen_as[settings] = [
            (row["detection_id"], *(row[name] for name in RAW))
            for row in rows
            if row["label_source"] == "detected"
        ]
    assert seen_as[WHOLE] == seen_as[BARE] == seen_as[DENSE]


def test_the_same_run_gives_the_same_rows(shards, labelled, detector):
    again = label_shard(shards[1], open_stream, [detector], DENSE)
    for name, table in labelled(1, DENSE).tables.items():
        assert again.tables[name].equals(table), name


def test_a_new_minute_does_not_change_the_rows_of_the_one_before(clips, labelled, detector):
    (alone,) = plan_drives(clips[:1], WHOLE.context_ns)
    rows = label_shard(alone, open_stream, [detector], WHOLE)
    for name, table in labelled(0, WHOLE).tables.items():
        assert rows.tables[name].equals(table), name
    assert rows.links == labelled(0, WHOLE).links


@pytest.mark.parametrize("settings", [WHOLE, DENSE], ids=["whole", "dense"])
def test_tracks_sum_up_their_rows_and_none_is_of_the_context(labelled, detections, settings):
    tracks = labelled(1, settings).tables["tracks"].to_pylist()
    frames = {row["frame_id"] for row in labelled(1, settings).tables["frames"].to_pylist()}
    rows = defaultdict(list)
    for row in detections(1, settings):
        assert row["frame_id"] in frames
        assert row["timestamp_ns"] >= 0
        rows[row["track_id"]].append(row)
    del rows[None]
    assert {one["track_id"] for one in tracks} == set(rows)
    for one in tracks:
        own = [row for row in rows[one["track_id"]] if row["label_source"] == "detected"]
        assert (one["detected"], one["added"]) == (len(own), len(rows[one["track_id"]]) - len(own))
        assert (one["first_ns"], one["last_ns"]) == (own[0]["timestamp_ns"], own[-1]["timestamp_ns"])
        votes, said = defaultdict(float), defaultdict(float)
        for row in own:
            votes[row["category_raw"]] += row["score_raw"]
            said[row["category"]] += row["score"]
        assert dict(one["category_votes"]) == pytest.approx(votes, rel=1e-5)
        # where the network was of two minds, what its rows say in the end decides
        assert one["category"] == max(said, key=said.__getitem__)
    assert sum(one["added"] for one in tracks) > 20
    assert any(one["previous_detection_id"] for one in tracks)


def test_boxes_are_in_the_picture_and_scores_are_probabilities(detections, clips):
    for settings, _ in SOURCES:
        for row in detections(1, settings):
            assert 0 <= row["x_min_px"] < row["x_max_px"] <= clips[1].width
            assert 0 <= row["y_min_px"] < row["y_max_px"] <= clips[1].height
            assert 0 <= row["score"] <= 1


def test_labels_of_all_frames_are_seen_five_times_a_second_and_propagated_between(
    labelled, detections, clips
):
    frames = labelled(0, DENSE).tables["frames"].to_pylist()
    assert len(frames) == clips[0].frame_count
    looked = {row["frame_id"] for row in frames if row["network_ran"]}
    sampled = labelled(0, WHOLE).tables["frames"]
    assert looked == set(sampled["frame_id"].to_pylist())
    assert len(looked) == labelled(0, DENSE).frames_labelled[clips[0].clip_id] == 20
    for row in detections(0, DENSE):
        assert (row["label_source"] == "propagated") == (row["frame_id"] not in looked)
    labelled_frames = {row["frame_id"] for row in detections(0, DENSE)}
    assert labelled_frames == {row["frame_id"] for row in frames}
    assert set(pc.unique(sampled["network_ran"]).to_pylist()) == {True}


def test_a_propagated_box_lies_between_those_that_were_seen(detections):
    """Time for time: not farther from the straight line between the two than they are large."""
    rows = defaultdict(list)
    for row in detections(0, DENSE):
        rows[row["track_id"]].append(row)
    checked = 0
    for track_id, own in rows.items():
        seen = [row for row in own if row["label_source"] != "propagated"]
        for row in own:
            before = [one for one in seen if one["timestamp_ns"] < row["timestamp_ns"]]
            after = [one for one in seen if one["timestamp_ns"] > row["timestamp_ns"]]
            if track_id and row["label_source"] == "propagated" and before and after:
                first, last = before[-1], after[0]
                share = (row["timestamp_ns"] - first["timestamp_ns"]) / (
                    last["timestamp_ns"] - first["timestamp_ns"]
                )
                line = [(1 - share) * first[edge] + share * last[edge] for edge in EDGES]
                side = max(line[2] - line[0], line[3] - line[1])
                assert max(abs(row[edge] - place) for edge, place in zip(EDGES, line, strict=True)) < side / 2
                checked += 1
    assert checked > 100


def test_a_damaged_frame_gets_no_label_and_its_neighbours_do(clips, detector):
    data = Path(clips[0].uri).read_bytes()
    with av.open(io.BytesIO(data)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    victim = packets[len(packets) // 2]
    dice = random.Random(1)
    spoilt = bytes(byte ^ dice.randrange(1, 256) for byte in data[victim.pos + 8 : victim.pos + victim.size])
    data = data[: victim.pos + 8] + spoilt + data[victim.pos + victim.size :]
    (shard,) = plan_drives(clips[:1], 0)
    rows = label_shard(shard, lambda _uri: io.BytesIO(data), [detector], DENSE)
    assert [failure.error for failure in rows.failures] == ["damaged_packets"]
    frames = rows.tables["frames"].to_pylist()
    damaged = {row["frame_id"] for row in frames if row["is_damaged"]}
    labelled = set(rows.tables["detections"]["frame_id"].to_pylist())
    assert damaged
    assert not damaged & labelled
    assert {row["frame_id"] for row in frames if row["network_ran"]} <= labelled
    sources = set(rows.tables["detections"]["label_source"].to_pylist())
    assert "propagated" in sources


def test_a_shard_of_which_nothing_can_be_read_has_empty_tables(shards, detector):
    gone = replace(
        shards[0],
        parts=tuple(
            replace(part, clip=replace(part.clip, uri="/nowhere/front.mp4")) for part in shards[0].parts
        ),
    )
    rows = label_shard(gone, open_stream, [detector], DENSE)
    for name, schema in SHARD_TABLES.items():
        assert rows.tables[name].schema.equals(schema)
        assert rows.tables[name].num_rows == (name == "clips") * len(gone.parts)
    assert isinstance(rows.tables["detections"], pa.Table)
