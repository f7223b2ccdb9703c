"""Which pages have a part that is made from the code, and what stands in it.

A made part stands between `<!-- made: NAME -->` and `<!-- end -->`; the rest of a page is written by hand and stays. A
command that has no page yet gets one.
"""

import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from models.card import ModelCard
from pipelines.cli import build_parser
from pipelines.jobs import AutolabelJob
from pipelines.reference.commands import describe_command, subcommands
from pipelines.reference.keys import describe_keys
from transforms.budget.sweeps.spec import SweepSpec


def made_parts() -> Iterator[tuple[str, str, str]]:
    """Every made part: the page below `docs`, the part's name, its text."""
    commands = subcommands(build_parser())
    yield "cli.md", "commands", _overview(commands)
    for name, parser in commands.items():
        module = import_module(f"pipelines.commands.{name}")
        text = describe_command(parser, takes_beam_flags=getattr(module, "TAKES_BEAM_FLAGS", False))
        yield f"reference/{name}.md", "command", f"\n{text}\n"
    for page, model in (("job-spec", AutolabelJob), ("model-card", ModelCard), ("sweep-spec", SweepSpec)):
        yield f"reference/{page}.md", "keys", f"\n{describe_keys(model)}\n\n"


def pages(docs: Path) -> dict[Path, str]:
    """The pages with made parts as they should be.

    Args:
        docs: the folder of the documentation; its pages are read for what is written by hand.

    Raises:
        ValueError: a page has no place for a part.
    """
    found: dict[Path, str] = {}
    for name, part, text in made_parts():
        path = docs / name
        if path not in found:
            found[path] = path.read_text(encoding="utf-8") if path.exists() else _new_page(path.stem)
        found[path] = renewed(found[path], part, text, name)
    return found


def renewed(page: str, part: str, text: str, name: str) -> str:
    """A page with one part made anew.

    Args:
        page: the whole page.
        part: name of the part.
        text: what is to stand in it.
        name: what an error calls the page.

    Raises:
        ValueError: the page has no such part.
    """
    block = re.compile(rf"(<!-- made: {part} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not block.search(page):
        raise ValueError(f"{name}: expected <!-- made: {part} --> and <!-- end -->")
    return block.sub(lambda match: f"{match[1]}{text}{match[2]}", page)


def _new_page(command: str) -> str:
    return f"# clipmill {command}\n\n<!-- made: command -->\n<!-- end -->\n"


def _overview(commands: Mapping[str, ArgumentParser]) -> str:
    rows = (
        f"| [`{name}`](reference/{name}.md) | {(parser.description or '')} |\n"
        for name, parser in commands.items()
    )
    return "".join(("\n| command | what it does |\n| --- | --- |\n", *rows, "\n"))
