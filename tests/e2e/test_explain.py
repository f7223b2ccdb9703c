"""Rows of a labelled data set, derived again from the bytes of their clips."""

import json
import random
import shutil
from collections import defaultdict
from pathlib import Path

import cv2
import pyarrow.parquet as pq
import pytest
from running import SAMPLE

from pipelines.cli import main
from pipelines.commands.label import STEPS
from transforms.explaining.explaining import explain
from transforms.labels.sightings import LABEL_SOURCES
from transforms.scenes.filming import film_seed
from transforms.storage import open_stream
from transforms.tables.files import write_parquet

EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
MADE = tuple(source for source in LABEL_SOURCES if source != "human")


@pytest.fixture(scope="module")
def made(clipmill, tmp_path_factory):
    """Two cameras of two minutes, with labels in every frame; then, by another job, a file of more than a minute."""
    root = tmp_path_factory.mktemp("explained")
    clips, long = root / "clips", root / "long"
    event = next(iter((SAMPLE / "TeslaCam" / "SavedClips").iterdir()))
    for path in event.glob("*.mp4"):
        if path.stem.endswith(("-front", "-left_repeater")):
            target = clips / path.relative_to(SAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    long.mkdir()
    (long / "long.mp4").write_bytes(film_seed(11, 62.0, 2, 320, 180).content)
    out = root / "out"
    for arguments in ([clips, "--label-fps", "all"], [long, "--adaptive", "--fps", "2"]):
        done = clipmill("label", *arguments, "-o", out, "--model", "demo", "--json")
        assert done.code == 0, done.errors
    return root


@pytest.fixture(scope="module")
def shards(made) -> list[list[dict]]:
    files = sorted((made / "out" / "detections").glob("*.parquet"))
    return [pq.read_table(path).to_pylist() for path in files]


@pytest.fixture(scope="module")
def rows(shards) -> list[dict]:
    return [row for rows in shards for row in rows]


@pytest.fixture(scope="module")
def chosen(shards) -> list[dict]:
    """At least a hundred rows, at least one of each source in each clip's minute that has one."""
    dice = random.Random(20)
    groups = defaultdict(list)
    for number, rows in enumerate(shards):
        for row in rows:
            groups[number, row["clip_id"], row["label_source"]].append(row)
            if "category" in row["changes"]:
                groups["another category"].append(row)
    picked = [row for own in groups.values() for row in dice.sample(own, min(len(own), 10))]
    picked = list({row["detection_id"]: row for row in picked}.values())
    dice.shuffle(picked)
    return picked


@pytest.fixture(scope="module")
def explained(made, chosen):
    return explain(made / "out", [row["detection_id"] for row in chosen], open_stream)


def tampered(made: Path, folder: Path, change) -> tuple[Path, dict]:
    """A copy of the data set, with a detected row changed in its file."""
    out = folder / "tampered"
    shutil.copytree(made / "out", out)
    path = next(iter(sorted((out / "detections").glob("*.parquet"))))
    table = pq.read_table(path)
    found = table.to_pylist()
    row = next(row for row in found if row["label_source"] == "detected")
    row |= change(row)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    with path.open("wb") as sink:
        write_parquet(sink, type(table).from_pylist(found, table.schema), metadata)
    return out, row


def test_random_rows_of_every_source_come_out_as_they_are(chosen, explained):
    assert len(chosen) >= 100
    assert {row["label_source"] for row in chosen} == set(MADE)
    assert [found.detection_id for found in explained] == [row["detection_id"] for row in chosen]
    assert not {found.detection_id: found.differs for found in explained if found.differs}
    assert [found.row for found in explained] == chosen
    # over the borders of minutes, of one file and of two
    assert len({found.where.shard for found in explained}) == 4


def test_the_steps_lead_from_the_networks_output_to_the_row(chosen, explained):
    changes = defaultdict(set)
    for row, found in zip(chosen, explained, strict=True):
        first, last = found.steps[0], found.steps[-1]
        assert last.box == tuple(row[edge] for edge in EDGES)
        assert (last.score, last.category, last.track_id) == (row["score"], row["category"], row["track_id"])
        assert {step.label_source for step in found.steps} == {row["label_source"]}
        if row["label_source"] == "detected":
            assert first.name == "network"
            assert first.box == found.output.box == tuple(row[f"raw_{edge}"] for edge in EDGES)
            assert first.score == found.output.score == row["score_raw"]
            assert first.category == found.output.category == row["category_raw"]
            assert 1 <= found.output.rank <= found.output.boxes
            assert not found.neighbours
        else:
            assert found.output is None
            assert first.changed == ("row",)
            assert (
                first.name
                == {
                    "interpolated": "gap_filling",
                    "extrapolated": "extrapolation",
                    "propagated": "propagation",
                }[row["label_source"]]
            )
            assert bool(found.neighbours) == (row["track_id"] is not None)
        for step in found.steps[1:]:
            changes[step.name].update(step.changed)
    assert changes["smoothing"] == {"box"}
    assert changes["rescoring"] == {"score"}
    assert changes["calibration"] == {"score"}
    assert changes["category_vote"] == {"category"}
    assert changes["tracking"] == {"track"}
    assert set(changes) <= {*STEPS, "tracking", "propagation", "picture_edges"}


def test_where_a_row_is_told_as_its_frame_has_it(made, explained):
    frames = {
        row["frame_id"]: row
        for path in (made / "out" / "frames").glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
    }
    for found in explained:
        frame, where = frames[found.where.frame_id], found.where
        assert (where.pts, where.timestamp_ns, where.camera) == (
            frame["pts"],
            frame["timestamp_ns"],
            frame["camera"],
        )
        assert (where.sample_index, where.network_ran) == (frame["sample_index"], frame["network_ran"])
        if where.uri.endswith("long.mp4"):
            assert where.frame_number == round(where.timestamp_ns * 2 / 1e9)


def test_added_rows_stand_between_what_the_network_saw(rows, chosen, explained):
    by_id = {row["detection_id"]: row for row in rows}
    told = 0
    for row, found in zip(chosen, explained, strict=True):
        for near in found.neighbours:
            assert near.timestamp_ns != row["timestamp_ns"]
            if not near.in_context:
                other = by_id[near.detection_id]
                assert (other["track_id"], other["timestamp_ns"]) == (row["track_id"], near.timestamp_ns)
                assert near.box == tuple(other[edge] for edge in EDGES)
                told += 1
    assert told > 20


def test_a_row_that_was_changed_in_the_file_differs(made, tmp_path, capsys):
    out, row = tampered(made, tmp_path, lambda row: {"score": 0.5 * row["score"]})
    assert main(["explain", str(out), row["detection_id"]]) == 1
    assert "differs: score is " in capsys.readouterr().out
    assert main(["explain", str(out), row["detection_id"], "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["same"], data["differs"]) == (False, ["score"])
    assert data["row"]["score"] == pytest.approx(2 * data["stored"]["score"])


def test_a_row_that_nothing_leads_to_differs(made, tmp_path, capsys):
    other = "00000000-aaaa-5000-8000-000000000000"
    out, _ = tampered(made, tmp_path, lambda _row: {"detection_id": other})
    assert main(["explain", str(out), "00000000", "--to", str(tmp_path / "why.png")]) == 1
    assert "no row of this id comes out" in capsys.readouterr().out


def test_a_minute_whose_minute_before_was_forgotten(made, shards, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(made / "out", out)
    first, second = (
        next(path for path in (made / "clips").rglob("*-front.mp4") if f"_{stamp}-" in path.name)
        for stamp in ("09-00-56", "09-01-00")
    )
    assert main(["forget", str(out), "--clip", str(first)]) == 0
    rows = random.Random(1).sample(shards[1], 80)
    found = explain(out, [row["detection_id"] for row in rows], open_stream)
    lost = "the minute before is not in the data set"
    for one in found:
        assert any(note.startswith(lost) for note in one.notes) == bool(one.differs)
        assert not one.differs or one.where.uri == str(second)
    assert any(one.differs for one in found)
    assert any(one.where.uri != str(second) for one in found)


def test_the_command_tells_people_and_scripts_the_same(made, explained, tmp_path, capsys):
    wanted = next(one for one in explained if len(one.stored["changes"]) > 1 and one.clip.width == 640)
    row = wanted.stored
    picture = tmp_path / "new" / "why.png"
    assert main(["explain", str(made / "out"), row["detection_id"][:13], "--to", str(picture)]) == 0
    shown = capsys.readouterr().out
    same, told = shown.rstrip().splitlines()[-2:]
    assert same == "the same"
    assert told.startswith(f"picture: {picture}, ")
    for text in ("smoothing", "network: demo, sha256", "no change by: ", f"detection {row['detection_id']}"):
        assert text in shown
    assert cv2.imread(str(picture)).shape == (360, 640, 3)
    assert main(["explain", str(made / "out"), row["detection_id"], "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(data) == {
        *("dataset", "detection_id", "same", "differs", "where", "network", "output", "neighbours"),
        *("steps", "row", "stored", "notes", "picture", "blurred", "corrections"),
    }
    assert data["same"]
    assert data["row"] == data["stored"]
    assert data["stored"] == row
    assert data["output"]["score"] == row["score_raw"]
    assert data["network"]["name"] == "demo"


def test_an_added_row_for_people(made, chosen, capsys):
    row = next(row for row in chosen if row["label_source"] == "propagated" and row["track_id"])
    assert main(["explain", str(made / "out"), row["detection_id"]]) == 0
    shown = capsys.readouterr().out
    assert "output: none of its own: the network did not look at this frame" in shown
    assert "the same track: " in shown


@pytest.fixture
def refused(made, capsys):
    def run(row: str, code: int, *options: str, out: Path = made / "out") -> str:
        assert main(["explain", str(out), row, *options]) == code
        shown = capsys.readouterr()
        assert not shown.out
        assert shown.err.count("\n") == 1
        return shown.err

    return run


def test_ids_that_name_no_row_or_several(made, rows, tmp_path, refused):
    identity = rows[0]["detection_id"]
    assert "first 8 hexadecimal digits" in refused(identity[:7], 2)
    assert "first 8 hexadecimal digits" in refused("%' OR 1=1 --", 2)
    assert "clipmill inspect" in refused("00000000-0000", 2)
    out, _ = tampered(made, tmp_path, lambda _row: {"detection_id": f"{rows[-1]['detection_id'][:8]}-0"})
    assert "2 ids begin with" in refused(rows[-1]["detection_id"][:8], 2, out=out)
    assert "no data set here" in refused(identity, 2, out=tmp_path)
    assert "ends in .png" in refused(identity, 2, "--to", "why.jpg")


def test_clips_that_are_gone_or_others(made, rows, refused):
    row = next(row for row in rows if row["label_source"] == "detected")
    identity = row["detection_id"]
    (uri,) = {found.where.uri for found in explain(made / "out", [identity], open_stream)}
    clip = Path(uri)
    content = clip.read_bytes()
    try:
        clip.write_bytes(content + b"\0\0\0\x08free")
        assert "is no longer the file that was labelled (sha256" in refused(identity, 1)
        clip.write_bytes(content[: len(content) // 2])
        assert "is no longer the file that was labelled" in refused(identity, 1)
        clip.unlink()
        assert "put it back in its place" in refused(identity, 1)
    finally:
        clip.write_bytes(content)
    assert main(["explain", str(made / "out"), identity]) == 0


def test_other_versions_are_told_and_a_copy_is_refused(made, rows, tmp_path, refused, capsys):
    identity = rows[0]["detection_id"]
    out = tmp_path / "elsewhere"
    shutil.copytree(made / "out", out)
    facts = json.loads((out / "dataset.json").read_bytes())
    facts["libraries"]["onnxruntime"] = "1.2.3"
    (out / "dataset.json").write_text(json.dumps(facts))
    assert main(["explain", str(out), identity]) == 0
    assert "onnxruntime 1.2.3 (here " in capsys.readouterr().out
    assert main(["compact", str(made / "out"), "-o", str(tmp_path / "copy")]) == 0
    capsys.readouterr()
    assert "is a compacted copy" in refused(identity, 1, out=tmp_path / "copy")
