import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clip_refs import clip

from transforms.budget.costs import UNITS
from transforms.budget.demand.figures import CameraFigures, DatasetFigures, Tally
from transforms.budget.request import BudgetRequest
from transforms.clips.refs import Failure, InputFile
from transforms.clips.shards import Duplicate
from transforms.labels.settings import LabelSettings
from transforms.summarize import SUMMARY, Finish, duplicate_rows, run_summary
from transforms.tables.commits import ShardSummary, commit_shard
from transforms.tables.dataset import Gathered
from transforms.tables.layout import DATASET, MANIFEST, run_file
from transforms.tables.schemas import CLIPS, OBJECTS, SHARD_TABLES
from transforms.tables.store import LocalStore

FIRST, SECOND = clip("/in/first.mp4"), clip("/in/second.mp4")
TALLY = Tally(clips=1, frames=4, detections=6, tracks=2, bytes=10, cameras=(("front", 640, 360, 10**9, 30),))


def shard(name="one", labelled=None, failures=(), **counts):
    return ShardSummary(
        name=name,
        drive_id=f"drive {name}",
        label_digest="digest",
        made_from={"clips": "digest"},
        files=(),
        counts={"frames": 0, "detections": 0, "tracks": 0} | counts,
        clips=((name, f"/in/{name}.mp4"),),
        event_ids=("",),
        models=(),
        frames_labelled={name: 4} if labelled is None else labelled,
        tally=TALLY,
        tracks=(f"track {name}",),
        heads={},
        tail={},
        failures=tuple(failures),
    )


def failure(uri="/in/broken.mp4", stage="probe", message="broken"):
    return Failure(uri=uri, clip_id="", stage=stage, error="damaged", message=message, retryable=False)


def gathered(**options):
    usual = {
        "summaries": (),
        "duplicates": (),
        "duplicate_rows": CLIPS.empty_table(),
        "events": (),
        "failures": (),
        "objects": OBJECTS.empty_table(),
    }
    return Gathered(**{**usual, **options})


def test_a_run_is_counted_over_its_shards():
    found = gathered(
        summaries=(
            shard("one", {"a": 4, "b": 0}, frames=10, detections=6, tracks=2),
            # another minute of the same clip, and one that could not be decoded
            shard("two", {"a": 3, "c": 0}, frames=5, detections=1, tracks=1),
            shard("three", {"d": 1}, frames=1),
        ),
        duplicates=(Duplicate(clip=SECOND, duplicate_of="a"),),
        failures=(failure("/in/link.mp4", "discover"),),
        objects=pa.table(
            {
                "track_id": ["track one", "track two", "old track"],
                "object_id": ["o1", "o1", "o2"],
                "drive_id": ["drive one", "drive two", "x"],
            },
            OBJECTS,
        ),
    )
    counts = run_summary(found, files=6)
    # six files and one that could not even be listed: a and d are labelled, one is a duplicate
    assert counts["clips"] == {"found": 7, "labelled": 2, "failed": 4, "duplicate": 1}
    assert (counts["frames"], counts["detections"], counts["tracks"]) == (16, 7, 3)
    # tracks of earlier runs do not count
    assert counts["objects"] == 1


def test_a_fault_that_several_shards_met_is_told_once():
    broken = failure("/in/one.mp4", "decode")
    found = gathered(
        summaries=(shard("one", failures=[broken]), shard("two", failures=[broken])),
        failures=(failure("/in/a.mp4"),),
    )
    assert run_summary(found, 3)["failures"] == [
        {"uri": uri, "stage": stage, "error": "damaged", "message": "broken", "retryable": False}
        for uri, stage in (("/in/a.mp4", "probe"), ("/in/one.mp4", "decode"))
    ]


def test_nothing_found_is_zero():
    assert run_summary(gathered(), 0) == {
        "clips": {"found": 0, "labelled": 0, "failed": 0, "duplicate": 0},
        "frames": 0,
        "detections": 0,
        "tracks": 0,
        "objects": 0,
        "failures": [],
    }


def test_rows_of_duplicates_name_the_kept_clip():
    copies = [Duplicate(clip=item, duplicate_of="kept") for item in (SECOND, FIRST)]
    rows = duplicate_rows(copies, LabelSettings())
    assert rows.schema == CLIPS
    assert rows["uri"].to_pylist() == ["/in/first.mp4", "/in/second.mp4"]
    assert rows["duplicate_of"].to_pylist() == ["kept", "kept"]
    assert rows["drive_id"].to_pylist() == [None, None]
    # an id of its own: that of the content is the kept clip's
    ids = rows["clip_id"].to_pylist()
    assert len({*ids, FIRST.clip_id, SECOND.clip_id}) == 4
    assert duplicate_rows([], LabelSettings()).num_rows == 0


@pytest.fixture
def finished(tmp_path):
    store = LocalStore(tmp_path)
    tables = {name: schema.empty_table() for name, schema in SHARD_TABLES.items()}
    shards = [commit_shard(store, shard(name), tables) for name in ("one", "two", "left")]
    Finish(LabelSettings(), ["/in"], str(tmp_path), "run-1", None)(
        None,
        files=[InputFile(uri=item.uri, root="/in", bytes=1) for item in (FIRST, SECOND)],
        clips=[FIRST],
        summaries=shards[1::-1],
        left=shards[2:],
        duplicates=[Duplicate(clip=SECOND, duplicate_of=FIRST.clip_id)],
        events=[],
        failures=[],
        joined=[],
    )
    return store


def read(store, name):
    with store.open(name) as source:
        return pq.read_table(source)


def test_a_budget_is_made_of_all_shards(finished):
    # three seconds of one camera, of which an earlier run left one
    figures = DatasetFigures(
        camera_hours=3 / 3600,
        clips=3,
        frames=12,
        cameras=(CameraFigures("front", 640, 360, 30.0, 3 / 3600),),
        detections=18,
        tracks=6,
        bytes=30,
    )
    summary = json.loads(finished.read(run_file("run-1", SUMMARY)))
    assert DatasetFigures.from_json(summary["figures"]) == figures
    assert (summary["left_over_shards"], summary["clips"]["duplicate"]) == (1, 1)
    (file,) = finished.sizes("budget")
    table = read(finished, f"budget/{file}")
    answers = BudgetRequest().answer(figures)
    assert table.num_rows == len(answers) * len(UNITS)
    assert table["p50"].to_pylist()[:6] == [answers[0].quantities[name].p50 for name in UNITS]


def test_the_manifest_lists_what_was_written(finished):
    paths = read(finished, MANIFEST)["path"].to_pylist()
    assert {"frames/left.parquet", "frames/one.parquet", "frames/two.parquet"} <= set(paths)
    assert all(path.partition("/")[2] in finished.sizes(path.partition("/")[0]) for path in paths)
    described = json.loads(finished.read(DATASET))
    assert described["tables"]["clips"] == 1  # the duplicate's row: the shards are empty
