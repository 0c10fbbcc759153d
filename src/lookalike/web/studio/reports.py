"""Report: how good a result is, and what is known of how it was made."""

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from lookalike.errors import LookalikeError
from lookalike.pipeline.report_file import look_at_report, plots, report_file
from lookalike.pipeline.report_shapes import ReportLook
from lookalike.web.answers import answer, refusal
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.studio.shapes import reports as shapes
from lookalike.web.studio.studio import STATUSES, Studio

_POLICY: Final = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups"
)
"""Of pages that a report wrote: their own styles and pictures, no script."""


def routes(studio: Studio) -> list[BaseRoute]:
    """What the page asks for."""

    def look(request: Request) -> Response:
        return answer(lambda: look_at_report(studio.workspace(request)), STATUSES)

    def over_time(request: Request) -> Response:
        return answer(lambda: {"svg": plots(studio.workspace(request))}, STATUSES)

    def file(request: Request) -> Response:
        try:
            workspace = studio.workspace(request)
        except LookalikeError as exc:
            return refusal(exc, STATUSES)
        try:
            path = report_file(workspace, request.path_params["name"])
        except LookalikeError as exc:
            return PlainTextResponse(f"{exc}\n", 404)
        return FileResponse(path, headers={"content-security-policy": _POLICY})

    return [
        DescribedRoute(
            "/api/w/{ws}/report",
            look,
            About("The figures of a result, and how it was made.", ReportLook, refuses=STATUSES),
        ),
        DescribedRoute(
            "/api/w/{ws}/report/plots", over_time, About("The figures over time.", shapes.Plots, refuses=STATUSES)
        ),
        DescribedRoute("/api/w/{ws}/report/files/{name:path}", file, _FILE),
    ]


_FILE: Final = About(
    "A page or picture of the report.",
    Files(("text/html", "image/jpeg", "image/png", "application/json")),
    path={"name": Words("Its path in the report's folder, with /.")},
    refuses=STATUSES,
    more={404: "There is no such workspace or file."},
)
