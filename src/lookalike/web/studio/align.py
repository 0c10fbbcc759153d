"""Align: the frames of a video with their faces, the worst first, and landmarks set by hand."""

import threading
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from lookalike.errors import LookalikeError, VideoError
from lookalike.options import Options
from lookalike.pipeline.align_edits import ChangedEditsError, NothingToUndoError
from lookalike.pipeline.edits import EditedFace, Pixels
from lookalike.pipeline.workspace import Side
from lookalike.web.answers import Statuses, answer, answer_sent, refusal
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.studio import studio as shared
from lookalike.web.studio.kinds import KINDS
from lookalike.web.studio.places import NoWorkspaceError
from lookalike.web.studio.shapes import align as shapes
from lookalike.web.studio.studio import Studio

STATUSES: Statuses = {ChangedEditsError: 409, NothingToUndoError: 409, VideoError: 404, **shared.STATUSES}
"""Of an answer, by what went wrong."""

Number = Annotated[int, Field(ge=0, le=10**8)]
_WIDEST = 8192


class Square(Options):
    """What the page sends to learn the landmarks in a square."""

    frame: Number
    box: tuple[Pixels, Pixels, Pixels, Pixels]
    """Left, top, right, bottom, frame pixels."""
    accurate: bool = True
    """Look twice more, and with the landmarker of the faceset."""
    turn: Literal[0, 90, 180, 270] = 0
    """Counter-clockwise degrees that bring the face upright."""


class SavedFrame(Options):
    """What the page sends to set the faces of a frame by hand."""

    frame: Number
    revision: str
    """Of what these replace."""
    faces: Annotated[list[EditedFace], Field(max_length=64)] | None
    """All faces of the frame; null to take back what was set by hand."""
    label: Annotated[str, Field(max_length=100)] = "set by hand"
    """What undoing it is called."""


class Between(Options):
    """What the page sends to let frames move evenly between two."""

    first: Number
    last: Number
    on: bool = True


class Desks:
    """The desks that are open, one a side of a workspace."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._desks: dict[tuple[str, Side], Any] = {}
        self._lock = threading.Lock()
        studio.at_end.append(self._close)

    def of(self, request: Request) -> Any:
        """The desk of a request's address.

        Raises:
            NoWorkspaceError: no such workspace or side.
        """
        from lookalike.web.studio.align_desk import AlignDesk  # costs the networks' libraries

        workspace, side = self._studio.workspace(request), request.path_params["side"]
        if side not in get_args(Side):
            raise NoWorkspaceError(f"there is no side {side[:20]!r}; there are src and dst")
        name = workspace.folder.name
        with self._lock:
            if (name, side) not in self._desks:
                self._desks[name, side] = AlignDesk(workspace, side, lambda: self._holder(name))
            return self._desks[name, side]

    def _close(self) -> None:
        for desk in self._desks.values():
            desk.close()

    def _holder(self, name: str) -> str | None:
        job = self._studio.jobs.busy(name)
        return None if job is None else f"{KINDS[job.kind].title}{f' of {job.side}' if job.side else ''}"


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""
    desks = Desks(studio)
    base = "/api/w/{ws}/align/{side}"

    def overview(request: Request) -> Response:
        return answer(lambda: desks.of(request).overview(_number(request, "known")), STATUSES)

    def frame(request: Request) -> Response:
        return answer(lambda: desks.of(request).frame(_number(request, "n")), STATUSES)

    def picture(request: Request) -> Response:
        try:
            width = min(_number(request, "w"), _WIDEST)
            return Response(desks.of(request).picture(_number(request, "n"), width), media_type="image/jpeg")
        except LookalikeError as exc:
            return refusal(exc, STATUSES)

    async def landmarks(request: Request) -> Response:
        def call(sent: Square) -> Any:
            return desks.of(request).landmarks(sent.frame, sent.box, accurate=sent.accurate, turn=sent.turn)

        return await answer_sent(request, Square, call, STATUSES)

    async def save(request: Request) -> Response:
        def call(sent: SavedFrame) -> Any:
            return desks.of(request).save(sent.frame, sent.faces, sent.revision, sent.label)

        return await answer_sent(request, SavedFrame, call, STATUSES)

    async def between(request: Request) -> Response:
        return await answer_sent(
            request, Between, lambda sent: desks.of(request).link(sent.first, sent.last, on=sent.on), STATUSES
        )

    def step(name: Literal["undo", "redo"]) -> Callable[[Request], Response]:
        return lambda request: answer(lambda: getattr(desks.of(request), name)(), STATUSES)

    return [
        DescribedRoute(base, overview, _OVERVIEW),
        DescribedRoute(f"{base}/faces", frame, _about("The faces of a frame.", shapes.FrameSeen, query={"n": _FRAME})),
        DescribedRoute(f"{base}/frame", picture, _PICTURE),
        DescribedRoute(f"{base}/landmarks", landmarks, _about("The landmarks in a square.", shapes.Landmarks, Square)),
        DescribedRoute(f"{base}/save", save, _about("Set a frame by hand.", shapes.FrameStepped, SavedFrame)),
        DescribedRoute(f"{base}/between", between, _about("Let frames move evenly.", shapes.FrameStepped, Between)),
        DescribedRoute(
            f"{base}/undo", step("undo"), _about("Take the last change back.", shapes.FrameStepped), methods=["POST"]
        ),
        DescribedRoute(f"{base}/redo", step("redo"), _about("Do it again.", shapes.FrameStepped), methods=["POST"]),
    ]


def _about(
    text: str, answers: Any, sends: type[Options] | None = None, query: Mapping[str, Words] | None = None
) -> About:
    return About(text, answers, sends=sends, query=query or {}, refuses=STATUSES)


_FRAME: Final = Words("Number of the frame, from 0.", int)
_OVERVIEW: Final = About(
    "All frames at a glance.",
    shapes.Frames,
    query={"known": Words("The version that one has; it alone is answered if it still holds.", int)},
    refuses=STATUSES,
)
_PICTURE: Final = About(
    "A frame.",
    Files(("image/jpeg",)),
    query={"n": _FRAME, "w": Words("Most pixels across.", int)},
    refuses=STATUSES,
)


def _number(request: Request, name: str) -> int:
    """A whole number of an address; 0 if it is none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
