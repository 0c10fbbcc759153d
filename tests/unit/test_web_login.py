"""Who may come in beyond the loopback: passwords, sessions, names of the machine, and patience with guessing."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote_plus

import pytest
from cyclopts import CycloptsError

from lookalike.cli import build_app
from lookalike.cli.studio_command import _events, _password
from lookalike.errors import ConfigError
from lookalike.types import Message
from lookalike.web.login import Tries, is_loopback
from lookalike.web.server import reachable
from lookalike.web.studio.app import StudioServer
from studio_http import Client

PASSWORD = "Käse & Brot = 100% +plus"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StudioServer]:
    with StudioServer(tmp_path, "0.0.0.0", password=PASSWORD, names=["Studio.Example"]) as server:
        yield server


@pytest.fixture
def client(server: StudioServer) -> Client:
    return Client(server)


def try_in(client: Client, password: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    body = f"password={quote_plus(password)}".encode()
    answer = client.ask("POST", "/login", body, FORM | headers, cookie=False)
    return answer.status, answer.headers, answer.body


def log_in(client: Client) -> str:
    status, headers, _ = try_in(client, PASSWORD)
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=strict" in headers["set-cookie"]
    return headers["set-cookie"].split(";")[0]


def test_beyond_the_loopback_a_password_is_needed_and_no_short_one(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "", "192.168.1.7", "studio.example"):
        with pytest.raises(ConfigError, match="--password-file FILE or the variable LOOKALIKE_PASSWORD"):
            StudioServer(tmp_path, host)
        with pytest.raises(ConfigError, match="11 characters; it needs at least 12"):
            StudioServer(tmp_path, host, password="12345678901")


def test_addresses_of_this_machine_only(tmp_path: Path) -> None:
    own = ("127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST", "::ffff:127.0.0.1")
    assert all(is_loopback(host) for host in own)
    others = ("0.0.0.0", "::", "", "10.0.0.1", "::ffff:10.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example")
    assert not any(is_loopback(host) for host in others)


def test_the_address_printed_can_be_opened(server: StudioServer) -> None:
    assert server.url == f"http://Studio.Example:{Client(server).port}/"  # the name it was given, and no token
    assert [reachable(host) for host in ("127.0.0.1", "::1", "box", "10.0.0.1")] == [
        "127.0.0.1",
        "::1",
        "box",
        "10.0.0.1",
    ]
    assert reachable("0.0.0.0") not in ("0.0.0.0", "")
    assert reachable("::") not in ("::", "")


def test_without_a_session_there_is_only_the_form(client: Client) -> None:
    page = client.get("/", Accept="text/html,*/*")
    assert (page.status, page.headers["location"]) == (303, "/login")
    for path in ("/api/workspaces", "/api/events", "/static/app.js", "/?token=", "/login.html", "/nothing"):
        answer = client.get(path)
        assert (answer.status, answer.json) == (401, {"error": "log in first, at /login"}), path
    assert client.post("/api/w/x/jobs", {"kind": "shots"}).status == 401
    form = client.get("/login", Accept="text/html")
    assert form.status == 200
    assert b'type="password"' in form.body
    assert b"<script" not in form.body
    assert "form-action 'self'" in form.headers["content-security-policy"]
    assert form.headers["cache-control"] == "no-store"


def test_the_password_opens_a_session_that_ends_with_log_out(client: Client) -> None:
    pair = log_in(client)
    cookie = {"Cookie": f"a=b; {pair}"}
    answer = client.ask("GET", "/api/workspaces", headers=cookie)
    assert answer.status == 200
    assert "form-action 'none'" in answer.headers["content-security-policy"]
    assert client.ask("GET", "/api/session", headers=cookie).json == {"login": True}
    assert client.ask("GET", "/login", headers=cookie).headers["location"] == "/"
    assert client.ask("GET", "/api/workspaces", headers={"Cookie": pair[:-1]}).status == 401
    out = client.ask("POST", "/logout", b"", cookie)
    assert (out.status, out.headers["location"]) == (303, "/login")
    assert client.ask("GET", "/api/workspaces", headers=cookie).status == 401


def test_sessions_are_of_one_server(client: Client, tmp_path: Path) -> None:
    pair = log_in(client)
    other = tmp_path / "other"
    other.mkdir()
    with StudioServer(other, password=PASSWORD) as server:
        again = Client(server)
        value = pair.split("=", 1)[1]
        assert again.ask("GET", "/api/workspaces", headers={"Cookie": f"lookalike_{again.port}={value}"}).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"password", b"password=", b"x=" + PASSWORD.encode(), b"password=%00%ff", b"\xff\xfe",
        b"password=" + b"a" * 10**6, b"&".join([b"password=x"] * 999),
    ],
    ids=range(8),
)  # fmt: skip
def test_what_is_no_password_is_refused(client: Client, body: bytes) -> None:
    answer = client.ask("POST", "/login", body, FORM)
    assert answer.status == 401
    assert b"That is not the password." in answer.body
    assert "set-cookie" not in answer.headers


def test_forms_of_other_sites_are_refused(client: Client) -> None:
    assert try_in(client, PASSWORD, Origin="http://evil.example")[0] == 403
    assert try_in(client, PASSWORD, Origin="null")[0] == 403
    assert try_in(client, PASSWORD, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert try_in(client, PASSWORD, Origin=f"http://{client.host}")[0] == 303


def test_who_guesses_waits_and_who_is_in_stays_in(client: Client) -> None:
    pair = log_in(client)
    for _ in range(5):
        assert try_in(client, "not the password")[0] == 401
    for password in ("not the password", PASSWORD):  # the right one, too: else guessing would go on
        status, headers, body = try_in(client, password, **{"X-Forwarded-For": "10.9.8.7"})
        assert status == 429
        assert 0 < int(headers["retry-after"]) <= 60
        assert b"Too many wrong passwords" in body
    assert client.ask("GET", "/api/workspaces", headers={"Cookie": pair}).status == 200


def test_one_that_guesses_does_not_lock_out_others() -> None:
    now = 100.0
    tries = Tries(lambda: now)
    for _ in range(5):
        assert tries.wait("a") == 0
        tries.failed("a")
        now += 1
    assert tries.wait("a") == 55
    assert tries.wait("b") == 0
    now += 55
    assert tries.wait("a") == 0
    tries.failed("a")
    assert tries.wait("a") == 1  # until the second of the five is a minute old
    for number in range(10_000):
        tries.failed(str(number))
    assert len(tries._failed) == 4096


def test_names_of_the_machine(client: Client) -> None:
    def status(host: str) -> int:
        return client.ask("GET", "/login", headers={"Host": host}, cookie=False).status

    for good in ("192.168.1.7:8000", "[fe80::1]", "studio.example", "STUDIO.example:1", "localhost", "127.0.0.1"):
        assert status(good) == 200, good
    for bad in ("evil.example", "studio.example.evil.example", "example", "0x7f.1", "", "a b", "[", "studio.example."):
        assert status(bad) == 403, bad


def test_on_the_loopback_addresses_of_the_network_are_no_names(tmp_path: Path) -> None:
    with StudioServer(tmp_path) as server:
        client = Client(server)
        assert client.get("/", Host="192.168.1.7").status == 403
        assert client.get("/", Host="127.0.0.7").status == 200


class TestCommand:
    def test_passwords_of_files_and_of_the_variable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "password"
        for content, password in (("secret\n", "secret"), ("a b \r\nmore", "a b "), ("", ""), ("x" * 2000, "x" * 1000)):
            file.write_bytes(content.encode())
            assert _password(file) == password
        file.write_bytes(b"\xff\xfe\0")
        for wrong, problem in (
            (file, "is no text"),
            (tmp_path, "cannot be read"),
            (tmp_path / "none", "cannot be read"),
        ):
            with pytest.raises(ConfigError, match=problem):
                _password(wrong)
        assert _password(None) is None
        monkeypatch.setenv("LOOKALIKE_PASSWORD", "from outside")
        assert _password(None) == "from outside"
        assert "LOOKALIKE_PASSWORD" not in os.environ  # no job inherits it

    def test_without_a_password_no_other_machine_is_served(self, tmp_path: Path) -> None:
        for words in (["--host", "0.0.0.0"], ["--host=::"], ["--host", "0.0.0.0", "--password", "correct horse b"]):
            with pytest.raises((ConfigError, CycloptsError)) as error:
                build_app()(["studio", str(tmp_path), *words], exit_on_error=False, print_error=False)
            assert "\n" not in str(error.value).strip()

    def test_what_is_said(self, tmp_path: Path) -> None:
        server = StudioServer(tmp_path, "0.0.0.0", password=PASSWORD, names=["box"])
        events = _events(server, warn=True)
        said = [next(events), next(events)]
        assert isinstance(said[0], Message)
        assert "nothing is encrypted" in said[0].text
        assert "ssh -L" in said[0].text
        assert isinstance(said[1], Message)
        assert said[1].text == f"open http://box:{Client(server).port}/ in a browser; Ctrl-C ends it"
        cast(Generator[Any, None, None], events).close()
        with pytest.raises(RuntimeError):
            _ = server.url
