"""What requests are answered with: a call's value as JSON, or in one line why there is none. Shared by all pages."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lookalike.errors import LookalikeError, StorageError
from lookalike.options import Options, first_problem

MOST_BYTES: Final = 2**20
"""Of what a page sends as JSON; as many polygons and corners as a record holds take two thirds of it."""

Statuses = Mapping[type[LookalikeError], int]
"""Of an answer, by what went wrong; 422 for the rest."""

_STATUSES: Final[Statuses] = {StorageError: 507}

Sent = TypeVar("Sent", bound=Options)


def answer(call: Callable[[], Any], statuses: Statuses = _STATUSES) -> Response:
    """What a call gives, or in one line why it gives nothing."""
    try:
        return JSONResponse(call())
    except LookalikeError as exc:
        return refusal(exc, statuses)


async def answer_sent(
    request: Request, form: type[Sent], call: Callable[[Sent], Any], statuses: Statuses = _STATUSES
) -> Response:
    """As `answer`, for a call that needs what the page sent; it runs in a thread."""
    body = await read_body(request, MOST_BYTES)
    if body is None:
        return JSONResponse({"error": f"more than {MOST_BYTES} bytes were sent; send less at once"}, 413)
    try:
        sent = form.model_validate_json(body)
    except ValidationError as exc:
        return JSONResponse({"error": f"not understood: {first_problem(exc)}"}, 400)
    return await run_in_threadpool(answer, lambda: call(sent), statuses)


async def read_body(request: Request, most: int) -> bytes | None:
    """What was sent; none if it is too much, of which no more is kept than that."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def refusal(exc: LookalikeError, statuses: Statuses = _STATUSES) -> Response:
    """An error as an answer."""
    status = next((number for kind, number in statuses.items() if isinstance(exc, kind)), 422)
    return JSONResponse({"error": str(exc)}, status)
