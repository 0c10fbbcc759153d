"""A local web server in a thread of its own, and what its pages may load. Shared by all pages."""

import asyncio
import base64
import hashlib
import ipaddress
import logging
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette

from lookalike.errors import ConfigError
from lookalike.web.connections import Connection

_LAST_PORT: Final = 65535
_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 5

MakeApp = Callable[[str, str], Starlette]
"""Given the token and the name of the cookie."""


class PageServer:
    """Serves one application until it is stopped."""

    def __init__(
        self, name: str, make_app: MakeApp, host: str, port: int, *, shown: str | None = None, with_token: bool = True
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            name: of the thread.
            make_app: makes the application when the port is known.
            host: address to be reached at; other machines can see the page only if it is not the loopback.
            port: 0 for any that is free.
            shown: name or address to be opened, if it is another one than the host.
            with_token: whether the address has the token.
        """
        self._name, self._make_app, self._host, self._port = name, make_app, host, port
        self._shown, self._with_token = shown, with_token
        self._token = secrets.token_urlsafe(24)
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address to be opened, with its token if there is one.

        Raises:
            RuntimeError: the server was not started.
        """
        if self._socket is None:
            raise RuntimeError("the page has no address before it is started")
        host = self._shown or reachable(self._host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self._port}/{f'?token={self._token}' if self._with_token else ''}"

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
            http=Connection,
            ws="none",
            proxy_headers=False,  # else who asks could name any address as his own
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = server = uvicorn.Server(config)
        listening = self._socket
        self._thread = threading.Thread(
            target=lambda: asyncio.run(_serve(server, listening)), name=self._name, daemon=True
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
            made = socket.create_server((self._host, self._port), family=family)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else every answer waits 40 ms for its end
            return made
        except (OSError, UnicodeError) as exc:
            why = getattr(exc, "strerror", None) or exc
            raise ConfigError(f"{where} ({why}); choose another port or address") from exc


async def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # What clients do to their connections is no news; asyncio would print a traceback.
        logging.getLogger(__name__).debug("%s: %r", context.get("message"), context.get("exception"))

    asyncio.get_running_loop().set_exception_handler(note)
    await server.serve(sockets=[listening])


def reachable(host: str) -> str:
    """An address that a browser can open: of a host that stands for all addresses of this machine, one of them."""
    try:
        if host and not ipaddress.ip_address(host).is_unspecified:
            return host
    except ValueError:
        return host
    family, far, near = (
        (socket.AF_INET6, "2001:db8::1", "::1") if ":" in host else (socket.AF_INET, "192.0.2.1", "127.0.0.1")
    )
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))  # sends nothing, but chooses the address that this machine is seen by
            return str(probe.getsockname()[0])
    except OSError:
        return near


def content_policy(page: str, form_action: str = "'none'") -> str:
    """Nothing but what is in the page itself may run or be loaded."""
    return (
        f"default-src 'none'; script-src {_hash(page, 'script')}; style-src {_hash(page, 'style')}; img-src 'self' "
        f"blob: data:; connect-src 'self'; base-uri 'none'; form-action {form_action}; frame-ancestors 'none'"
    )


def _hash(page: str, tag: str) -> str:
    """The source expression of an inline element. Source: W3C Content Security Policy 3, 8.4."""
    inside = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
    text = inside[1] if inside else ""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
