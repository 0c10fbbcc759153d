"""The queue of jobs as all pages see it: asked, told of every change, stopped and retried."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from lookalike.options import Options
from lookalike.pipeline.workspace import Side
from lookalike.web.answers import answer, answer_sent
from lookalike.web.studio.jobs import Jobs
from lookalike.web.studio.studio import STATUSES, Studio

_STREAMS: Final = 64
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
    streams = Streams(jobs)

    def listed(request: Request) -> Response:
        return answer(lambda: {"jobs": jobs.list(request.query_params.get("workspace"))}, STATUSES)

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
        Route("/api/jobs", listed),
        Route("/api/events", streams.open),
        Route("/api/jobs/{number:int}/{what}", act, methods=["POST"]),
        Route("/api/w/{ws}/jobs", add, methods=["POST"]),
    ]


class Streams:
    """Tells every open page when the jobs change, by server-sent events."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs, self._open = jobs, 0

    async def open(self, _: Request) -> Response:
        """A stream of the jobs: the whole list at once, then after every change."""
        if self._open >= _STREAMS:
            return PlainTextResponse("too many pages are open; close some\n", 503)
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        self._open += 1
        try:
            version = -1
            while True:
                if self._jobs.version != version:
                    version = self._jobs.version
                    yield f"data: {json.dumps({'jobs': self._jobs.list()})}\n\n"
                else:
                    yield ": still here\n\n"
                waited = 0.0
                while self._jobs.version == version and waited < _BEAT_SECONDS:
                    await asyncio.sleep(_LEAST_SECONDS)
                    waited += _LEAST_SECONDS
        finally:
            self._open -= 1
