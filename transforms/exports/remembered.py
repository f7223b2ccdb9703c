"""Where exports of a data set were written: one small file each in its folder, so that clips can be forgotten there too."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from transforms.exports.formats import FORMATS
from transforms.tables.digests import canonical_json
from transforms.tables.layout import EXPORTS
from transforms.tables.store import Store


@dataclass(frozen=True, slots=True)
class RememberedExport:
    """An export that was begun.

    Attributes:
        output: absolute path of its folder.
        form: name of its format.
    """

    output: str
    form: str


_REMEMBERED: Final = TypeAdapter(RememberedExport)


def remember(store: Store, export: RememberedExport) -> None:
    """Keeps where an export is; one to the same place replaces it.

    Args:
        store: the data set.
        export: the export.

    Raises:
        OSError: the data set cannot be written to.
    """
    store.write(_file(export.output), (canonical_json(export) + "\n").encode())


def forget_export(store: Store, output: str) -> None:
    """Lets go of an export that is no more."""
    store.delete(_file(output))


def remembered(store: Store) -> list[RememberedExport]:
    """Every export that the data set remembers, by place."""
    found = []
    for name in store.sizes(EXPORTS):
        # a data set may come from anybody: what is not as we write it is not remembered
        with suppress(ValueError):
            export = _REMEMBERED.validate_json(store.read(f"{EXPORTS}/{name}"), strict=True)
            if Path(export.output).is_absolute() and export.output.isprintable() and export.form in FORMATS:
                found.append(export)
    return sorted(found, key=lambda export: export.output)


def _file(output: str) -> str:
    return f"{EXPORTS}/{hashlib.sha256(output.encode()).hexdigest()[:16]}.json"
