"""Milling one shard, directly and through a pipeline."""

import itertools
import shutil
from dataclasses import replace

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute
import pytest
from running import SAMPLE

from models.registry import find_model
from models.sessions import load_detector
from transforms.clips.refs import ClipRef, Failure, InputFile
from transforms.clips.shards import plan_drives
from transforms.labels.ingredients import ingredients
from transforms.labels.ingredients import label_digest as digest_of
from transforms.labels.labelling import label_shard
from transforms.labels.settings import LabelSettings
from transforms.mill import Mill, MillOptions, MillShards
from transforms.set_aside import Patience
from transforms.storage import open_stream
from transforms.tables.commits import commit_shard, read_commit, take_over_shard, without_links
from transforms.tables.schemas import SHARD_TABLES
from transforms.tables.store import LocalStore
from transforms.tasks import probe_file

CAMERAS = ("front", "back")
SETTINGS = LabelSettings(fps="3")


def probed(path) -> ClipRef:
    clip = probe_file(InputFile(uri=str(path), root=str(SAMPLE), bytes=path.stat().st_size), None)
    assert isinstance(clip, ClipRef), clip
    return clip


def label_digest(plan, settings, models) -> str:
    return digest_of(ingredients(plan, settings, models))


def options(model, **more) -> MillOptions:
    return MillOptions(settings=SETTINGS, models=(model,), patience=Patience(), **more)


@pytest.fixture(scope="module")
def model():
    return find_model("demo")


@pytest.fixture(scope="module")
def shards():
    paths = [path for path in SAMPLE.glob("TeslaCam/SavedClips/*/*.mp4") if path.stem.endswith(CAMERAS)]
    return list(plan_drives(map(probed, paths), SETTINGS.context_ns))


@pytest.fixture(scope="module")
def direct(shards, model):
    return [label_shard(shard, open_stream, [load_detector(model)], SETTINGS) for shard in shards]


def detected(rows) -> pa.Table:
    """What the network saw, without what hindsight makes of it: that depends on what comes before and after."""
    table = rows.tables["detections"]
    columns = ["detection_id", "frame_id", "raw_x_min_px", "raw_y_max_px", "score_raw", "category_raw"]
    return table.filter(pa.compute.equal(table["label_source"], "detected")).select(columns)


def test_the_pipelines_result_is_the_direct_result(tmp_path, shards, direct, model):
    with beam.Pipeline("FnApiRunner") as root:
        planned = root | "Planned" >> beam.Create([len(shards)])
        _ = (
            root
            | "Shards" >> beam.Create(shards)
            | MillShards(options(model), str(tmp_path), "run", threads=2, begun=planned)
        )
    for shard, rows in zip(shards, direct, strict=True):
        for name, table in rows.tables.items():
            path = tmp_path / name / f"{shard.name}.parquet"
            assert path.exists() == bool(table.num_rows) or name == "frames"
            if table.num_rows:
                assert pa.parquet.read_table(path).equals(table), (shard.name, name)


def test_a_minute_sees_the_end_of_the_one_before_and_continues_its_tracks(direct):
    first, second = direct
    assert second.links.heads
    known = set(first.tables["detections"]["detection_id"].to_pylist())
    assert all(set(detections) <= known for detections in second.links.heads.values())
    joined = [ids for ids in second.links.heads.values() if first.links.tail.keys() & set(ids)]
    assert len(joined) >= len(second.links.heads) / 2


def test_no_row_of_the_context_is_written(shards, direct):
    own = {part.clip.clip_id for part in shards[1].parts}
    for name in ("frames", "detections", "tracks", "telemetry"):
        assert set(direct[1].tables[name]["clip_id"].to_pylist()) <= own, name
    assert min(direct[1].tables["frames"]["timestamp_ns"].to_pylist()) == 0


def test_a_minute_without_context_gives_the_same_detections(shards, direct, model):
    alone = replace(shards[1], parts=tuple(replace(part, context=None) for part in shards[1].parts))
    rows = label_shard(alone, open_stream, [load_detector(model)], SETTINGS)
    assert detected(rows).equals(detected(direct[1]))
    assert not rows.links.heads


def test_a_context_that_cannot_be_read_for_once_is_tried_again(tmp_path, shards, model):
    part = shards[1].parts[0]
    gone = replace(part.context, clip=replace(part.context.clip, uri=str(tmp_path / "gone.mp4")))
    shard = replace(shards[1], parts=(replace(part, context=gone), *shards[1].parts[1:]))
    rows = label_shard(shard, open_stream, [load_detector(model)], SETTINGS)
    (failure,) = rows.failures
    assert (failure.uri, failure.error, failure.retryable) == (gone.clip.uri, "unreadable", True)
    assert rows.frames_labelled[part.clip.clip_id] > 0


def test_two_networks_are_tracked_apart(shards, model):
    detector = load_detector(model)
    rows = label_shard(shards[0], open_stream, [detector, detector], SETTINGS)
    single = label_shard(shards[0], open_stream, [detector], SETTINGS)
    assert rows.tables["detections"].num_rows == 2 * single.tables["detections"].num_rows


@pytest.mark.parametrize("fps", ["all", "keyframes"])
def test_every_sampled_frame_is_numbered_from_the_parts_begin(shards, model, fps):
    rows = label_shard(shards[1], open_stream, [load_detector(model)], LabelSettings(fps=fps))
    for part in shards[1].parts:
        frames = [row for row in rows.tables["frames"].to_pylist() if row["clip_id"] == part.clip.clip_id]
        assert [row["sample_index"] for row in frames] == list(range(len(frames)))
        assert len(frames) == (
            part.clip.frame_count if fps == "all" else sum(row["is_keyframe"] for row in frames)
        )


def test_a_clip_cut_at_minutes_is_the_same_as_its_one_minute(model):
    """The long-file path on a short clip: the parts' frames and detections are those of the whole."""
    clip = probed(next(SAMPLE.glob("TeslaCam/SavedClips/*/*00-front.mp4")))
    clip = replace(clip, name=replace(clip.name, minute=None))
    (whole,) = plan_drives([clip], 0)
    detector = load_detector(model)
    expected = label_shard(whole, open_stream, [detector], SETTINGS)
    (part,) = whole.parts
    cuts = [0, 1_300_000_000, 2_900_000_000, part.stop_ns]
    frames, detections = [], []
    for start, stop in itertools.pairwise(cuts):
        shard = replace(whole, parts=(replace(part, start_ns=start, stop_ns=stop),))
        rows = label_shard(shard, open_stream, [detector], SETTINGS)
        frames.append(rows.tables["frames"])
        detections.append(detected(rows))
    assert pa.concat_tables(frames).equals(expected.tables["frames"])
    assert pa.concat_tables(detections).equals(detected(expected))


def test_a_clip_that_vanished_is_a_retryable_failure_and_the_others_are_labelled(tmp_path, shards, model):
    path = tmp_path / "front.mp4"
    shutil.copy(shards[0].parts[1].clip.uri, path)
    gone = replace(shards[0].parts[1], clip=replace(shards[0].parts[1].clip, uri=str(tmp_path / "gone.mp4")))
    shard = replace(shards[0], parts=(shards[0].parts[0], gone))
    rows = label_shard(shard, open_stream, [load_detector(model)], SETTINGS)
    (failure,) = rows.failures
    assert (failure.error, failure.stage, failure.retryable) == ("unreadable", "decode", True)
    assert rows.frames_labelled[gone.clip.clip_id] == 0
    assert rows.frames_labelled[shard.parts[0].clip.clip_id] > 0


def test_a_shard_is_skipped_only_where_it_is_whole_and_nothing_retryable_failed(tmp_path, shards, model):
    store = LocalStore(tmp_path)

    def reasons(how=options(model)) -> tuple[str, ...]:  # noqa: B008 - a value
        mill, judge = Mill(how, str(tmp_path), "run"), how.judge(str(tmp_path))
        judge.prepare()
        mill.prepare()
        found = judge(shards[0])
        mill(shards[0])
        return found.reasons

    assert reasons() == ("new",)
    assert reasons() == ()
    (tmp_path / "detections" / f"{shards[0].name}.parquet").unlink()
    assert reasons() == ("damaged",)
    assert reasons() == ()
    (tmp_path / "frames" / f"{shards[0].name}.parquet").write_bytes(b"PAR1 no more")
    assert reasons() == ("damaged",)
    commit = read_commit(store, shards[0].name)
    assert commit.label_digest == label_digest(shards[0], SETTINGS, [model])
    assert commit.made_from == ingredients(shards[0], SETTINGS, [model])
    other = replace(options(model), settings=LabelSettings(fps="2"))
    assert reasons(other) == ("options",)


def test_only_a_retry_tries_again_what_failed_for_good(tmp_path, shards, model):
    store = LocalStore(tmp_path)
    mill = Mill(options(model), str(tmp_path), "run")
    mill.prepare()
    mill(shards[0])
    commit = read_commit(store, shards[0].name)
    tables = {name: schema.empty_table() for name, schema in SHARD_TABLES.items()}

    def judged(*, retryable: bool, retries_failed: bool) -> tuple[str, ...]:
        failure = Failure(
            uri="/a.mp4", clip_id="a", stage="decode", error="timeout", message="", retryable=retryable
        )
        commit_shard(store, replace(commit, files=(), failures=(failure,)), tables)
        judge = options(model, retries_failed=retries_failed).judge(str(tmp_path))
        judge.prepare()
        return judge(shards[0]).reasons

    assert judged(retryable=False, retries_failed=False) == ()
    assert judged(retryable=True, retries_failed=False) == ("failed",)
    assert judged(retryable=False, retries_failed=True) == ("failed",)


def test_a_shard_is_taken_over_from_a_base_that_has_it_whole(tmp_path, shards, model):
    base = Mill(options(model), str(tmp_path / "base"), "run")
    base.prepare()
    light = base(shards[0]).summary
    made = read_commit(LocalStore(tmp_path / "base"), shards[0].name)
    assert light == without_links(made) != made

    def judged(directory: str):
        judge = options(model, base=str(tmp_path / "base")).judge(str(tmp_path / directory))
        judge.prepare()
        return judge(shards[0])

    found = judged("new")
    mill = Mill(options(model, base=str(tmp_path / "base")), str(tmp_path / "new"), "run")
    mill.prepare()
    assert (found.standing, found.in_base, found.reasons) == (None, made, ())
    milled = mill(shards[0])
    assert (milled.summary, milled.record["state"]) == (light, "taken_over")
    assert read_commit(LocalStore(tmp_path / "new"), shards[0].name) == made
    assert not take_over_shard(
        LocalStore(tmp_path / "late"),
        LocalStore(tmp_path / "base"),
        replace(made, label_digest="of yesterday"),
    )
    min((tmp_path / "base" / "detections").iterdir()).unlink()
    found = judged("other")
    assert (found.in_base, found.reasons) == (None, ("new",))


def test_the_label_digest_covers_what_reaches_the_rows_and_no_time_of_change(shards, model):
    shard = shards[1]
    base = label_digest(shard, SETTINGS, [model])
    part = shard.parts[0]
    others = [
        label_digest(shard, LabelSettings(fps="4"), [model]),
        label_digest(shard, LabelSettings(fps="3", region="EU"), [model]),
        label_digest(shard, SETTINGS, [model, model]),
        label_digest(replace(shard, drive_id="other"), SETTINGS, [model]),
        label_digest(replace(shard, parts=shard.parts[:1]), SETTINGS, [model]),
        label_digest(
            replace(shard, parts=(replace(part, context=None), *shard.parts[1:])), SETTINGS, [model]
        ),
        label_digest(
            replace(shard, parts=(replace(part, clip=replace(part.clip, start_utc_ns=1)), *shard.parts[1:])),
            SETTINGS,
            [model],
        ),
    ]
    assert base not in others
    assert len(set(others)) == len(others)
    moved = replace(part.context, clip=replace(part.context.clip, uri="/elsewhere.mp4"))
    same = replace(shard, parts=(replace(part, context=moved), *shard.parts[1:]))
    assert label_digest(same, SETTINGS, [model]) == base
