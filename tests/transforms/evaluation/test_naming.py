"""Clips and categories of the truth among those of the labels."""

import pytest

from transforms.evaluation.labels import Clip
from transforms.evaluation.naming import category_names, match_clips


def clips(**uris):
    return {name: Clip(uri, "front", name) for name, uri in uris.items()}


@pytest.mark.parametrize(
    "name", ["id1", "drive.mp4", "drive", "raw/drive.mp4", "/elsewhere/drive.mp4", "drive.txt"]
)
def test_by_id_file_name_or_stem(name):
    found = match_clips({name: ()}, clips(id1="/data/raw/drive.mp4", id2="/data/raw/other.mp4"))
    assert found.label_of == {name: "id1"}


def test_by_the_names_that_the_truth_knows_of_its_file():
    assert match_clips({"x": ("sub/drive.mp4",)}, clips(id1="/data/drive.mp4")).label_of == {"x": "id1"}


def test_tables_without_file_names_are_matched_by_their_ids():
    found = match_clips({"0003": (), "0004": ()}, {"0003.mp4": Clip("", "", "0003.mp4")})
    assert found.label_of == {"0003": "0003.mp4"}
    assert found.unmatched == ("0004",)


def test_folders_tell_clips_of_one_name_apart():
    known = clips(a="/data/monday/front.mp4", b="/data/tuesday/front.mp4")
    found = match_clips({"tuesday/front.mp4": (), "front.mp4": (), "rear.mp4": ()}, known)
    assert found.label_of == {"tuesday/front.mp4": "b"}
    assert (found.ambiguous, found.unmatched) == (("front.mp4",), ("rear.mp4",))


def test_a_duplicate_stands_for_the_clip_that_is_kept_and_is_judged_once():
    known = {"kept": Clip("/saved/x.mp4", "front", "kept"), "copy": Clip("/recent/x.mp4", "front", "kept")}
    assert match_clips({"x.mp4": ()}, known).label_of == {"x.mp4": "kept"}
    found = match_clips({"recent/x.mp4": (), "saved/x.mp4": ()}, known)
    assert found.label_of == {"recent/x.mp4": "kept"}
    assert found.repeated == ("saved/x.mp4",)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("car", "car"),
        ("pedestrian", "person"),
        ("Cyclist", "rider"),
        ("Traffic Light", "traffic_light"),
        ("Tram", "train"),
        ("van", "van"),
        ("Van", "van"),
        ("misc", "misc"),
        ("dontcare", "dontcare"),
    ],
)
def test_names_become_the_taxonomys_own(name, own):
    kept = ["van", "dontcare"]
    assert category_names([name], ["car", "person"], kept, in_taxonomy=True) == {name: own}


def test_labels_with_names_of_their_own_keep_them():
    found = category_names(["pedestrian", "Car", "tram"], ["car", "pedestrian"], ["van"], in_taxonomy=False)
    assert found == {"pedestrian": "pedestrian", "Car": "car", "tram": "tram"}
