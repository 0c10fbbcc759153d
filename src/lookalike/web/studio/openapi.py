"""The studio's interface for programs as an OpenAPI document, made of the routes and of the types that they name."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

from pydantic import TypeAdapter
from starlette.routing import BaseRoute

from lookalike import __version__
from lookalike.pipeline.gallery import ShelfName
from lookalike.pipeline.workspace import Side
from lookalike.web.described import About, DescribedRoute, Files, Words
from lookalike.web.studio.kinds import KINDS, Kind
from lookalike.web.studio.queue_page import JobAsked
from lookalike.web.studio.shapes.jobs import Refusal

ADDRESS: Final = "/api/openapi.json"
_REFERENCE: Final = "#/components/schemas/{model}"
_PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
_PATH: Final = {
    "ws": Words("Name of a workspace, as `/api/workspaces` lists them."),
    "side": Words("The person who is put in, or the video that receives the face.", Side),
    "shelf": Words("Faces in use, removed ones, or those in the trash.", ShelfName),
    "number": Words("Number of a job.", int),
    "what": Words("What a job is told.", Literal["cancel", "retry"]),
    "model": Words("Name of a model."),
    "name": Words("Name of a file."),
}
"""What words of a path mean, unless a route says otherwise."""
_REASONS: Final = {
    400: "The body, or what it says, is not understood.",
    401: "Log in first.",
    403: "The token is missing or old, or the request comes from a page of another site.",
    404: "There is no such thing, or none any more.",
    409: "Somebody has changed it meanwhile; ask for it again.",
    413: "More was sent than is taken.",
    422: "It cannot be done; the line says why, and what to do.",
    500: "A mistake in Lookalike.",
    503: "Too much at once; try again later.",
    507: "The disk is full, or cannot be written.",
}
_ABOUT: Final = """\
What the page of `lookalike studio` asks for, any program may ask for as well. Long work is a job: start one by
`POST /api/w/{ws}/jobs`, then read `/api/events`, or ask for `/api/jobs/{number}` until its state is none of waiting,
running and stopping. Refusals are `{"error": "one line"}`. Only GET, HEAD and POST are known.
"""


def document(routes: Iterable[BaseRoute], *, cookie: str, with_login: bool) -> dict[str, Any]:
    """The document.

    Args:
        routes: of the application; those that are not described are left out.
        cookie: name of the one that lets a browser in.
        with_login: whether a password is asked for in place of a token.
    """
    described = [route for route in routes if isinstance(route, DescribedRoute)]
    schemas, components = _schemas(described)
    paths: dict[str, dict[str, Any]] = {}
    for route in described:
        method = "post" if "POST" in (route.methods or ()) else "get"
        place = paths.setdefault(_PARAMETER.sub(r"{\1}", route.path), {})
        place[method] = _operation(route, method, schemas, with_login=with_login)
    schemes = _schemes(cookie, with_login=with_login)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lookalike studio", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in schemes],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(components.items())), "securitySchemes": schemes},
    }


Schemas = dict[str, dict[str, Any]]
"""By a name that `_wanted` gives."""


def _schemas(routes: Sequence[DescribedRoute]) -> tuple[Schemas, Schemas]:
    """Schemas of all types that routes name, and the components that these refer to."""
    wanted = {name: (name, mode, TypeAdapter(kind)) for name, mode, kind in _wanted(routes)}
    made, rest = TypeAdapter.json_schemas(list(wanted.values()), ref_template=_REFERENCE)
    schemas = {name: schema for (name, _), schema in made.items()}
    components: Schemas = rest.get("$defs", {})
    components |= {_job_name(name): _job(name, kind, schemas, components) for name, kind in KINDS.items()}
    jobs = {name: _REFERENCE.format(model=_job_name(name)) for name in KINDS}
    components["JobAsked"] = {
        "description": "What job is wanted.",
        "oneOf": [{"$ref": job} for job in jobs.values()],
        "discriminator": {"propertyName": "kind", "mapping": jobs},
    }
    return schemas, components


def _wanted(routes: Sequence[DescribedRoute]) -> Iterator[tuple[str, Literal["validation", "serialization"], Any]]:
    yield "refusal", "serialization", Refusal
    for kind in KINDS.values():
        for form in kind.forms:
            yield f"form {form.__name__}", "validation", form
    for route in routes:
        about, key = route.about, _key(route)
        if isinstance(about.sends, type):
            yield f"{key} sends", "validation", about.sends
        if not isinstance(about.answers, Files):
            yield f"{key} answers", "serialization", about.answers
        elif about.answers.events is not None:
            yield f"{key} answers", "serialization", about.answers.events
        for name, words in {**about.query, **_words(route)}.items():
            yield f"{key} {name}", "validation", words.kind


def _operation(route: DescribedRoute, method: str, schemas: Schemas, *, with_login: bool) -> dict[str, Any]:
    about, key = route.about, _key(route)
    parameters = [_parameter(name, "path", words, schemas[f"{key} {name}"]) for name, words in _words(route).items()]
    parameters += [_parameter(name, "query", words, schemas[f"{key} {name}"]) for name, words in about.query.items()]
    made: dict[str, Any] = {
        "operationId": "_".join([method, *re.findall(r"\w+", _PARAMETER.sub(r"\1", route.path))[1:]]),
        "tags": [_tag(route.path)],
        "summary": about.text,
        "responses": {"200": _answer(about, schemas.get(f"{key} answers")), **_refusals(about, schemas, with_login)},
    }
    if parameters:
        made["parameters"] = parameters
    if isinstance(about.sends, Files):
        made["requestBody"] = {"description": about.sends.text, "content": {m: {} for m in about.sends.media}}
    elif about.sends is not None:
        sent = schemas[f"{key} sends"]
        if about.sends is JobAsked:
            sent = {"$ref": _REFERENCE.format(model="JobAsked")}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": sent}}}
    return made


def _parameter(name: str, place: str, words: Words, schema: dict[str, Any]) -> dict[str, Any]:
    needed = place == "path" or words.needed
    return {"name": name, "in": place, "description": words.text, "required": needed, "schema": schema}


def _answer(about: About, schema: dict[str, Any] | None) -> dict[str, Any]:
    if not isinstance(about.answers, Files):
        return {"description": "As asked.", "content": {"application/json": {"schema": schema}}}
    content: dict[str, Any] = {media: {} for media in about.answers.media}
    if schema is not None:
        content = {media: {"schema": {"type": "string"}, "x-data": schema} for media in content}
    return {"description": about.answers.text or "The file.", "content": content}


def _refusals(about: About, schemas: Schemas, with_login: bool) -> dict[str, Any]:
    statuses = {*about.refuses.values(), 500} | ({422} if about.refuses else set())
    if isinstance(about.sends, type):
        statuses |= {400, 413}
    told = {"application/json": {"schema": schemas["refusal"]}}
    plain = {"text/plain": {"schema": {"type": "string"}}}
    made = {status: {"description": _REASONS[status], "content": told} for status in statuses}
    made[403] = {"description": _REASONS[403], "content": plain}
    if with_login:
        made[401] = {"description": _REASONS[401], "content": told}
    for status, reason in about.more.items():
        made[status] = {"description": reason, "content": plain | (told if status in statuses else {})}
    return {str(status): made[status] for status in sorted(made)}


def _job(name: str, kind: Kind, schemas: Schemas, components: Schemas) -> dict[str, Any]:
    """What starts a job of one kind: its options are those of all its forms together."""
    forms = [components[schemas[f"form {form.__name__}"]["$ref"].rpartition("/")[2]] for form in kind.forms]
    options: dict[str, Any] = {
        "type": "object",
        "properties": {option: of for form in forms for option, of in form.get("properties", {}).items()},
        "additionalProperties": False,
    }
    options |= {"required": needed} if (needed := [one for form in forms for one in form.get("required", [])]) else {}
    side = TypeAdapter(Side).json_schema() if kind.side else {"type": "null"}
    return {
        "type": "object",
        "description": f"{kind.title}: the command `{' '.join(kind.command)}`.",
        "properties": {"kind": {"const": name}, "side": side, "options": options},
        "required": ["kind", *(["side"] if kind.side else []), *(["options"] if needed else [])],
        "additionalProperties": False,
    }


def _job_name(kind: str) -> str:
    return "Job" + "".join(part.capitalize() for part in kind.split("-"))


def _key(route: DescribedRoute) -> str:
    return f"{route.path} {'POST' if 'POST' in (route.methods or ()) else 'GET'}"


def _words(route: DescribedRoute) -> dict[str, Words]:
    """What the words of a route's path mean, in their order."""
    return {name: route.about.path.get(name, _PATH.get(name, Words(""))) for name in _PARAMETER.findall(route.path)}


def _tag(path: str) -> str:
    """The page that a path belongs to."""
    parts = path.removeprefix("/api/").removeprefix("w/{ws}/").split("/")
    return re.sub(r"\W.*", "", parts[0])


def _schemes(cookie: str, *, with_login: bool) -> dict[str, dict[str, str]]:
    kept = {"type": "apiKey", "in": "cookie", "name": cookie}
    if with_login:
        said = "Given by `POST /login` with the form field `password`; lasts as long as the server."
        return {"cookie": {**kept, "description": said}}
    said = "The token of the address that the command printed."
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": said},
        "token": {"type": "apiKey", "in": "query", "name": "token", "description": f"{said} Sets the cookie, too."},
        "cookie": {**kept, "description": "Set by a request with the token in its address."},
    }
