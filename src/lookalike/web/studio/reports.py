"""Report: how good a result is."""

from starlette.routing import BaseRoute

from lookalike.web.studio.studio import Studio


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""
    return []
