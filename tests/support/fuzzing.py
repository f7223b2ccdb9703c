"""Inputs for fuzzers: real small examples with faults of structure, for bytes, JSON and TOML."""

import copy
import json
import struct
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

LIES = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)

ODD_TEXTS = (
    "",
    "\0",
    "\x1b[31m",
    "a\nb",
    "\ud800",
    "\udfff x",
    "\u202e",
    "ﷺ" * 40,
    "x" * 5000,
    "../../etc/passwd",
    "/" * 300,
    "[/red]",
    "{0}",
    "%s%n",
    "NaN",
    "١٢",
    "9" * 5000,
)
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    -(2**64),
    10**400,
    1e308,
    -0.0,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    {"": {}},
    *ODD_TEXTS,
)

ODD_TOML = (
    "nan",
    "-inf",
    "9" * 5000,
    "-" + "9" * 18,
    "0x" + "f" * 5000,
    "1e9999",
    "[" * 3000 + "]" * 3000,
    "{a=" * 400 + "1" + "}" * 400,
    "2024-13-45",
    "99999-01-01",
    "07:32:00",
    '"\\ud800"',
    '"\\u0000"',
    '"\\U0010ffff"',
    '""',
    "''",
    '"""',
    "true",
    "[]",
    "{}",
    "[1, [2, [3, []]]]",
    '"' + "x" * 5000 + '"',
    ".".join("a" * 800) + " = 1",
    "1_0_0",
)


@st.composite
def mutated_bytes(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Real examples with lied numbers, pieces left out, twice, cut off, or replaced."""
    data = bytearray(draw(st.sampled_from(list(seeds))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.sampled_from((1, 2, 4, 8, 16, 64)))
        match draw(st.sampled_from(("lie", "flip", "cut", "drop", "twice", "insert", "swap"))):
            case "lie":
                form = draw(st.sampled_from((">B", ">H", ">I", "<I", ">Q", "<Q")))
                lie = draw(st.sampled_from(LIES)) % 2 ** (8 * struct.calcsize(form))
                data[at : at + struct.calcsize(form)] = struct.pack(form, lie)
            case "flip":
                if data:
                    data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + length]
            case "twice":
                data[at:at] = data[at : at + length] * draw(st.sampled_from((1, 2, 50)))
            case "insert":
                data[at:at] = draw(st.binary(max_size=24))
            case "swap":
                other = draw(st.integers(0, max(0, len(data) - 1)))
                one, two = data[at : at + length], data[other : other + length]
                data[at : at + len(two)], data[other : other + len(one)] = two, one
    return bytes(data)


@st.composite
def mutated_json(draw: st.DrawFn, seeds: Sequence[object]) -> bytes:
    """Real documents in which some values are of another kind, too large, too deep, gone or new."""
    tree = {"root": copy.deepcopy(draw(st.sampled_from(list(seeds))))}
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(_places(tree)))
        match draw(st.sampled_from(("replace", "replace", "replace", "drop", "add", "deep", "twice"))):
            case "replace":
                holder[key] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
            case "drop" if holder is not tree:
                del holder[key]
            case "add":
                holder[key] = {"more": holder[key], draw(st.sampled_from(ODD_TEXTS)): 1}
            case "deep":
                for _ in range(draw(st.sampled_from((1, 40, 120)))):
                    holder[key] = [holder[key]]
            case "twice":
                holder[key] = [holder[key], copy.deepcopy(holder[key])]
    text = json.dumps(tree["root"], ensure_ascii=draw(st.booleans()))
    data = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        data = draw(st.sampled_from((b"[", b'{"a":'))) * draw(st.sampled_from((50, 5000, 100_000))) + data
    return draw(mutated_bytes([data])) if draw(st.integers(0, 3)) == 0 else data


def _places(tree: Any) -> list[tuple[Any, Any]]:
    places = []
    waiting = [tree]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            places.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])
    return places


@st.composite
def mutated_toml(draw: st.DrawFn, seeds: Sequence[str]) -> bytes:
    """Real documents in which lines are gone, twice, elsewhere, or have another value."""
    lines = draw(st.sampled_from(list(seeds))).splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("value", "value", "value", "drop", "twice", "move", "line"))):
            case "value":
                key = lines[at].partition("=")[0].strip() or "x"
                lines[at] = f"{key} = {draw(st.sampled_from(ODD_TOML))}"
            case "drop" if len(lines) > 1:
                del lines[at]
            case "twice":
                lines.insert(at, lines[at])
            case "move":
                lines.append(lines.pop(at))
            case "line":
                odd = draw(st.sampled_from((*ODD_TOML, *ODD_TEXTS)))
                lines.insert(
                    at, draw(st.sampled_from(("{0}", '"{0}" = 1', "[{0}]", "{0} = {0}"))).replace("{0}", odd)
                )
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return draw(mutated_bytes([data])) if draw(st.integers(0, 3)) == 0 else data
