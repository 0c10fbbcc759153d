"""The page on which masks are drawn: what it serves, to whom, and what it refuses."""

import base64
import hashlib
import http.client
import re
import threading
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from drawn_faces import DST, drawn_record
from lookalike.errors import ConfigError, EmptyFacesetError, FacesetError
from lookalike.faceset import list_faces, load_record, replace_record, save_face
from lookalike.faceset.record import Polygon
from lookalike.web.mask_page import MaskPage
from mask_page_client import SQUARE, all_read, answered, ask, face, save

PATHS = ["/", "/faces.json", "/face.json?name=00001_0.jpg", "/faces/00001_0.jpg", "/save", "/copy", "/nothing"]


class TestGuard:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("query", ["", "token=", "token=wrong"])
    def test_without_the_token_nothing_is_shown_or_changed(self, still: MaskPage, path: str, query: str) -> None:
        path += ("&" if "?" in path else "?") + query
        for method in ("GET", "POST"):
            status, headers, body = ask(still, path, token=False, method=method)
            assert status == 403
            assert b"token is missing" in body
            assert "set-cookie" not in headers

    def test_the_first_visit_leaves_a_cookie_that_is_enough(self, still: MaskPage) -> None:
        cookie = ask(still, "/")[1]["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert ask(still, "/faces.json", token=False, headers={"Cookie": cookie.split(";")[0]})[0] == 200

    @pytest.mark.parametrize(
        "headers", [{"Host": "evil.example"}, {"Host": "10.0.0.1"}, {"Origin": "http://evil.example"}]
    )
    def test_others_cannot_save(self, still: MaskPage, still_folder: Path, headers: dict[str, str]) -> None:
        name = "00001_0.jpg"
        sent = {
            "name": name,
            "revision": face(still, name)["revision"],
            "polygons": [{"kind": "include", "points": SQUARE}],
        }
        assert ask(still, "/save", sent, headers=headers)[0] == 403
        assert load_record(still_folder / name).polygons == []

    def test_what_is_asked_for_by_another_way_is_refused(self, still: MaskPage) -> None:
        for path in PATHS[:4]:
            assert ask(still, path, method="POST")[0] == 405
        for path in ("/save", "/copy"):
            assert ask(still, path)[0] == 405

    @pytest.mark.parametrize("path", PATHS)
    def test_nothing_is_kept_and_nothing_else_is_loaded(self, still: MaskPage, path: str) -> None:
        _, headers, _ = ask(still, path)
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'; ")


class TestPage:
    def test_one_file_that_needs_no_other(self, still: MaskPage) -> None:
        status, headers, body = ask(still, "/")
        text = body.decode()
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert text.count("<script") == text.count("<style") == 1
        assert not re.search(r"(src|href)=\"(?!data:)|https?://|@import|url\(", text)

    def test_the_policy_allows_the_page_its_own_script_and_style(self, still: MaskPage) -> None:
        _, headers, body = ask(still, "/")
        for tag in ("script", "style"):
            inside = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>".encode(), body, re.DOTALL)
            assert inside is not None
            digest = base64.b64encode(hashlib.sha256(inside[1]).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in headers["content-security-policy"]

    def test_every_field_has_a_name(self, still: MaskPage) -> None:
        text = ask(still, "/")[2].decode()
        fields = re.findall(r"<(?:input|select|canvas)[^>]*>", text)
        assert len(fields) > 8
        for field in fields:
            assert re.search(rf"<label[^>]*>[^<]*{re.escape(field)}", text) or "aria-label=" in field, field


class TestList:
    def test_faces_in_order_of_frame(self, page: MaskPage, folder: Path) -> None:
        (folder / "00001_0.jpg").rename(folder / "zz.jpg")
        (folder / "broken.jpg").write_bytes(b"no picture")
        (folder / "notes.txt").write_text("mine")
        assert (
            save(page, "00003_0.jpg", [{"kind": k, "points": SQUARE} for k in ("include", "exclude", "exclude")])[0]
            == 200
        )
        found = all_read(page)
        assert (found["side"], found["workspace"]) == ("data_dst", "my_swap")
        assert found["limits"] == {"corners": 512, "polygons": 64}
        *faces, broken = found["faces"]
        assert faces == [
            ["zz.jpg", 0, 0, 0, 0, None],
            ["00002_0.jpg", 1, 0, 0, 0, None],
            ["00003_0.jpg", 2, 0, 1, 2, None],
            ["00004_0.jpg", 3, 0, 0, 0, None],
        ]
        assert broken[:2] == ["broken.jpg", None]
        assert "cannot be read as an image" in broken[5]

    def test_what_others_change_is_read_again(self, page: MaskPage, folder: Path) -> None:
        all_read(page)
        path = folder / "00002_0.jpg"
        polygon = Polygon(kind="include", points=[(1, 2), (30, 2), (5, 60)])
        replace_record(path, load_record(path).model_copy(update={"polygons": [polygon]}))
        (folder / "00001_0.jpg").unlink()
        assert [row[3] for row in all_read(page)["faces"]] == [1, 0, 0]

    def test_a_folder_that_lost_its_faces(self, page: MaskPage, folder: Path) -> None:
        for path in list_faces(folder):
            path.unlink()
        status, found = answered(page, "/faces.json")
        assert status == 422
        assert "no faces in" in found["error"]


class TestPictures:
    def test_they_are_served_as_they_are(self, page: MaskPage, folder: Path) -> None:
        crop, record = drawn_record(DST, 9)
        save_face(folder / "a b#1.png", crop, record)
        for name, kind in (("00001_0.jpg", "image/jpeg"), ("a b#1.png", "image/png")):
            status, headers, body = ask(page, f"/faces/{quote(name)}")
            assert (status, headers["content-type"]) == (200, kind)
            assert body == (folder / name).read_bytes()

    @pytest.mark.parametrize(
        "name",
        [
            "00009_0.jpg",
            "notes.txt",
            ".hidden.jpg",
            "aligned.index.sqlite",
            "..",
            "../secret.jpg",
            "..%2Fsecret.jpg",
            "%2e%2e%2fsecret.jpg",
            "..%5Csecret.jpg",
            "%2Fetc%2Fpasswd",
            "/etc/passwd",
            "inner/a.jpg",
            "inner%2Fa.jpg",
            "./00001_0.jpg",
            "00001_0.jpg%00",
            "00001_0.jpg/",
            "",
        ],
    )
    def test_nothing_else_is(self, page: MaskPage, folder: Path, name: str) -> None:
        (folder.parent / "secret.jpg").write_bytes((folder / "00002_0.jpg").read_bytes())
        (folder / "inner").mkdir()
        (folder / "inner" / "a.jpg").write_bytes((folder / "00002_0.jpg").read_bytes())
        (folder / ".hidden.jpg").write_bytes((folder / "00002_0.jpg").read_bytes())
        (folder / "notes.txt").write_text("mine")
        assert ask(page, f"/faces/{name}")[0] in (307, 404)
        assert ask(page, f"/face.json?name={name}")[0] == 404

    def test_links_that_lead_outside_are_not_followed(self, page: MaskPage, folder: Path) -> None:
        secret = folder.parent / "secret.jpg"
        secret.write_bytes((folder / "00002_0.jpg").read_bytes())
        try:
            (folder / "link.jpg").symlink_to(secret)
        except OSError:
            pytest.skip("no links on this file system")
        assert ask(page, "/faces/link.jpg")[0] == 404
        sent = {"name": "link.jpg", "revision": "", "polygons": []}
        assert ask(page, "/save", sent)[0] == 404
        assert all_read(page)["faces"][-1][5].startswith("no face here is called 'link.jpg'")

    def test_a_face_that_is_gone(self, page: MaskPage, folder: Path) -> None:
        known = face(page, "00001_0.jpg")
        (folder / "00001_0.jpg").unlink()
        assert ask(page, "/faces/00001_0.jpg")[0] == 404
        status, found = save(page, "00001_0.jpg", [], known["revision"])
        assert status == 404
        assert found["error"] == "no face here is called '00001_0.jpg'; it may have been moved or renamed"


class TestServer:
    def test_it_starts_and_stops(self, folder: Path) -> None:
        before = set(threading.enumerate())
        page = MaskPage(folder)
        with pytest.raises(RuntimeError, match="no address"):
            _ = page.url
        page.start()
        page.start()  # nothing more
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", page.url)
        port = urlsplit(page.url).port or 0
        assert ask(page, "/faces.json")[0] == 200
        page.stop()
        page.stop()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with pytest.raises(OSError, match=r"refused|reset"):
            connection.request("GET", "/")
        connection.close()
        left = {thread.name for thread in set(threading.enumerate()) - before}
        assert not left & {"mask page", "mask faces"}

    def test_a_port_in_use_is_said_in_one_line(self, folder: Path, page: MaskPage) -> None:
        port = urlsplit(page.url).port or 0
        with pytest.raises(
            ConfigError, match=rf"cannot be served at 127.0.0.1, port {port} \(.*\); choose another port"
        ):
            MaskPage(folder, port=port).start()
        with pytest.raises(ConfigError, match=r"port 99999; ports are 0\.\.65535"):
            MaskPage(folder, port=99999).start()

    def test_without_faces_there_is_no_page(self, tmp_path: Path) -> None:
        with pytest.raises(FacesetError, match="no faceset in"):
            MaskPage(tmp_path / "none").start()
        with pytest.raises(EmptyFacesetError, match="no faces in"):
            MaskPage(tmp_path).start()
