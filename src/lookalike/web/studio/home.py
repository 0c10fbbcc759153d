"""The first page: the workspaces, and new ones."""

from contextlib import suppress
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from lookalike.errors import LookalikeError
from lookalike.options import Options
from lookalike.pipeline.overview import overview, picture_source
from lookalike.pipeline.workspace import Workspace
from lookalike.training.config import PRESETS
from lookalike.web.answers import answer, answer_sent, refusal
from lookalike.web.described import About, DescribedRoute, Files
from lookalike.web.studio import uploads
from lookalike.web.studio.places import LONGEST_NAME, NoWorkspaceError
from lookalike.web.studio.shapes import home as shapes
from lookalike.web.studio.studio import STATUSES, Studio

_WIDE: Final = 480
"""Pixels of a card's picture."""


class NewWorkspace(Options):
    """What the page sends to make one."""

    name: Annotated[str, Field(max_length=4 * LONGEST_NAME)]


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""

    def listed(_: Request) -> Response:
        return answer(lambda: look(studio), STATUSES)

    async def make(request: Request) -> Response:
        def call(sent: NewWorkspace) -> dict[str, Any]:
            return {"name": Workspace.create(studio.places.new(sent.name.strip())).folder.name}

        return await answer_sent(request, NewWorkspace, call, STATUSES)

    def picture(request: Request) -> Response:
        try:
            from lookalike.pipeline.video_facts import still_jpeg  # costs the media library

            source = picture_source(studio.workspace(request), studio.places.root)
            content = still_jpeg(source, _WIDE) if source else None
        except LookalikeError as exc:
            return refusal(exc, STATUSES)
        if content is None:
            return PlainTextResponse("there is no video yet\n", 404)
        return Response(content, media_type="image/jpeg")

    return [
        DescribedRoute("/api/workspaces", listed, About("All workspaces.", shapes.Home, refuses=STATUSES)),
        DescribedRoute(
            "/api/workspaces", make, About("Make a workspace.", shapes.Made, sends=NewWorkspace, refuses=STATUSES)
        ),
        DescribedRoute(
            "/api/w/{ws}/picture",
            picture,
            About(
                "A picture of the result, or of a video.",
                Files(("image/jpeg",)),
                refuses=STATUSES,
                more={404: "There is no such workspace, or no video yet."},
            ),
        ),
    ]


def look(studio: Studio) -> dict[str, Any]:
    """The workspaces served, the one that changed last first, and what a new one may be given."""
    places, cards = studio.places, []
    for name in places.names():
        with suppress(NoWorkspaceError):  # gone since it was listed
            cards.append(overview(places.workspace(name), places.root))
    return {
        "root": str(places.root),
        "first": places.first,
        "workspaces": sorted(cards, key=lambda card: -(card["changed"] or 0)),
        "most_bytes": uploads.MOST_BYTES,
        "presets": {
            name: {"resolution": sizes.resolution, **{k: options[k] for k in ("minutes", "iterations") if k in options}}
            for name, (sizes, options) in PRESETS.items()
        },
    }
