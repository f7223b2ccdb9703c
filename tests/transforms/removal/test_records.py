import json

from hypothesis import given
from hypothesis import strategies as st

from transforms.removal.known import KnownClip
from transforms.removal.mentions import Mentions
from transforms.removal.records import FORGOTTEN, clean, clean_records, remove_pictures
from transforms.removal.selecting import Selection

URI = "/in/ü clip.mp4"
SELECTION = Selection(clips=(KnownClip(uri=URI),))
MENTIONS = Mentions(SELECTION, [], ())
TEXTS = st.text(max_size=8) | st.sampled_from([URI, f"{URI}: damaged", "ü clip.mp4"])
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


@given(VALUES, st.sampled_from([None, 1]))
def test_nothing_that_is_named_stays_and_nothing_else_is_written_anew(value, indent):
    content = json.dumps(value, indent=indent).encode()
    cleaned = clean(content, MENTIONS)
    assert cleaned is not None
    assert "ü clip.mp4" not in json.dumps(json.loads(cleaned), ensure_ascii=False)
    assert clean(cleaned, MENTIONS) == cleaned
    if "ü clip.mp4" not in json.dumps(value, ensure_ascii=False):
        assert cleaned == content


def test_items_go_whole_and_lone_texts_are_replaced():
    record = {
        "job": {"inputs": [URI, "/in/b.mp4"], "output": "/out"},
        "failures": [{"uri": URI, "message": "m"}, {"uri": "/in/b.mp4", "message": "n"}],
        "last": f"{URI}: labelled",
        "frames": 3,
    }
    cleaned = clean(json.dumps(record).encode(), MENTIONS)
    assert cleaned is not None
    assert json.loads(cleaned) == {
        "job": {"inputs": ["/in/b.mp4"], "output": "/out"},
        "failures": [{"uri": "/in/b.mp4", "message": "n"}],
        "last": FORGOTTEN,
        "frames": 3,
    }


def test_what_is_no_json_goes_whole_where_it_names_a_clip(tmp_path):
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    (run / "log.txt").write_text(f"opened {URI}: good\n")
    (run / "other.txt").write_text("opened /in/b.mp4\n")
    (run / "ü clip.mp4.json").write_text("{}")
    assert clean_records(tmp_path, MENTIONS, dry_run=True) == 2
    assert len(list(run.iterdir())) == 3
    assert clean_records(tmp_path, MENTIONS, dry_run=False) == 2
    assert [path.name for path in run.iterdir()] == ["other.txt"]


def test_only_pictures_that_clipmill_drew_go(tmp_path):
    for name in ("ü clip-00000500ms.png", "ü clip-00000500ms.jpg", "ü clip.png", "b-00000500ms.png"):
        (tmp_path / name).write_bytes(b"")
    assert remove_pictures(tmp_path, SELECTION.uris, dry_run=True) == 1
    assert remove_pictures(tmp_path, SELECTION.uris, dry_run=False) == 1
    assert not (tmp_path / "ü clip-00000500ms.png").exists()
    assert len(list(tmp_path.iterdir())) == 3
