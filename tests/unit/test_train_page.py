"""The page of a training: who may see it, what it is told, and that it starts and stops."""

import http.client
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import ConfigError
from lookalike.web.train_folder import TrainFolder
from lookalike.web.train_page import TrainPage

LOSSES = 1500


def write_model(folder: Path) -> Path:
    """A model in training, with half a line at the end of each log."""
    previews = folder / "previews"
    previews.mkdir(parents=True)
    lines = [
        json.dumps({"iteration": n, "time": 1e9 + n, "loss_src": 2.0, "loss_dst": 3.0 if n % 2 else 1.0})
        for n in range(1, LOSSES + 1)
    ]
    (folder / "log.jsonl").write_text("\n".join(lines) + '\n{"iteration": 1501, "lo')
    rows = [{"iteration": 100 * n, "time": 1e9, "loss_src": 2.0 - 0.1 * n, "loss_dst": None} for n in (1, 2)]
    (folder / "validation.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"iter')
    options = {"iterations": 9000, "minutes": 0, "batch_size": 8, "learning_rate": 5e-5}
    state = {"format": 2, "step": 1450, "seconds": 725.5, "model": {"model": "sae", "resolution": 128}}
    (folder / "state.json").write_text(json.dumps(state | {"options": options}))
    (folder / "status.json").write_text('{"pid": 1, "iteration": 1503, "per_second": 2.5, "seconds_left": NaN}')
    for number in (0, 90, 1000):
        Image.fromarray(np.full((4, 5, 3), number // 10, np.uint8)).save(previews / f"{number:07d}.jpg")
    (previews / "notes.txt").write_text("mine")
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(folder / "preview.jpg")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("w") / "my_swap" / "model" / "df")


@pytest.fixture(scope="module")
def page(model: Path) -> Iterator[TrainPage]:
    with TrainPage(model) as page:
        yield page


def ask(
    page: TrainPage, path: str, *, token: bool = True, method: str = "GET", **headers: str
) -> tuple[int, Any, bytes]:
    """Status, headers and body of an answer; the path is sent as it is."""
    address = urlsplit(page.url)
    if token:
        path += ("&" if "?" in path else "?") + address.query
    connection = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


class TestGuard:
    @pytest.mark.parametrize("path", ["/", "/data.json", "/preview.jpg", "/previews/0000090.jpg", "/nothing"])
    @pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%FF%C3%A9"])
    def test_without_the_token_nothing_is_shown(self, page: TrainPage, path: str, query: str) -> None:
        status, headers, body = ask(page, path + query, token=False)
        assert status == 403
        assert b"token is missing" in body
        assert "set-cookie" not in headers

    def test_the_first_visit_leaves_a_cookie_that_is_enough(self, page: TrainPage) -> None:
        status, headers, _ = ask(page, "/")
        assert status == 200
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        pair = cookie.split(";")[0]
        assert ask(page, "/data.json", token=False, Cookie=f"other=1; {pair}")[0] == 200
        assert ask(page, "/data.json", token=False, Cookie=pair[:-1])[0] == 403
        assert ask(page, "/data.json", token=False, Cookie="\x01=;;")[0] == 403

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "", "["])
    def test_foreign_hosts_are_refused(self, page: TrainPage, host: str) -> None:
        status, headers, body = ask(page, "/", Host=host)
        assert status == 403
        assert b"does not go by that name" in body
        assert "set-cookie" not in headers

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:8", "[::1]:8"])
    def test_own_names_are_served_at_any_port(self, page: TrainPage, host: str) -> None:
        assert ask(page, "/", Host=host)[0] == 200  # a tunnel may have another port

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost", "https://localhost:8", ""])
    def test_foreign_origins_are_refused(self, page: TrainPage, origin: str) -> None:
        status, _, body = ask(page, "/data.json", Host="localhost:8", Origin=origin)
        assert status == 403
        assert b"other sites" in body
        assert ask(page, "/data.json", Host="localhost:8", Origin="http://localhost:8")[0] == 200

    def test_beyond_the_loopback_addresses_are_names(self, model: Path) -> None:
        with TrainPage(model, "0.0.0.0") as open_page:
            assert ask(open_page, "/", Host="192.168.1.7:8000")[0] == 200
            assert ask(open_page, "/", Host="evil.example")[0] == 403
            assert ask(open_page, "/", token=False, Host="192.168.1.7:8000")[0] == 403

    def test_only_reading_is_possible(self, page: TrainPage) -> None:
        for method in ("POST", "PUT", "DELETE"):
            assert ask(page, "/data.json", method=method)[0] == 405

    @pytest.mark.parametrize("path", ["/", "/data.json", "/preview.jpg", "/previews/0000090.jpg", "/nothing"])
    def test_nothing_is_kept_and_nothing_else_is_loaded(self, page: TrainPage, path: str) -> None:
        _, headers, _ = ask(page, path)
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'; ")


class TestPage:
    def test_all_that_it_needs_is_served_here(self, page: TrainPage) -> None:
        status, headers, body = ask(page, "/")
        text = body.decode()
        assert status == 200
        assert headers["content-type"] == "text/html; charset=utf-8"
        needed = set(re.findall(r'(?:src|href)="([^"]+)"', text)) - {"data:,"}
        assert len(needed) >= 3
        while needed:
            path = needed.pop()
            status, _, found = ask(page, path)
            assert status == 200, path
            assert b"http" not in found.replace(b"http-", b"")
            if path.endswith(".js"):
                imported = re.findall(r"from '(\.[^']+)'", found.decode())
                needed |= {urljoin(path, name) for name in imported}

    def test_nothing_is_inside_that_the_policy_forbids(self, page: TrainPage) -> None:
        _, headers, body = ask(page, "/")
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy
        assert not re.search(rb"<style|<script[^>]*>[^<]|style=|\son\w+=", body)


class TestPictures:
    @pytest.mark.parametrize("path", ["/preview.jpg", "/previews/0000090.jpg", "/preview.jpg?t=17"])
    def test_pictures_are_served(self, page: TrainPage, model: Path, path: str) -> None:
        status, headers, body = ask(page, path)
        assert (status, headers["content-type"]) == (200, "image/jpeg")
        assert body == (model / path[1:].split("?")[0]).read_bytes()

    @pytest.mark.parametrize(
        "path",
        [
            "/preview_masked.jpg",
            "/previews/0000001.jpg",
            "/previews/notes.txt",
            "/previews/preview.jpg",
            "/previews/..%2Fpreview.jpg",
            "/previews/%2e%2e/state.json",
            "/previews/../state.json",
            "/previews/..%5Cstate.json",
            "/previews/0000090.jpg%00",
            "/previews/0000090.jpg%0A",
            "/previews/%D9%A1.jpg",
            "/previews//etc/passwd",
            "/state.json",
            "/log.jsonl",
            "//etc/passwd",
        ],
    )
    def test_nothing_else_is(self, page: TrainPage, path: str) -> None:
        assert ask(page, path)[0] in (400, 404)

    def test_links_that_lead_outside_are_not_followed(self, tmp_path: Path) -> None:
        folder = write_model(tmp_path / "model")
        secret = tmp_path / "secret.jpg"
        secret.write_bytes(b"secret")
        try:
            (folder / "previews" / "0000200.jpg").symlink_to(secret)
            (folder / "preview_masked.jpg").symlink_to(secret)
        except OSError:
            pytest.skip("no links on this file system")
        assert TrainFolder(folder).history("0000200.jpg") is None
        assert TrainFolder(folder).preview("preview_masked.jpg") is None


class TestData:
    def test_all_that_is_known(self, page: TrainPage) -> None:
        status, headers, body = ask(page, "/data.json")
        data = json.loads(body, parse_constant=pytest.fail)
        assert (status, headers["content-type"]) == (200, "application/json")
        assert (data["model"], data["workspace"]) == ("df", "my_swap")
        assert data["running"] is True
        assert data["resident_bytes"] is None or data["resident_bytes"] > 0
        assert data["status"] == {"pid": 1, "iteration": 1503, "per_second": 2.5, "seconds_left": None}
        assert (data["iteration"], data["target"], data["seconds"]) == (1503, 9000, 725.5)
        assert data["options"]["batch_size"] == 8
        assert data["sizes"] == {"model": "sae", "resolution": 128}
        assert data["advice"] == "Judge by the preview: nothing has been measured yet on held-out faces."
        assert [row["loss_src"] for row in data["validation"]] == pytest.approx([1.9, 1.8])
        assert data["validation"][0]["loss_dst"] is None
        assert data["pictures"] == ["0000000", "0000090", "0001000"]
        assert data["previews"]["preview.jpg"].isdigit()
        assert data["previews"]["preview_masked.jpg"] is None

    def test_curves_are_thinned(self, page: TrainPage) -> None:
        curves = json.loads(ask(page, "/data.json")[2])["curves"]
        assert len(curves["first"]) == len(curves["last"]) == 600
        assert (curves["first"][0], curves["last"][-1]) == (1, LOSSES)
        assert [a + 1 for a in curves["last"][:-1]] == curves["first"][1:]
        assert set(curves["values"]) == {"loss_src", "loss_dst"}
        dst = curves["values"]["loss_dst"]
        assert (curves["first"][1], curves["last"][1]) == (3, 5)
        assert (dst["low"][1], dst["high"][1], dst["mean"][1]) == (1, 3, 2.3333)
        assert set(curves["values"]["loss_src"]["mean"]) == {2}

    def test_only_what_is_new(self, page: TrainPage) -> None:
        data = json.loads(ask(page, "/data.json?after=1497&pictures_after=90")[2])
        assert data["curves"]["first"] == data["curves"]["last"] == [1498, 1499, 1500]
        assert data["curves"]["values"]["loss_dst"]["mean"] == [1, 3, 1]
        assert data["pictures"] == ["0001000"]
        nothing = json.loads(ask(page, "/data.json?after=1500&pictures_after=1000")[2])
        assert nothing["curves"] == {
            "first": [],
            "last": [],
            "values": {key: {"low": [], "high": [], "mean": []} for key in ("loss_src", "loss_dst")},
        }
        assert nothing["pictures"] == []

    def test_only_the_last(self, page: TrainPage) -> None:
        curves = json.loads(ask(page, "/data.json?last=5")[2])["curves"]
        assert curves["first"] == [1496, 1497, 1498, 1499, 1500]

    @pytest.mark.parametrize("query", ["after=x", "last=1.5", "pictures_after="])
    def test_numbers_are_asked_for(self, page: TrainPage, query: str) -> None:
        assert ask(page, f"/data.json?{query}")[0] == 400

    def test_a_training_that_ended(self, tmp_path: Path) -> None:
        folder = write_model(tmp_path / "model")
        reader = TrainFolder(folder)
        old = (folder / "status.json").stat().st_mtime - 1000
        os.utime(folder / "status.json", (old, old))
        assert reader.look()["running"] is False
        assert reader.look()["silent_seconds"] >= 1000
        (folder / "status.json").unlink()
        data = reader.look()
        assert (data["running"], data["silent_seconds"], data["status"], data["iteration"]) == (
            False,
            None,
            None,
            LOSSES,
        )

    def test_a_training_goes_by_the_options_that_it_was_told_last(self, tmp_path: Path) -> None:
        folder = write_model(tmp_path / "model")
        (folder / "status.json").write_text('{"iteration": 1503, "options": {"iterations": 0, "batch_size": 3}}')
        data = TrainFolder(folder).look()
        assert (data["options"], data["target"], data["status"]) == (
            {"iterations": 0, "batch_size": 3},
            0,
            {"iteration": 1503},
        )
        (folder / "status.json").unlink()
        assert TrainFolder(folder).look()["target"] == 9000

    def test_a_training_that_went_back_is_told(self, tmp_path: Path) -> None:
        folder = write_model(tmp_path / "model")
        reader = TrainFolder(folder)
        before = reader.look()["generation"]
        new = folder / "new"
        new.write_text('{"iteration": 1, "loss_src": 5}\n')
        new.replace(folder / "log.jsonl")
        data = reader.look()
        assert data["generation"] > before
        assert data["curves"]["values"]["loss_src"]["mean"] == [5]

    @pytest.mark.parametrize(
        "junk", ["", "{", "[]", "null", '{"options": 3, "model": [], "step": "x", "seconds": NaN}']
    )
    def test_files_that_make_no_sense(self, tmp_path: Path, junk: str) -> None:
        for name in ("state.json", "status.json", "log.jsonl", "validation.jsonl"):
            (tmp_path / name).write_text(junk)
        data = TrainFolder(tmp_path).look()
        assert json.dumps(data, allow_nan=False)
        assert (data["iteration"], data["options"], data["sizes"], data["seconds"]) == (0, {}, {}, None)

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        data = TrainFolder(tmp_path / "model" / "none").look()
        assert (data["running"], data["iteration"], data["pictures"], data["validation"]) == (False, 0, [], [])
        assert data["curves"] == {"first": [], "last": [], "values": {}}

    def test_many_measurements_are_spread(self, tmp_path: Path) -> None:
        lines = (json.dumps({"iteration": n, "loss_src": 1.0, "loss_dst": 1.0}) for n in range(2001))
        (tmp_path / "validation.jsonl").write_text("\n".join(lines) + "\n")
        data = TrainFolder(tmp_path).look()
        found = [row["iteration"] for row in data["validation"]]
        assert (len(found), found[0], found[-1]) == (500, 0, 2000)
        assert data["advice"].startswith("You can stop: ")


class TestServer:
    def test_it_starts_and_stops(self, tmp_path: Path) -> None:
        page = TrainPage(tmp_path / "none")
        with pytest.raises(RuntimeError, match="no address"):
            _ = page.url
        page.start()
        page.start()  # nothing more
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", page.url)
        port = urlsplit(page.url).port or 0
        assert ask(page, "/")[0] == 200
        page.stop()
        page.stop()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with pytest.raises(OSError, match=r"refused|reset"):
            connection.request("GET", "/")
        connection.close()

    def test_two_pages_have_tokens_of_their_own(self, model: Path, page: TrainPage) -> None:
        with TrainPage(model) as other:
            token = urlsplit(page.url).query
            assert ask(other, f"/?{token}", token=False)[0] == 403
            assert ask(other, "/")[0] == 200

    def test_a_port_in_use_is_said_in_one_line(self, model: Path, page: TrainPage) -> None:
        port = urlsplit(page.url).port or 0
        with pytest.raises(
            ConfigError, match=rf"cannot be served at 127.0.0.1, port {port} \(.*\); choose another port"
        ):
            TrainPage(model, port=port).start()
        with pytest.raises(ConfigError, match=r"port 99999; ports are 0\.\.65535"):
            TrainPage(model, port=99999).start()

    def test_stopping_does_not_wait_for_a_reader(self, model: Path) -> None:
        before = set(threading.enumerate())
        page = TrainPage(model)
        page.start()
        assert [thread.name for thread in set(threading.enumerate()) - before if thread.daemon] == ["train page"]
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(page.url).port or 0, timeout=5)
        connection.request("GET", f"/data.json?{urlsplit(page.url).query}")
        connection.getresponse().read()
        page.stop()  # the connection is still open
        connection.close()
        assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "train page"]
