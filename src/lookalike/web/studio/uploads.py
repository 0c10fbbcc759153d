"""Videos that come in: uploaded by the browser, or chosen among the files of the studio's folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from lookalike.errors import LookalikeError
from lookalike.options import Options
from lookalike.pipeline import intake
from lookalike.pipeline.intake import Incoming, OutsideError, TakenError, TooLargeError
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.web.answers import answer, answer_sent, refusal
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.studio.kinds import SIDES
from lookalike.web.studio.shapes import videos as shapes
from lookalike.web.studio.studio import STATUSES, Studio

MOST_BYTES = intake.MOST_BYTES
"""Of a file that is uploaded."""
_AT_ONCE: Final = 2
_PIECE: Final = 2**20
"""Bytes that are written at once."""
_DIGITS: Final = 20
"""Of a number of bytes that are read; more are too many bytes anyway."""
_SILENT_SECONDS: Final = 60
"""Without a byte after which an upload is given up."""


class BusyError(LookalikeError):
    """As many uploads as may be are under way."""


class CutShortError(LookalikeError):
    """The browser sent less than it said, or nothing for a while."""


class NoSideError(LookalikeError):
    """The address names neither src nor dst."""


_STATUSES: Final = {
    **STATUSES,
    TooLargeError: 413,
    TakenError: 409,
    BusyError: 503,
    CutShortError: 400,
    NoSideError: 404,
    OutsideError: 404,
}


class Chosen(Options):
    """What the page sends to take a file of the studio's folder."""

    path: Annotated[str, Field(max_length=4096)]
    """Below the root folder, with /."""


def routes(studio: Studio) -> list[BaseRoute]:
    """What the pages ask for."""
    desk = Uploads(studio)

    def files(request: Request) -> Response:
        relative = request.query_params.get("folder", "")
        return answer(lambda: intake.listed(studio.places.root, relative), _STATUSES)

    def room(request: Request) -> Response:
        def call() -> dict[str, Any]:
            intake.check_room(*asked(studio, request), _size(request.query_params.get("bytes", "")), MOST_BYTES)
            return {}

        return answer(call, _STATUSES)

    async def choose(request: Request) -> Response:
        def call(sent: Chosen) -> dict[str, Any]:
            workspace, side = asked(studio, request)
            return intake.take_in(workspace, side, intake.inside(studio.places.root, sent.path))

        return await answer_sent(request, Chosen, call, _STATUSES)

    one = "/api/w/{ws}/videos/{side}"
    return [
        DescribedRoute("/api/files", files, _FILES),
        DescribedRoute(f"{one}/room", room, _ROOM),
        DescribedRoute(f"{one}/upload", desk.upload, _UPLOAD),
        DescribedRoute(f"{one}/choose", choose, _CHOOSE),
    ]


_FILES: Final = About(
    "What can be chosen in the studio's folder.",
    shapes.Folder,
    query={"folder": Words("Below the studio's folder, with /; the studio's folder itself if left out.")},
    refuses=_STATUSES,
)
_ROOM: Final = About(
    "Whether a file can be uploaded.", shapes.Room, query={"bytes": Words("Its size.", int)}, refuses=_STATUSES
)
_UPLOAD: Final = About(
    "Upload a side's video.",
    shapes.Taken,
    sends=Files(("application/octet-stream",), "The file."),
    query={"name": Words("Of the file.")},
    refuses=_STATUSES,
)
_CHOOSE: Final = About(
    "Make a file of the studio's folder a side's video.", shapes.Taken, sends=Chosen, refuses=_STATUSES
)


def asked(studio: Studio, request: Request) -> tuple[Workspace, Side]:
    """Workspace and side of an address.

    Raises:
        NoWorkspaceError, NoSideError: there is none of that name.
    """
    workspace = studio.workspace(request)
    side = next((side for side in SIDES if side == request.path_params["side"]), None)
    if side is None:
        raise NoSideError("a video is src or dst")
    return workspace, side


class Uploads:
    """Takes files in as they are sent, two at once."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._open = studio, 0

    async def upload(self, request: Request) -> Response:
        """The body is the file; it becomes the side's video when it is whole and can be read."""
        try:
            async with self._slot():
                workspace, side, size = await run_in_threadpool(self._admit, request)
                name = request.query_params.get("name", "")
                incoming = await run_in_threadpool(Incoming, workspace, side, name)
                try:
                    await _receive(request, incoming, size)
                    taken = await run_in_threadpool(incoming.finish)
                finally:
                    incoming.discard()
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        return await run_in_threadpool(answer, lambda: taken, _STATUSES)

    def _admit(self, request: Request) -> tuple[Workspace, Side, int | None]:
        workspace, side = asked(self._studio, request)
        size = _size(request.headers.get("content-length", ""))
        intake.check_room(workspace, side, size, MOST_BYTES)
        return workspace, side, size

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._open >= _AT_ONCE:
            raise BusyError("two files are being uploaded already; wait until one is there")
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1


def _size(text: str) -> int | None:
    """Bytes as a request says them; None if it does not."""
    digits = text[:_DIGITS]
    return int(digits) if digits.isascii() and digits.isdecimal() else None


async def _receive(request: Request, incoming: Incoming, size: int | None) -> None:
    """Write what is sent, piece by piece, in a thread, so that nothing else waits for the disk."""
    stream, piece = request.stream(), bytearray()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(stream, None), _SILENT_SECONDS)
        except (TimeoutError, ClientDisconnect) as exc:
            raise CutShortError("the upload was broken off; send the file again") from exc
        piece += chunk or b""
        if incoming.size + len(piece) > MOST_BYTES:
            raise intake.too_large(MOST_BYTES)
        if len(piece) >= _PIECE or chunk is None:
            await run_in_threadpool(incoming.write, piece)
            piece = bytearray()
        if chunk is None:
            break
    if size is not None and incoming.size != size:
        raise CutShortError(f"{incoming.size} of {size} bytes came; send the file again")
