"""Who is let in, and what a browser may do with the page.

The page shows personal data with the credentials of the person who started it. Other users of the
machine, pages that the browser has open, and names that are made to point at loopback must not get
at it (decision record 23).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST: Final = "127.0.0.1"
NAMES: Final = (HOST, "localhost")

ENTRANCE: Final = "/enter/"
STATIC: Final = "/static/"

LARGEST_FORM: Final = 64 * 1024
"""Bytes of a form."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_CLOSED: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not open · SES Insights</title><link rel="stylesheet" href="/static/style.css"></head>
<body><main class="closed"><h1>This page is not open for this browser</h1>
<p>Open the address that <code>insights web</code> has printed. It opens once, for one browser;
stop the command with Ctrl-C and start it again for a new one.</p></main></body></html>
"""

_AGAIN: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="0"><title>SES Insights</title></head>
<body><p>One moment: this browser does not send its cookie with a link from another page.
<a href="">Open the page</a></p></body></html>
"""


@dataclass(slots=True)
class Session:
    """The secrets of one run."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """In the first address; it opens the page once."""
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """In every form that writes."""
    is_used: bool = False

    @property
    def cookie_name(self) -> str:
        """Cookies do not know ports: two runs must not overwrite each other's."""
        return f"insights-{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """What the Host header may say."""
        return frozenset(f"{name}:{self.port}" for name in NAMES)

    @property
    def first_address(self) -> str:
        """What opens the page."""
        return f"http://{HOST}:{self.port}{ENTRANCE}{self.token}"

    def is_open_for(self, request: Request) -> bool:
        """Whether the browser has the cookie of this run."""
        return _same(request.cookies.get(self.cookie_name, ""), self.cookie)

    def enter(self, given: str) -> Response | None:
        """Let a browser in with the token; None where it is wrong or used."""
        if self.is_used or not _same(given, self.token):
            return None
        self.is_used = True
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self.cookie_name, self.cookie, httponly=True, samesite="strict", path="/")
        return answer


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


@dataclass(frozen=True, slots=True)
class Guard:
    """Stands before every route: Host, cookie and headers; and keeps failures out of the log."""

    app: ASGIApp
    session: Session
    log: Callable[[str], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the request through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = False

        async def send_with_headers(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._answer(Request(scope)) or self.app
        try:
            await answer(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - its text may quote a mail
            self.log(f"A page failed: {type(error).__name__} at {_where(error)}")
            if not began:
                sorry = PlainTextResponse("This page has failed; the terminal says where.", 500)
                await sorry(scope, receive, send_with_headers)

    def _answer(self, request: Request) -> Response | None:
        if request.headers.get("host", "").lower() not in self.session.hosts:
            return PlainTextResponse("This address belongs to another page.", 421)
        path = request.url.path
        if path.startswith(STATIC):
            return None
        is_open = self.session.is_open_for(request)
        if path.startswith(ENTRANCE) and request.method == "GET":
            entered = self.session.enter(path.removeprefix(ENTRANCE))
            return entered or (RedirectResponse("/", 303) if is_open else _closed())
        if is_open:
            return None
        # A cookie with SameSite=Strict does not come with a link from a chat in the same browser.
        # The page that reloads itself asks from here; without a cookie it then ends below.
        if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
            return HTMLResponse(_AGAIN)
        return _closed()


def _closed() -> Response:
    return HTMLResponse(_CLOSED, 401)


def _where(error: BaseException) -> str:
    """Name the last line of this program that an error came through; nothing of its text."""
    where, trace = "an unknown place", error.__traceback__
    while trace:
        path = Path(trace.tb_frame.f_code.co_filename)
        if "ses_insights" in path.parts:
            where = f"{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


async def form_of(request: Request, session: Session) -> dict[str, str] | None:
    """Read a form that was sent by a page of this run; None where it was not."""
    if not _is_own(request.headers, session):
        return None
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return None
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        return None
    return form if _same(form.get("token", ""), session.form_token) else None


def _is_own(headers: Headers, session: Session) -> bool:
    """Whether a browser says that the form stood on a page of this run, as far as it says it."""
    origin = headers.get("origin")
    if origin is not None and origin not in {f"http://{host}" for host in session.hosts}:
        return False
    return headers.get("sec-fetch-site", "same-origin") == "same-origin"
