"""Training: the models of a workspace, how they come on, and what is asked of them."""

from typing import Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from lookalike.errors import ConfigError, LookalikeError
from lookalike.options import Options
from lookalike.pipeline.workspace import Workspace
from lookalike.web.answers import answer, answer_sent, refusal
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.studio.shapes import training as shapes
from lookalike.web.studio.shapes.jobs import JobNumber
from lookalike.web.studio.studio import STATUSES, Studio
from lookalike.web.studio.training_desk import NoModelError, TrainingDesk, planned
from lookalike.web.train_folder import TIMELAPSE, TrainFolder
from lookalike.web.train_routes import NO_PICTURE, Find, jpeg, not_numbers, numbers_asked, picture_routes

_STATUSES: Final = {**STATUSES, NoModelError: 404}


class Changes(Options):
    """What a page sends to change a training."""

    options: dict[str, Any] = Field(default_factory=dict)
    """Of a job `train`."""


class Back(Options):
    """What a page sends to go back."""

    mark: str
    """Of the backup."""


def _about(text: str, answers: Any, sends: type[Options] | None = None) -> About:
    return About(text, answers, sends=sends, refuses=_STATUSES)


_DATA: Final = About(
    "All that is known of a model while it is trained.",
    shapes.ModelData,
    query={
        "after": Words("Leave out points of the curves up to this iteration.", int),
        "last": Words("So many iterations only, the newest; 0 for all.", int),
        "pictures_after": Words("Leave out pictures of the history up to this iteration.", int),
    },
    refuses=_STATUSES,
    more={400: "A word of the query is no whole number."},
)
_BACKUP: Final = About(
    "The preview of a backup.",
    Files(("image/jpeg",)),
    path={"number": Words("Of the backup.", int)},
    refuses=_STATUSES,
    more=NO_PICTURE,
)
_TIMELAPSE: Final = About(
    "The video of the history.",
    Files(("video/mp4",)),
    refuses=_STATUSES,
    more={404: "There is no such model, or no time-lapse was made yet."},
)


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
        DescribedRoute("/api/w/{ws}/training", listed, _about("The models.", shapes.Models)),
        DescribedRoute(
            "/api/w/{ws}/training/plan", plan, _about("What a new training would be.", shapes.Plan, Changes)
        ),
        DescribedRoute(f"{one}/data.json", data, _DATA),
        DescribedRoute(f"{one}/change", change, _about("Train on with other options.", JobNumber, Changes)),
        DescribedRoute(f"{one}/back", back, _about("Train on from a backup.", JobNumber, Back)),
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
        DescribedRoute(f"{prefix}/backups/{{number:int}}.jpg", backup, _BACKUP),
        DescribedRoute(f"{prefix}/{TIMELAPSE}", timelapse, _TIMELAPSE),
    ]
