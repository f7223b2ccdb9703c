import argparse
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from models.card import ModelCard
from pipelines.cli import build_parser
from pipelines.jobs import AutolabelJob
from pipelines.reference.commands import describe_command, subcommands
from pipelines.reference.keys import attributes, describe_keys
from pipelines.reference.pages import made_parts, pages, renewed
from transforms.budget.sweeps.spec import SweepSpec

DOCS = Path(__file__).parents[3] / "docs"
COMMANDS = subcommands(build_parser())


def test_pages_are_those_that_the_code_makes():
    stale = [
        str(path.relative_to(DOCS))
        for path, text in pages(DOCS).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "stale: run `make docs`"


def test_every_page_of_the_reference_is_of_something_there_is():
    known = {name for name, _, _ in made_parts()}
    assert {f"reference/{path.name}" for path in (DOCS / "reference").glob("*.md")} == known - {"cli.md"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_stands_on_its_commands_page(name):
    page = (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
    parsers = [COMMANDS[name], *subcommands(COMMANDS[name]).values()]
    options = {option for parser in parsers for option in parser._option_string_actions}
    assert "--json" in options
    assert not [option for option in options - {"-h", "--help"} if not re.search(rf"`{option}[` ]", page)]


@pytest.mark.parametrize(
    ("page", "model"), [("job-spec", AutolabelJob), ("model-card", ModelCard), ("sweep-spec", SweepSpec)]
)
def test_every_key_stands_on_its_page(page, model):
    text = (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")
    assert not [name for name in model.model_fields if f"| `{name}` |" not in text]


def parser(**option):
    made = argparse.ArgumentParser(
        prog="clipmill try", description="try it", epilog="examples:\n  clipmill try a\n  clipmill try b"
    )
    made.add_argument("inputs", nargs="+", metavar="INPUT", help="what | where")
    made.add_argument("-n", "--number", **option)
    return made


def test_a_parser_as_markdown():
    made = parser(type=int, required=True, metavar="N", help="how many")
    made.add_argument_group("how it is done").add_argument(
        "--kind", choices=("a", "b"), default="a", help="which"
    )
    made.add_argument("--said", default=3, help="100 %% (default: three)")
    assert describe_command(made, takes_beam_flags=True).splitlines() == [
        "Try it.",
        "",
        "    usage: clipmill try INPUT... -n N [options] [-- BEAM FLAGS]",
        "",
        "| argument or option | meaning |",
        "| --- | --- |",
        "| `INPUT...` | what \\| where |",
        "| `-n N`, `--number N` | how many (must be given) |",
        "| `--said SAID` | 100 % (default: three) |",
        "",
        "How it is done:",
        "",
        "| argument or option | meaning |",
        "| --- | --- |",
        "| `--kind a\\|b` | which (default: a) |",
        "",
        "Examples:",
        "",
        "    clipmill try a",
        "    clipmill try b",
    ]


def test_an_option_without_help_is_refused():
    with pytest.raises(ValueError, match="clipmill try: number has no help"):
        describe_command(parser())


class Inner(BaseModel):
    """An inner table.

    Attributes:
        name: said in
            two lines.
    """

    name: str = "x"


class Outer(BaseModel):
    """A table.

    Attributes:
        one: a table.
        many: a list of them.
        named: tables by name.
        rate: None = as it comes.
    """

    one: Inner = Inner()
    many: tuple[Inner, ...] = ()
    named: dict[str, Inner]
    rate: float | None = None


class Unsaid(BaseModel):
    """A table.

    Attributes:
        other: a key that there is not.
    """

    name: str


def test_keys_of_inner_tables_carry_the_tables_name():
    assert describe_keys(Outer).splitlines()[2:] == [
        "| `one` | table | each key's own | a table. |",
        '| `one.name` | text | `"x"` | said in two lines. |',
        "| `many` | list of table | `[]` | a list of them. |",
        '| `many[].name` | text | `"x"` | said in two lines. |',
        "| `named` | table of table by name | must be given | tables by name. |",
        '| `named.NAME.name` | text | `"x"` | said in two lines. |',
        "| `rate` | number | none | none = as it comes. |",
    ]


def test_a_key_that_nothing_explains_is_refused():
    assert attributes(Unsaid) == {"other": "a key that there is not."}
    with pytest.raises(ValueError, match=r"Unsaid.name: the docstring's Attributes do not explain it"):
        describe_keys(Unsaid)


def test_what_is_written_by_hand_stays():
    page = "# A\n\n<!-- made: command -->\nold\n<!-- end -->\n\nby hand\n"
    assert renewed(page, "command", "new \\1\n", "a.md") == page.replace("old", "new \\1")
    with pytest.raises(ValueError, match=r"a.md: expected <!-- made: keys --> and <!-- end -->"):
        renewed(page, "keys", "", "a.md")
