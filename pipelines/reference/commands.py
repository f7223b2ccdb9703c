"""What a command's parser says, as Markdown.

Lines are made here and not by argparse, whose wording and wrapping differ between versions of Python.
"""

import argparse
from collections.abc import Iterator

_HELP = (argparse._HelpAction, argparse._VersionAction)  # noqa: SLF001 - argparse has no other way to tell them


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Parsers of the commands below a parser, by name, in the order of their declaration."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of what was declared
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            return dict(action.choices)
    return {}


def describe_command(parser: argparse.ArgumentParser, *, takes_beam_flags: bool = False) -> str:
    """A command's usage, arguments, options and examples, those of its own subcommands included.

    Args:
        parser: of the command.
        takes_beam_flags: whether Beam's flags may follow.

    Raises:
        ValueError: an argument or option has no help.
    """
    return "\n".join(_lines(parser, "[-- BEAM FLAGS]" if takes_beam_flags else ""))


def _lines(parser: argparse.ArgumentParser, end: str) -> Iterator[str]:
    below = subcommands(parser)
    yield f"{_sentence(parser.description or '')}\n"
    yield f"    usage: {_usage(parser, end)}\n"
    if not below:
        for title, actions in _groups(parser):
            yield from _table(parser, title, actions)
    examples = (parser.epilog or "").partition("examples:\n")[2]
    if examples:
        yield "Examples:\n"
        yield "\n".join(f"    {line.strip()}" for line in examples.strip().splitlines()) + "\n"
    for command in below.values():
        yield f"## {command.prog}\n"
        yield from _lines(command, end)


def _usage(parser: argparse.ArgumentParser, end: str) -> str:
    below = subcommands(parser)
    if below:
        return f"{parser.prog} {'|'.join(below)} ..."
    words = [parser.prog]
    actions = [action for _, actions in _groups(parser) for action in actions]
    words += [_positional(action) for action in actions if not action.option_strings]
    words += [_spellings(action)[0] for action in actions if action.option_strings and action.required]
    return " ".join([*words, "[options]", *([end] if end else [])])


def _groups(parser: argparse.ArgumentParser) -> Iterator[tuple[str, list[argparse.Action]]]:
    """Titles of groups with what is shown of them; arguments and options without a group have none."""
    seen: dict[str, list[argparse.Action]] = {"": []}
    for group in parser._action_groups:  # noqa: SLF001 - argparse has no public list of groups
        own = "" if group.title in {"positional arguments", "options"} else str(group.title)
        shown = [action for action in group._group_actions if not isinstance(action, _HELP)]  # noqa: SLF001 - the same
        seen.setdefault(own, []).extend(shown)
    return ((title, actions) for title, actions in seen.items() if actions)


def _table(parser: argparse.ArgumentParser, title: str, actions: list[argparse.Action]) -> Iterator[str]:
    if title:
        yield f"{_sentence(title).removesuffix('.')}:\n"
    yield "| argument or option | meaning |"
    yield "| --- | --- |"
    for action in actions:
        names = (
            ", ".join(f"`{name}`" for name in _spellings(action))
            if action.option_strings
            else f"`{_positional(action)}`"
        )
        yield f"| {_cell(names)} | {_cell(_meaning(parser, action))} |"
    yield ""


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if not action.help:
        raise ValueError(f"{parser.prog}: {action.dest} has no help")
    text = action.help % {**vars(action), "prog": parser.prog}
    if action.required and action.option_strings:
        return f"{text} (must be given)"
    unsaid = isinstance(action.default, bool) or action.default in (None, "", argparse.SUPPRESS, [])
    if unsaid or "default" in text:
        return text
    return f"{text} (default: {action.default})"


def _spellings(action: argparse.Action) -> list[str]:
    """An option's names with its value: `-o DIR`, `--output DIR`."""
    value = "" if action.nargs == 0 else f" {_value(action)}"
    return [f"{name}{value}" for name in action.option_strings]


def _positional(action: argparse.Action) -> str:
    forms = {None: "{}", "?": "[{}]", "+": "{}...", "*": "[{}...]"}
    return forms[action.nargs].format(_value(action))  # type: ignore[index]


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
