"""Whom the viewer's server answers: this machine's browser that was let in, and what its page may do."""

import hmac
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["KEY", "Guard", "message"]

KEY: Final = "key"
"""Name of the part of the printed address that lets a browser in."""

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

_PORT_OF_HTTP: Final = 80


class Guard:
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
        """Answers a request: a refusal, or what the application says, both with the headers of `_HEADERS`."""

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
            return message(421, "this viewer answers to 127.0.0.1 only")
        given = parse_qs(scope["query_string"].decode("latin-1")).get(KEY, [""])[0]
        if scope["path"] == "/" and self._knows(given):
            # the address without the key; browsers take what follows # along
            entered = RedirectResponse("/", status_code=303)
            entered.set_cookie(self._cookie, self._key, httponly=True, samesite="lax")
            return entered
        if not self._knows(cookie_parser(headers.get("cookie", "")).get(self._cookie, "")):
            return message(403, "open the address that clipmill view printed: it lets this browser in")
        return None

    def _knows(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._key.encode())


def message(status: int, words: str) -> JSONResponse:
    """An answer that is no good one, and why."""
    return JSONResponse({"error": words}, status)
