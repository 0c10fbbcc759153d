"""The way in by a password: a page that asks for it, sessions, and patience with those who guess."""

import hashlib
import hmac
import ipaddress
import math
import secrets
import time
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from lookalike.errors import ConfigError
from lookalike.web.answers import read_body
from lookalike.web.server import content_policy

SHORTEST_PASSWORD: Final = 12
_TRIES: Final = 5
_TRY_SECONDS: Final = 60.0
"""An address may fail so often in so long."""
_MOST_ADDRESSES: Final = 4096
_MOST_SESSIONS: Final = 256
_MOST_BYTES: Final = 4096
"""Of a form with a password."""
_PROBLEM: Final = "<!-- problem -->"


class Login:
    """Lets in who has the password. A session lasts as long as the server. Used in one thread."""

    def __init__(self, password: str, *, cookie: str, page: str) -> None:
        """No session yet.

        Args:
            password: of at least SHORTEST_PASSWORD characters.
            cookie: name of the cookie that holds the session.
            page: HTML of the form, with a comment for what was wrong.

        Raises:
            ConfigError: the password is too short.
        """
        _check_length(password)
        self._key = secrets.token_bytes(32)
        self._password, self._sessions = self._hash(_plain(password)), OrderedDict[bytes, None]()
        self._tries, self._cookie, self._page = Tries(), cookie, page
        self._policy = content_policy(page, form_action="'self'")

    async def answer(self, request: Request) -> Response | None:
        """What is answered in place of the page; none if the request may pass."""
        path, method = request.scope["path"], request.method
        if path == "/login" and method == "POST":
            return await self._enter(request)
        if path == "/logout" and method == "POST":
            return self._leave(request)
        if self._is_in(request):
            return RedirectResponse("/", 303) if path == "/login" else None
        if path == "/login":
            return self._form("", 200)
        if method != "POST" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return JSONResponse({"error": "log in first, at /login"}, 401)

    async def _enter(self, request: Request) -> Response:
        body = await read_body(request, _MOST_BYTES)
        # From here on nothing is waited for: many tries at once are judged one after the other.
        who = _address(request)
        wait = self._tries.wait(who)
        if wait > 0:
            answer = self._form(f"Too many wrong passwords. Try again in {math.ceil(wait)} seconds.", 429)
            answer.headers["retry-after"] = str(math.ceil(wait))
            return answer
        if not hmac.compare_digest(self._hash(_plain(_given(body))), self._password):
            self._tries.failed(who)
            return self._form("That is not the password.", 401)
        session = secrets.token_urlsafe(32)
        self._sessions[self._hash(session)] = None
        while len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return self._home(session)

    def _leave(self, request: Request) -> Response:
        self._sessions.pop(self._hash(request.cookies.get(self._cookie, "")), None)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(self._cookie, httponly=True, samesite="strict")
        return answer

    def _is_in(self, request: Request) -> bool:
        given = request.cookies.get(self._cookie)
        return given is not None and self._hash(given) in self._sessions

    def _home(self, session: str) -> Response:
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, session, httponly=True, samesite="strict")
        return answer

    def _form(self, problem: str, status: int) -> Response:
        # no-referrer would make browsers send the form with the Origin null
        headers = {"content-security-policy": self._policy, "referrer-policy": "same-origin"}
        return HTMLResponse(self._page.replace(_PROBLEM, problem), status, headers)

    def _hash(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key).digest()


class Tries:
    """Failed tries of every address, so that one that guesses waits and the others do not."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """No tries yet; the clock counts seconds."""
        self._clock, self._failed = clock, OrderedDict[str, deque[float]]()

    def wait(self, who: str) -> float:
        """Seconds until an address may try again."""
        times = self._failed.get(who)
        return max(0.0, times[0] + _TRY_SECONDS - self._clock()) if times and len(times) == _TRIES else 0.0

    def failed(self, who: str) -> None:
        """Note a failed try."""
        self._failed.setdefault(who, deque(maxlen=_TRIES)).append(self._clock())
        self._failed.move_to_end(who)
        while len(self._failed) > _MOST_ADDRESSES:
            self._failed.popitem(last=False)


def check_password(host: str, password: str | None) -> None:
    """What stands between a page and the machines that can reach it.

    Raises:
        ConfigError: other machines could come in without a password, or it is too short.
    """
    if password is not None:
        _check_length(password)
    elif not is_loopback(host):
        raise ConfigError(
            f"at {host or 'all addresses'} other machines could come in: give a password by --password-file FILE or "
            "the variable LOOKALIKE_PASSWORD, or leave out --host and use an SSH tunnel"
        )


def is_loopback(host: str) -> bool:
    """Whether an address or name can be reached from this machine only."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool(mapped.is_loopback if mapped else address.is_loopback)


def _check_length(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise ConfigError(f"the password has {len(password)} characters; it needs at least {SHORTEST_PASSWORD}")


def _given(body: bytes | None) -> str:
    try:
        fields = parse_qs((body or b"").decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=4)
    except ValueError:
        return ""
    return fields.get("password", [""])[0]


def _plain(password: str) -> str:
    """The same however a keyboard composes its letters."""
    return unicodedata.normalize("NFC", password)


def _address(request: Request) -> str:
    """Who asks; of an IPv6 address the network, since a single machine has a whole one."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
