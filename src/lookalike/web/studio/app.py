"""The studio's server: one local page, what it asks for, and the jobs it starts."""

from pathlib import Path
from typing import Final, Self

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from lookalike.web.answers import answer
from lookalike.web.guard import Guard
from lookalike.web.server import PageServer
from lookalike.web.studio import align, faces, home, masks, merging, queue_page, reports, training
from lookalike.web.studio.forms import forms
from lookalike.web.studio.studio import Studio

STATIC: Final = Path(__file__).parent / "static"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Nothing but what this server has may run or be loaded."""
_PAGES: Final = (queue_page, home, faces, align, masks, training, merging, reports)


class StudioServer:
    """A studio behind a web server in a thread of its own."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        """Nothing is opened before `start`.

        Args:
            folder: a workspace, or a folder of workspaces.
            host: address to be reached at.
            port: 0 for any that is free.

        Raises:
            WorkspaceError: the folder is missing or a file.
        """
        self.studio = Studio(folder)
        self._server = PageServer(
            "studio", lambda token, cookie: make_app(self.studio, token=token, host=host, cookie=cookie), host, port
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
        """End the jobs, which save their state, and the server."""
        self.studio.close()
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def make_app(studio: Studio, *, token: str, host: str, cookie: str) -> Starlette:
    """The page and all that it asks for, guarded."""
    guard = Middleware(Guard, token=token, host=host, cookie=cookie, policy=POLICY)
    pages = [route for page in _PAGES for route in page.routes(studio)]
    return Starlette(routes=[*_shell(), *pages], middleware=[guard])


def _shell() -> list[BaseRoute]:
    def index(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    def asked_forms(_: Request) -> Response:
        return answer(forms)

    return [Route("/", index), Route("/api/forms", asked_forms), Mount("/static", StaticFiles(directory=STATIC))]
