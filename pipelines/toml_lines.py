"""Where in a TOML file each key stands: Python's own reader does not tell."""

import re
import tomllib
from contextlib import suppress
from typing import Final

Place = tuple[str | int, ...]
"""Keys and positions in arrays that lead to a value."""

_BETWEEN: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_KEY: Final = re.compile(r"""[A-Za-z0-9_-]++|"(?:[^"\\]|\\.)*+"|'[^']*+'""")
_SCALAR: Final = re.compile(
    r'''"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}'''
    r"""|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"""
    r"""|"(?:[^"\\]|\\.)*+"|'[^']*+'|[^,\]}#\n]++""",
    re.DOTALL,
)


def key_lines(text: str) -> dict[Place, int]:
    r"""The line of every key, table and element.

    Args:
        text: a document that `tomllib` reads.

    Returns:
        Lines from 1 on; of a table that several lines speak of, the first.

    >>> key_lines("a = 1\n[b]\nc = [\n 2]")
    {('a',): 1, ('b',): 2, ('b', 'c'): 3, ('b', 'c', 0): 4}
    """
    scanner = _Scanner(text)
    # one that is nested almost too deeply for its reader may be so for this one: its lines stay unknown
    with suppress(RecursionError):
        scanner.document()
    return scanner.lines


class _Scanner:
    """Walks through a document that is known to be right, so that every step finds what it expects."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._elements: dict[Place, int] = {}

    def document(self) -> None:
        table: Place = ()
        while self._next():
            if self._takes("[["):
                *parents, last = self._names()
                array = (*self._place((), parents), last)
                self._note(array)
                number = self._elements.get(array, 0)
                self._elements[array] = number + 1
                table = (*array, number)
                self._note(table)
                self._next()
                self._takes("]]")
            elif self._takes("["):
                table = self._place((), self._names())
                self._next()
                self._takes("]")
            else:
                self._pair(table)

    def _pair(self, table: Place) -> None:
        place = self._place(table, self._names())
        self._next()
        self._takes("=")
        self._value(place)

    def _value(self, place: Place) -> None:
        self._next()
        if self._takes("["):
            number = 0
            while self._next() and not self._takes("]"):
                self._note((*place, number))
                self._value((*place, number))
                number += 1
                self._next()
                self._takes(",")
        elif self._takes("{"):
            while self._next() and not self._takes("}"):
                self._pair(place)
                self._next()
                self._takes(",")
        else:
            self._match(_SCALAR)

    def _names(self) -> list[str]:
        self._next()
        names = [self._name()]
        while _DOT.match(self._text, self._at):
            self._match(_DOT)
            names.append(self._name())
        return names

    def _name(self) -> str:
        token = self._match(_KEY)
        return next(iter(tomllib.loads(f"{token} = 0"))) if token[:1] in {'"', "'"} else token

    def _place(self, table: Place, names: list[str]) -> Place:
        """Goes down from a table; of an array of tables its last one is meant."""
        place = table
        for name in names:
            place = (*place, name)
            self._note(place)
            if place in self._elements:
                place = (*place, self._elements[place] - 1)
        return place

    def _note(self, place: Place) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self.lines.setdefault(place, self._line)

    def _next(self) -> bool:
        """Goes to what comes next; whether there is anything."""
        self._match(_BETWEEN)
        return self._at < len(self._text)

    def _takes(self, token: str) -> bool:
        is_there = self._text.startswith(token, self._at)
        if is_there:
            self._at += len(token)
        return is_there

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found is not None, "the document was read before"
        self._at = found.end()
        return found[0]
