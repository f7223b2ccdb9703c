"""Records of runs and pictures: what they tell of clips that are to go, taken out."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from transforms.removal.mentions import Mentions
from transforms.tables.digests import canonical_json
from transforms.tables.layout import RUNS
from transforms.tables.store import LocalStore

FORGOTTEN: Final = "(forgotten)"
"""Stands where a record had a text that named what is gone."""

_PICTURE: Final = re.compile(r"(.+)-\d{8,}ms\.png")
_AUDIT: Final = re.compile(r"(.+)-blurred\.parquet")


def clean_records(root: Path, mentions: Mentions, *, dry_run: bool) -> int:
    """Takes out of the records of all runs what they tell of clips.

    Items of lists go, texts are replaced; a file that is called after a clip, or is no JSON and names one, goes whole.

    Args:
        root: the data set's folder.
        mentions: knows texts that name what is to go.
        dry_run: count only.

    Returns:
        Files that were changed or removed.
    """
    store = LocalStore(root)
    changed = 0
    for path in sorted(path for path in (root / RUNS).rglob("*") if path.is_file()):
        name, content = str(path.relative_to(root)), path.read_bytes()
        is_named = mentions(path.name) or mentions(path.stem)
        cleaned = None if is_named else clean(content, mentions)
        if cleaned == content:
            continue
        changed += 1
        if dry_run:
            continue
        if cleaned is None:
            store.delete(name)
        else:
            store.write(name, cleaned)
    return changed


def clean(content: bytes, mentions: Mentions) -> bytes | None:
    """A record without what it tells of clips.

    Args:
        content: the file.
        mentions: knows texts that name what is to go.

    Returns:
        The same bytes where nothing is named; None where nothing of the file may stay.
    """
    try:
        value = json.loads(content)
    except ValueError:
        return None if mentions(content.decode("utf-8", "replace")) else content
    cleaned = _cleaned(value, mentions)
    if cleaned == value:
        return content
    is_for_reading = b"\n" in content
    return (json.dumps(cleaned, indent=1) if is_for_reading else canonical_json(cleaned)).encode()


def _cleaned(value: object, mentions: Mentions) -> object:
    if isinstance(value, str):
        return FORGOTTEN if mentions(value) else value
    if isinstance(value, dict):
        return {key: _cleaned(item, mentions) for key, item in value.items() if not mentions(key)}
    if isinstance(value, list):
        return [item for item in value if not any(map(mentions, _texts(item)))]
    return value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def remove_pictures(root: Path, uris: Collection[str], *, dry_run: bool) -> int:
    """Removes the pictures of clips that were drawn into the data set's folder, and what tells of them.

    A picture is called after its clip's file: those of another clip of that name go along, and can be drawn again.

    Args:
        root: the data set's folder.
        uris: places of the clips.
        dry_run: count only.

    Returns:
        Pictures removed.
    """
    stems = {Path(uri).stem for uri in uris}
    drawn, told = (
        [path for path in root.rglob(names) if (match := form.fullmatch(path.name)) and match[1] in stems]
        for names, form in (("*.png", _PICTURE), ("*-blurred.parquet", _AUDIT))
    )
    for path in (*drawn, *told):
        if not dry_run:
            path.unlink(missing_ok=True)
    return len(drawn)
