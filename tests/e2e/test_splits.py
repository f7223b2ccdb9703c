"""Drives parted into train, val and test: told once, kept whatever comes, and gone with what they tell of."""

import json
import shutil
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from golden_sets import unpack_schema_2
from running import SAMPLE, digests

from pipelines.locks import output_lock
from transforms.tables.replacing import replace_whole
from transforms.tables.schemas import SPLITS
from transforms.tables.store import LocalStore

FAST = ("--model", "demo", "--fps", "1", "--max-failed-share", "1", "--json")
CAM = SAMPLE / "TeslaCam"
EVENT = next((CAM / "SavedClips").iterdir())
TABLE = Path("splits", "all.parquet")


class Killed(BaseException):
    """What ends a process at any moment."""


def put(car: Path, clips: list[Path]) -> None:
    folder = car / "TeslaCam" / "RecentClips"
    folder.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        shutil.copy(clip, folder)


def filmed_later(clip: Path, target: Path, seconds: int) -> None:
    """The same film with another clock in it: another clip, and a drive of its own."""
    content = bytearray(clip.read_bytes())
    at = content.index(b"mvhd") + 8
    content[at : at + 4] = (int.from_bytes(content[at : at + 4]) + seconds).to_bytes(4)
    target.write_bytes(content)


def minute(name: str) -> list[Path]:
    return sorted([*(CAM / "RecentClips").glob(f"*_{name}-front.mp4"), *EVENT.glob(f"*_{name}-front.mp4")])[
        :1
    ]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory) -> Path:
    """Two cars with a minute each, and two loose clips."""
    root = tmp_path_factory.mktemp("where") / "fleet"
    put(root / "car7", minute("09-01-04"))
    put(root / "car8", minute("09-00-56"))
    (root / "loose").mkdir()
    shutil.copy(SAMPLE / "generic" / "variable_rate.mp4", root / "loose")
    return root


@pytest.fixture(scope="module")
def labelled(clipmill, fleet, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("labelled") / "out"
    done = clipmill("label", fleet, "-o", output, *FAST)
    assert done.code == 0, done.errors
    return output


@pytest.fixture
def inputs(fleet, tmp_path) -> Path:
    """Clips of the same names and places below their input, so that they are the same cars."""
    return Path(shutil.copytree(fleet, tmp_path / "in" / "fleet"))


@pytest.fixture
def dataset(labelled, tmp_path) -> Path:
    return Path(shutil.copytree(labelled, tmp_path / "out"))


@pytest.fixture
def sound(command_here):
    def check(root):
        assert command_here("verify", root, "--json").data == {"sound": True, "problems": []}

    return check


def rows(root: Path) -> list[dict]:
    return ds.dataset(root / "splits").to_table().to_pylist()


def splits(root: Path, version: str) -> dict[str, str]:
    return {row["drive_id"]: row["split"] for row in rows(root) if row["version"] == version}


def drives(root: Path) -> dict[str, str]:
    """Drive by the end of a clip's path."""
    table = ds.dataset(root / "clips").to_table().to_pylist()
    return {row["uri"].split("/fleet/")[1]: row["drive_id"] for row in table if row["drive_id"]}


def place_by_hand(root: Path, version: str, chosen: dict[str, str]) -> None:
    """Puts drives of a version into other splits than those that were drawn."""
    changed = [
        row | {"split": chosen.get(row["drive_id"], row["split"])} if row["version"] == version else row
        for row in rows(root)
    ]
    replace_whole(LocalStore(root), "splits", SPLITS.empty_table().from_pylist(changed, SPLITS))


def test_a_labelled_data_set_has_an_empty_table_until_it_is_split(command_here, dataset, sound):
    assert rows(dataset) == []
    told = command_here("split", dataset, "--by", "vehicle", "--dry-run", "--json")
    assert (told.code, rows(dataset)) == (0, []), told.errors
    done = command_here("split", dataset, "--by", "vehicle", "--json")
    assert done.code == 0, done.errors
    assert done.data == told.data | {"dry_run": False}
    assert (done.data["version"], done.data["drives"], done.data["new"]) == ("vehicle-80-10-10", 3, 3)
    assert set(splits(dataset, "vehicle-80-10-10")) == set(drives(dataset).values())
    sound(dataset)
    figures = done.data["splits"]
    assert sum(item["drives"] for item in figures.values()) == 3
    clips = ds.dataset(dataset / "clips").to_table()
    hours = sum(clips["duration_ns"].to_pylist()) / 3.6e12
    assert sum(item["camera_hours"] for item in figures.values()) == pytest.approx(hours)
    frames = ds.dataset(dataset / "frames").count_rows()
    assert sum(item["frames"] for item in figures.values()) == frames
    boxes = sum(score > 0 for score in ds.dataset(dataset / "detections").to_table()["score"].to_pylist())
    assert sum(sum(item["boxes"].values()) for item in figures.values()) == boxes > 0
    assert {name: facts["groups"] for name, facts in done.data["ties"].items()}["vehicle"] == 3

    before = digests(dataset)
    again = command_here("split", dataset, "--by", "vehicle", "--json")
    assert again.data["new"] == 0
    assert digests(dataset) == before
    shown = command_here("split", dataset, "--by", "vehicle")
    assert "version vehicle-80-10-10 holds 3 drives, 0 of them new" in shown.output
    assert "camera-hours" in shown.output


def test_other_ties_or_shares_are_another_version_beside_the_first(command_here, dataset, sound):
    for options in ((), ("--shares", "0,0,100"), ("--by", "folder", "--version", "v1")):
        assert command_here("split", dataset, *options).code == 0
    assert {row["version"] for row in rows(dataset)} == {
        "vehicle-place-day-80-10-10",
        "vehicle-place-day-0-0-100",
        "v1",
    }
    assert set(splits(dataset, "vehicle-place-day-0-0-100").values()) == {"test"}
    before = rows(dataset)
    # a known name goes on with what it stands for, and stands for nothing else
    going_on = command_here("split", dataset, "--version", "v1", "--json")
    assert (going_on.data["tied_by"], going_on.data["new"]) == ("folder", 0)
    other = command_here("split", dataset, "--version", "v1", "--by", "day")
    assert other.code == 2
    assert "version v1 is by folder with shares 80,10,10: give another one a name of its own" in other.errors
    assert rows(dataset) == before
    sound(dataset)


def test_new_clips_are_placed_by_label_itself_and_nobody_moves(
    clipmill, command_here, inputs, dataset, sound
):
    assert command_here("split", dataset, "--by", "vehicle", "--version", "v1").code == 0
    assert command_here("split", dataset, "--by", "folder", "--shares", "34,33,33").code == 0
    own = drives(dataset)
    car8 = next(drive for uri, drive in own.items() if uri.startswith("car8/"))
    # the draw must not be what puts a new drive beside the old one
    place_by_hand(dataset, "v1", {car8: "val"})
    before = rows(dataset)

    shutil.copy(SAMPLE / "generic" / "rainy night über land.mp4", inputs / "loose")
    late = "car8/TeslaCam/RecentClips/2025-06-14_15-01-00-front.mp4"
    filmed_later(*minute("09-01-00"), inputs / late, 6 * 3600)
    done = clipmill("label", inputs, "-o", dataset, *FAST)
    assert done.code == 0, done.errors
    sound(dataset)
    after = rows(dataset)
    assert [row for row in after if row in before] == before
    assert len(after) == len(before) + 4
    (joined,) = [row for row in after if row["drive_id"] == drives(dataset)[late] and row["version"] == "v1"]
    assert (joined["split"], joined["rule"]) == ("val", "joined")
    # nothing is left to do, and labelling again changes nothing
    assert command_here("split", dataset, "--version", "v1", "--json").data["new"] == 0
    assert rows(dataset) == after
    assert clipmill("label", inputs, "-o", dataset, *FAST).code == 0
    assert rows(dataset) == after


def test_an_earlier_minute_gives_the_drive_another_id_and_leaves_its_split(
    clipmill, command_here, inputs, dataset, sound
):
    assert command_here("split", dataset, "--by", "day", "--version", "v1").code == 0
    car7 = next(drive for uri, drive in drives(dataset).items() if uri.startswith("car7/"))
    place_by_hand(dataset, "v1", {car7: "val"})
    put(inputs / "car7", minute("09-01-00"))
    done = clipmill("label", inputs, "-o", dataset, *FAST)
    assert done.code == 0, done.errors
    assert car7 not in drives(dataset).values()
    grown = {drive for uri, drive in drives(dataset).items() if uri.startswith("car7/")}
    assert len(grown) == 1
    (row,) = [row for row in rows(dataset) if row["drive_id"] in grown]
    assert (row["split"], row["rule"], len(row["clip_ids"])) == ("val", "kept", 2)
    sound(dataset)


def test_forgotten_drives_leave_no_row(command_here, dataset, sound):
    for by in ("vehicle", "folder"):
        assert command_here("split", dataset, "--by", by).code == 0
    gone = {drive for uri, drive in drives(dataset).items() if uri.startswith("car7/")}
    kept = [row for row in rows(dataset) if row["drive_id"] not in gone]
    assert len(kept) == 4
    assert (
        command_here("forget", dataset, "--vehicle", "car7", "--dry-run", "--json").data["rows"]["splits"]
        == 2
    )
    done = command_here("forget", dataset, "--vehicle", "car7", "--json")
    assert done.data["rows"]["splits"] == 2
    assert rows(dataset) == kept
    sound(dataset)


def test_pruned_drives_leave_no_row(clipmill, command_here, inputs, dataset, sound):
    assert command_here("split", dataset, "--by", "vehicle").code == 0
    shutil.rmtree(inputs / "car8")
    assert clipmill("label", inputs, "-o", dataset, *FAST).code == 0
    # clips that are not among the inputs keep their labels, and their split
    assert len(rows(dataset)) == 3
    assert command_here("prune", dataset).code == 0
    assert {row["drive_id"] for row in rows(dataset)} == set(drives(dataset).values())
    assert len(rows(dataset)) == 2
    sound(dataset)


def test_a_compacted_copy_has_the_same_rows(command_here, dataset, tmp_path, sound):
    assert command_here("split", dataset, "--by", "vehicle").code == 0
    assert command_here("compact", dataset, "-o", tmp_path / "copy").code == 0
    assert rows(tmp_path / "copy") == rows(dataset)
    sound(tmp_path / "copy")
    refused = command_here("split", tmp_path / "copy")
    assert refused.code == 1
    assert "sealed; split the data set that it was made of" in refused.errors
    # the copy follows
    assert command_here("split", dataset, "--by", "folder").code == 0
    assert command_here("compact", dataset, "-o", tmp_path / "copy").code == 0
    assert rows(tmp_path / "copy") == rows(dataset)


def test_a_base_gives_labels_and_from_gives_splits(clipmill, command_here, fleet, dataset, tmp_path, sound):
    assert command_here("split", dataset, "--by", "folder", "--version", "v1").code == 0
    own = drives(dataset)
    place_by_hand(dataset, "v1", {drive: "val" for uri, drive in own.items() if uri.startswith("car")})
    second = tmp_path / "second"
    assert clipmill("label", fleet, "-o", second, "--base", dataset, *FAST).data["taken_over"] == 3
    # what a data set takes over, it could have labelled: no history comes with it
    assert rows(second) == []
    unknown = command_here("split", second, "--version", "v2", "--from", dataset)
    assert unknown.code == 2
    assert "no version v2 of splits there (there are: v1)" in unknown.errors
    done = command_here("split", second, "--version", "v1", "--from", dataset, "--json")
    assert (done.data["new"], done.data["tied_by"]) == (0, "folder")
    assert rows(second) == rows(dataset)
    sound(second)
    same = command_here("diff", dataset, second, "--json")
    assert same.data["equal"]
    place_by_hand(second, "v1", dict.fromkeys(own.values(), "test"))
    other = command_here("diff", dataset, second, "--json", "--exit-code")
    assert (other.code, other.data["equal"]) == (1, False)
    assert [name for name, table in other.data["tables"].items() if not table["same"]] == ["splits"]


def test_data_sets_from_before_there_were_splits_are_read_and_split(command_here, tmp_path, sound):
    root = unpack_schema_2(tmp_path / "old")
    assert command_here("migrate", root).code == 0
    assert not (root / "splits").exists()
    sound(root)
    count = command_here("sql", root, "SELECT count(*) FROM splits", "--json")
    assert count.data["rows"] == [[0]]
    assert command_here("inspect", root).code == 0
    assert command_here("compact", root, "-o", tmp_path / "copy").code == 0
    assert command_here("diff", root, root, "--json").data["equal"]
    assert command_here("split", root).code == 0
    assert len(rows(root)) == len({row["drive_id"] for row in rows(root)}) > 0
    sound(root)


def test_a_split_that_was_cut_short_is_finished_by_the_same_command(
    command_here, dataset, tmp_path, monkeypatch, sound
):
    whole = Path(shutil.copytree(dataset, tmp_path / "whole"))
    assert command_here("split", whole, "--by", "vehicle").code == 0
    write = LocalStore.write
    for last in (1, 2):
        root = Path(shutil.copytree(dataset, tmp_path / f"cut {last}"))
        written = []

        def dying(store, name, content, last=last, written=written):
            if len(written) == last:
                raise Killed
            written.append(name)
            write(store, name, content)

        with monkeypatch.context() as patched:
            patched.setattr(LocalStore, "write", dying)
            with pytest.raises(Killed):
                command_here("split", root, "--by", "vehicle")
        assert len(written) == last
        assert command_here("verify", root).code == 1
        assert command_here("split", root, "--by", "vehicle").code == 0
        sound(root)
        assert digests(root) == digests(whole)


def test_what_is_wrong_with_the_table_is_found_and_told(clipmill, command_here, inputs, dataset):
    assert command_here("split", dataset, "--by", "vehicle", "--version", "v1").code == 0
    good = (dataset / TABLE).read_bytes()
    table = rows(dataset)

    def problems(changed):
        replace_whole(LocalStore(dataset), "splits", SPLITS.empty_table().from_pylist(changed, SPLITS))
        return command_here("verify", dataset, "--json").data["problems"]

    assert problems([*table, table[0]]) == ["splits: 1 values of version, drive_id stand more than once"]
    assert problems(table[1:]) == ["splits: every drive in every version: 1 rows do not hold"]
    assert problems([table[0] | {"split": "dev"}, *table[1:]]) == [
        "splits: train, val, test or none: 1 rows do not hold"
    ]
    assert problems([*table, table[0] | {"drive_id": "gone", "clip_ids": []}]) == [
        "splits: 1 rows whose drive_id is not in clips"
    ]
    assert problems([table[0] | {"clip_ids": table[1]["clip_ids"]}, *table[1:]]) == [
        "splits: the clips of their drive: 1 rows do not hold"
    ]
    assert problems([table[0] | {"shares": "1,1,98"}, *table[1:]]) == [
        "splits: one set of ties and shares a version: 1 rows do not hold"
    ]
    (dataset / TABLE).write_bytes(b"no table")
    for command in (
        ("split", dataset),
        ("forget", dataset, "--vehicle", "car7"),
        ("label", inputs, "-o", dataset, *FAST),
    ):
        done = (clipmill if command[0] == "label" else command_here)(*command)
        assert done.code == 1, command
        assert "splits/all.parquet: not a table of splits" in done.errors + done.output
        assert "put it back from a copy" in done.errors + done.output
    (dataset / TABLE).write_bytes(good)
    done = clipmill("label", inputs, "-o", dataset, *FAST)
    assert done.code == 0, done.errors
    assert rows(dataset) == table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--shares", "80,10"), "three percentages"),
        (("--by", "colour"), "'colour' is none of vehicle, place, day, folder"),
        (("--version", "a b"), "a name has up to 100 letters"),
        (("--from", "nowhere"), "nowhere: no data set here"),
    ],
)
def test_what_makes_no_sense_is_exit_2(command_here, dataset, options, message):
    done = command_here("split", dataset, *options)
    assert done.code == 2
    assert message in done.errors
    assert rows(dataset) == []


def test_one_at_a_time(command_here, dataset, tmp_path):
    assert command_here("split", tmp_path / "nothing").code == 2
    assert not (tmp_path / "nothing").exists()
    with output_lock(str(dataset)):
        done = command_here("split", dataset, "--json")
        assert done.code == 1
        assert "another run is writing this data set" in done.data["error"]["message"]
        # what is only told waits for nobody
        assert command_here("split", dataset, "--dry-run").code == 0
    (dataset / ".removal").mkdir()
    refused = command_here("split", dataset)
    assert refused.code == 2
    assert "run forget or prune again first" in refused.errors


def test_a_note_tells_where_everything_goes_together(command_here, dataset):
    done = command_here("split", dataset, "--by", "day+folder,vehicle,place,day", "--json")
    facts = done.data["ties"][done.data["tied_by"]]
    assert facts["groups"] < 3
    assert any("of the camera-hours" in note for note in done.data["notes"])
    assert json.dumps(done.data)
