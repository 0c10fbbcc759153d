"""The description of the studio for programs: whole, valid, and made of the types that the handlers check."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from lookalike.errors import ConfigError
from lookalike.pipeline.workspace import Workspace
from lookalike.web.described import DescribedRoute
from lookalike.web.studio.app import StudioServer, make_app
from lookalike.web.studio.kinds import KINDS, checked
from studio_description import address, operations, problems
from studio_http import Answer, Client, routes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    root = tmp_path_factory.mktemp("root")
    Workspace.create(root / "a")
    with StudioServer(root) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: StudioServer) -> Iterator[Client]:
    client = Client(server)
    yield client
    client.close()


@pytest.fixture(scope="module")
def described(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/api/openapi.json").json
    return document


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(described).iter_errors()] == []
    names = [operation["operationId"] for method in ("get", "post") for _, operation in operations(described, method)]
    assert len(names) == len(set(names)) > 50


def test_every_route_is_described(server: StudioServer, described: dict[str, Any]) -> None:
    """All but the page itself: one that is added without a description fails here."""
    plain = [route.path for route in routes(server) if not isinstance(route, DescribedRoute)]
    assert plain == ["/"]
    count = sum(len(methods) for methods in described["paths"].values())
    assert count == len(routes(server)) - 1


def test_a_workspace_with_nothing_in_it(client: Client, described: dict[str, Any]) -> None:
    """Refusals are as they are described, too."""
    statuses = set()
    for path, operation in operations(described, "get"):
        if path != "/api/events":
            answer = client.get(address(path, operation, ws="a"))
            assert problems(described, operation, answer) == [], path
            statuses.add(answer.status)
    assert {200, 404, 422} <= statuses


def test_bodies_that_are_refused(client: Client, described: dict[str, Any]) -> None:
    for path, operation in operations(described, "post"):
        if path.endswith(("/undo", "/redo")) or "requestBody" not in operation or "upload" in path:
            continue
        for workspace, body in (("a", {"surely": "unknown"}), ("none", {})):
            answer = client.post(address(path, operation, ws=workspace), body)
            assert answer.status >= 400
            assert problems(described, operation, answer) == [], path


def test_events_are_as_they_are_described(client: Client, described: dict[str, Any]) -> None:
    told = described["paths"]["/api/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]["x-data"]
    with client.socket(client.head("GET", "/api/events")) as connection, connection.makefile("rb") as answer:
        data = next(line for line in answer if line.startswith(b"data:"))
    Draft202012Validator({**told, "components": described["components"]}).validate(json.loads(data[5:]))


def test_what_is_not_described_would_be_noticed(described: dict[str, Any]) -> None:
    operation = described["paths"]["/api/session"]["get"]
    head = {"content-type": "application/json"}
    for body, wrong in (({"login": True}, 0), ({"login": 1}, 1), ({}, 1), ({"login": True, "more": 1}, 1)):
        answer = Answer(200, head, json.dumps(body).encode())
        assert len(problems(described, operation, answer)) == wrong
    assert problems(described, operation, Answer(418, head, b"{}")) == ["status 418 is not described"]
    assert problems(described, operation, Answer(200, {"content-type": "text/html"}, b"")) != []


OPTIONS: dict[str, list[tuple[dict[str, Any], bool]]] = {
    "extract": [({"size": 128, "redo": True}, True), ({"size": 1}, False), ({"sizes": 128}, False)],
    "train": [({"preset": "quick", "resolution": 96, "iterations": 5}, True), ({"preset": "slow"}, False)],
    "merge": [({"erode": 3, "codec": "h264"}, True), ({"codec": "mpeg2"}, False)],
    "piece": [({"first": 1, "last": 2}, True), ({"first": 1}, False)],
    "report": [({}, True), ({"size": 1}, False)],
    "swap": [({"preset": "quick", "minutes": 1.5}, True), ({"minutes": 0}, False)],
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_jobs_are_described_as_they_are_checked(described: dict[str, Any], kind: str) -> None:
    schema = {"$ref": "#/components/schemas/JobAsked", "components": described["components"]}
    judge = Draft202012Validator(schema)
    side = {"side": "dst"} if KINDS[kind].side else {}
    for options, fits in OPTIONS[kind]:
        assert judge.is_valid({"kind": kind, **side, "options": options}) == fits, options
        try:
            checked(KINDS[kind].forms, options)
        except ConfigError:
            assert not fits
        else:
            assert fits
    assert not judge.is_valid({"kind": kind, **({} if side else {"side": "src"}), "options": OPTIONS[kind][0][0]})
    assert not judge.is_valid({"kind": "dance", "options": {}})


def test_every_kind_of_job_has_all_its_options(described: dict[str, Any]) -> None:
    jobs = described["components"]["schemas"]["JobAsked"]["oneOf"]
    found = [described["components"]["schemas"][job["$ref"].rpartition("/")[2]] for job in jobs]
    told = {one["properties"]["kind"]["const"]: set(one["properties"]["options"]["properties"]) for one in found}
    assert told == {name: {key for form in kind.forms for key in form.model_fields} for name, kind in KINDS.items()}


def test_the_token_in_a_header(server: StudioServer, client: Client) -> None:
    token = client.token.removeprefix("token=")
    for header, status in (
        (f"Bearer {token}", 200),
        (f"bearer  {token} ", 200),
        (f"Bearer {token}x", 403),
        (f"Basic {token}", 403),
        (token, 403),
        ("Bearer", 403),
        ("Bearer \xff", 403),
    ):
        answer = client.ask("GET", "/api/session", headers={"Authorization": header}, cookie=False)
        assert answer.status == status, header
        assert "set-cookie" not in answer.headers
    evil = {"Authorization": f"Bearer {token}", "Origin": "http://evil.example"}
    assert client.ask("GET", "/api/session", headers=evil, cookie=False).status == 403
    assert {"bearer", "cookie", "token"} == client.get("/api/openapi.json").json["components"]["securitySchemes"].keys()


def test_with_a_password_there_is_no_token(server: StudioServer) -> None:
    app = make_app(server.studio, token="t", host="127.0.0.1", cookie="c", password="p" * 12)
    own = next(route for route in app.routes if isinstance(route, DescribedRoute) and "openapi" in route.path)
    document = json.loads(own.endpoint(None).body)
    assert list(document["components"]["securitySchemes"]) == ["cookie"]
    assert "401" in document["paths"]["/api/jobs"]["get"]["responses"]


def test_the_document_is_for_those_who_may_ask(client: Client) -> None:
    assert client.ask("GET", "/api/openapi.json", cookie=False).status == 403
