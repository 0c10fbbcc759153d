"""A local web server in a thread of its own, and what its pages may load. Shared by all pages."""

import base64
import hashlib
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.applications import Starlette

from lookalike.errors import ConfigError

_LAST_PORT: Final = 65535
_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 5

MakeApp = Callable[[str, str], Starlette]
"""Given the token and the name of the cookie."""


class PageServer:
    """Serves one application until it is stopped."""

    def __init__(self, name: str, make_app: MakeApp, host: str, port: int) -> None:
        """Nothing is opened before `start`.

        Args:
            name: of the thread.
            make_app: makes the application when the port is known.
            host: address to be reached at; other machines can see the page only if it is not the loopback.
            port: 0 for any that is free.
        """
        self._name, self._make_app, self._host, self._port = name, make_app, host, port
        self._token = secrets.token_urlsafe(24)
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address with its token.

        Raises:
            RuntimeError: the server was not started.
        """
        if self._socket is None:
            raise RuntimeError("the page has no address before it is started")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/?token={self._token}"

    def start(self) -> None:
        """Begin to serve; returns when the page can be opened.

        Raises:
            ConfigError: the address is in use, or not this machine's.
        """
        if self._socket is not None:
            return
        self._socket = self._bind()
        self._port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._make_app(self._token, f"lookalike_{self._port}"),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=self._name, daemon=True
        )
        self._thread.start()
        until = time.monotonic() + _START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server; does nothing if there is none. A change under way is written whole."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_SECONDS)
        if self._socket is not None:
            self._socket.close()
        self._socket = self._server = self._thread = None

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        where = f"the page cannot be served at {self._host}, port {self._port}"
        if not 0 <= self._port <= _LAST_PORT:
            raise ConfigError(f"{where}; ports are 0..{_LAST_PORT}")
        try:
            return socket.create_server((self._host, self._port), family=family)
        except OSError as exc:
            raise ConfigError(f"{where} ({exc.strerror or exc}); choose another port or address") from exc


def content_policy(page: str) -> str:
    """Nothing but what is in the page itself may run or be loaded."""
    return (
        f"default-src 'none'; script-src {_hash(page, 'script')}; style-src {_hash(page, 'style')}; "
        "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(page: str, tag: str) -> str:
    """The source expression of an inline element. Source: W3C Content Security Policy 3, 8.4."""
    inside = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
    text = inside[1] if inside else ""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
