"""The page of a training: previews, curves, and when to stop. Served beside the training, or of a folder alone."""

from pathlib import Path
from typing import Final, Self

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lookalike.web.guard import Guard
from lookalike.web.server import PageServer, content_policy
from lookalike.web.train_folder import PREVIEWS, TrainFolder

_PAGE: Final = Path(__file__).with_name("train_page.html")
_NUMBERS: Final = ("after", "last", "pictures_after")
"""What a request for data may say."""


class TrainPage:
    """A web server in a thread of its own. The training need not know of it: all is read from the model's folder."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        """Nothing is opened before `start`.

        Args:
            folder: of the model; need not be there yet.
            host: address to be reached at; other machines can see the page only if it is not the loopback.
            port: 0 for any that is free.
        """
        looked = TrainFolder(folder)
        self._server = PageServer(
            "train page", lambda token, cookie: make_app(looked, token=token, host=host, cookie=cookie), host, port
        )

    @property
    def url(self) -> str:
        """The address with its token.

        Raises:
            RuntimeError: the server was not started.
        """
        return self._server.url

    def start(self) -> None:
        """Begin to serve; returns when the page can be opened.

        Raises:
            ConfigError: the address is in use, or not this machine's.
        """
        self._server.start()

    def stop(self) -> None:
        """End the server; does nothing if there is none."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


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
    guard = Middleware(Guard, token=token, host=host, cookie=cookie, policy=content_policy(page))
    return Starlette(routes=routes, middleware=[guard])


def _jpeg(content: bytes | None) -> Response:
    return (
        PlainTextResponse("no such picture\n", 404) if content is None else Response(content, media_type="image/jpeg")
    )
