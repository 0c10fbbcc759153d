"""Training: the models of a workspace, how they come on, and what is asked of them."""

from typing import Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from lookalike.errors import ConfigError, LookalikeError
from lookalike.options import Options
from lookalike.pipeline.workspace import Workspace
from lookalike.web.answers import answer, answer_sent, refusal
from lookalike.web.studio.studio import STATUSES, Studio
from lookalike.web.studio.training_desk import NoModelError, TrainingDesk, planned
from lookalike.web.train_folder import TIMELAPSE, TrainFolder
from lookalike.web.train_routes import Find, jpeg, not_numbers, numbers_asked, picture_routes

_STATUSES: Final = {**STATUSES, NoModelError: 404}


class Changes(Options):
    """What a page sends to change a training."""

    options: dict[str, Any] = Field(default_factory=dict)


class Back(Options):
    """What a page sends to go back."""

    mark: str


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""
    desk = TrainingDesk(studio.jobs)

    def asked(request: Request) -> tuple[Workspace, str]:
        return studio.workspace(request), request.path_params["model"]

    def listed(request: Request) -> Response:
        return answer(lambda: desk.look(studio.workspace(request)), _STATUSES)

    def data(request: Request) -> Response:
        try:
            numbers = numbers_asked(request)
        except ValueError:
            return not_numbers()
        return answer(lambda: desk.data(*asked(request), numbers), _STATUSES)

    async def plan(request: Request) -> Response:
        def call(sent: Changes) -> dict[str, Any]:
            studio.workspace(request)
            try:
                return planned(sent.options)
            except ConfigError as exc:
                return {"problem": str(exc)}

        return await answer_sent(request, Changes, call, _STATUSES)

    async def change(request: Request) -> Response:
        def call(sent: Changes) -> dict[str, int]:
            return {"number": desk.change(*asked(request), sent.options)}

        return await answer_sent(request, Changes, call, _STATUSES)

    async def back(request: Request) -> Response:
        def call(sent: Back) -> dict[str, int]:
            return {"number": desk.go_back(*asked(request), sent.mark)}

        return await answer_sent(request, Back, call, _STATUSES)

    def find(request: Request) -> TrainFolder:
        return desk.folder(*asked(request))

    one = "/api/w/{ws}/training/{model}"
    return [
        Route("/api/w/{ws}/training", listed),
        Route("/api/w/{ws}/training/plan", plan, methods=["POST"]),
        Route(f"{one}/data.json", data),
        Route(f"{one}/change", change, methods=["POST"]),
        Route(f"{one}/back", back, methods=["POST"]),
        *picture_routes(one, find, _STATUSES),
        *_kept(one, find),
    ]


def _kept(prefix: str, find: Find) -> list[BaseRoute]:
    """Pictures of the backups, and the video of the history."""

    def backup(request: Request) -> Response:
        return jpeg(request, find, lambda folder: folder.backup(request.path_params["number"]), _STATUSES)

    def timelapse(request: Request) -> Response:
        try:
            path = find(request).timelapse()
        except LookalikeError as exc:
            return refusal(exc, _STATUSES)
        if path is None:
            return PlainTextResponse("no time-lapse was made yet\n", 404)
        return FileResponse(path, media_type="video/mp4")

    return [
        Route(f"{prefix}/backups/{{number:int}}.jpg", backup),
        Route(f"{prefix}/{TIMELAPSE}", timelapse),
    ]
