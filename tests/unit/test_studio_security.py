"""What hostile requests are answered with: refused or survived, with nothing shown from outside, never a traceback.

The addresses are found by walking the studio's routes, so that those of new pages are tried, too.
"""

import importlib
import inspect
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import BaseModel
from starlette.routing import Route

from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio import app
from lookalike.web.studio.app import STATIC, StudioServer
from studio_http import Client, filled, parameters, routes
from studio_secrets import FILES, shows_secret, workspace_of_links, write_secrets

HOSTILE = (
    "..", ".", "...", "../..", "../secrets", "../../../../etc/passwd", "/etc/passwd", "//etc/passwd", "..\\..\\secrets",
    "C:\\secrets", "secrets/secret.txt", "linked/../../secrets", "away", "gone", "~", "~root", "$HOME", "con", "-rf",
    "--config=x", "\0", "a\0b", "a\nb", "\x1b[2J", "\x7f", "a" * 255, "a" * 256, "a" * 3000, "é" * 127, "é" * 200, "😀",
    "😀" * 63, "😀" * 100, "\ufeff", "\u202e", "%2e%2e%2fsecrets", "..%2f..", "%00", "link.jpg", "link.png", "link.txt",
    "face.jpg", "secret.txt", " ", "0", "-1", "99999999999999999999", "1e9", "nan", "null", "{}",
)  # fmt: skip
"""Decoded; sent with every byte escaped that has to be."""
RAW = (
    "%2e%2e",
    "..%2f..%2f",
    "%2e%2e%2fsecrets",
    "%5c..%5c",
    "%",
    "%zz",
    "%ff%fe",
    "%c0%ae%c0%ae",
    "%00",
    "%0a",
    "..;",
)
"""Sent as they are, in place of a part of a path."""
POOR = (
    b"",
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"{",
    b"{}",
    b'{"a": NaN}',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"kind": "\\ud800"}',
)


pytestmark = pytest.mark.usefixtures("no_traceback")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of workspaces, beside secrets and a workspace that is not served."""
    outer = tmp_path_factory.mktemp("outer")
    root = outer / "root"
    root.mkdir()
    secrets = write_secrets(outer / "secrets")
    workspace_of_links(root, secrets)
    Workspace.create(root / "plain")
    (root / "away").symlink_to(workspace_of_links(outer, secrets).folder.rename(outer / "elsewhere"))
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[StudioServer]:
    with StudioServer(root) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: StudioServer) -> Client:
    return Client(server)


def is_stream(route: Route) -> bool:
    return route.path == "/api/events"


def asked(client: Client, method: str, path: str, body: bytes | None = None) -> None:
    """Ask for what must neither be shown nor be a mistake."""
    answer = client.ask(method, path, body)
    where = f"{method} {path[:200]} {(body or b'')[:200]!r}: {answer.status} {answer.body[:300]!r}"
    assert answer.status < 500, where
    assert not shows_secret(answer.body), where
    assert b"root:" not in answer.body, where


def words_asked_for() -> set[str]:
    """Names that the pages look for in a query."""
    sources = [path.read_text(encoding="utf-8") for path in Path(app.__file__).parent.glob("*.py")]
    found = re.findall(r"""query_params(?:\.get\(|\[)\s*["'](\w+)["']""", "\n".join(sources))
    return {*found, "name", "frame", "ws", "path", "file"}


def forms_of(route: Route) -> list[type[BaseModel]]:
    """What a page's module takes as JSON."""
    module = importlib.import_module(inspect.unwrap(route.endpoint).__module__)
    kinds = [kind for kind in vars(module).values() if inspect.isclass(kind) and issubclass(kind, BaseModel)]
    return [kind for kind in kinds if kind.__module__.startswith("lookalike.") and kind.model_fields]


def hostile_body(form: type[BaseModel], value: str) -> bytes:
    """A body with a value wherever the form may take a text."""
    schema = form.model_json_schema()
    definitions = schema.get("$defs", {})

    def made(of: dict[str, Any], depth: int = 0) -> Any:
        of = definitions.get(of.get("$ref", "").rpartition("/")[2], of)
        if depth > 6:
            return None
        for way in of.get("anyOf", []):
            if way.get("type") != "null":
                return made(way, depth + 1)
        if "enum" in of or "const" in of:
            return of.get("const", of.get("enum", [None])[0])
        match of.get("type"):
            case "array":
                parts = of.get("prefixItems") or [of.get("items", {})] * max(1, of.get("minItems", 1))
                return [made(part, depth + 1) for part in parts]
            case "object":
                listed = {key: made(part, depth + 1) for key, part in of.get("properties", {}).items()}
                return listed or {value: value}
            case "integer" | "number":
                return max(of.get("minimum", 1), 1)
            case "boolean":
                return True
        return value

    return json.dumps(made(schema)).encode("utf-8", "surrogatepass")


class TestWhoMayAsk:
    def test_no_token(self, server: StudioServer, client: Client) -> None:
        for route in routes(server):
            for method in sorted(route.methods or ["GET"]):
                answer = client.ask(method, filled(route.path), headers={"Cookie": "lookalike=x"}, cookie=False)
                assert answer.status == 403, route.path
                assert method == "HEAD" or answer.body.startswith(b"The token is missing"), route.path
        assert client.ask("GET", "/static/app.js", cookie=False).status == 403

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "https://HOST", "http://localhost", "http://127.0.0.1:1", ""]
    )
    def test_wrong_origin(self, server: StudioServer, client: Client, origin: str) -> None:
        for route in routes(server):
            for method in sorted(route.methods or ["GET"]):
                header = {"Origin": origin.replace("HOST", client.host)}
                assert client.ask(method, filled(route.path), headers=header).status == 403, (method, route.path)

    def test_posts_of_other_pages_without_an_origin(self, client: Client) -> None:
        for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 404), ("none", 404)):
            assert client.post("/api/jobs/77/cancel", Sec_Fetch_Site=site).status == status
        assert client.post("/api/jobs/77/cancel", Origin=f"http://{client.host}").status == 404

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "[", "localhost:80:80", "\x85"]
    )
    def test_wrong_host(self, server: StudioServer, client: Client, host: str) -> None:
        for route in routes(server):
            assert client.get(filled(route.path), Host=host).status in (400, 403), route.path

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
    def test_other_methods(self, client: Client, method: str) -> None:
        for path in ("/", "/api/jobs", "/static/app.js", "/api/w/linked/jobs"):
            assert client.ask(method, path).status == 405

    def test_answers_are_not_kept_framed_or_guessed_at(self, server: StudioServer, client: Client) -> None:
        for route in routes(server):
            if "GET" not in (route.methods or ()) or is_stream(route):
                continue
            headers = client.get(filled(route.path)).headers
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "default-src" in headers["content-security-policy"]
            assert "*" not in headers["content-security-policy"], route.path


class TestPaths:
    def test_workspaces_that_are_none(self, server: StudioServer, client: Client) -> None:
        for route in routes(server):
            if "{ws}" not in route.path:
                continue
            for method, name in itertools.product(sorted(route.methods or ["GET"]), HOSTILE):
                path = filled(route.path, ws=quote(name, safe=""))
                answer = client.ask(method, path, b"{}" if method == "POST" else None)
                assert 400 <= answer.status < 500, (method, path, answer.status)
                assert not shows_secret(answer.body)

    def test_parts_of_paths(self, server: StudioServer, client: Client) -> None:
        for route in routes(server):
            for name, kind in parameters(route.path):
                if kind == "int" or is_stream(route):
                    continue
                for value in [*(quote(one, safe="") for one in HOSTILE), *RAW, *(quote(one) for one in FILES)]:
                    method = "POST" if "POST" in (route.methods or ()) else "GET"
                    asked(client, method, filled(route.path, **{name: value}), b"{}" if method == "POST" else None)

    def test_numbers_of_paths(self, server: StudioServer, client: Client) -> None:
        for route in routes(server):
            for name, kind in parameters(route.path):
                for value in ("0", "1", "999999999999", "9" * 200, "9" * 5000) if kind == "int" else ():
                    method = "POST" if "POST" in (route.methods or ()) else "GET"
                    asked(client, method, filled(route.path, **{name: value}))

    def test_queries(self, server: StudioServer, client: Client) -> None:
        words = sorted(words_asked_for())
        for route in routes(server):
            if "GET" not in (route.methods or ()) or is_stream(route):
                continue
            for value in (*HOSTILE, "00001_0.jpg", "1", "inf", "9" * 700, *FILES):
                asked(client, "GET", filled(route.path) + "?" + "&".join(f"{word}={quote(value)}" for word in words))

    def test_bodies(self, server: StudioServer, client: Client) -> None:
        for route in routes(server):
            if "POST" not in (route.methods or ()):
                continue
            bodies = [hostile_body(form, value) for form in forms_of(route) for value in (*HOSTILE, *FILES[:8])]
            for body in (*POOR, *bodies):
                asked(client, "POST", filled(route.path), body)

    def test_static_files(self, client: Client, root: Path) -> None:
        for value in [*(quote(one, safe="") for one in HOSTILE), *RAW, "../app.py", "..%2fapp.py", "//etc/passwd"]:
            answer = client.ask("GET", f"/static/{value}")
            assert 400 <= answer.status < 500, value
            assert b"import" not in answer.body
        assert client.get("/static/app.js").status == 200
        link = STATIC / "link.txt"
        assert not link.exists()
        assert all(not path.is_symlink() for path in STATIC.rglob("*"))

    def test_symlinks_out(self, server: StudioServer, client: Client) -> None:
        """Files of a workspace that are links to a secret are not shown, by whatever address."""
        served = {one["name"] for one in client.get("/api/workspaces").json["workspaces"]}
        assert {"linked", "plain"} <= served
        assert "away" not in served
        words = sorted(words_asked_for())
        names = [
            "face.jpg",
            "link.jpg",
            "link.png",
            "link.txt",
            *{part for file in FILES for part in file.split("/")},
            *FILES,
        ]
        for route in routes(server):
            if "GET" not in (route.methods or ()) or is_stream(route):
                continue
            paths = {filled(route.path)}
            for name, kind in parameters(route.path):
                if name != "ws" and kind != "int":
                    given = ("src", "dst", "df", "aligned", "trash", "result", "strip", *names)
                    paths |= {filled(route.path, **{name: quote(one)}) for one in given}
            for path in sorted(paths):
                asked(client, "GET", path)
            for name in ("face.jpg", "link.jpg", "link.png", "1", "3", "result.mp4"):
                asked(client, "GET", f"{filled(route.path)}?" + "&".join(f"{word}={quote(name)}" for word in words))

    def test_a_secret_would_be_noticed(self, root: Path) -> None:
        for name in ("secret.txt", "secret.png", "face.jpg"):
            content = (root.parent / "secrets" / name).read_bytes()
            assert shows_secret(content)
            assert shows_secret(b"before" + content)
        for face in (root / "linked" / "data_dst" / "aligned").glob("0*.jpg"):
            assert not shows_secret(face.read_bytes())

    def test_workspaces_linked_from_elsewhere(self, client: Client) -> None:
        for path in ("/api/w/away/jobs", "/api/w/plain%2f..%2faway/jobs", "/api/w/plain/../away/jobs"):
            assert client.post(path, {"kind": "shots"}).status in (400, 404, 405)
        assert client.get("/api/jobs?workspace=away").status == 404
        assert client.get("/api/jobs?workspace=../elsewhere").status == 404
