"""Who may see a page: a browser that has its token or the password, and that calls the server by its own name."""

import ipaddress
import logging
import re
import secrets
from collections.abc import Collection, Iterable
from errno import EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookalike.web.login import Login, is_loopback

_METHODS: Final = ("GET", "HEAD", "POST")
_LONGEST_ADDRESS: Final = 16 * 2**10
"""Bytes of path and query; options of a merge are in some."""
_MOST_HEADERS: Final = 32 * 2**10
_LONGEST_NAME: Final = 255
"""Bytes of a part of a path; no file system knows longer ones."""
_OWN_PAGES: Final = ("same-origin", "none")
"""What Sec-Fetch-Site says of requests by a page of this server, or by the user."""
_HOST: Final = re.compile(r"(?:\[([^\]]+)\]|([^\[\]@/:]+))(?::\d{0,5})?")
_NOT_THERE: Final = {ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EINVAL}

Refusal = tuple[int, str]
"""Status and reason."""


class Guard:
    """Answers 403 to requests without the token, under a foreign Host, or from the page of another site.

    A name that another site points at this machine (DNS rebinding) shows in Host, a request sent from its page in
    Origin or Sec-Fetch-Site. The token comes in the address once and in a cookie from then on, or from a program in
    the header Authorization; with a login there is no token. Nothing may be kept by the browser. What no honest browser
    sends is refused before anybody looks at it, and what goes wrong behind is told in one line.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        host: str,
        cookie: str,
        policy: str,
        login: Login | None = None,
        names: Collection[str] = (),
    ) -> None:
        """Guard an application.

        Args:
            app: what answers if all is well.
            token: what a request must show.
            host: that the server is bound to; beyond the loopback any address in digits is taken for it, too.
            cookie: name of the cookie, so that two pages of one machine keep theirs apart.
            policy: the Content-Security-Policy of all answers that have none of their own.
            login: in place of the token.
            names: other names that the server goes by.
        """
        self._app, self._token, self._host, self._cookie, self._login = app, token, host.lower(), cookie, login
        self._names = {*(name.lower() for name in names), self._host, "localhost"}
        self._all_addresses = not is_loopback(host)
        self._defaults = {"content-security-policy": policy, "referrer-policy": "no-referrer"}
        self._headers = {
            "cache-control": "no-store",
            "cross-origin-resource-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "x-frame-options": "SAMEORIGIN",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        first_visit, started = False, False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._complete(MutableHeaders(scope=message), first_visit)
            await send(message)

        refusal = _unfit(scope, headers) or self._foreign(scope["method"], headers)
        if refusal is not None:
            await _plain(refusal)(scope, receive, send_guarded)
            return
        instead: Response | None
        try:
            if self._login is not None:
                instead = await self._login.answer(Request(scope, receive))
            else:
                first_visit = self._is_token(_given(scope))
                known = first_visit or self._is_token([*_cookie(headers, self._cookie), *_bearer(headers)])
                instead = None if known else _no_token()
            await (instead or self._app)(scope, receive, send_guarded)
        except ClientDisconnect:
            return
        except Exception as exc:
            if started:  # too late for another answer; the connection is cut off, so that it is not taken for whole
                _log(scope, exc)
                raise
            await _mishap(scope, exc)(scope, receive, send_guarded)

    def _complete(self, headers: MutableHeaders, first_visit: bool) -> None:
        headers.update(self._headers)
        for name, value in self._defaults.items():
            headers.setdefault(name, value)
        if first_visit:
            headers.append("set-cookie", f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/")

    def _foreign(self, method: str, headers: Headers) -> Refusal | None:
        host = headers.get("host", "")
        if not self._is_own(host):
            return 403, "This server does not go by that name; open the address that the command printed."
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        foreign = origin is not None and origin.lower() != f"http://{host.lower()}"
        if foreign or (method == "POST" and origin is None and site is not None and site not in _OWN_PAGES):
            return 403, "Pages of other sites may not ask here."
        return None

    def _is_own(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        name = (found[1] or found[2]).lower() if found else ""
        return name in self._names or is_loopback(name) or (self._all_addresses and _is_address(name))

    def _is_token(self, given: Iterable[str]) -> bool:
        return any(secrets.compare_digest(one.encode(), self._token.encode()) for one in given)


def _unfit(scope: Scope, headers: Headers) -> Refusal | None:
    """What is wrong with a request whoever sent it."""
    if scope["method"] not in _METHODS:
        return 405, "Only GET, HEAD and POST are known here."
    query: bytes = scope.get("query_string", b"")
    if len(scope.get("raw_path", b"")) + len(query) > _LONGEST_ADDRESS:
        return 414, "The address is too long."
    if sum(len(name) + len(value) for name, value in headers.raw) > _MOST_HEADERS:
        return 431, "There are too many headers."
    parts = scope["path"].split("/")
    unclear = any(part in (".", "..") or len(part.encode("utf-8", "replace")) > _LONGEST_NAME for part in parts)
    if unclear or b"%00" in query or any(char == "\\" or char < " " or char == "\x7f" for char in scope["path"]):
        return 400, "The address is none of this server."
    return None


def _plain(refusal: Refusal) -> Response:
    return PlainTextResponse(f"{refusal[1]}\n", refusal[0])


def _no_token() -> Response:
    return _plain((403, "The token is missing or old; open the whole address that the command printed."))


def _mishap(scope: Scope, exc: Exception) -> Response:
    """What is answered when a handler failed: files may come and go, the rest is a mistake of ours."""
    if isinstance(exc, OSError) and exc.errno in _NOT_THERE:
        return JSONResponse({"error": "there is no such file any more"}, 404)
    _log(scope, exc)
    what = f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}"
    return JSONResponse({"error": f"this is a mistake in Lookalike; please report it ({what})"}, 500)


def _log(scope: Scope, exc: Exception) -> None:
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    what = " ".join(str(exc).split())[:300]
    logging.getLogger(__name__).error(
        "%s %s: %s: %s (%s)", scope["method"], scope["path"], type(exc).__name__, what, where
    )


def _given(scope: Scope) -> list[str]:
    try:
        return parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=100).get("token", [])
    except ValueError:
        return []


def _bearer(headers: Headers) -> list[str]:
    """The token as programs send it. Source: RFC 6750, 2.1."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return [token.strip()] if scheme.lower() == "bearer" else []


def _cookie(headers: Headers, name: str) -> list[str]:
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return []
    return [jar[name].value] if name in jar else []


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
