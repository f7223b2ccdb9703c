import pytest

from transforms.clips.inputs import lies_in

PLACE = "/clips/2026-03-01/car/a.mp4"


@pytest.mark.parametrize(
    ("text", "lies"),
    [
        (PLACE, True),
        ("/", True),
        ("/clips", True),
        ("/clips/", True),
        ("/clip", False),
        ("/clips/2026-03-0", False),
        ("/clips/2026-03-02", False),
        ("/clips/*/car", True),
        ("/clips/*.mp4", False),
        ("/clips/2026-03-0[13]", True),
        ("/clips/2026-03-0[23]", False),
        ("/clips/**/*.mp4", True),
        ("/clips/**/*.avi", False),
        ("/clips/**", True),
        ("/**/car/?.mp4", True),
        (PLACE + "/more", False),
        ("s3://clips/2026-03-01", False),
    ],
)
def test_an_input_reaches_what_lies_at_it_or_below(text, lies):
    assert lies_in(PLACE, [text]) is lies
    assert lies_in(PLACE, ["/elsewhere", text]) is lies


def test_urls_and_names_with_the_signs_of_patterns():
    assert lies_in("s3://clips/2026-03-01/a.mp4", ["s3://clips/2026-03-01"])
    assert not lies_in("s3://clips/2026-03-01/a.mp4", ["s3://clips/2026-03-02", "s3://clip"])
    assert lies_in("/clips/[1]/a.mp4", ["/clips/[1]"])


def test_many_wildcards_take_no_time():
    assert not lies_in("/a" * 60, ["/" + "**/a/" * 30 + "b"])


def test_no_input_reaches_nothing():
    assert not lies_in(PLACE, [])
