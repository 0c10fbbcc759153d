"""The first page: the workspaces, and new ones."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from lookalike.web.answers import answer
from lookalike.web.studio.studio import STATUSES, Studio


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""

    def listed(_: Request) -> Response:
        return answer(lambda: look(studio), STATUSES)

    return [Route("/api/workspaces", listed)]


def look(studio: Studio) -> dict[str, Any]:
    """The workspaces served."""
    places = studio.places
    return {"root": str(places.root), "first": places.first, "workspaces": [{"name": n} for n in places.names()]}
