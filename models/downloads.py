"""Network files on this machine: the user's cache, and downloads that are verified before they count."""

import hashlib
import http.client
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import platformdirs

from models.card import ModelCard, Task
from models.errors import ModelFetchError

Opener = Callable[[str], AbstractContextManager[BinaryIO]]
"""Opens a URL for reading; raises OSError where it cannot."""

Progress = Callable[[int, int], None]
"""Told the bytes that are here and the bytes there will be."""

_CHUNK_BYTES: Final = 1 << 20
_TIMEOUT_S: Final = 60.0
_STRAY_AGE_S: Final = 24 * 3600.0


def cache_folder() -> Path:
    """Where downloaded networks are kept: `CLIPMILL_MODELS`, else the user's cache folder."""
    own = os.environ.get("CLIPMILL_MODELS")
    return Path(own) if own else platformdirs.user_cache_path("clipmill", appauthor=False) / "models"


def is_offline() -> bool:
    """Whether the environment forbids downloads (`CLIPMILL_OFFLINE=1`)."""
    return os.environ.get("CLIPMILL_OFFLINE", "0") not in {"", "0"}


def file_digest(path: Path) -> str:
    """Hex sha256 of a file; a file that has not been touched is read once a process."""
    facts = path.stat()
    return _digest(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    del size, mtime_ns  # they only tell the cache that the file is another one
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cached_file(card: ModelCard) -> Path | None:
    """The card's network in the cache, verified; None where it is not there.

    A file that was put there by hand is found under any name.

    Raises:
        ModelFetchError: the file that was downloaded for this card has changed since.
    """
    folder = cache_folder()
    own = folder / _file_name(card)
    try:
        if own.is_file():
            digest = file_digest(own)
            if digest not in card.digests:
                raise ModelFetchError(
                    f"{own} is not the network that the card {card.name} names (its sha256 is {digest}, not "
                    f"{card.sha256}): delete it and run again"
                )
            return own
        for path in sorted(folder.glob("*.onnx")):
            # Another export of the same network has nearly the same size: no need to read far larger files.
            if path.is_file() and path.stat().st_size <= 2 * card.bytes and file_digest(path) in card.digests:
                return path
    except OSError as error:
        raise ModelFetchError(
            f"{error.filename or folder}: cannot read the cached network: {error.strerror}"
        ) from error
    return None


def fetch(
    card: ModelCard,
    *,
    offline: bool = False,
    open_url: Opener | None = None,
    progress: Progress | None = None,
) -> Path:
    """The card's network in the cache, downloaded where it is not there yet.

    Args:
        card: a card with a URL.
        offline: never download; `CLIPMILL_OFFLINE=1` says the same.
        open_url: opens the URL; https with https redirects only, if None.
        progress: called during a download.

    Raises:
        ModelFetchError: it is not there and cannot be had; the message says what to do by hand.
    """
    found = cached_file(card)
    if found is not None:
        return found
    if offline or is_offline():
        raise ModelFetchError(
            f"{card.name} is not on this machine, and downloads are switched off. {_by_hand(card)}"
        )
    assert card.url is not None, "only cards with a URL are fetched"
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_strays(folder)
        handle, temporary_name = tempfile.mkstemp(prefix=f".{card.name}-", suffix=".part", dir=folder)
    except OSError as error:
        raise ModelFetchError(
            f"{folder}: cannot write the downloaded network here: {error.strerror}; "
            "set CLIPMILL_MODELS to a folder that can be written"
        ) from error
    temporary = Path(temporary_name)
    try:
        with os.fdopen(handle, "wb") as sink:
            _download(card, sink, open_url or open_https, progress)
        target = folder / _file_name(card)
        temporary.replace(target)
    except (OSError, http.client.HTTPException) as error:
        reason = (
            getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error) or repr(error)
        )
        raise ModelFetchError(f"{card.url}: the download failed: {reason}. {_by_hand(card)}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _download(card: ModelCard, sink: BinaryIO, open_url: Opener, progress: Progress | None) -> None:
    assert card.url is not None
    digest = hashlib.sha256()
    received = 0
    with open_url(card.url) as source:
        # One byte more than there should be is asked for, so that a longer file is noticed and never kept.
        while chunk := source.read(min(_CHUNK_BYTES, card.bytes + 1 - received)):
            received += len(chunk)
            if received > card.bytes:
                raise ModelFetchError(
                    f"{card.url}: more than the {card.bytes:,} bytes that the card names: another file. {_by_hand(card)}"
                )
            digest.update(chunk)
            sink.write(chunk)
            if progress is not None:
                progress(received, card.bytes)
    if received < card.bytes:
        raise ModelFetchError(
            f"{card.url}: the download ended after {received:,} of {card.bytes:,} bytes: run again. {_by_hand(card)}"
        )
    if digest.hexdigest() != card.sha256:
        raise ModelFetchError(
            f"{card.url}: sha256 {digest.hexdigest()}, the card names {card.sha256}: another file. {_by_hand(card)}"
        )


_WITHOUT: Final[dict[Task, str]] = {
    "detection": "take `--model demo`, which needs no download but knows only rendered scenes",
    "privacy": "leave `--blur-model` and `--no-blur-rules` out: rules need no network",
}


def _by_hand(card: ModelCard) -> str:
    return (
        f"By hand: put the file of {card.url} ({card.bytes:,} bytes, sha256 {card.sha256}) into the folder "
        f"{cache_folder()} as {_file_name(card)}; or {_WITHOUT[card.task]}"
    )


def _file_name(card: ModelCard) -> str:
    return f"{card.name}-{card.sha256[:8]}.onnx"


def _remove_strays(folder: Path) -> None:
    """Removes what downloads left that were killed; a younger one may still be running in another process."""
    for stray in folder.glob(".*.part"):
        if time.time() - stray.stat().st_mtime > _STRAY_AGE_S:
            stray.unlink(missing_ok=True)


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            raise urllib.error.URLError(f"the server redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_https(url: str) -> AbstractContextManager[BinaryIO]:
    """Opens an https URL, following redirects to https only."""
    if not url.startswith("https://"):
        raise urllib.error.URLError(f"{url} is not https")
    opener = urllib.request.build_opener(_HttpsRedirects())
    opener.addheaders = [("User-Agent", "clipmill")]
    return cast("AbstractContextManager[BinaryIO]", opener.open(url, timeout=_TIMEOUT_S))
