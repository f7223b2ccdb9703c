"""The keys of a TOML file, from the pydantic model that checks it."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def describe_keys(model: type[BaseModel]) -> str:
    """A table of all keys, those of inner tables with the name of the table before them.

    Args:
        model: its docstring, and those of the models in it, say under `Attributes:` what each field means.

    Raises:
        ValueError: a field is not explained.
    """
    schema = model.model_json_schema()
    rows = _rows(model, schema, schema.get("$defs", {}), "")
    return "\n".join(["| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows])


def attributes(model: type[BaseModel]) -> dict[str, str]:
    """What the docstring of a model says of each field, as one line each."""
    section = re.search(r"^Attributes:\n((?:    .*\n?|\n)+)", inspect.getdoc(model) or "", flags=re.MULTILINE)
    found = re.findall(r"^    (\w+): (.+(?:\n     +.+)*)", section[1] if section else "", flags=re.MULTILINE)
    # TOML has no None: a key is left out
    return {name: re.sub(r"\bNone\b", "none", " ".join(text.split())) for name, text in found}


def _rows(
    model: type[BaseModel], schema: dict[str, Any], known: dict[str, dict[str, Any]], above: str
) -> Iterator[str]:
    meanings = attributes(model)
    for name, field in model.model_fields.items():
        if name not in meanings:
            raise ValueError(f"{model.__name__}.{name}: the docstring's Attributes do not explain it")
        value, part = _value(schema["properties"][name], known), schema["properties"][name]
        cells = (f"`{above}{name}`", value, _default(field), meanings[name])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        for inner in _models(field.annotation):
            end = "[]." if value.startswith("list") else ".NAME." if value.endswith("by name") else "."
            yield from _rows(inner, _definition(part, known, inner.__name__), known, f"{above}{name}{end}")


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Models that a field holds, however deep in unions, lists and tables."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _definition(part: dict[str, Any], known: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    return known.get(name, part)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    default = field.get_default(call_default_factory=True)
    if default is None:
        return "none"
    if isinstance(default, BaseModel):
        return "each key's own"
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _value(part: dict[str, Any], known: dict[str, dict[str, Any]]) -> str:
    """What may stand for a key, in words."""
    if "anyOf" in part:
        words = [_value(choice, known) for choice in part["anyOf"] if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(words))
    if "enum" in part or "const" in part:
        choices = part.get("enum", [part.get("const")])
        return ", ".join(f"`{json.dumps(choice)}`" for choice in choices)
    if "prefixItems" in part:
        return f"list of {len(part['prefixItems'])}: {_value(part['prefixItems'][0], known)}"
    kind = part.get("type", "table")
    if kind == "array":
        return f"list of {_value(part['items'], known)}"
    if kind == "object":
        return f"table of {_value(part['additionalProperties'], known)} by name"
    bounds = [f"{sign} {part[key]:,}" for key, sign in _BOUNDS.items() if key in part]
    return " ".join([_WORDS.get(kind, kind), ", ".join(bounds)]).strip()
