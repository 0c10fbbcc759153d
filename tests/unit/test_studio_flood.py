"""What a studio survives: what is no request, bodies without end, 200 sockets at once; never with a traceback."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from lookalike.pipeline.workspace import Workspace
from lookalike.web import connections
from lookalike.web.answers import MOST_BYTES
from lookalike.web.studio import uploads
from lookalike.web.studio.app import StudioServer
from lookalike.web.studio.queue_page import STREAMS
from studio_http import Client, filled, routes, status_of, until

pytestmark = pytest.mark.usefixtures("no_traceback")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    Workspace.create(root / "plain")
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[StudioServer]:
    with StudioServer(root) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: StudioServer) -> Client:
    return Client(server)


class TestRequests:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\nHost: HOST\r\n" + b"X: %s\r\n" % (b"a" * 900) * 1000 + b"\r\n",
            b"GET / HTTP/1.1\r\nHost: HOST\r\nX: " + b"a" * 2**20 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: HOST\r\nCOOKIE\r\n" + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
            b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n",
            b"GET /?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n",
            b"GET /?" + b"a=&" * 6_000 + b" HTTP/1.1\r\nHost: HOST\r\nCOOKIE\r\n\r\n",
            b"GET /\xff\xfe HTTP/1.1\r\nHost: HOST\r\n\r\n",
            b"GET / HTTP/9.9\r\nHost: HOST\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n\r\n",
            b"GET http://evil.example/ HTTP/1.1\r\nHost: HOST\r\nCOOKIE\r\n\r\n",
            b"GET \0 HTTP/1.1\r\nHost: HOST\r\n\r\n",
            b"POST /api/w/plain/jobs HTTP/1.1\r\nHost: HOST\r\nCOOKIE\r\nContent-Length: -1\r\n\r\n",
            b"POST /api/w/plain/jobs HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"POST /api/w/plain/jobs HTTP/1.1\r\nHost: HOST\r\nCOOKIE\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 600,
            b"\r\n" * 100_000,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
        ids=range(18),
    )  # fmt: skip
    def test_what_is_no_request_is_refused(self, client: Client, head: bytes) -> None:
        sent = head.replace(b"HOST", client.host.encode()).replace(b"COOKIE", f"Cookie: {client.cookie}".encode())
        with client.socket() as connection:
            with suppress(ConnectionError):
                connection.sendall(sent)
            assert status_of(connection) in (0, *range(400, 500))
        assert client.get("/api/session").status == 200

    def test_a_connection_goes_on_after_a_body_that_came_late(self, client: Client) -> None:
        """Browsers send head and body apart; the answer to the head alone must not cost them the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=20)
        connection.auto_open = 0
        connection.connect()
        for path, status in (("/api/nothing", 404), ("/api/w/%2e%2e/jobs", 400), ("/api/jobs/7/cancel", 404)):
            connection.putrequest("POST", path)
            connection.putheader("Cookie", client.cookie)
            connection.putheader("Content-Length", "40000")
            connection.endheaders()
            answer = connection.getresponse()
            assert (answer.status, answer.will_close) == (status, False)
            answer.read()
            connection.sock.sendall(b"a" * 40_000)
        connection.request("GET", "/api/session", headers={"Cookie": client.cookie})
        assert connection.getresponse().status == 200
        connection.close()

    def test_json_is_bounded(self, client: Client) -> None:
        """Whatever is declared, no more than MOST_BYTES is read, and an endless body ends."""
        big = b'{"kind": "' + b"a" * MOST_BYTES + b'"}'
        assert client.post("/api/w/plain/jobs", big).status == 413
        declared = client.head("POST", "/api/w/plain/jobs", f"Content-Length: {10 * 2**30}")
        chunked = client.head("POST", "/api/w/plain/jobs", "Transfer-Encoding: chunked")
        for head, piece in ((declared, b"a" * 65536), (chunked, b"10000\r\n" + b"a" * 65536 + b"\r\n")):
            assert pushed(client, head, piece, most=64 * 2**20) == 413

    def test_10_gb_uploads_are_bounded(
        self, server: StudioServer, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The route that takes files, whichever it is, refuses 10 GB, ends a body without end, and keeps nothing."""
        found = [route for route in routes(server) if "upload" in route.path]
        assert found
        root = server.studio.places.root
        before = sorted(root.rglob("*"))
        monkeypatch.setattr(uploads, "MOST_BYTES", 2**23)
        for route in found:
            path = filled(route.path, ws="plain") + "?name=big.mp4"
            for length in (10 * 10**9, 10**19, "9" * 20, "9" * 5000):
                head = client.head("POST", path, f"Content-Length: {length}")
                assert pushed(client, head, b"a" * 65536, most=2**26) in (400, 413, 507)
            endless = client.head("POST", path, "Transfer-Encoding: chunked")
            assert pushed(client, endless, b"10000\r\n" + b"a" * 65536 + b"\r\n", most=2**26) == 413
            with client.socket(client.head("POST", path, "Content-Length: 100000") + b"a" * 50_000):
                pass  # broken off
        until(lambda: sorted(root.rglob("*")) == before, "the end of what was broken off")


def pushed(client: Client, head: bytes, piece: bytes, most: int) -> int:
    """Send a body until it is answered, refused, or so many bytes were taken; the status."""
    with client.socket(head) as connection:
        connection.settimeout(20)
        sent = 0
        try:
            while sent < most:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < most, "an endless body is taken in without end"
        return status_of(connection)


class TestManySockets:
    """200 at once: the studio answers a new request meanwhile and afterwards."""

    @pytest.fixture
    def many(self, root: Path, tmp_path: Path) -> Iterator[Client]:
        """A studio that no other test asks for anything."""
        place = tmp_path / "root"
        Workspace.create(place / "ws")
        with StudioServer(place) as server:
            yield Client(server)

    def alive(self, client: Client) -> None:
        assert client.get("/api/session").status == 200
        assert client.get("/static/app.js").status == 200

    @pytest.mark.parametrize("count", [200, 600])
    @pytest.mark.parametrize(
        "sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: HOST\r\nX: y"], ids=["idle", "line", "head"]
    )
    def test_idle_and_half_sent(self, many: Client, count: int, sent: bytes) -> None:
        with ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(many.socket(sent.replace(b"HOST", many.host.encode())))
            self.alive(many)
        self.alive(many)

    def test_half_sent_bodies(self, many: Client) -> None:
        head = many.head("POST", "/api/w/ws/jobs", "Content-Length: 100")
        with ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(many.socket(head + b"{"))
            self.alive(many)
        self.alive(many)

    def test_slow_readers(self, many: Client) -> None:
        with ExitStack() as stack:
            for _ in range(200):
                connection = socket.socket()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                connection.connect(("127.0.0.1", many.port))
                stack.enter_context(connection).sendall(many.head("GET", "/api/forms") * 20)
            self.alive(many)
        self.alive(many)

    def test_event_streams(self, many: Client) -> None:
        with ExitStack() as stack:
            streams = [stack.enter_context(many.socket(many.head("GET", "/api/events"))) for _ in range(200)]
            self.alive(many)
            statuses = [int(stream.recv(12).split()[1]) for stream in streams]
            assert statuses.count(200) == STREAMS
            assert statuses.count(503) == 200 - STREAMS
            self.alive(many)
        again = many.socket(many.head("GET", "/api/events"))

        def one_more() -> bool:
            nonlocal again
            with again:
                if int(again.recv(12).split()[1]) == 200:
                    return True
            again = many.socket(many.head("GET", "/api/events"))
            return False

        until(one_more, "a stream after the others were closed")

    def test_a_page_that_listens_keeps_its_stream_while_others_flood(self, many: Client) -> None:
        with many.socket(many.head("GET", "/api/events")) as stream, ExitStack() as stack:
            assert b"200" in stream.recv(4096)
            for _ in range(2 * connections.MOST):
                stack.enter_context(many.socket())
            self.alive(many)
            assert many.post("/api/w/ws/jobs", {"kind": "shots"}).status == 200
            seen = b""
            stream.settimeout(20)
            while b'"kind": "shots"' not in seen:
                seen += (part := stream.recv(65536))
                assert part, "the stream was closed"

    def test_who_keeps_the_server_waiting_is_let_go(self, many: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HEAD_SECONDS", "BODY_SECONDS"):
            monkeypatch.setattr(connections, name, 0.5)
        with (
            many.socket(b"GET / HTTP/1.1\r\n") as head,
            many.socket(many.head("POST", "/api/w/ws/jobs", "Content-Length: 9") + b"{") as body,
            many.socket(many.head("GET", "/api/events")) as stream,
        ):
            for waiting in (head, body):
                waiting.settimeout(20)
                assert is_closed(waiting)
            assert b"200" in stream.recv(4096)
            many.post("/api/w/ws/jobs", {"kind": "shots"})
            assert stream.recv(4096)


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side ends a connection without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
