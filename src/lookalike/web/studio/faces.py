"""Looking through the faces of a side: listed, shown, put aside, brought back."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any, Final, get_args

from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute

from lookalike.curation.config import SORT_METHODS, SortMethod
from lookalike.errors import ConfigError, LookalikeError, RecordError
from lookalike.options import Options, first_problem
from lookalike.pipeline.gallery import REASON, Act, Gallery, ShelfName, facts, points
from lookalike.pipeline.gallery_coverage import coverage
from lookalike.pipeline.gallery_fill import COLUMN_NAMES
from lookalike.pipeline.gallery_orders import order, orders
from lookalike.pipeline.gallery_pictures import Pictures
from lookalike.pipeline.gallery_shelf import NoFaceHereError, Shelf
from lookalike.pipeline.workspace import Side
from lookalike.web.answers import MOST_BYTES, Statuses, answer, answer_sent, read_body, refusal
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.studio.gallery_pack import joined, pack
from lookalike.web.studio.kinds import SIDES
from lookalike.web.studio.shapes import faces as shapes
from lookalike.web.studio.studio import STATUSES, Studio

_STATUSES: Final[Statuses] = {NoFaceHereError: 404, **STATUSES}
_SHELVES: Final[tuple[ShelfName, ...]] = get_args(ShelfName)
_KEPT: Final = 8
"""Galleries in memory."""
_MOST_AT_ONCE: Final = 200

Names = Annotated[list[Annotated[str, Field(max_length=255)]], Field(max_length=_MOST_AT_ONCE)]


class Pick(Options):
    """Faces whose pictures or points a page wants."""

    names: Names
    side: Annotated[int, Field(ge=16, le=1024)] = 256
    """Pixels of a picture's side, at least."""


class Move(Options):
    """Faces that a page wants elsewhere."""

    names: Names
    to: ShelfName
    reason: Annotated[str, Field(min_length=1, max_length=200)] = REASON
    act: int | None = None
    """Number of the act that this goes on with."""


class Undo(Options):
    """What a page wants taken back; of many faces the last, and the others when asked again."""

    act: int | None = None
    """The last act if left out."""


class Galleries:
    """The galleries that pages look at, the latest kept."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._kept: OrderedDict[tuple[str, str], Gallery] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, request: Request, side: Side | None = None) -> Gallery:
        """The gallery of a request's address, or of the other side there.

        Raises:
            NoWorkspaceError: it is not served here. ConfigError: no such side.
        """
        workspace = self._studio.workspace(request)
        chosen = side or request.path_params["side"]
        if chosen not in SIDES:
            raise ConfigError("a side is src or dst")
        key = (str(workspace.folder), chosen)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = Gallery(workspace, chosen)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]

    def shelf(self, request: Request) -> tuple[Gallery, Shelf]:
        """The gallery of a request's address and the shelf in it.

        Raises:
            NoWorkspaceError: it is not served here. ConfigError: no such side or shelf.
        """
        gallery, name = self.of(request), request.path_params["shelf"]
        if name not in gallery.shelves:
            raise ConfigError(f"faces are on one of {', '.join(_SHELVES)}")
        return gallery, gallery.shelves[name]


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""
    galleries, pictures = Galleries(studio), Pictures()
    shelf = "/api/w/{ws}/faces/{side}/{shelf}"
    return [
        DescribedRoute("/api/w/{ws}/faces/{side}/orders", _orders(galleries), _ORDERS),
        DescribedRoute(
            "/api/w/{ws}/faces/{side}/undo", _undo(galleries), _about("Take an act back.", shapes.Acted, Undo)
        ),
        DescribedRoute(
            "/api/w/{ws}/faces/coverage", _coverage(galleries), _about("Where both sides look.", shapes.Coverage)
        ),
        DescribedRoute(shelf, _listed(galleries), _LISTED),
        DescribedRoute(f"{shelf}/pictures", _pictures(galleries, pictures), _PICTURES),
        DescribedRoute(f"{shelf}/picture", _picture(galleries), _of_one("A face's file.", _IMAGE)),
        DescribedRoute(f"{shelf}/points", _points(galleries), _about("Landmarks of some faces.", shapes.Points, Pick)),
        DescribedRoute(f"{shelf}/facts", _facts(galleries), _of_one("What is known of a face.", shapes.FaceFacts)),
        DescribedRoute(f"{shelf}/move", _move(galleries), _about("Move faces to another shelf.", shapes.Acted, Move)),
    ]


def _about(text: str, answers: Any, sends: type[Options] | None = None) -> About:
    return About(text, answers, sends=sends, refuses=_STATUSES)


def _of_one(text: str, answers: Any) -> About:
    return About(text, answers, query={"name": Words("Of the file.", needed=True)}, refuses=_STATUSES)


_IMAGE: Final = Files(("image/jpeg", "image/png"))
_ORDERS: Final = About(
    "The ways of sorting, or with `by` the faces in one of them.",
    shapes.Orders | shapes.Sorted,
    query={"by": Words("Name of an order.", SortMethod)},
    refuses=_STATUSES,
)
_LISTED: Final = About(
    "All that is known of a shelf.",
    Files(
        ("application/octet-stream",),
        "Four bytes of the length of a header, little-endian; the header, JSON, padded to four; then its `columns` as "
        "float32, one after the other. Nothing if that is known.",
    ),
    query={"known": Words("`known` of the header that one has; nothing is answered if it still holds.")},
    refuses=_STATUSES,
)
_PICTURES: Final = About(
    "Pictures of some faces.",
    Files(
        ("application/octet-stream",),
        "How many, then the length of each, four bytes little-endian; then the files. What cannot be shown is empty.",
    ),
    sends=Pick,
    refuses=_STATUSES,
)


def _listed(galleries: Galleries) -> Callable[[Request], Response]:
    def listed(request: Request) -> Response:
        """All that is known of a shelf; nothing if the page knows that version already."""
        try:
            gallery, shelf = galleries.shelf(request)
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        seen = shelf.look()
        counts = {name: one.count for name, one in gallery.shelves.items()}
        known = f"{seen.version}.{gallery.acts}.{'.'.join(map(str, counts.values()))}"
        if request.query_params.get("known") == known:
            return Response(b"", media_type="application/octet-stream")
        more = {"known": known, "counts": counts, "acts": gallery.acts}
        return Response(pack(seen, COLUMN_NAMES, more), media_type="application/octet-stream")

    return listed


def _pictures(galleries: Galleries, pictures: Pictures) -> Callable[[Request], Any]:
    def found(shelf: Shelf, pick: Pick) -> bytes:
        files = []
        for name in pick.names:
            try:
                files.append(pictures.of(shelf.path(name), pick.side))
            except NoFaceHereError:
                files.append(b"")
        return joined(files)

    async def sent(request: Request) -> Response:
        """The pictures of some faces in one answer; an empty one for what cannot be shown."""
        body = await read_body(request, MOST_BYTES)
        try:
            pick = Pick.model_validate_json(body or b"")
            shelf = galleries.shelf(request)[1]
        except ValidationError as exc:
            return JSONResponse({"error": f"not understood: {first_problem(exc)}"}, 400)
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        return Response(await run_in_threadpool(found, shelf, pick), media_type="application/octet-stream")

    return sent


def _picture(galleries: Galleries) -> Callable[[Request], Response]:
    def whole(request: Request) -> Response:
        """A face's file as it is."""
        try:
            return FileResponse(galleries.shelf(request)[1].path(request.query_params.get("name", "")))
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)

    return whole


def _points(galleries: Galleries) -> Callable[[Request], Any]:
    async def sent(request: Request) -> Response:
        def call(pick: Pick) -> dict[str, Any]:
            shelf = galleries.shelf(request)[1]
            return {"points": {name: found for name in pick.names if (found := _points_of(shelf, name))}}

        return await answer_sent(request, Pick, call, _STATUSES)

    return sent


def _points_of(shelf: Shelf, name: str) -> list[float] | None:
    try:
        return points(shelf.path(name))
    except (NoFaceHereError, RecordError):
        return None


def _facts(galleries: Galleries) -> Callable[[Request], Response]:
    def told(request: Request) -> Response:
        def call() -> dict[str, Any]:
            return facts(galleries.shelf(request)[1].path(request.query_params.get("name", "")))

        return answer(call, _STATUSES)

    return told


def _move(galleries: Galleries) -> Callable[[Request], Any]:
    async def sent(request: Request) -> Response:
        def call(move: Move) -> dict[str, Any]:
            gallery, _ = galleries.shelf(request)
            origin = request.path_params["shelf"]
            return _told(*gallery.move(move.names, origin, move.to, move.reason, move.act))

        return await answer_sent(request, Move, call, _STATUSES)

    return sent


def _undo(galleries: Galleries) -> Callable[[Request], Any]:
    async def sent(request: Request) -> Response:
        def call(undo: Undo) -> dict[str, Any]:
            act, failed, left = galleries.of(request).undo(undo.act, _MOST_AT_ONCE)
            return _told(act, failed) | {"left": left}

        return await answer_sent(request, Undo, call, _STATUSES)

    return sent


def _told(act: Act, failed: dict[str, str]) -> dict[str, Any]:
    names = [one.name for one in act.moved]
    return {"act": act.number, "origin": act.origin, "to": act.to, "names": names, "failed": failed}


def _orders(galleries: Galleries) -> Callable[[Request], Response]:
    def told(request: Request) -> Response:
        """The ways of sorting, or with `?by=` the faces in one of them."""

        def call() -> Any:
            gallery = galleries.of(request)
            by = request.query_params.get("by")
            if by is None:
                return {"orders": orders(gallery.workspace, gallery.side)}
            method = next((known for known in SORT_METHODS if known == by), None)
            if method is None:
                raise ConfigError(f"there is no order {by[:40]!r}; there are {', '.join(SORT_METHODS)}")
            return order(gallery.workspace, gallery.side, method)

        return answer(call, _STATUSES)

    return told


def _coverage(galleries: Galleries) -> Callable[[Request], Response]:
    def told(request: Request) -> Response:
        def call() -> dict[str, Any]:
            src, dst = (galleries.of(request, side).shelves["use"].look() for side in SIDES)
            return coverage(src, dst) | {"unread": src.unread + dst.unread}

        return answer(call, _STATUSES)

    return told
