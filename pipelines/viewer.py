"""The viewer's server: a data set's own clips, rows of its tables, and the page; for this machine's browser alone.

Clips are asked for by clip_id and looked up among the rows of `clips`: no path is ever taken from a request.
"""

import os
import re
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from models.errors import ModelError
from pipelines.viewer_guard import Guard, message
from transforms.clips.errors import ClipError
from transforms.clips.reopening import ClipChangedError, reopen
from transforms.isolated import Limits, ProcessDiedError, call
from transforms.labels.privacy.settings import Blur
from transforms.storage import open_stream
from transforms.viewing import drives as laid_out
from transforms.viewing.covering import still_cover
from transforms.viewing.jumps import jumps
from transforms.viewing.stills import covered_still, still
from transforms.viewing.viewed_set import ChangedError, DamagedError, ViewedClip, ViewedSet
from transforms.viewing.windows import window

if TYPE_CHECKING:
    from transforms.clips.refs import ClipRef

__all__ = ["viewer_app"]

Value = TypeVar("Value")

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
_MOST_BYTES: Final = 2 << 20
"""What is given of a video at once to a browser that asks for all the rest. Browsers keep such an answer open while
they have enough, six connections to a server are all they make, and six cameras would leave none for labels."""

_STILL_LIMITS: Final = Limits(stall_s=120.0, memory_bytes=4 << 30)
_STILLS_AT_ONCE: Final = 2
"""Pictures that are decoded at the same time: each has a process."""

_KEPT: Final = 16
"""Drives whose jumps, and clips whose probing, are kept."""

_MOST_NS: Final = 2**62


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


def viewer_app(viewed: ViewedSet, name: str, key: str, port: int, blur: Blur) -> Starlette:
    """The application.

    Args:
        viewed: the data set.
        name: what the page calls it.
        key: what a browser must know.
        port: the port it will be reached at.
        blur: what is blurred; where anything is, no clip is handed out, and of its frames only the labelled ones.
    """
    routes = _Routes(viewed, name, blur)
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
        middleware=[Middleware(Guard, key, port)],
        exception_handlers={HTTPException: _refused, ChangedError: _changed, DamagedError: _damaged},
    )


class _Routes:
    def __init__(self, viewed: ViewedSet, name: str, blur: Blur) -> None:
        self._viewed = viewed
        self._name = name
        self._blur = blur
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
        return JSONResponse(
            {"name": self._name, "blurred": list(self._blur.kinds), **laid_out.drives(self._viewed)}
        )

    def drive(self, request: Request) -> Response:
        as_frames = bool(self._blur.kinds)
        found = laid_out.drive(self._viewed, request.path_params["drive_id"], as_frames=as_frames)
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
        if self._blur.kinds:
            raise HTTPException(
                403,
                f"{laid_out.base_name(clip.uri)}: no clip is handed out where faces or plates are blurred; ask for stills",
            )
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
                made = self._made(clip, known, at)
        except (ClipChangedError, OSError) as error:
            raise HTTPException(404, str(error)) from error
        except (ClipError, ProcessDiedError) as error:
            raise HTTPException(422, f"{laid_out.base_name(clip.uri)}: cannot be decoded: {error}") from error
        except ModelError as error:
            raise HTTPException(500, str(error)) from error
        if made is None:
            raise HTTPException(422, f"{laid_out.base_name(clip.uri)}: no frame comes out")
        return Response(made[1], media_type="image/jpeg", headers={"x-timestamp-ns": str(made[0])})

    def _made(self, clip: ViewedClip, known: "ClipRef", at_ns: int) -> tuple[int, bytes] | None:
        """The time and the JPEG of what is shown of a clip; nothing that is to be blurred leaves but by here."""
        if not self._blur.kinds:
            return call(still, known, at_ns, open_stream, limits=_STILL_LIMITS)
        cover = still_cover(self._viewed, clip, at_ns, self._blur)
        if cover is None:
            raise HTTPException(
                422,
                f"{laid_out.base_name(clip.uri)}: no labelled frame near this moment: what is to be blurred is not known",
            )
        return call(covered_still, known, cover, open_stream, limits=_STILL_LIMITS)

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


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return message(error.status_code, error.detail)


def _changed(_request: Request, error: Exception) -> Response:
    return message(409, str(error))


def _damaged(_request: Request, error: Exception) -> Response:
    return message(500, str(error))
