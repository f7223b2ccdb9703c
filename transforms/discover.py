"""Stage: which files there are."""

import errno
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from glob import escape, glob, has_magic
from pathlib import Path
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection, TaggedOutput

from transforms.access import file_systems, os_errors
from transforms.clips.refs import Failure, InputFile
from transforms.clips.sources import name_clip
from transforms.clips.vins import without_vins
from transforms.storage import is_remote

EVENT_FILE: Final = "event.json"

MAX_PATH_BYTES: Final = 4096
"""Longest path: Linux opens none that is longer, and object stores have keys of 1024 bytes at most."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

FILES: Final = "files"
EVENTS: Final = "events"
FAILED: Final = "failed"

_SETTLED_NS: Final = 3_000_000_000


class Discover(beam.PTransform[PBegin, dict[str, PCollection[Any]]]):
    """Finds the files under the inputs, each once however many inputs it lies under.

    Args:
        inputs: files, folders, globs or URLs.
        output: the data set's own folder, skipped where it lies inside an input.

    Returns:
        `files` (InputFile of every clip), `events` (InputFile of every event.json), `failed` (Failure).
    """

    def __init__(self, inputs: Sequence[str], output: str) -> None:
        super().__init__()
        self._inputs = tuple(inputs)
        self._output = output

    def expand(self, root: PBegin) -> dict[str, PCollection[Any]]:
        """Lists all inputs on one worker: no two of them may give a file twice."""
        listed = (
            root
            | "Inputs" >> beam.Create([self._inputs], reshuffle=False)
            | "List" >> beam.FlatMap(_tagged, self._output).with_outputs(FILES, EVENTS, FAILED)
        )
        return {name: listed[name] for name in (FILES, EVENTS, FAILED)}


def _tagged(specs: Sequence[str], output: str) -> Iterator[Any]:
    for found in list_inputs(specs, output):
        if isinstance(found, Failure):
            yield TaggedOutput(FAILED, found)
        elif found.uri.endswith("/" + EVENT_FILE):
            yield TaggedOutput(EVENTS, found)
        else:
            yield TaggedOutput(FILES, found)


def list_inputs(specs: Sequence[str], output: str) -> list[InputFile | Failure]:
    """Lists the clips and event files under some inputs, each once however many of them it lies under.

    Args:
        specs: files, folders, globs or URLs.
        output: a folder that is skipped.

    Returns:
        Files, and what could not be read. Of several ways to a file it is the one by the widest input, which
        tells most of the car's folder.
    """
    files: dict[str, InputFile] = {}
    failures: dict[Failure, None] = {}
    for spec in sorted(set(specs)):
        for found in without_vins(list_input(spec, output)):
            if isinstance(found, Failure):
                failures[found] = None
            elif found.uri not in files or _width(found) < _width(files[found.uri]):
                files[found.uri] = found
    return [*files.values(), *failures]


def _width(file: InputFile) -> tuple[int, str]:
    return len(file.root), file.root


def list_input(spec: str, output: str) -> Iterator[InputFile | Failure]:
    """Lists the clips and event files under one input.

    Args:
        spec: a file, a folder, a glob or a URL.
        output: a folder that is skipped.

    Yields:
        Files in the order of their paths; a folder that cannot be read as a failure.
    """
    if is_remote(spec):
        yield from _list_remote(spec)
        return
    if Path(spec).exists():
        yield from _list_local(spec, output)
        return
    for match in sorted(set(_expand(spec))) if has_magic(spec) else ():
        folder = os.path.dirname(os.path.abspath(match))  # noqa: PTH100, PTH120 - resolve() would follow links
        if Path(match).is_dir() or _counts(match, folder):
            for found in _list_local(match, output):
                # the user wrote a pattern, not this name: it counts as found in its folder
                yield replace(found, root=folder) if isinstance(found, InputFile) else found


def _expand(pattern: str) -> Iterator[str]:
    """What fits a pattern, as `glob` has it; but below `**` no links are followed: two that lead back never end."""
    parts = pattern.split("/")
    if "**" not in parts:
        yield from glob(pattern)
        return
    deep = parts.index("**")
    before, after = "/".join(parts[:deep]), "/".join(parts[deep + 1 :])
    starts = glob(before) if before else ["/" if deep else ""]
    for start in starts:
        for folder, folders, names in os.walk(start or "."):
            folders[:] = [name for name in folders if not name.startswith(".")]
            place = "" if folder == "." and not start else folder.removeprefix("" if start else "./")
            if after:
                yield from _expand(f"{escape(place)}/{after}" if place else after)
            else:
                files = () if pattern.endswith("/") else (name for name in names if not name.startswith("."))
                yield from [place] if place else ()
                yield from (f"{place}/{name}" if place else name for name in files)


def _list_local(spec: str, output: str) -> Iterator[InputFile | Failure]:
    path = Path(os.path.abspath(spec))  # noqa: PTH100 - resolve() would follow the user's own links
    if not path.is_dir():
        yield _fault_of_name(str(path)) or _file(str(path), str(path))
        return
    skipped = os.path.abspath(output) if not is_remote(output) else ""  # noqa: PTH100 - the same
    failures: list[Failure] = []

    def fail(error: OSError) -> None:
        failures.append(_unreadable(str(error.filename), error))

    for folder, folders, names in os.walk(path, onerror=fail):
        folders[:] = sorted(name for name in folders if os.path.join(folder, name) != skipped)  # noqa: PTH118 - called per folder
        for name in sorted(names):
            uri = f"{folder}/{name}"
            fault = _fault_of_name(uri)
            if fault is not None:
                failures.append(fault)
            elif _counts(uri, str(path)):
                yield _leads_out(uri, str(path)) or _file(uri, str(path))
    yield from failures


def _file(uri: str, root: str) -> InputFile | Failure:
    try:
        facts = Path(uri).stat()
    except OSError as error:
        return _unreadable(uri, error)
    if not stat.S_ISREG(facts.st_mode):
        # opening a pipe would wait for its writer for ever
        return _unreadable(uri, OSError(errno.EINVAL, "not a regular file"))
    return InputFile(uri=uri, root=root, bytes=facts.st_size, version=_version(facts.st_mtime_ns))


def _version(changed_ns: int) -> str:
    """A time of change as a file's version; none where it may be written again within one tick of that clock."""
    return f"{changed_ns}" if changed_ns and time.time_ns() - changed_ns > _SETTLED_NS else ""


def _list_remote(spec: str) -> Iterator[InputFile | Failure]:
    try:
        found = {} if has_magic(spec) else _matches(f"{spec.rstrip('/')}/**")
        found = found or _matches(spec)
    except (OSError, ValueError) as error:
        yield _unreadable(spec, error)
        return
    for uri in sorted(found):
        if uri == spec or _counts(uri, spec):
            size, version = found[uri]
            yield _fault_of_name(uri) or InputFile(
                uri=uri, root=uri if uri == spec else spec, bytes=size, version=version
            )


def _matches(pattern: str) -> dict[str, tuple[int, str]]:
    """Path, size and time of change of everything that fits."""
    with os_errors(pattern):
        (match,) = file_systems().match([pattern])
    return {
        entry.path: (entry.size_in_bytes, _version(round(entry.last_updated_in_seconds * 1e9)))
        for entry in match.metadata_list
    }


def _counts(uri: str, root: str) -> bool:
    name = uri.rpartition("/")[2]
    if name == EVENT_FILE:
        return True
    return name_clip(uri, root) is not None


def _fault_of_name(path: str) -> Failure | None:
    """What is wrong with a path as a text: it goes into tables, messages and terminals."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        return _failure(shown, "the name is not UTF-8 text; rename the file and run again")
    if size > MAX_PATH_BYTES:
        # the folder's own part tells where; the whole would fill a screen
        return _failure(f"{path[:200]}...", f"the path has {size} bytes, which no system opens; shorten it")
    if _CONTROL.search(path):
        shown = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], path)
        return _failure(shown, "the name has control characters; rename the file and run again")
    return None


def _leads_out(uri: str, root: str) -> Failure | None:
    """A link whose target lies elsewhere: what a folder holds was given, not what it points at."""
    if not os.path.islink(uri) or not os.path.exists(uri):  # noqa: PTH110, PTH114 - called per file
        return None
    target, inside = os.path.realpath(uri), os.path.realpath(root)
    if os.path.commonpath([target, inside]) == inside:
        return None
    return _failure(uri, f"a link that leads out of {root}; give the file it leads to as an input of its own")


def _unreadable(uri: str, error: Exception) -> Failure:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _failure(uri, f"{reason}; check its permissions and run again")


def _failure(uri: str, what: str) -> Failure:
    return Failure(
        uri=uri, clip_id="", stage="discover", error="unreadable", message=f"{uri}: {what}", retryable=True
    )


def has_clip(spec: str, output: str) -> bool:
    """Whether an input holds anything that may be a clip; stops at the first one.

    Args:
        spec: a file, a folder, a glob or a URL.
        output: a folder that is skipped.
    """
    return any(
        isinstance(found, InputFile) and not found.uri.endswith("/" + EVENT_FILE)
        for found in list_input(spec, output)
    )
