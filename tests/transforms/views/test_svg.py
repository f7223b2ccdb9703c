from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.views.svg import drawing, element, printable

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tab\tline\n", "tab\tline\n"),
        ("nul\x00", "nul\ufffd"),
        ("\x1b[0m", "\ufffd[0m"),
        ("half\ud800", "half\ufffd"),
        ("name\udcff.mp4", "name\ufffd.mp4"),
        ("\ufffe\uffff", "\ufffd\ufffd"),
        ("Ä 中 \U0001f697", "Ä 中 \U0001f697"),
    ],
)
def test_what_xml_cannot_hold_is_replaced(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters()), st.text(st.characters(), min_size=1))
def test_any_text_makes_a_picture_that_can_be_read_back(title, said):
    picture = ET.fromstring(drawing(10, 20, title, "d", element("text", text=said, class_=said)))  # noqa: S314 - our own
    # a reader turns every end of a line into the same
    lines = printable(said).replace("\r\n", "\n").replace("\r", "\n")
    assert picture.find(SVG + "text").text.replace("\r\n", "\n").replace("\r", "\n") == lines


def test_an_element_of_numbers_and_names():
    made = element("rect", element("title", text="t"), class_="bar", stroke_width=1.2345, x=1280.126, y=-3.0)
    assert made.attrib == {"class": "bar", "stroke-width": "1.23", "x": "1280.13", "y": "-3"}
    assert (made.text, [child.tag for child in made]) == (None, ["title"])


def test_a_picture_tells_itself_first():
    text = drawing(320, 99.999, "a <title>", "what & why", element("g"))
    picture = ET.fromstring(text)  # noqa: S314 - our own
    assert [child.tag.removeprefix(SVG) for child in picture] == ["title", "desc", "g"]
    assert (picture[0].text, picture[1].text) == ("a <title>", "what & why")
    assert (picture.get("viewBox"), picture.get("width"), picture.get("role")) == (
        "0 0 320 100",
        "100%",
        "img",
    )
    assert text.count("xmlns") == 1
