"""How tests talk to a studio's server without a browser: every byte of a request is the test's own."""

import http.client
import json
import re
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Mount, Route

from lookalike.web.studio.app import StudioServer, make_app

SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which has to be strict JSON."""

        def refuse(word: str) -> Any:
            raise AssertionError(f"{word} is no JSON")

        return json.loads(self.body, parse_constant=refuse)


class Client:
    """A browser that is logged in by the token, unless told otherwise."""

    def __init__(self, server: StudioServer) -> None:
        address = urlsplit(server.url)
        self.port, self.token = address.port or 0, address.query
        self.host = f"127.0.0.1:{self.port}"
        self.cookie = ""
        self._open = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        weakref.finalize(self, self._open.close)
        if self.token:
            cookie = self.ask("GET", f"/?{self.token}", cookie=False).headers["set-cookie"]
            self.cookie = cookie.split(";")[0]

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, *, cookie: bool = True
    ) -> Answer:
        """Ask as it is written; a body that is no bytes is sent as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = ({"Cookie": self.cookie} if cookie and self.cookie else {}) | (headers or {})
        for last in (False, True):
            try:
                self._open.request(method, path, sent, given)
                answer = self._open.getresponse()
                return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
            except (http.client.HTTPException, OSError):  # a connection that was quiet is closed by the server
                self._open.close()
                if last:
                    raise
            except BaseException:
                self._open.close()
                raise
        raise AssertionError

    def close(self) -> None:
        """Hang up; it may ask again."""
        self._open.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page; Sec_Fetch_Site stands for Sec-Fetch-Site."""
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """Send what is no bytes as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, {} if body is None else body, named)

    def socket(self, sent: bytes = b"") -> socket.socket:
        """A connection on which something was sent."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)
        made.sendall(sent)
        return made

    def head(self, method: str, path: str, *headers: str) -> bytes:
        """A request without its body."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", f"Cookie: {self.cookie}", *headers]
        return "\r\n".join([*lines, "", ""]).encode()


def status_of(connection: socket.socket) -> int:
    """The status of an answer, 0 if the connection was closed without one."""
    try:
        with connection.makefile("rb") as answer:
            words = answer.readline().split()
    except ConnectionError:
        return 0
    return int(words[1]) if len(words) > 1 else 0


def until(asked: Callable[[], Any], what: str) -> Any:
    """Wait for a value that is true."""
    end = time.monotonic() + SECONDS
    while not (value := asked()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)
    return value


def routes(server: StudioServer) -> list[Route]:
    """What a studio answers, besides static files."""
    made = make_app(server.studio, token="t", host="127.0.0.1", cookie="c").routes

    def flat(some: list[BaseRoute]) -> Iterator[Route]:
        for route in some:
            if isinstance(route, Route):
                yield route
            elif isinstance(route, Mount) and route.path != "/static":
                raise AssertionError(f"{route.path} is mounted; its files need a test of their own")

    return list(flat(list(made)))


def _usual(name: str, workspace: str = "linked") -> str:
    """A value that a parameter of a path may have."""
    known = {"ws": workspace, "side": "dst", "number": "1", "name": "00001_0.jpg", "what": "cancel", "shelf": "use"}
    known |= {"model": "df", "which": "result"}
    return known.get(name, known["name"])


def filled(path: str, **values: str) -> str:
    """A route's path with values for its parameters, escaped already."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: values.get(found[1], _usual(found[1])), path)


def parameters(path: str) -> list[tuple[str, str]]:
    """Names and kinds of the parameters of a path."""
    return [(name, kind.lstrip(":") or "str") for name, kind in re.findall(r"\{(\w+)(:\w+)?\}", path)]
