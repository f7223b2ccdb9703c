"""A card as the TOML that `load_card` reads."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from models.card import ModelCard
from models.coco import COCO_CLASS_MAP, COCO_CLASSES


def card_text(card: ModelCard) -> str:
    """Writes a card down; what is not said of it is left to the defaults.

    Args:
        card: the card.
    """
    values = card.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    if card.classes == COCO_CLASSES:
        values["classes"] = "coco-80"
        if card.class_map == COCO_CLASS_MAP:
            del values["class_map"]
    return "\n".join(_table(values, ())) + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The lines of a table: what fits on a line each, then the tables below it."""
    below = {
        name: value for name, value in values.items() if isinstance(value, dict) and _has_lines(value, path)
    }
    for name, value in values.items():
        if name not in below:
            yield f"{_text(name)} = {_value(value)}"
    for name, value in below.items():
        yield f"\n[{'.'.join(map(_text, (*path, name)))}]"
        yield from _table(value, (*path, name))


def _has_lines(table: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether a table stands on lines of its own: the card's parts, and what has tables in it."""
    return not path or any(isinstance(value, dict) for value in table.values())


def _text(name: str) -> str:
    """A key: bare where TOML allows it."""
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else _value(name)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_text(name)} = {_value(part)}' for name, part in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # a JSON value is a TOML value, but for a character that JSON leaves as it is
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
