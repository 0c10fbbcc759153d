"""Getting weights: from a server that may fail in many ways, or from a file. A half file never gets the final name."""

import hashlib
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lookalike import weights
from lookalike.download import TransferError, download
from lookalike.errors import ConfigError, WeightsError
from lookalike.faces.build import DETECTORS, LANDMARKERS, DetectorSettings
from lookalike.types import Message, Progress

DATA = bytes(range(256)) * 6000
SHA256 = hashlib.sha256(DATA).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    """Each path is a way to behave."""

    asked: list[tuple[str, str]]
    """Path and Range of each request."""

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Range", "")))
        first = sum(path == self.path for path, _ in self.asked) == 1
        way = self.path.strip("/")
        if way == "good" or (way in ("breaks-once", "busy-once") and not first):
            self._send(DATA)
        elif way in ("resumes", "breaks-always"):
            self._part(broken=first or way == "breaks-always", honours_range=way == "resumes")
        elif way == "breaks-once":
            self._part(broken=True, honours_range=False)
        elif way == "wrong":
            self._send(b"<html>" + DATA)
        elif way == "no-length":
            self._send(DATA, length=False)
        elif way == "redirect":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
        elif way == "shrinks":
            self._part(broken=True, honours_range=False) if first else self._shrunk()
        elif way == "other-range":
            self._part(broken=first, honours_range=not first, late=0 if first else 5)
        elif way == "silent":
            self.server.shutdown_wait.wait(5)  # type: ignore[attr-defined]
        else:
            self.send_error(503 if way == "busy-once" else 404)

    def _send(self, data: bytes, length: bool = True) -> None:
        self.send_response(200)
        if length:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _part(self, broken: bool, honours_range: bool, late: int = 0) -> None:
        start = int(self.headers.get("Range", "bytes=0-").split("=")[1].rstrip("-")) if honours_range else 0
        start += late
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        self.send_header("Content-Length", str(len(DATA) - start))
        self.end_headers()
        self.wfile.write(DATA[start : start + len(DATA) // 2] if broken else DATA[start:])

    def _shrunk(self) -> None:
        if self.headers.get("Range"):
            self.send_error(416)
        else:
            self._send(DATA)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = type("Handler", (_Handler,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as found:
        found.shutdown_wait = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=found.serve_forever, args=(0.02,))
        thread.start()
        yield found
        found.shutdown_wait.set()  # type: ignore[attr-defined]
        found.shutdown()
        thread.join()


def _asked(server: ThreadingHTTPServer) -> list[tuple[str, str]]:
    return server.RequestHandlerClass.asked  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def tiny(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the server; it publishes a network named tiny."""
    address = f"http://127.0.0.1:{server.server_port}"
    network = weights.Network(
        name="tiny",
        purpose="test",
        file="tiny.pth",
        url=f"{address}/good",
        sha256=SHA256[:10],
        licence="free to try",
        size_bytes=len(DATA) + 100,
    )
    monkeypatch.setitem(weights.NETWORKS, "tiny", network)
    monkeypatch.setattr(weights, "_PAUSES", (0.0, 0.01))
    return address


def test_the_licence_comes_first_and_then_the_file(tiny: str, tmp_path: Path, server: ThreadingHTTPServer) -> None:
    events = weights.fetch_weights("tiny", folder=tmp_path)
    assert next(events) == Message("weights", "tiny: free to try")
    assert _asked(server) == []
    *progress, last = list(events)
    assert last == Message("weights", f"tiny is in {tmp_path / 'tiny.pth'}")
    assert all(isinstance(event, Progress) and event.total == len(DATA) / 1e6 for event in progress)
    assert weights.find_weights("tiny", tmp_path).read_bytes() == DATA
    assert list(tmp_path.iterdir()) == [tmp_path / "tiny.pth"]
    texts = [event.text for event in weights.fetch_weights("tiny", folder=tmp_path) if isinstance(event, Message)]
    assert texts[-1].endswith("tiny.pth is there already")
    assert len(_asked(server)) == 1


@pytest.mark.parametrize(
    ("way", "ranges"),
    [
        ("redirect", ["", ""]),
        ("no-length", [""]),
        ("resumes", ["", f"bytes={len(DATA) // 2}-"]),
        ("breaks-once", ["", f"bytes={len(DATA) // 2}-"]),
        ("busy-once", ["", ""]),
        ("shrinks", ["", f"bytes={len(DATA) // 2}-", ""]),
    ],
)
def test_the_file_comes_in_the_end(
    tiny: str, tmp_path: Path, server: ThreadingHTTPServer, way: str, ranges: list[str]
) -> None:
    list(weights.fetch_weights("tiny", f"{tiny}/{way}", tmp_path))
    assert (tmp_path / "tiny.pth").read_bytes() == DATA
    assert list(tmp_path.iterdir()) == [tmp_path / "tiny.pth"]
    assert [span for _, span in _asked(server)] == ranges


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("breaks-always", f"the connection broke after {len(DATA) // 2} of {len(DATA)} bytes"),
        ("missing", "the server says 404 Not Found"),
        ("other-range", "the server sends another part than was asked for"),
        ("wrong", f"is not tiny.pth: sha256 {SHA256[:10]} expected, [0-9a-f]{{64}} found"),
    ],
)
def test_what_fails_leaves_nothing(
    tiny: str, tmp_path: Path, server: ThreadingHTTPServer, way: str, reason: str
) -> None:
    with pytest.raises(WeightsError, match=reason) as caught:
        list(weights.fetch_weights("tiny", f"{tiny}/{way}", tmp_path))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert len(_asked(server)) == (3 if way in ("breaks-always", "other-range") else 1)


def test_a_file_that_is_too_large_is_not_taken(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="larger than the 1000 bytes expected"):
        list(download(f"{tiny}/good", tmp_path / "a", limit_bytes=1000))
    with pytest.raises(TransferError, match="larger than the 1000 bytes expected"):
        list(download(f"{tiny}/no-length", tmp_path / "a", limit_bytes=1000))


def test_a_silent_server_is_left(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="the server does not answer"):
        list(download(f"{tiny}/silent", tmp_path / "a", limit_bytes=9, timeout_seconds=0.1, pauses=(0.0,)))


def test_a_refused_connection_is_one_line(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"tiny could not be fetched from .*: the server refuses the connection; try"
    ):
        list(weights.fetch_weights("tiny", f"http://127.0.0.1:{_closed_port()}/x", tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/hosts", "not an http or https address"),
        ("http://no-such-host.invalid/x", "name is not known here, or there is no network"),
        ("http://127.0.0.1:port/x", "the address is malformed"),
        ("http://[::1/x", "the address is malformed"),
        ("http://127.0.0.1/a b", "the address is malformed"),
        ("http:///x", "the address is malformed"),
        ("http://a..b/x", "the address is malformed"),
        ("http://127.0.0.1/ü", "the address is malformed"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(TransferError, match=reason):
        list(download(url, tmp_path / "a", limit_bytes=9, pauses=()))


def test_stopping_half_way_leaves_nothing(tiny: str, tmp_path: Path) -> None:
    events = weights.fetch_weights("tiny", folder=tmp_path)
    next(events)
    assert isinstance(next(events), Progress)
    events.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_keeps_the_one_that_is_there(tiny: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.pth").write_bytes(b"my own")
    with pytest.raises(WeightsError, match="404"):
        list(weights.fetch_weights("tiny", f"{tiny}/missing", tmp_path))
    assert (tmp_path / "tiny.pth").read_bytes() == b"my own"


def test_weights_are_added_from_a_file(tiny: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mine, folder = tmp_path / "mine.bin", tmp_path / "kept" / "here"
    mine.write_bytes(DATA)
    list(weights.add_weights("tiny", mine, folder))
    assert weights.find_weights("tiny", folder).read_bytes() == DATA
    mine.write_bytes(b"other")
    with pytest.raises(WeightsError, match=r"mine\.bin is not tiny\.pth: sha256 .* or accept it with --trust$"):
        list(weights.add_weights("tiny", mine, folder))
    assert weights.find_weights("tiny", folder).read_bytes() == DATA
    with caplog.at_level(logging.WARNING):
        list(weights.add_weights("tiny", mine, folder, trust=True))
    assert f"was accepted as tiny with sha256 {hashlib.sha256(b'other').hexdigest()}" in caplog.text
    assert weights.find_weights("tiny", folder).read_bytes() == b"other"
    assert "not the published file" in dict(weights.list_weights(folder))["tiny"]
    with pytest.raises(WeightsError, match="is no file"):
        list(weights.add_weights("tiny", tmp_path, folder))
    with pytest.raises(WeightsError, match="is where the weights of tiny are kept"):
        list(weights.add_weights("tiny", folder / "tiny.pth", folder, trust=True))


def test_a_file_of_the_users_gets_another_name(tiny: str, tmp_path: Path) -> None:
    mine, folder = tmp_path / "mine.bin", tmp_path / "kept"
    for data in (b"one", b"two", b"two"):
        mine.write_bytes(data)
        events = list(weights.add_weights("tiny", mine, folder, trust=True))
    assert events == [Message("weights", f"tiny is in {folder / 'tiny.pth'}")]  # the same file again
    said = [event.text for event in weights.fetch_weights("tiny", folder=folder) if isinstance(event, Message)]
    kept = folder / "tiny-3.pth"
    assert said[1] == f"tiny.pth was there already and is not the published file; it is {kept} now"
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == {"tiny.pth": DATA, "tiny-2.pth": b"one", "tiny-3.pth": b"two"}


def test_what_is_not_there_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"run: lookalike weights get s3fd, .*: lookalike weights add s3fd FILE$"):
        weights.find_weights("s3fd", tmp_path)
    with pytest.raises(ConfigError, match="no network nose can be fetched; there are s3fd, fan"):
        weights.find_weights("nose", tmp_path)


def test_detector_and_landmarker_say_what_they_lack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    with pytest.raises(WeightsError, match="weights get s3fd"):
        DETECTORS["s3fd"].build(DetectorSettings(min_score=0.5))
    with pytest.raises(WeightsError, match="weights get fan"):
        LANDMARKERS["fan"](None)


def test_published_addresses_end_in_the_name_and_names_in_the_hash() -> None:
    for network in weights.NETWORKS.values():
        if network.name != "sface":
            digits = network.file.split(".")[0].rsplit("-", 1)[1]
            assert network.sha256.startswith(digits)
        assert network.url.endswith(f"/{network.file}")
        assert len(network.sha256) == 64


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "import sys; from lookalike.cli import main; main(sys.argv[1:])"
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    command = [sys.executable, "-c", code, "weights", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


def test_the_commands_work_and_fail_in_one_line(tiny: str, tmp_path: Path) -> None:
    mine, folder = tmp_path / "mine.pth", tmp_path / "kept"
    mine.write_bytes(b"mine")
    failing: list[tuple[tuple[object, ...], str]] = [
        (("get", "s3fd", "--url", f"{tiny}/missing"), "the server says 404 Not Found"),
        (("get", "s3fd", "--url", f"{tiny}/wrong"), "is not s3fd-619a316812.pth"),
        (("get", "s3fd", "--url", f"http://127.0.0.1:{_closed_port()}/x"), "the server refuses the connection"),
        (("add", "s3fd", mine), "or accept it with --trust"),
        (("add", "s3fd", tmp_path / "none.pth"), "none.pth is no file"),
    ]
    for arguments, reason in failing:
        done = _run(*arguments, "--folder", folder)
        assert done.returncode == 1, done.stderr
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("error: ")
        assert reason in line
        assert not folder.exists() or list(folder.iterdir()) == []
        assert ("face-alignment" in done.stdout) == (arguments[0] == "get")  # the licence
    done = _run("add", "s3fd", mine, "--trust", "--folder", folder)
    assert done.returncode == 0, done.stderr
    assert "was accepted as s3fd with sha256" in " ".join(done.stderr.split())
    assert (folder / "s3fd-619a316812.pth").read_bytes() == b"mine"


def test_the_list_names_everything_with_its_licence(tmp_path: Path) -> None:
    done = _run("list", "--folder", tmp_path)
    assert done.returncode == 0
    for name in (*weights.NETWORKS, *(network.name for network in weights.EMBEDDED)):
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{name}: ")]
        assert any(word in line for word in ("BSD-3-Clause", "BSD-2-Clause", "MIT", "Apache-2.0", "public domain"))
    assert done.stdout.count("lookalike weights get") == len(weights.NETWORKS)


def test_an_unknown_network_is_wrong_usage(tmp_path: Path) -> None:
    done = _run("get", "nose", "--folder", tmp_path)
    assert (done.returncode, done.stderr) == (2, "error: no network nose can be fetched; there are s3fd, fan, sface\n")
