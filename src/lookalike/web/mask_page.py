"""The page on which masks are drawn: polygons over the aligned faces of a faceset, kept in their records."""

from pathlib import Path
from typing import Final, Self

from pydantic import ConfigDict, Field
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from lookalike.errors import ConfigError, LookalikeError, StorageError
from lookalike.options import Options
from lookalike.web.answers import answer, answer_sent, refusal
from lookalike.web.guard import Guard
from lookalike.web.mask_faces import ChangedError, Drawn, MaskFaces, UnknownFaceError
from lookalike.web.server import PageServer, content_policy

_PAGE: Final = Path(__file__).with_name("mask_page.html")
_HOST: Final = "127.0.0.1"
_STATUSES: Final = {UnknownFaceError: 404, ChangedError: 409, StorageError: 507}
"""Of an answer, by what went wrong."""


class Save(Options):
    """What the page sends to change a face."""

    name: str
    revision: str
    """Of the polygons that these replace."""
    polygons: list[Drawn]


class Copy(Options):
    """What the page sends to learn how polygons of one face lie on another."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    source: str = Field(alias="from")
    target: str = Field(alias="to")


class MaskPage:
    """A web server in a thread of its own, to be reached from this machine only."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        """Nothing is opened before `start`.

        Args:
            folder: of the aligned faces.
            port: 0 for any that is free.
        """
        self._folder = folder
        self._faces: MaskFaces | None = None
        self._server = PageServer("mask page", self._make_app, _HOST, port)

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
            FacesetError: the folder is missing.
            EmptyFacesetError: it has no faces.
            ConfigError: the port is in use.
        """
        if self._faces is not None:
            return
        faces = MaskFaces(self._folder)
        faces.paths()
        self._faces = faces
        try:
            self._server.start()
        except ConfigError:
            self._faces = None
            raise

    def stop(self) -> None:
        """End the server; does nothing if there is none. A change under way is written whole."""
        self._server.stop()
        if self._faces is not None:
            self._faces.close()
        self._faces = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _make_app(self, token: str, cookie: str) -> Starlette:
        assert self._faces is not None
        return make_app(self._faces, token=token, cookie=cookie)


def make_app(faces: MaskFaces, *, token: str, cookie: str) -> Starlette:
    """The page and what it asks for, guarded."""
    page = _PAGE.read_text(encoding="utf-8")

    def index(_: Request) -> Response:
        return HTMLResponse(page)

    def listed(_: Request) -> Response:
        return answer(faces.look, _STATUSES)

    def face(request: Request) -> Response:
        return answer(lambda: faces.face(request.query_params.get("name", "")), _STATUSES)

    def picture(request: Request) -> Response:
        try:
            content, kind = faces.picture(request.path_params["name"])
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        return Response(content, media_type=kind)

    async def save(request: Request) -> Response:
        return await answer_sent(
            request, Save, lambda sent: faces.save(sent.name, sent.revision, sent.polygons), _STATUSES
        )

    async def copy(request: Request) -> Response:
        return await answer_sent(request, Copy, lambda sent: faces.carried(sent.source, sent.target), _STATUSES)

    routes = [
        Route("/", index),
        Route("/faces.json", listed),
        Route("/face.json", face),
        Route("/faces/{name}", picture),
        Route("/save", save, methods=["POST"]),
        Route("/copy", copy, methods=["POST"]),
    ]
    guard = Middleware(Guard, token=token, host=_HOST, cookie=cookie, policy=content_policy(page))
    return Starlette(routes=routes, middleware=[guard])
