import io

import pytest

from transforms.corrections import cvat_file
from transforms.corrections.corrected_files import CorrectedFileError
from transforms.corrections.cvat_file import read_cvat

META = "<meta><task><name>front clip-a</name><size>6</size></task><dumped>2026-03-01 10:00:00.5+00:00</dumped></meta>"


def box(frame, left=10.0, outside=0, more="", attributes=""):
    return (
        f'<box frame="{frame}" keyframe="1" outside="{outside}" occluded="0" xtl="{left}" ytl="1.5" xbr="{left + 20}" '
        f'ybr="30" z_order="0"{more}>{attributes}</box>'
    )


def read(body, meta=META):
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{meta}{body}</annotations>'
    return read_cvat(io.BytesIO(text.encode()), "annotations.xml")


def boxes(file):
    return {
        frame: [(found.category, found.edges[0], found.detection_id) for found in own]
        for frame, own in file.clips[""].boxes.items()
        if own
    }


def test_boxes_their_labels_and_the_frames_that_were_looked_at():
    named = '<attribute name="score">0.5</attribute><attribute name="detection_id">d1</attribute>'
    file = read(
        f'<track id="0" label="car" source="auto">{box(0, attributes=named)}{box(1, outside=1)}</track>'
        f'<track id="1" label="person" source="manual">{box(5, 40.25)}</track>'
    )
    assert boxes(file) == {0: [("car", 10.0, "d1")], 5: [("person", 40.25, "")]}
    assert list(file.clips[""].boxes) == [0, 1, 2, 3, 4, 5]
    assert file.clips[""].names == ["front clip-a"]
    assert (file.form, file.at, file.notes) == ("cvat", "2026-03-01 10:00:00.5+00:00", [])


def test_a_track_is_drawn_on_as_cvat_draws_it():
    file = read(f'<track id="0" label="car">{box(0, 10)}{box(2, 20)}{box(3, outside=1)}{box(4, 50)}</track>')
    assert boxes(file) == {
        0: [("car", 10.0, "")],
        1: [("car", 15.0, "")],
        2: [("car", 20.0, "")],
        4: [("car", 50.0, "")],
        5: [("car", 50.0, "")],
    }


def test_a_job_is_about_its_own_frames():
    meta = "<meta><job><id>7</id><size>6</size><start_frame>2</start_frame><stop_frame>3</stop_frame></job></meta>"
    assert list(read("", meta).clips[""].boxes) == [2, 3]


def test_other_shapes_are_left_out_and_told():
    file = read('<track id="0" label="car"><polygon frame="0" points="1,2;3,4;5,6"/></track>')
    assert file.notes == ["1 shapes that are no boxes are left out"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<track label="van">' + box(0) + "</track>", "frame 0: 'van' is no category of the taxonomy"),
        ('<track label="car">' + box(6) + "</track>", "frame 6: is none of the frames 0 to 5"),
        ('<track label="car">' + box(2) + box(1) + "</track>", "frame 1: a track has its boxes out of order"),
        ('<track label="car">' + box(0, float("nan")) + "</track>", "xtl is 'nan', which is no such number"),
        ('<track label="car">' + box(0).replace('xbr="30.0"', 'xbr="3_0"') + "</track>", "xbr is '3_0'"),
        ('<track label="car">' + box(0).replace('xbr="30.0"', 'xbr="5"') + "</track>", "the box has no area"),
        ('<track label="car">' + box(0, more=' rotation="30.00"') + "</track>", "a box is turned"),
        ('<track label="car">' + box("-1") + "</track>", "frame is '-1'"),
        ('<image id="0"/>', "export the task as CVAT for video 1.1"),
        ("<track>", "line 2: no sound XML"),
        ("<a>" * 20, "nested more than 16 deep"),
        (f"<a>{'x' * 20_000}</a>", "longer than 10000 letters"),
    ],
)
def test_what_cannot_be_taken_in_is_said(body, says):
    with pytest.raises(CorrectedFileError, match=says.replace("(", r"\(")):
        read(body)


@pytest.mark.parametrize("encoding", ["foo", "shift_jis", "utf-32", "idna", "base64"])
def test_an_encoding_that_is_not_read_is_told(encoding):
    content = f'<?xml version="1.0" encoding="{encoding}"?><annotations/>'.encode()
    with pytest.raises(CorrectedFileError, match="is in an encoding that is not read"):
        read_cvat(io.BytesIO(content), "annotations.xml")


def test_a_file_that_declares_entities_is_not_read():
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE annotations [<!ENTITY a "aaaaaaaaaa">'
        + "".join(
            f'<!ENTITY {name} "{f"&{before};" * 10}">'
            for before, name in zip("abcdefgh", "bcdefghi", strict=True)
        )
        + "]><annotations>&i;</annotations>"
    )
    with pytest.raises(CorrectedFileError, match="holds a document type"):
        read_cvat(io.BytesIO(bomb.encode()), "annotations.xml")
    with pytest.raises(CorrectedFileError, match="not what CVAT's annotations begin with"):
        read_cvat(io.BytesIO(b"<html/>"), "annotations.xml")
    with pytest.raises(CorrectedFileError, match="does not tell which frames"):
        read("", "")
    with pytest.raises(CorrectedFileError, match="does not tell which frames"):
        read("", META.replace("<size>6", "<size>99999999"))


def test_tracks_that_go_on_for_ever_are_bounded(monkeypatch):
    monkeypatch.setattr(cvat_file, "MOST_BOXES", 1000)
    meta = META.replace("<size>6", "<size>150000")
    with pytest.raises(CorrectedFileError, match="more than 1000 boxes"):
        read(f'<track label="car">{box(0)}</track>', meta)
