"""The page on which masks are drawn: what it serves, to whom, and what it refuses."""

import threading
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import DST, drawn_record
from lookalike.faceset import FaceRecord, face_name, list_faces, load_record, replace_record, save_face
from lookalike.faceset.record import Polygon
from lookalike.faceset.trash import put_aside
from lookalike.masks.config import MaskApply
from lookalike.models.xseg import begun_xseg, save_xseg
from lookalike.pipeline import mask_faces, masks
from lookalike.pipeline.mask_networks import own_network
from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio.kinds import arguments
from mask_page_client import SQUARE, MaskPage, all_read, answered, ask, face, save, serving

ASKED = ["/faces", "/face?name=00001_0.jpg", "/picture/00001_0.jpg"]
SENT = ["/save", "/copy", "/mask", "/apply"]
PATHS = [*ASKED, *SENT, "/nothing"]


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
        for path in ASKED:
            assert ask(still, path, method="POST")[0] == 405
        for path in SENT:
            assert ask(still, path)[0] == 405

    @pytest.mark.parametrize("path", PATHS)
    def test_nothing_is_kept_and_nothing_else_is_loaded(self, still: MaskPage, path: str) -> None:
        _, headers, _ = ask(still, path)
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'; ")


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
        assert found["limits"] == {"corners": 512, "polygons": 64}
        *faces, broken = found["faces"]
        assert faces == [
            ["zz.jpg", 0, 0, 0, 0, None, False, False],
            ["00002_0.jpg", 1, 0, 0, 0, None, False, False],
            ["00003_0.jpg", 2, 0, 1, 2, None, False, False],
            ["00004_0.jpg", 3, 0, 0, 0, None, False, False],
        ]
        assert broken[:2] == ["broken.jpg", None]
        assert "cannot be read as an image" in broken[5]

    def test_what_others_change_is_read_again(self, page: MaskPage, folder: Path) -> None:
        all_read(page)
        path = folder / "00002_0.jpg"
        polygon = Polygon(kind="include", points=[(1, 2), (30, 2), (5, 60)], carried=True)
        replace_record(path, load_record(path).model_copy(update={"polygons": [polygon]}))
        (folder / "00001_0.jpg").unlink()
        rows = all_read(page)["faces"]
        assert [row[3] for row in rows] == [1, 0, 0]
        assert [row[6] for row in rows] == [True, False, False]

    def test_a_folder_that_lost_its_faces(self, page: MaskPage, folder: Path) -> None:
        for path in list_faces(folder):
            path.unlink()
        status, found = answered(page, "/faces")
        assert (status, found["faces"]) == (200, [])
        assert "no faces in" in found["problem"]
        folder.rmdir()
        assert "no faceset in" in answered(page, "/faces")[1]["problem"]


class TestPictures:
    def test_they_are_served_as_they_are(self, page: MaskPage, folder: Path) -> None:
        crop, record = drawn_record(DST, 9)
        save_face(folder / "a b#1.png", crop, record)
        for name, kind in (("00001_0.jpg", "image/jpeg"), ("a b#1.png", "image/png")):
            status, headers, body = ask(page, f"/picture/{quote(name)}")
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
        assert ask(page, f"/picture/{name}")[0] in (307, 400, 404)
        assert ask(page, f"/face?name={name}")[0] in (400, 404)

    def test_links_that_lead_outside_are_not_followed(self, page: MaskPage, folder: Path) -> None:
        secret = folder.parent / "secret.jpg"
        secret.write_bytes((folder / "00002_0.jpg").read_bytes())
        try:
            (folder / "link.jpg").symlink_to(secret)
        except OSError:
            pytest.skip("no links on this file system")
        assert ask(page, "/picture/link.jpg")[0] == 404
        sent = {"name": "link.jpg", "revision": "", "polygons": []}
        assert ask(page, "/save", sent)[0] == 404
        assert all_read(page)["faces"][-1][5].startswith("no face here is called 'link.jpg'")

    def test_a_face_that_is_gone(self, page: MaskPage, folder: Path) -> None:
        known = face(page, "00001_0.jpg")
        (folder / "00001_0.jpg").unlink()
        assert ask(page, "/picture/00001_0.jpg")[0] == 404
        status, found = save(page, "00001_0.jpg", [], known["revision"])
        assert status == 404
        assert found["error"] == "no face here is called '00001_0.jpg'; it may have been moved or renamed"


class TestSides:
    def test_only_src_and_dst(self, page: MaskPage) -> None:
        status, found = answered(page, "/api/w/my_swap/masks/third/faces")
        assert (status, found["error"]) == (404, "faces are those of src or of dst")
        assert "no faceset in" in answered(page, "/api/w/my_swap/masks/src/faces")[1]["problem"]

    def test_reading_ends_with_the_studio(self, folder: Path) -> None:
        before = set(threading.enumerate())
        with serving(folder) as page:
            assert ask(page, "/faces")[0] == 200
        assert "mask faces" not in {thread.name for thread in set(threading.enumerate()) - before}


class TestNetwork:
    def test_one_face_is_masked_and_its_mask_taken_out_and_put_back(self, page: MaskPage, folder: Path) -> None:
        name = "00002_0.jpg"
        assert save(page, name, [{"kind": "include", "points": SQUARE}])[0] == 200
        before = load_record(folder / name)
        status, found = answered(page, "/apply", {"name": name})
        assert (status, found["revision"]) == (200, face(page, name)["revision"])
        stored = load_record(folder / name).mask
        assert stored is not None
        assert stored.source.startswith("xseg fast generic ")
        assert found["mask"] == stored.model_dump()
        assert load_record(folder / name).model_copy(update={"mask": None}) == before
        assert [row[7] for row in all_read(page)["faces"]] == [False, True, False, False]
        assert answered(page, "/mask", {"name": name, "mask": None})[1]["mask"] is None
        assert load_record(folder / name) == before
        assert answered(page, "/mask", {"name": name, "mask": stored.model_dump()})[0] == 200
        assert load_record(folder / name).mask == stored

    def test_what_is_no_mask_and_no_face_is_refused(self, page: MaskPage, folder: Path) -> None:
        before = (folder / "00001_0.jpg").read_bytes()
        status, found = answered(page, "/mask", {"name": "00001_0.jpg", "mask": {"source": "me", "png": "AAAA"}})
        assert status == 422
        assert "its mask cannot be read" in found["error"]
        assert (folder / "00001_0.jpg").read_bytes() == before
        for path in ("/apply", "/mask"):
            sent = {"name": "../secret.jpg"} | ({"mask": None} if path == "/mask" else {})
            assert answered(page, path, sent)[0] == 404

    def test_how_far_the_workspace_s_own_network_is(self, page: MaskPage, folder: Path) -> None:
        assert answered(page, "/api/w/my_swap/masks/network")[1] == {"iterations": None}
        own = own_network(Workspace(folder.parents[1]))
        save_xseg(own, begun_xseg("fast", 1).state_dict(), "fast", {"step": "70"})
        assert answered(page, "/api/w/my_swap/masks/network")[1] == {"iterations": 70}
        own.write_bytes(b"\xff" * 100)
        assert answered(page, "/api/w/my_swap/masks/network")[1] == {"iterations": None}

    def test_what_is_drawn_while_a_job_masks_the_face_stays(
        self, page: MaskPage, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(_: object, image: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
            drawn = [{"kind": "include", "points": SQUARE}]
            assert save(page, face_name(record), drawn)[0] == 200
            return np.ones(image.shape[:2], np.float32)

        monkeypatch.setattr(mask_faces, "seen_of", slow)
        for _ in masks.apply(Workspace(folder.parents[1]), "dst", MaskApply(device="cpu")):
            pass
        for path in list_faces(folder):
            record = load_record(path)
            assert len(record.polygons) == 1
            assert record.mask is not None

    def test_a_face_put_aside_while_it_is_masked_is_not_put_back(
        self, page: MaskPage, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(_: object, image: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
            if record.frame == 1:
                put_aside(folder / face_name(record), folder.with_name("aligned_trash"), "by hand")
            return np.ones(image.shape[:2], np.float32)

        monkeypatch.setattr(mask_faces, "seen_of", slow)
        said = list(masks.apply(Workspace(folder.parents[1]), "dst", MaskApply(device="cpu")))
        assert "masked 3 of 4 faces" in str(said[-1])
        assert len(list_faces(folder)) == len(all_read(page)["faces"]) == 3

    def test_the_words_of_a_training(self, folder: Path) -> None:
        words = arguments("train", folder.parents[1], None, {"model": "xseg", "iterations": 600})
        assert words == ["train", str(folder.parents[1]), "--model=xseg", "--iterations=600"]
