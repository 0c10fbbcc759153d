"""The queue of jobs as all pages see it: asked, told of every change, stopped and retried."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Any, Final

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from lookalike.errors import WorkspaceError
from lookalike.options import Options
from lookalike.pipeline.workspace import Side
from lookalike.web.answers import answer, answer_sent
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.studio.job import Job
from lookalike.web.studio.shapes import jobs as shapes
from lookalike.web.studio.studio import STATUSES, Studio

STREAMS: Final = 64
"""Pages that are told of changes at the same time."""
_BEAT_SECONDS: Final = 15
_LEAST_SECONDS: Final = 0.2
"""Between two messages to a page."""


class JobAsked(Options):
    """What a page sends to start a job."""

    kind: str
    side: Side | None = None
    options: dict[str, Any] = Field(default_factory=dict)


def routes(studio: Studio) -> list[BaseRoute]:
    """What the pages ask for."""
    jobs = studio.jobs

    def listed(request: Request) -> Response:
        return answer(lambda: {"jobs": _list(studio, request.query_params.get("workspace"))}, STATUSES)

    def one(request: Request) -> Response:
        return answer(lambda: asdict(jobs.get(request.path_params["number"])), STATUSES)

    async def add(request: Request) -> Response:
        def call(asked: JobAsked) -> dict[str, Any]:
            workspace = studio.workspace(request)
            return {"number": jobs.add(workspace.folder.name, asked.kind, asked.side, asked.options).number}

        return await answer_sent(request, JobAsked, call, STATUSES)

    def act(request: Request) -> Response:
        number, what = request.path_params["number"], request.path_params["what"]
        calls: dict[str, Callable[[int], Any]] = {"cancel": jobs.cancel, "retry": jobs.retry}
        if what not in calls:
            return PlainTextResponse("jobs can be told to cancel and to retry\n", 404)
        return answer(lambda: {"number": calls[what](number).number}, STATUSES)

    return [
        DescribedRoute("/api/jobs", listed, _LISTED),
        DescribedRoute("/api/events", Streams(studio), _TOLD, methods=["GET"]),
        DescribedRoute("/api/jobs/{number:int}", one, About("One job.", Job, refuses=STATUSES)),
        DescribedRoute("/api/jobs/{number:int}/{what}", act, _ACTED, methods=["POST"]),
        DescribedRoute("/api/w/{ws}/jobs", add, _ADDED),
    ]


_LISTED: Final = About(
    "The jobs, the newest first.",
    shapes.JobList,
    query={"workspace": Words("Only the jobs of this workspace, with all that they said.")},
    refuses=STATUSES,
)
_TOLD: Final = About(
    "Tells of every change of the jobs.",
    Files(
        ("text/event-stream",),
        "Server-sent events: all jobs at once, and again after every change; a comment every 15 seconds.",
        events=shapes.JobList,
    ),
    more={503: "Too many pages are open."},
)
_ACTED: Final = About(
    "Cancel a job, which saves its state; asked once more, it stops at once. Or retry one that has ended.",
    shapes.JobNumber,
    refuses=STATUSES,
    more={404: "There is no such job, or nothing of the kind to tell it."},
)
_ADDED: Final = About("Start a job.", shapes.JobNumber, sends=JobAsked, refuses=STATUSES)


class Streams:
    """Tells every open page when the jobs change, by server-sent events: the list at once, then after every change."""

    def __init__(self, studio: Studio) -> None:
        """No page yet."""
        self._studio, self._open = studio, 0
        self._told = (-1, "")
        """The last message, with the version of the jobs that it tells of."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream of the jobs; counted here, as the body of an answer may never be begun."""
        if self._open >= STREAMS:
            await PlainTextResponse("too many pages are open; close some\n", 503)(scope, receive, send)
            return
        self._open += 1
        try:
            await run_in_threadpool(_recall, self._studio)
            await StreamingResponse(self._stream(), media_type="text/event-stream")(scope, receive, send)
        finally:
            self._open -= 1

    async def _stream(self) -> AsyncIterator[str]:
        jobs, version = self._studio.jobs, -1
        while True:
            if jobs.version != version:
                version = jobs.version
                yield self._message(version)
            else:
                yield ": still here\n\n"
            waited = 0.0
            while jobs.version == version and waited < _BEAT_SECONDS:
                await asyncio.sleep(_LEAST_SECONDS)
                waited += _LEAST_SECONDS
            if waited < _LEAST_SECONDS:
                await asyncio.sleep(_LEAST_SECONDS - waited)

    def _message(self, version: int) -> str:
        """The same for all pages, so it is made once."""
        if self._told[0] != version:
            self._told = version, f"data: {json.dumps({'jobs': self._studio.jobs.look()})}\n\n"
        return self._told[1]


def _recall(studio: Studio) -> None:
    """Jobs that earlier studios ran are shown, too."""
    with contextlib.suppress(WorkspaceError):  # the folder itself cannot be read now
        studio.jobs.recall(*studio.places.names())


def _list(studio: Studio, workspace: str | None) -> list[dict[str, Any]]:
    if workspace is not None:
        return studio.jobs.list(studio.places.workspace(workspace).folder.name)
    _recall(studio)
    return studio.jobs.look()
