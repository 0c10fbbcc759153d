"""Align: frames of a video, and landmarks set by hand."""

from starlette.routing import BaseRoute

from lookalike.web.studio.studio import Studio


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""
    return []
