"""Who may see a page: only a browser that was given its address with the token, and only by its own name."""

import ipaddress
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Answers 403 to requests without the token, under a foreign Host, or from the page of another site.

    A name that another site points at this machine (DNS rebinding) shows in Host, a request sent from its page in
    Origin. The token comes in the address once and in a cookie from then on. Nothing may be kept by the browser.
    """

    def __init__(self, app: ASGIApp, *, token: str, host: str, cookie: str, policy: str) -> None:
        """Guard an application.

        Args:
            app: what answers if all is well.
            token: what a request must show.
            host: that the server is bound to; beyond the loopback any address in digits is taken for it, too.
            cookie: name of the cookie, so that two pages of one machine keep theirs apart.
            policy: the Content-Security-Policy of all answers.
        """
        self._app, self._token, self._host, self._cookie = app, token, host, cookie
        self._headers = {
            "cache-control": "no-store",
            "content-security-policy": policy,
            "cross-origin-resource-policy": "same-origin",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
        first_visit = self._is_token(given)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                out.update(self._headers)
                if first_visit and refusal is None:
                    out.append("set-cookie", f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/")
            await send(message)

        refusal = self._refusal(headers, first_visit)
        if refusal is None:
            await self._app(scope, receive, send_guarded)
        else:
            await PlainTextResponse(f"{refusal}\n", 403)(scope, receive, send_guarded)

    def _refusal(self, headers: Headers, first_visit: bool) -> str | None:
        host = headers.get("host", "")
        if not self._is_own(host):
            return "This server does not go by that name; open the address that the command printed."
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return "Pages of other sites may not ask here."
        if not first_visit and not self._is_token(_cookie(headers, self._cookie)):
            return "The token is missing or old; open the whole address that the command printed."
        return None

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in _LOOPBACK or name == self._host.lower():
            return True
        return self._host not in _LOOPBACK and _is_address(name)

    def _is_token(self, given: Iterable[str]) -> bool:
        return any(secrets.compare_digest(one.encode(), self._token.encode()) for one in given)


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
