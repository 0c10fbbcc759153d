"""The page of a training: previews, curves, and when to stop. Served beside the training, or of a folder alone."""

import base64
import hashlib
import re
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import Final, Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lookalike.errors import ConfigError
from lookalike.web.guard import Guard
from lookalike.web.train_folder import PREVIEWS, TrainFolder

_PAGE: Final = Path(__file__).with_name("train_page.html")
_NUMBERS: Final = ("after", "last", "pictures_after")
"""What a request for data may say."""
_LAST_PORT: Final = 65535
_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 5


class TrainPage:
    """A web server in a thread of its own. The training need not know of it: all is read from the model's folder."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        """Nothing is opened before `start`.

        Args:
            folder: of the model; need not be there yet.
            host: address to be reached at; other machines can see the page only if it is not the loopback.
            port: 0 for any that is free.
        """
        self._folder, self._host, self._port = folder, host, port
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
        app = make_app(TrainFolder(self._folder), token=self._token, host=self._host, cookie=f"lookalike_{self._port}")
        config = uvicorn.Config(
            app,
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
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="train page", daemon=True
        )
        self._thread.start()
        until = time.monotonic() + _START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server; does nothing if there is none."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_SECONDS)
        if self._socket is not None:
            self._socket.close()
        self._socket = self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        where = f"the page cannot be served at {self._host}, port {self._port}"
        if not 0 <= self._port <= _LAST_PORT:
            raise ConfigError(f"{where}; ports are 0..{_LAST_PORT}")
        try:
            return socket.create_server((self._host, self._port), family=family)
        except OSError as exc:
            raise ConfigError(f"{where} ({exc.strerror or exc}); choose another port or address") from exc


def make_app(folder: TrainFolder, *, token: str, host: str, cookie: str) -> Starlette:
    """The pages and what they ask for, guarded."""
    page = _PAGE.read_text(encoding="utf-8")

    def index(_: Request) -> Response:
        return HTMLResponse(page)

    def data(request: Request) -> Response:
        try:
            numbers = {key: int(request.query_params[key]) for key in _NUMBERS if key in request.query_params}
        except ValueError:
            return PlainTextResponse("after, last and pictures_after are whole numbers\n", 400)
        return JSONResponse(folder.look(**numbers))

    def preview(request: Request) -> Response:
        return _jpeg(folder.preview(request.url.path.removeprefix("/")))

    def history(request: Request) -> Response:
        return _jpeg(folder.history(request.path_params["name"]))

    routes = [
        Route("/", index),
        Route("/data.json", data),
        *(Route(f"/{name}", preview) for name in PREVIEWS),
        Route("/previews/{name}", history),
    ]
    guard = Middleware(Guard, token=token, host=host, cookie=cookie, policy=_policy(page))
    return Starlette(routes=routes, middleware=[guard])


def _jpeg(content: bytes | None) -> Response:
    return (
        PlainTextResponse("no such picture\n", 404) if content is None else Response(content, media_type="image/jpeg")
    )


def _policy(page: str) -> str:
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
