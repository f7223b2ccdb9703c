"""Scalable vector graphics as text: elements whose texts and attributes are escaped."""

import re
from typing import Final
from xml.etree.ElementTree import Element, tostring

_NAMESPACE: Final = "http://www.w3.org/2000/svg"
# what XML 1.0 cannot hold; half a surrogate pair comes from file names that are no UTF-8
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Attribute = str | float


def printable(text: str) -> str:
    """The text with a replacement character for each that XML cannot hold.

    >>> printable("front" + chr(0)) == "front" + chr(0xFFFD)
    True
    """
    return _UNPRINTABLE.sub("\ufffd", text)


def element(name: str, *children: Element, text: str = "", **attributes: Attribute) -> Element:
    """An element.

    Args:
        name: the tag.
        *children: what stands in it.
        text: what it says.
        **attributes: by name; `_` stands for `-`, a last `_` is left out (`class_`); lengths in units of
            the drawing are rounded to hundredths.
    """
    made = Element(
        name, {key.rstrip("_").replace("_", "-"): _written(value) for key, value in attributes.items()}
    )
    made.text = printable(text) or None
    made.extend(children)
    return made


def drawing(width: float, height: float, title: str, description: str, *children: Element) -> str:
    """A picture that a screen reader can tell.

    Args:
        width: of the drawing, in its own units: about a pixel each on a phone.
        height: the same.
        title: what the picture is.
        description: what it shows, in words.
        *children: its parts.

    Returns:
        An `svg` element that is as wide as its place. Text and lines have the colour of the text around them.
    """
    picture = element(
        "svg",
        element("title", text=title),
        element("desc", text=description),
        *children,
        xmlns=_NAMESPACE,
        viewBox=f"0 0 {_written(width)} {_written(height)}",
        width="100%",
        role="img",
        font_family="system-ui, sans-serif",
        font_size=12,
        fill="currentColor",
    )
    return tostring(picture, encoding="unicode")


def _written(value: Attribute) -> str:
    return printable(value) if isinstance(value, str) else f"{round(value, 2):g}"
