"""Training: a model's folder, and what is asked of it."""

from starlette.routing import BaseRoute

from lookalike.web.studio.studio import Studio


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""
    return []
