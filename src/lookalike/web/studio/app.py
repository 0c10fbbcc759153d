"""The studio's server: one local page, what it asks for, and the jobs it starts."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from lookalike.errors import ConfigError
from lookalike.web.answers import answer
from lookalike.web.described import About, DescribedRoute
from lookalike.web.guard import Guard
from lookalike.web.login import Login, check_password
from lookalike.web.server import PageServer
from lookalike.web.studio import align, faces, home, masks, merging, queue_page, reports, training, videos
from lookalike.web.studio.claim import Claim
from lookalike.web.studio.forms import forms
from lookalike.web.studio.openapi import ADDRESS, document
from lookalike.web.studio.shapes import home as shapes
from lookalike.web.studio.studio import Studio

STATIC: Final = Path(__file__).parent / "static"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Nothing but what this server has may run or be loaded."""
_PAGES: Final = (queue_page, home, videos, faces, align, masks, training, merging, reports)


class StudioServer:
    """A studio behind a web server in a thread of its own."""

    def __init__(
        self,
        folder: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        password: str | None = None,
        names: Sequence[str] = (),
    ) -> None:
        """Nothing is opened before `start`.

        Args:
            folder: a workspace, or a folder of workspaces.
            host: address to be reached at.
            port: 0 for any that is free.
            password: to be asked for, in place of the token in the address; needed beyond the loopback.
            names: that the machine goes by, besides its addresses.

        Raises:
            WorkspaceError: the folder is missing or a file.
            ConfigError: other machines could come in without a password, or it is too short.
        """
        check_password(host, password)
        self.studio = Studio(folder)
        self._claim = Claim(self.studio.places.root)

        def make(token: str, cookie: str) -> Starlette:
            return make_app(self.studio, token=token, host=host, cookie=cookie, password=password, names=names)

        shown = names[0] if names else None
        self._server = PageServer("studio", make, host, port, shown=shown, with_token=password is None)

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
            WorkspaceError: another studio serves the folder.
        """
        self._claim.take()
        try:
            self._server.start()
        except ConfigError:
            self._claim.give_back()
            raise

    def stop(self) -> None:
        """End the jobs, which save their state, and the server."""
        self.studio.close()
        self._server.stop()
        self._claim.give_back()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def make_app(
    studio: Studio, *, token: str, host: str, cookie: str, password: str | None = None, names: Sequence[str] = ()
) -> Starlette:
    """The page and all that it asks for, guarded."""
    page = (STATIC / "login.html").read_text(encoding="utf-8")
    login = None if password is None else Login(password, cookie=cookie, page=page)
    guard = Middleware(Guard, token=token, host=host, cookie=cookie, policy=POLICY, login=login, names=names)
    pages = [route for one in _PAGES for route in one.routes(studio)]
    all_routes = [*_shell(with_login=login is not None), *pages]
    description = _description(all_routes, cookie, with_login=login is not None)
    return Starlette(routes=[*all_routes, description], middleware=[guard])


def _shell(*, with_login: bool) -> list[BaseRoute]:
    def session(_: Request) -> Response:
        return answer(lambda: {"login": with_login})

    def index(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    def asked_forms(_: Request) -> Response:
        return answer(forms)

    told = About("The options of every kind of job, as controls.", dict[str, list[shapes.Control]])
    api = [
        DescribedRoute("/api/forms", asked_forms, told),
        DescribedRoute("/api/session", session, About("How one is let in.", shapes.Session)),
    ]
    return [Route("/", index), *api, Mount("/static", StaticFiles(directory=STATIC))]


def _description(routes: Sequence[BaseRoute], cookie: str, *, with_login: bool) -> BaseRoute:
    """The route that describes the others, and itself; what it answers is made when it is first asked for."""

    @cache
    def made() -> dict[str, Any]:
        return document([*routes, own], cookie=cookie, with_login=with_login)

    def told(_: Request) -> Response:
        return answer(made)

    own = DescribedRoute(ADDRESS, told, About("This description.", dict[str, Any]))
    return own
