import tomllib

import pytest
from fuzz_targets import JOB
from fuzzing import mutated_toml
from hypothesis import given, settings

from pipelines.toml_lines import key_lines

EVERYTHING = '''# a comment with = and [brackets]
plain = "a # b"
many = [
  "x", # one
  """a
b""", "]",
  {deep = [1,
    2], "quoted key" = 1979-05-27 07:32:00},
]
dotted . "and quoted" = \'\'\'it's
\'\'\'\'
quotes = """"two""""

[table.'of.dots']
empty = ""
nothing = []
[[places]]
a = 1
[places.inner]
b = 2
[[places]]
[[places.inner_array]]
c = 3
[[places.inner_array]]
'''

EXPECTED = {
    ("plain",): 2,
    ("many",): 3,
    ("many", 1): 5,
    ("many", 2): 6,
    ("many", 3, "deep", 1): 8,
    ("many", 3, "quoted key"): 8,
    ("dotted", "and quoted"): 10,
    ("quotes",): 12,
    ("table", "of.dots", "empty"): 15,
    ("places", 0, "inner", "b"): 20,
    ("places", 1): 21,
    ("places", 1, "inner_array", 1): 24,
}


def places(value, above=()):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*above, key)
        yield from places(inner, (*above, key))


def test_lines_of_all_that_toml_has():
    lines = key_lines(EVERYTHING)
    assert set(lines) == set(places(tomllib.loads(EVERYTHING)))
    assert {place: line for place, line in lines.items() if place in EXPECTED} == EXPECTED


@settings(max_examples=300, deadline=None)
@given(mutated_toml([JOB, EVERYTHING]))
def test_every_document_that_python_reads_has_lines_for_all_its_keys(data):
    try:
        text = data.decode("utf-8-sig")
        values = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    lines = key_lines(text)
    assert set(lines) == set(places(values))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@pytest.mark.parametrize("depth", [50, 5000])
def test_deep_nesting_ends(depth):
    text = f"a = 1\nb = {'[' * depth}{']' * depth}"
    assert key_lines(text)["b",] == 2
