"""The page of a training: previews, curves, and when to stop. Served beside the training, or of a folder alone."""

from pathlib import Path
from typing import Final, Self

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lookalike.web.guard import Guard
from lookalike.web.server import PageServer
from lookalike.web.train_folder import TrainFolder
from lookalike.web.train_routes import not_numbers, numbers_asked, picture_routes

_PAGE: Final = Path(__file__).with_name("train_page.html")
_STATIC: Final = Path(__file__).parent / "studio" / "static"
"""Scripts and styles, the studio's own: it shows the same."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but what this server has may run or be loaded."""


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
    """The page and what it asks for, guarded."""

    def index(_: Request) -> Response:
        return FileResponse(_PAGE, media_type="text/html; charset=utf-8")

    def data(request: Request) -> Response:
        try:
            return JSONResponse(folder.look(**numbers_asked(request)))
        except ValueError:
            return not_numbers()

    routes = [
        Route("/", index),
        Route("/data.json", data),
        *picture_routes("", lambda _: folder, {}),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    guard = Middleware(Guard, token=token, host=host, cookie=cookie, policy=_POLICY)
    return Starlette(routes=routes, middleware=[guard])
