"""What the guard adds to answers, and what it makes of a handler that fails."""

import http.client
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from lookalike.web.guard import Guard
from lookalike.web.server import PageServer

OWN = "default-src 'none'; sandbox"


def own_policy(_: Request) -> Response:
    return PlainTextResponse("a report", headers={"content-security-policy": OWN, "cache-control": "public"})


def gone(request: Request) -> Response:
    return PlainTextResponse(Path(f"/nowhere/{request.query_params.get('name', '')}").read_bytes())


def broken(_: Request) -> Response:
    raise ValueError("two\nlines")


def half(_: Request) -> Response:
    def body() -> Iterator[bytes]:
        yield b"a" * 10
        raise RuntimeError("after ten bytes")

    return StreamingResponse(body(), headers={"content-length": "20"})


def make(token: str, cookie: str) -> Starlette:
    guard = Middleware(Guard, token=token, host="127.0.0.1", cookie=cookie, policy="default-src 'self'")
    paths = {"/own": own_policy, "/gone": gone, "/broken": broken, "/half": half}
    return Starlette(routes=[Route(path, call) for path, call in paths.items()], middleware=[guard])


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    server = PageServer("test", make, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def ask(server: PageServer, path: str, method: str = "GET") -> tuple[int, http.client.HTTPMessage, bytes]:
    address, _, query = server.url.removeprefix("http://").partition("/?")
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, f"{path}{'&' if '?' in path else '?'}{query}")
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_an_answer_may_have_a_policy_of_its_own_and_nothing_else(server: PageServer) -> None:
    for method, body in (("GET", b"a report"), ("HEAD", b"")):
        status, headers, found = ask(server, "/own", method)
        assert (status, found) == (200, body)
        assert headers.get_all("content-security-policy") == [OWN]
        assert headers.get_all("cache-control") == ["no-store"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "SAMEORIGIN"
    assert ask(server, "/nothing")[1]["content-security-policy"] == "default-src 'self'"


@pytest.mark.parametrize("name", ["a", "a" * 3000])
def test_files_that_are_gone_are_no_mistake(server: PageServer, name: str, caplog: pytest.LogCaptureFixture) -> None:
    status, _, body = ask(server, f"/gone?name={name}")
    assert (status, body) == (404, b'{"error":"there is no such file any more"}')
    assert caplog.records == []


def test_a_mistake_is_told_in_one_line(
    server: PageServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    status, headers, body = ask(server, "/broken")
    assert (status, headers["cache-control"]) == (500, "no-store")
    assert body == b'{"error":"this is a mistake in Lookalike; please report it (ValueError: two lines)"}'
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is None
    assert record.getMessage().startswith("GET /broken: ValueError: two lines (")
    assert "test_web_guard.py:" in record.getMessage()
    assert "Traceback" not in capfd.readouterr().err


def test_an_answer_that_breaks_off_is_not_taken_for_whole(server: PageServer, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(http.client.IncompleteRead):
        ask(server, "/half")
    assert "RuntimeError: after ten bytes" in caplog.text
    assert "Traceback" not in caplog.text
