"""Masks: polygons over faces, what a network sees of them, and how the two are brought to other faces."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from lookalike.errors import LookalikeError
from lookalike.faceset.record import StoredMask
from lookalike.options import Options
from lookalike.pipeline.mask_networks import own_iterations
from lookalike.pipeline.workspace import Workspace
from lookalike.web.answers import Statuses, answer, answer_sent, refusal
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.mask_faces import ChangedError, Drawn, MaskFaces, UnknownFaceError
from lookalike.web.studio.kinds import SIDES
from lookalike.web.studio.places import NoWorkspaceError
from lookalike.web.studio.shapes import masks as shapes
from lookalike.web.studio.studio import STATUSES, Studio

if TYPE_CHECKING:
    from lookalike.pipeline.mask_one import FaceMasker  # costs torch

_STATUSES: Final[Statuses] = {UnknownFaceError: 404, ChangedError: 409, **STATUSES}
"""Of an answer, by what went wrong."""

_END_SECONDS: Final = 20
"""Given to a network at work when the studio ends."""

Sent = TypeVar("Sent", bound=Options)


class Save(Options):
    """What the page sends to change a face's polygons."""

    name: str
    revision: str
    """Of the polygons that these replace."""
    polygons: list[Drawn]


class Copy(Options):
    """What the page sends to learn how polygons of one face lie on another."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    source: str = Field(alias="from")
    target: str = Field(alias="to")


class Named(Options):
    """What the page sends to have one face masked."""

    name: str


class Mask(Options):
    """What the page sends to give a face another mask."""

    name: str
    mask: StoredMask | None
    """None for none."""


class Desks:
    """The facesets in work, and what masks their faces, each made when it is first asked for."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._faces: dict[str, MaskFaces] = {}
        self._maskers: dict[str, FaceMasker] = {}
        self._lock = threading.Lock()
        self._at_network = threading.Lock()
        """One face at a time: a network takes the whole machine."""

    def workspace(self, request: Request) -> Workspace:
        """The workspace of a request.

        Raises:
            NoWorkspaceError: it is not served here.
        """
        return self._studio.workspace(request)

    def faces(self, request: Request) -> MaskFaces:
        """The faceset of a request.

        Raises:
            NoWorkspaceError: it is not served here, or the side is none.
        """
        folders = {name: self.workspace(request).aligned(name) for name in SIDES}
        folder = folders.get(request.path_params["side"])
        if folder is None:
            raise NoWorkspaceError("faces are those of src or of dst")
        with self._lock:
            return self._faces.setdefault(str(folder), MaskFaces(folder))

    def apply(self, request: Request, name: str) -> None:
        """Let the workspace's network mask a face; the first call takes seconds, later ones a fraction of one.

        Raises:
            NoWorkspaceError: it is not served here. UnknownFaceError: there is no such face.
            RecordError: the face cannot be read. WeightsError: the network cannot.
        """
        path, workspace = self.faces(request).path(name), self.workspace(request)
        with self._at_network:
            from lookalike.pipeline.mask_one import FaceMasker

            self._maskers.setdefault(str(workspace.folder), FaceMasker(workspace)).apply(path)

    def close(self) -> None:
        """End the reading of records; a face that is being masked is waited for."""
        for faces in self._faces.values():
            faces.close()
        if self._at_network.acquire(timeout=_END_SECONDS):
            self._at_network.release()


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""
    desks = Desks(studio)
    studio.at_end.append(desks.close)

    def got(call: Callable[[MaskFaces, Request], Any]) -> Callable[[Request], Response]:
        return lambda request: answer(lambda: call(desks.faces(request), request), _STATUSES)

    def picture(request: Request) -> Response:
        try:
            content, kind = desks.faces(request).picture(request.path_params["name"])
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        return Response(content, media_type=kind)

    def sent(form: type[Sent], call: Callable[[MaskFaces, Sent, Request], Any]) -> Callable[[Request], Any]:
        async def take(request: Request) -> Response:
            return await answer_sent(request, form, lambda one: call(desks.faces(request), one, request), _STATUSES)

        return take

    def masked(faces: MaskFaces, asked: Named, request: Request) -> dict[str, Any]:
        desks.apply(request, asked.name)
        return faces.face(asked.name)

    def network(request: Request) -> Response:
        return answer(lambda: {"iterations": own_iterations(desks.workspace(request))}, _STATUSES)

    base = "/api/w/{ws}/masks"
    side = base + "/{side}"
    return [
        DescribedRoute(f"{base}/network", network, _about("The own mask network.", shapes.Network)),
        DescribedRoute(f"{side}/faces", got(lambda faces, _: faces.look()), _about("All faces.", shapes.MaskList)),
        DescribedRoute(
            f"{side}/face", got(lambda faces, request: faces.face(request.query_params.get("name", ""))), _FACE
        ),
        DescribedRoute(f"{side}/picture/{{name}}", picture, _about("A face as it is.", _IMAGE)),
        DescribedRoute(
            f"{side}/save",
            sent(Save, lambda faces, s, _: faces.save(s.name, s.revision, s.polygons)),
            _about("Give a face other polygons.", shapes.Revision, Save),
        ),
        DescribedRoute(
            f"{side}/copy",
            sent(Copy, lambda faces, s, _: faces.carried(s.source, s.target)),
            _about("How polygons of one face lie on another.", shapes.Copied, Copy),
        ),
        DescribedRoute(
            f"{side}/mask", sent(Mask, _changed), _about("Give a face another mask.", shapes.MaskFace, Mask)
        ),
        DescribedRoute(
            f"{side}/apply", sent(Named, masked), _about("Let the network mask a face.", shapes.MaskFace, Named)
        ),
    ]


def _changed(faces: MaskFaces, asked: Mask, _: Request) -> dict[str, Any]:
    faces.set_mask(asked.name, asked.mask)
    return faces.face(asked.name)


def _about(text: str, answers: Any, sends: type[Options] | None = None) -> About:
    return About(text, answers, sends=sends, refuses=_STATUSES)


_IMAGE: Final = Files(("image/jpeg", "image/png"))
_FACE: Final = About(
    "One face and its mask.",
    shapes.MaskFace,
    query={"name": Words("Of its file.", needed=True)},
    refuses=_STATUSES,
)
