import pytest

from transforms.removal.known import KnownClip
from transforms.removal.mentions import Mentions
from transforms.removal.selecting import Selection, has_folder
from transforms.tables.digests import digest
from transforms.tables.ids import clip_id

SHA = "ab" * 32
GONE = KnownClip(uri="/fleet/car7/a, b.mp4", clip_id=clip_id(SHA), content_sha256=SHA)
TWIN = KnownClip(uri="/fleet/car7/front.mp4", clip_id="", content_sha256="")
STAYS = KnownClip(uri="/fleet/car8/front.mp4", clip_id=clip_id("cd" * 32))
MENTIONS = Mentions(Selection(clips=(GONE, TWIN)), [STAYS], {"car7-2025-06-14_09-00-56-00000000"})


@pytest.mark.parametrize(
    "text",
    [
        GONE.uri,
        f"{GONE.uri}: no moov box",
        clip_id(SHA),
        f"clip {clip_id(SHA)}, frame 3",
        SHA,
        "car7-2025-06-14_09-00-56-00000000",
        f"a_b-{SHA[:10]}-m0003",
        "/fleet/car7/front.mp4",
        "cannot read '/fleet/car7/front.mp4'",
    ],
)
def test_what_names_a_clip_is_known(text):
    assert MENTIONS(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/fleet/car8/front.mp4",
        "front.mp4: no moov box",  # the clip of that name that stays may be meant
        "/fleet/car7",
        STAYS.clip_id,
        f"0{SHA}",
        "car7-2025-06-14_09-01-56-00000000",
    ],
)
def test_what_names_another_or_none_is_not(text):
    assert not MENTIONS(text)


def test_a_file_name_that_nobody_else_has_is_enough():
    assert Mentions(Selection(clips=(TWIN,)), [], ())("front.mp4: no moov box")


@pytest.mark.parametrize("name", ["car7", "fleet/car7"])
def test_a_car_is_known_by_its_folder_and_by_the_names_of_its_shards(name):
    mentions = Mentions(Selection(clips=(GONE,), vehicles=(name,)), [STAYS], ())
    for text in ("/fleet/car7", "/fleet/car7/TeslaCam/x", "/fleet/car7: not readable", "fleet/car7/b.mp4"):
        assert mentions(text), text
    for vehicle in ("fleet/car7", "car7" if name == "car7" else "fleet/car7"):
        assert mentions(f"car7-2025-06-14_09-00-56-{digest(vehicle)[:8]}")
    for text in (
        "car7",
        "/fleet/car77/x",
        "/fleet/mycar7/x",
        f"car8-2025-06-14_09-00-56-{digest('car8')[:8]}",
    ):
        assert not mentions(text), text


def test_folders_are_whole_parts_of_a_path():
    assert has_folder("/a/b/c/d.mp4", "b/c")
    assert has_folder("gs://bucket/car7/d.mp4", "/car7/")
    assert not has_folder("/a/b/c/d.mp4", "a/c")
    assert not has_folder("/a/car70/d.mp4", "car7")
