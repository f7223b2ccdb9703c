"""Labels of whole tables."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.evaluation.ap import category_precision
from transforms.evaluation.mot import figures_at
from transforms.evaluation.pairing import pair
from transforms.labels.hindsight.settings import ONLINE, HindsightSettings
from transforms.labels.table_columns import NEW
from transforms.labels.table_rows import EDGES, NEEDED, TableError
from transforms.labels.tabular import category_codes, label_table
from transforms.labels.tracking import TrackerSettings, track

KITTI = (
    Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[4] / "shared"))
    / "gt/kitti_tracking"
)
TENTH_NS = 100_000_000


def table(rows):
    """Rows (clip, tenth of a second, category, left edge, score)."""
    clips, tenths, categories, lefts, scores = zip(*rows, strict=True) if rows else ((),) * 5
    lefts = np.array(lefts, np.float32)
    return pa.table(
        {
            "clip_id": pa.array(clips, pa.string()),
            "timestamp_ns": pa.array([tenth * TENTH_NS for tenth in tenths], pa.int64()),
            "category": pa.array(categories, pa.string()),
            "x_min_px": lefts,
            "y_min_px": np.zeros_like(lefts),
            "x_max_px": lefts + 40,
            "y_max_px": np.full_like(lefts, 30),
            "score": pa.array(scores, pa.float32()),
        }
    )


def row(clip, tenth, category="car", left=0.0, score=0.9):
    return (clip, tenth, category, left, score)


def frames_of(*clips, count=4):
    return pa.table(
        {
            "clip_id": [clip for clip in clips for _ in range(count)],
            "timestamp_ns": [tenth * TENTH_NS for _ in clips for tenth in range(count)],
        }
    )


def rows_of(found, *names):
    return list(zip(*(found[name].to_pylist() for name in names), strict=True))


PASSING = [row("a", tenth, left=8.0 * tenth) for tenth in (0, 1, 3)]
"""A car that is not seen in the third of four frames."""


def test_a_gap_is_filled_and_the_added_row_has_nothing_that_only_the_input_knows():
    source = table(PASSING).append_column("note", pa.array(["x", None, "z"]))
    found = label_table(source, frames_of("a")).detections
    assert found.column_names == [*NEEDED, "note", *NEW]
    assert found["timestamp_ns"].to_pylist() == [0, TENTH_NS, 2 * TENTH_NS, 3 * TENTH_NS]
    assert found["label_source"].to_pylist() == ["detected", "detected", "interpolated", "detected"]
    assert len(set(found["track_id"].to_pylist())) == 1
    assert len(set(found["detection_id"].to_pylist())) == 4
    filled = found.slice(2, 1).to_pylist()[0]
    assert (filled["clip_id"], filled["category"]) == ("a", "car")
    assert filled["x_min_px"] == pytest.approx(16, abs=1.5)
    assert [filled[name] for name in ("note", "score_raw", "category_raw")] == [None] * 3
    assert [filled[f"raw_{edge}"] for edge in EDGES] == [None] * 4
    assert 0 < filled["score"] < 1
    assert found["note"].to_pylist() == ["x", None, None, "z"]


def test_how_far_a_picture_goes_is_told_by_boxes_that_were_cut_off_at_its_side():
    standing = [row("a", tenth, left=left) for left in (300.0, 600.0) for tenth in (0, 1, 3)]

    def filled(widths):
        source = table([*standing, *(row("a", 2, left=640.0 - width) for width in widths)])
        edges = np.where(source["x_min_px"].to_numpy() >= 600, np.float32(640), source["x_max_px"])
        source = source.set_column(source.column_names.index("x_max_px"), "x_max_px", pa.array(edges))
        found = label_table(source, frames_of("a"), HindsightSettings(category_vote=False))
        return {
            round(left): score
            for left, score, source in rows_of(found.detections, "x_min_px", "score", "label_source")
            if source == "interpolated"
        }

    # a car that stands says nothing, however often; three that reach as far do
    alone = filled([])
    assert alone[600] == pytest.approx(alone[300])
    at_side = filled([2.0, 3.0])
    assert at_side[300] == pytest.approx(alone[300])
    log_odds = [np.log(score / (1 - score)) for score in (alone[600], at_side[600])]
    assert log_odds[0] - log_odds[1] == pytest.approx(2.0, abs=1e-4)


def test_what_the_input_said_stays_beside_what_is_said_now():
    source = table(PASSING)
    found = label_table(source, frames_of("a")).detections
    own = found.filter(pa.compute.equal(found["label_source"], "detected"))
    for name in ("score", "category"):
        assert own[f"{name}_raw"].to_pylist() == source[name].to_pylist()
    for edge in EDGES:
        assert own[f"raw_{edge}"].to_pylist() == source[edge].to_pylist()
    assert own["x_min_px"].to_pylist() != source["x_min_px"].to_pylist()
    assert own["score"].to_pylist() != source["score"].to_pylist()


def test_a_track_is_a_row():
    found = label_table(
        table([*PASSING, row("b", 0), row("b", 1), row("b", 3, left=300.0)]), frames_of("a", "b")
    )
    tracks = found.tracks.to_pylist()
    ids = [
        track
        for track, _ in dict.fromkeys(rows_of(found.detections, "track_id", "clip_id"))
        if track is not None
    ]
    assert [one["track_id"] for one in tracks] == ids
    a, b = tracks
    assert (a["clip_id"], a["category"], a["detected"], a["added"]) == ("a", "car", 3, 1)
    assert (a["first_ns"], a["last_ns"]) == (0, 3 * TENTH_NS)
    assert [(word, pytest.approx(2.7)) for word, _ in a["category_votes"]] == a["category_votes"]
    assert (b["clip_id"], b["detected"]) == ("b", 2)
    alone = found.detections.filter(pa.compute.equal(found.detections["raw_x_min_px"], 300.0)).to_pylist()
    assert [(one["track_id"], one["label_source"]) for one in alone] == [(None, "detected")]


def test_online_everything_is_as_the_tool_said_but_for_tracks():
    source = table(PASSING)
    found = label_table(source, frames_of("a"), ONLINE).detections
    assert found.schema == label_table(source, frames_of("a")).detections.schema
    assert found.select(list(NEEDED)).equals(source)
    assert found["label_source"].to_pylist() == ["detected"] * 3
    assert len(set(found["track_id"].to_pylist())) == 1
    assert found["raw_x_min_px"].to_pylist() == source["x_min_px"].to_pylist()


def test_steps_can_be_left_out():
    def sources(**steps):
        found = label_table(table(PASSING), frames_of("a"), HindsightSettings(**steps))
        return found.detections["label_source"].to_pylist()

    assert "interpolated" in sources()
    assert "interpolated" not in sources(gap_filling=False)
    kept = label_table(table(PASSING), frames_of("a"), HindsightSettings(smoothing=False)).detections
    own = kept.filter(pa.compute.is_valid(kept["score_raw"]))
    assert own["x_min_px"].to_pylist() == own["raw_x_min_px"].to_pylist()
    kept = label_table(table(PASSING), frames_of("a"), HindsightSettings(rescoring=False)).detections
    own = kept.filter(pa.compute.is_valid(kept["score_raw"]))
    assert own["score"].to_pylist() == own["score_raw"].to_pylist()


def test_clips_do_not_mix_and_frames_without_a_detection_count():
    rows = [
        row("b", 1),
        row("a", 1, left=100.0),
        row("a", 0),
        row("b", 0),
        row("a", 0, left=100.0),
        row("a", 1),
    ]
    found = label_table(table(rows), frames_of("a", "b", "empty"), ONLINE)
    assert (found.clips, found.frames) == (3, 12)
    assert rows_of(found.detections, "clip_id", "timestamp_ns") == [
        ("a", 0),
        ("a", 0),
        ("a", TENTH_NS),
        ("a", TENTH_NS),
        ("b", 0),
        ("b", TENTH_NS),
    ]
    assert found.tracks["clip_id"].to_pylist() == ["a", "a", "b"]
    far = table([row("a", 0), row("a", 3)])
    assert label_table(far, frames_of("a"), ONLINE).tracks.num_rows == 0
    only = frames_of("a").filter(pa.array([True, False, False, True]))
    assert label_table(far, only, ONLINE).tracks.num_rows == 1


def test_settings_of_the_tracker_are_used():
    rows = table([row("a", 0, score=0.4), row("a", 1, score=0.4)])
    assert label_table(rows, frames_of("a"), ONLINE).tracks.num_rows == 0
    eager = TrackerSettings(high_score=0.3, new_score=0.3)
    assert label_table(rows, frames_of("a"), ONLINE, eager).tracks.num_rows == 1


def test_a_voted_category_is_in_the_words_that_most_boxes_of_the_track_have():
    words = ["pedestrian", "Person", "pedestrian", "cyclist"]
    scores = [0.9, 0.9, 0.9, 0.6]
    rows = [
        row("a", tenth, word, score=score)
        for tenth, (word, score) in enumerate(zip(words, scores, strict=True))
    ]
    found = label_table(table(rows), frames_of("a"))
    assert found.detections["category"].to_pylist() == ["pedestrian"] * 4
    assert found.detections["category_raw"].to_pylist() == words
    assert found.tracks["category"].to_pylist() == ["pedestrian"]
    votes = dict(found.tracks["category_votes"].to_pylist()[0])
    assert votes == pytest.approx({"Person": 0.9, "cyclist": 0.6, "pedestrian": 1.8})
    kept = label_table(table(rows), frames_of("a"), HindsightSettings(category_vote=False)).detections
    assert kept["category"].to_pylist() == words


def test_where_the_vote_does_not_decide_words_stay_and_added_rows_have_one_of_them():
    words = ["car", "truck", "car", "truck"]
    rows = [row("a", tenth, word, left=2.0 * tenth) for tenth, word in zip((0, 1, 3, 4), words, strict=True)]
    found = label_table(table(rows), frames_of("a", count=5)).detections
    assert len(set(found["track_id"].to_pylist())) == 1
    assert [word for word in found["category_raw"].to_pylist() if word] == words
    own = [word for word, raw in rows_of(found, "category", "category_raw") if raw is not None]
    assert own == words
    added = {word for word, raw in rows_of(found, "category", "category_raw") if raw is None}
    assert len(added) == 1
    assert added <= set(words)


def test_names_outside_the_taxonomy_stay_apart():
    rows = [row("a", 0, "zebra"), row("a", 1, "moose"), row("a", 0, "cyclist"), row("a", 1, "pedestrian")]
    found = label_table(table(rows), frames_of("a"), ONLINE).detections
    tracked = {word for word, one in rows_of(found, "category", "track_id") if one}
    assert tracked == {"cyclist", "pedestrian"}
    assert category_codes([]).tolist() == []
    assert category_codes(["Traffic Light", "traffic-light", "VAN"]).tolist() == [8, 8, 4]


def test_too_many_names_are_refused_where_they_meet_in_a_clip():
    names = [f"kind {number}" for number in range(129)]
    with pytest.raises(TableError, match="129 categories outside the taxonomy"):
        category_codes(names)
    apart = [row(f"clip {place % 2}", 0, name) for place, name in enumerate(names)]
    assert label_table(table(apart), frames_of("clip 0", "clip 1")).detections.num_rows == 129


def test_the_bias_of_the_scores_is_that_of_all_clips_together():
    steady = [
        row(clip, tenth, left=100.0 * place) for clip in "ab" for place in range(4) for tenth in range(40)
    ]
    found = label_table(table(steady), frames_of("a", "b", count=40))
    assert 0 < found.score_bias <= 3
    short = label_table(table(steady[:40]), frames_of("a", count=40))
    assert short.score_bias == 0.0
    assert label_table(table(steady), frames_of("a", "b", count=40), ONLINE).score_bias == 0.0


def test_progress_ends_with_all_but_the_writing_done():
    told = []
    label_table(table([row("a", 0), row("b", 0)]), frames_of("a", "b"), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(0.9)


def test_tables_without_rows_give_tables_without_rows():
    nothing = table([])
    found = label_table(nothing, frames_of("a"))
    some = label_table(table(PASSING), frames_of("a"))
    assert (found.detections.num_rows, found.tracks.num_rows, found.score_bias) == (0, 0, 0.0)
    assert found.detections.schema == some.detections.schema
    assert found.tracks.schema == some.tracks.schema
    untyped = pa.table({name: pa.nulls(0) for name in NEEDED})
    bare = pa.table({name: pa.nulls(0) for name in ("clip_id", "timestamp_ns")})
    kinds = label_table(untyped, bare).detections.schema
    assert kinds.field("category").type == pa.string()
    assert kinds.field("raw_x_min_px").type == pa.float64()


drawn_rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 11),
        st.sampled_from(["car", "van", "zebra", "pedestrian", "cyclist"]),
        st.integers(-20, 60).map(float),
        st.sampled_from([0.05, 0.2, 0.5, 0.7, 0.9, 1.0]),
    ),
    max_size=40,
)
drawn_settings = st.sampled_from(
    [
        ONLINE,
        *(HindsightSettings(**{name: False}) for name in ("smoothing", "rescoring", "category_vote")),
        None,
    ]
)


@settings(max_examples=40, deadline=None)
@given(drawn_rows, drawn_settings, st.sets(st.integers(0, 11)), st.randoms())
def test_every_row_is_there_once_and_none_at_another_time_whatever_the_order(rows, steps, looked, random):
    source = table(rows).append_column("number", pa.array(range(len(rows)), pa.int64()))
    # frames that have a detection, and some that have none
    times = sorted({*looked, *(tenth for _, tenth, *_ in rows)})
    frames = pa.table(
        {
            "clip_id": pa.array([clip for clip in "ab" for _ in times], pa.string()),
            "timestamp_ns": pa.array([tenth * TENTH_NS for _ in "ab" for tenth in times], pa.int64()),
        }
    )
    found = label_table(source, frames, steps)
    labels = found.detections
    own = labels.filter(pa.compute.equal(labels["label_source"], "detected")).sort_by("number")
    assert own["number"].to_pylist() == list(range(len(rows)))
    for name, raw in (("category", "category_raw"), ("score", "score_raw"), ("x_min_px", "raw_x_min_px")):
        assert own[raw].to_pylist() == source[name].to_pylist()
    listed = set(zip(frames["clip_id"].to_pylist(), frames["timestamp_ns"].to_pylist(), strict=True))
    assert set(rows_of(found.detections, "clip_id", "timestamp_ns")) <= listed
    assert len(set(labels["detection_id"].to_pylist())) == labels.num_rows
    known = set(found.tracks["track_id"].to_pylist())
    assert {one for one in labels["track_id"].to_pylist() if one} == known
    assert all(
        (labels[f"{low}_px"].to_numpy() <= labels[f"{high}_px"].to_numpy()).all()
        for low, high in (("x_min", "x_max"), ("y_min", "y_max"))
    )
    assert ((labels["score"].to_numpy() >= 0) & (labels["score"].to_numpy() <= 1)).all()
    added = labels.filter(pa.compute.not_equal(labels["label_source"], "detected"))
    assert added["track_id"].null_count == 0
    assert added["number"].null_count == added.num_rows
    assert added.num_rows == sum(found.tracks["added"].to_pylist())
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    again = label_table(source.take(pa.array(shuffled, pa.int64())), frames, steps)
    assert again.detections.equals(labels)
    assert again.tracks.equals(found.tracks)


@settings(max_examples=40, deadline=None)
@given(drawn_rows, st.integers(0, 11))
def test_online_is_the_tracker_and_knows_no_future(rows, until):
    causal = TrackerSettings(min_detections=1)
    frames = frames_of("a", "b", count=12)
    found = label_table(table(rows), frames, ONLINE, causal)
    for clip in "ab":
        labels = found.detections.filter(pa.compute.equal(found.detections["clip_id"], clip))
        numbers = track(
            np.arange(12) * TENTH_NS,
            (labels["timestamp_ns"].to_numpy() // TENTH_NS).astype(np.int32),
            np.stack([labels[edge].to_numpy() for edge in EDGES], axis=1),
            labels["score"].to_numpy(),
            category_codes(labels["category"].to_pylist()),
            causal,
        )
        ids = labels["track_id"].to_pylist()
        assert [one is None for one in ids] == [number < 0 for number in numbers.tolist()]
        assert (
            len(set(zip(ids, numbers.tolist(), strict=True))) == len(set(ids)) == len(set(numbers.tolist()))
        )
    before = label_table(table([one for one in rows if one[1] <= until]), frames, ONLINE, causal).detections
    past = pa.compute.less_equal(found.detections["timestamp_ns"], until * TENTH_NS)
    assert before.equals(found.detections.filter(past).combine_chunks())


@pytest.mark.slow
@pytest.mark.skipif(
    not KITTI.exists(), reason="needs gt/kitti_tracking of the shared folder beside the checkout"
)
def test_on_kitti_hindsight_beats_the_tracker_and_its_scores_spread():
    detections, frames, truth = (
        pq.read_table(KITTI / f"{name}.parquet") for name in ("detections", "frames", "truth")
    )
    thresholds = np.arange(0.05, 1, 0.05)
    figures = {}
    for name, steps, tracker in (
        ("hindsight", None, None),
        ("online", ONLINE, TrackerSettings(min_detections=1)),
    ):
        found = label_table(detections, frames, steps, tracker)
        assert pa.compute.sum(pa.compute.equal(found.detections["label_source"], "detected")).as_py() == 31037
        pairing = pair(found.detections, truth, frames)
        for category in ("car", "pedestrian", "cyclist"):
            own = pairing.of(category)
            curve = figures_at(own, thresholds.tolist())
            best = int(np.argmax([one.hota for one in curve]))
            figures[name, category] = (
                category_precision(own).ap50,
                curve[best].hota,
                max(one.idf1 for one in curve),
                thresholds[best],
            )
    ap50, hota, idf1, threshold = figures["hindsight", "car"]
    assert (ap50 >= 0.905, hota >= 0.765, idf1 >= 0.895) == (True, True, True)
    assert 0.45 <= threshold <= 0.75
    ap50, hota, idf1, _ = figures["online", "car"]
    assert (ap50, hota, idf1) == pytest.approx((0.8626, 0.711, 0.851), abs=0.005)
    for category in ("car", "pedestrian", "cyclist"):
        assert 0.3 <= figures["hindsight", category][3] <= 0.8
        assert all(
            new > old
            for new, old in zip(
                figures["hindsight", category][:3], figures["online", category][:3], strict=True
            )
        )


def test_columns_of_the_view_types_are_read_like_any_text():
    kinds = {"clip_id": pa.string_view(), "category": pa.string_view(), "note": pa.string_view()}
    boxes = {name: [0.0, 1.0] for name in ("x_min_px", "y_min_px")}
    boxes |= {name: [40.0, 41.0] for name in ("x_max_px", "y_max_px")}
    texts = {"clip_id": ["a", "a"], "category": ["car", "car"], "note": ["ä", None]}
    columns = {name: pa.array(texts[name], kind) for name, kind in kinds.items()}
    plain = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    rest = {**boxes, "timestamp_ns": [0, 100_000_000], "score": [0.9, 0.8]}
    viewed, expected = (
        label_table(
            pa.table({**own, **rest}), pa.table({"clip_id": own["clip_id"], "timestamp_ns": [0, 100_000_000]})
        )
        for own in (columns, plain)
    )
    assert viewed.detections.to_pylist() == expected.detections.to_pylist()
    assert viewed.detections["note"].to_pylist() == ["ä", None]
