"""Digests of values: equal values, equal digest, on any machine."""

import dataclasses
import hashlib
import json
from typing import Any

from pydantic import BaseModel


def canonical_json(value: Any) -> str:
    """Text that is equal exactly where values are: sorted keys, no spaces.

    Args:
        value: built of dataclasses, pydantic models, mappings, sequences and scalars.

    >>> canonical_json({"b": (1, None), "a": 0.5})
    '{"a":0.5,"b":[1,null]}'
    """
    return json.dumps(value, default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """The sha256 of a value's canonical JSON, hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"a {type(value).__name__} has no canonical form")
