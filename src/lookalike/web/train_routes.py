"""How a model's folder is asked for what a page shows of it. Shared by the page of a training and the studio."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from lookalike.errors import LookalikeError
from lookalike.web.answers import Statuses, refusal
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.train_folder import PREVIEWS, TrainFolder

_NUMBERS: Final = ("after", "last", "pictures_after")
"""What a request for data may say."""

NO_PICTURE: Final = {404: "There is no such picture."}

Find = Callable[[Request], TrainFolder]
"""The folder that a request is about."""


def numbers_asked(request: Request) -> dict[str, int]:
    """What a request for data asks for; for TrainFolder.look.

    Raises:
        ValueError: something else than whole numbers.
    """
    return {key: int(request.query_params[key]) for key in _NUMBERS if key in request.query_params}


def not_numbers() -> Response:
    """The answer to a request for data that makes no sense."""
    return PlainTextResponse(f"{', '.join(_NUMBERS[:-1])} and {_NUMBERS[-1]} are whole numbers\n", 400)


def picture_routes(prefix: str, find: Find, statuses: Statuses) -> list[BaseRoute]:
    """The previews and the history of a model, under an address."""

    def preview(request: Request) -> Response:
        return jpeg(request, find, lambda folder: folder.preview(request.url.path.rpartition("/")[2]), statuses)

    def history(request: Request) -> Response:
        return jpeg(request, find, lambda folder: folder.history(request.path_params["name"]), statuses)

    about = About("The newest preview.", Files(("image/jpeg",)), refuses=statuses, more=NO_PICTURE)
    past = {"name": Words("A number of the history, and .jpg.")}
    old = About("A preview of the history.", Files(("image/jpeg",)), path=past, refuses=statuses, more=NO_PICTURE)
    previews: list[BaseRoute] = [DescribedRoute(f"{prefix}/{name}", preview, about) for name in PREVIEWS]
    return [*previews, DescribedRoute(f"{prefix}/previews/{{name}}", history, old)]


def jpeg(request: Request, find: Find, read: Callable[[TrainFolder], bytes | None], statuses: Statuses) -> Response:
    """A picture of a folder, or why there is none."""
    try:
        content = read(find(request))
    except LookalikeError as exc:
        return refusal(exc, statuses)
    if content is None:
        return PlainTextResponse("no such picture\n", 404)
    return Response(content, media_type="image/jpeg")
