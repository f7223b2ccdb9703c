"""The viewer's server: a data set's own clips, rows of its tables, and the page; for this machine's browser alone.

Clips are asked for by clip_id and looked up among the rows of `clips`: no path is ever taken from a request.
"""

import hmac
import os
import re
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request, cookie_parser
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from transforms.clips.errors import ClipError
from transforms.clips.reopening import ClipChangedError, reopen
from transforms.isolated import Limits, ProcessDiedError, call
from transforms.storage import open_stream
from transforms.viewing import drives as laid_out
from transforms.viewing.jumps import jumps
from transforms.viewing.stills import still
from transforms.viewing.viewed_set import ChangedError, DamagedError, ViewedClip, ViewedSet
from transforms.viewing.windows import window

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from transforms.clips.refs import ClipRef

__all__ = ["KEY", "viewer_app"]

Value = TypeVar("Value")

KEY: Final = "key"
"""Name of the part of the printed address that lets a browser in."""

_PAGE: Final = {
    "index.html": "text/html; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "viewer.css": "text/css; charset=utf-8",
    **dict.fromkeys(
        (
            "viewer.js",
            "player.js",
            "lane.js",
            "labels.js",
            "overlay.js",
            "timeline.js",
            "panel.js",
            "link.js",
        ),
        "text/javascript; charset=utf-8",
    ),
}
_VIDEO_TYPES: Final = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4"}
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_MOST_BYTES: Final = 2 << 20
"""What is given of a video at once to a browser that asks for all the rest. Browsers keep such an answer open while
they have enough, six connections to a server are all they make, and six cameras would leave none for labels."""

_STILL_LIMITS: Final = Limits(stall_s=120.0, memory_bytes=4 << 30)
_STILLS_AT_ONCE: Final = 2
"""Pictures that are decoded at the same time: each has a process."""

_KEPT: Final = 16
"""Drives whose jumps, and clips whose probing, are kept."""

_MOST_NS: Final = 2**62

_PORT_OF_HTTP: Final = 80


class _Guard:
    """Lets in what asks this machine by its own name and knows the key; tells browsers what the page may do.

    A page of another site can have its own name lead to this machine, and would be of the same origin then: so the
    Host is compared. Other users of this machine reach the port as well: so there is a key, which the first address
    carries and a cookie keeps. Links that are copied from the page hold no key.
    """

    def __init__(self, app: "ASGIApp", key: str, port: int) -> None:
        self._app = app
        self._key = key
        self._cookie = f"clipmill-{port}"
        names = ("127.0.0.1", "localhost")
        self._hosts = {f"{name}:{port}" for name in names}
        if port == _PORT_OF_HTTP:
            # browsers leave it out
            self._hosts.update(names)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http":
            return
        await (self._refusal(scope) or self._app)(scope, receive, guarded)

    def _refusal(self, scope: "Scope") -> "Response | None":
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self._hosts:
            return _message(421, "this viewer answers to 127.0.0.1 only")
        given = parse_qs(scope["query_string"].decode("latin-1")).get(KEY, [""])[0]
        if scope["path"] == "/" and self._knows(given):
            # the address without the key; browsers take what follows # along
            entered = RedirectResponse("/", status_code=303)
            entered.set_cookie(self._cookie, self._key, httponly=True, samesite="lax")
            return entered
        if not self._knows(cookie_parser(headers.get("cookie", "")).get(self._cookie, "")):
            return _message(403, "open the address that clipmill view printed: it lets this browser in")
        return None

    def _knows(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._key.encode())


class _Kept(Generic[Value]):
    """The last few results of a costly function; several threads may ask."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._lock:
            self._values[key] = made
            while len(self._values) > _KEPT:
                self._values.popitem(last=False)
        return made


def viewer_app(viewed: ViewedSet, name: str, key: str, port: int) -> Starlette:
    """The application.

    Args:
        viewed: the data set.
        name: what the page calls it.
        key: what a browser must know.
        port: the port it will be reached at.
    """
    routes = _Routes(viewed, name)
    return Starlette(
        routes=[
            Route("/", routes.page),
            Route("/page/{name}", routes.page),
            Route("/api/dataset", routes.dataset),
            Route("/api/drives/{drive_id}", routes.drive),
            Route("/api/drives/{drive_id}/jumps", routes.jumps),
            Route("/api/clips/{clip_id}", routes.clip),
            Route("/api/clips/{clip_id}/window", routes.window),
            Route("/clips/{clip_id}", routes.video),
            Route("/clips/{clip_id}/still", routes.still),
        ],
        middleware=[Middleware(_Guard, key, port)],
        exception_handlers={HTTPException: _refused, ChangedError: _changed, DamagedError: _damaged},
    )


class _Routes:
    def __init__(self, viewed: ViewedSet, name: str) -> None:
        self._viewed = viewed
        self._name = name
        self._jumps: _Kept[list[dict[str, Any]]] = _Kept()
        self._probed: _Kept[ClipRef] = _Kept()
        self._decoding = threading.Semaphore(_STILLS_AT_ONCE)

    def page(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in _PAGE:
            raise HTTPException(404, f"no such page: {name[:100]}")
        content = files("transforms.viewing").joinpath("page", name).read_bytes()
        return Response(content, media_type=_PAGE[name])

    def dataset(self, _request: Request) -> Response:
        return JSONResponse({"name": self._name, **laid_out.drives(self._viewed)})

    def drive(self, request: Request) -> Response:
        found = laid_out.drive(self._viewed, request.path_params["drive_id"])
        if found is None:
            raise HTTPException(404, "no such drive in this data set")
        return JSONResponse(found)

    def jumps(self, request: Request) -> Response:
        drive_id = request.path_params["drive_id"]
        return JSONResponse({"jumps": self._jumps.get(drive_id, lambda: jumps(self._viewed, drive_id))})

    def clip(self, request: Request) -> Response:
        clip = self._clip(request)
        return JSONResponse({"clip_id": clip.clip_id, "drive_id": clip.drive_id, "camera": clip.camera})

    def window(self, request: Request) -> Response:
        clip = self._clip(request)
        start, stop = _nanoseconds(request, "start_ns"), _nanoseconds(request, "stop_ns")
        try:
            return JSONResponse(window(self._viewed, clip, start, stop))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error

    def video(self, request: Request) -> Response:
        clip = self._clip(request)
        path, facts = _file_of(clip)
        if laid_out.plays(clip) != "video":
            raise HTTPException(
                404, f"{path.name}: no browser plays {clip.codec} in such a file; ask for stills"
            )
        request.scope["headers"] = [
            (name, _bounded(value) if name == b"range" else value) for name, value in request.scope["headers"]
        ]
        return FileResponse(path, media_type=_VIDEO_TYPES[path.suffix.lower()], stat_result=facts)

    def still(self, request: Request) -> Response:
        clip = self._clip(request)
        at = _nanoseconds(request, "at_ns")
        _, facts = _file_of(clip)
        try:
            with self._decoding:
                known = self._probed.get(
                    f"{clip.clip_id} {facts.st_mtime_ns}",
                    lambda: call(reopen, clip.uri, clip.content_sha256, open_stream, limits=_STILL_LIMITS),
                )
                made = call(still, known, at, open_stream, limits=_STILL_LIMITS)
        except (ClipChangedError, OSError) as error:
            raise HTTPException(404, str(error)) from error
        except (ClipError, ProcessDiedError) as error:
            raise HTTPException(422, f"{laid_out.base_name(clip.uri)}: cannot be decoded: {error}") from error
        if made is None:
            raise HTTPException(422, f"{laid_out.base_name(clip.uri)}: no frame comes out")
        return Response(made[1], media_type="image/jpeg", headers={"x-timestamp-ns": str(made[0])})

    def _clip(self, request: Request) -> ViewedClip:
        clip = self._viewed.clips.get(request.path_params["clip_id"])
        if clip is None:
            raise HTTPException(404, "no such clip in this data set")
        return clip


def _file_of(clip: ViewedClip) -> tuple[Path, os.stat_result]:
    """The clip's file, if it is a regular file of this machine and as large as it was when it was labelled."""
    name = laid_out.base_name(clip.uri)
    if laid_out.plays(clip) == "no":
        raise HTTPException(404, f"{name}: lies in an object store; copy it to this machine to play it")
    path = Path(clip.uri)
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        raise HTTPException(404, f"{name}: the clip is no longer where it was labelled") from error
    if not stat.S_ISREG(facts.st_mode) or not path.is_absolute() or facts.st_size != clip.bytes:
        raise HTTPException(404, f"{name}: is no longer the file that was labelled")
    return path, facts


def _bounded(asked: bytes) -> bytes:
    """A range that has no end gets one.

    >>> _bounded(b"bytes=0-"), _bounded(b"bytes=5-9")
    (b'bytes=0-2097151', b'bytes=5-9')
    """
    open_ended = re.fullmatch(rb"bytes=(\d{1,18})-", asked)
    return b"bytes=%d-%d" % (first := int(open_ended[1]), first + _MOST_BYTES - 1) if open_ended else asked


def _nanoseconds(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(_MOST_NS)) or int(text) > _MOST_NS:
        raise HTTPException(400, f"{name}: a time in ns from 0 on is expected, not {text[:40]!r}")
    return int(text)


def _message(status: int, words: str) -> JSONResponse:
    return JSONResponse({"error": words}, status)


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _message(error.status_code, error.detail)


def _changed(_request: Request, error: Exception) -> Response:
    return _message(409, str(error))


def _damaged(_request: Request, error: Exception) -> Response:
    return _message(500, str(error))
