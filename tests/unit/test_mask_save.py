"""The page on which masks are drawn: what it saves and copies."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drawn_faces import DST, draw_person, drawn_record
from lookalike.faceset import face_name, load_face, load_record, replace_record, save_face
from lookalike.faceset.polygons import carried
from lookalike.faceset.record import FORMAT, Polygon
from lookalike.geometry import invert, transform
from lookalike.web.answers import MOST_BYTES
from lookalike.web.mask_faces import ChangedError, Drawn, MaskFaces
from mask_page_client import SQUARE, MaskPage, answered, ask, face, ring, save


class TestSave:
    @pytest.mark.parametrize("suffix", [".jpg", ".png"])
    def test_polygons_go_to_the_record_in_frame_pixels_and_back(
        self, page: MaskPage, folder: Path, suffix: str
    ) -> None:
        crop, record = drawn_record(DST, 7)
        path = folder / face_name(record, suffix)
        save_face(path, crop, record)
        pixels, before = load_face(path)
        polygons = [{"kind": "include", "points": SQUARE}, {"kind": "exclude", "points": ring(512)}]
        status, found = save(page, path.name, polygons)
        assert (status, found["revision"]) == (200, face(page, path.name)["revision"])
        after_pixels, after = load_face(path)
        assert np.array_equal(pixels, after_pixels)
        assert after.model_copy(update={"polygons": []}) == before
        assert [(p.kind, len(p.points)) for p in after.polygons] == [("include", 4), ("exclude", 512)]
        want = transform(invert(before.matrix_array()), np.array(SQUARE))
        assert np.array(after.polygons[0].points) == pytest.approx(want, abs=0.01)
        assert np.abs(want - SQUARE).max() > 5  # the frame is not the crop
        back = face(page, path.name)["polygons"]
        assert np.array(back[0]["points"]) == pytest.approx(np.array(SQUARE), abs=0.01)

    def test_a_corner_lies_on_the_same_thing_in_crop_and_frame(self, page: MaskPage, folder: Path) -> None:
        """The middle of the lips, found by their colour in both pictures."""
        picture, _ = draw_person(DST, 3)
        crop, record = drawn_record(DST, 3, size=128)
        path = folder / "lips.png"
        save_face(path, crop, record)
        is_lips = [np.abs(one.astype(int) - DST.lips).max(2) < 12 for one in (crop, picture)]
        (x, y), in_frame = (np.argwhere(lips).mean(0)[::-1] for lips in is_lips)
        around = [[x - 5, y - 3], [x + 5, y - 3], [x + 5, y + 3], [x - 5, y + 3]]
        assert save(page, path.name, [{"kind": "exclude", "points": around}])[0] == 200
        stored = np.array(load_record(path).polygons[0].points)
        assert stored.mean(0) == pytest.approx(in_frame, abs=0.3)

    def test_saving_again_what_was_read_changes_nothing(self, page: MaskPage, folder: Path) -> None:
        name = "00001_0.jpg"
        assert save(page, name, [{"kind": "include", "points": SQUARE}])[0] == 200
        before = (folder / name).read_bytes(), (folder / name).stat().st_mtime_ns
        found = face(page, name)
        rounded = [{"kind": p["kind"], "points": np.round(p["points"], 4).tolist()} for p in found["polygons"]]
        assert save(page, name, rounded) == (200, {"revision": found["revision"]})
        assert ((folder / name).read_bytes(), (folder / name).stat().st_mtime_ns) == before

    def test_an_old_record_gets_the_format_that_has_polygons(self, page: MaskPage, folder: Path) -> None:
        path = folder / "00001_0.jpg"
        replace_record(path, load_record(path).model_copy(update={"format": 2}))
        assert save(page, path.name, [{"kind": "include", "points": SQUARE}])[0] == 200
        assert load_record(path).format == FORMAT

    def test_what_others_changed_meanwhile_stays(self, page: MaskPage, folder: Path) -> None:
        path = folder / "00001_0.jpg"
        seen = face(page, path.name)["revision"]
        polygon = Polygon(kind="exclude", points=[(1, 2), (30, 2), (5, 60)])
        replace_record(path, load_record(path).model_copy(update={"polygons": [polygon]}))
        status, found = save(page, path.name, [{"kind": "include", "points": SQUARE}], seen)
        assert status == 409
        assert found["error"] == "00001_0.jpg was changed by another program meanwhile"
        assert load_record(path).polygons == [polygon]
        assert save(page, path.name, [])[0] == 200
        assert load_record(path).polygons == []

    def test_another_crop_is_a_change_and_another_track_is_none(self, page: MaskPage, folder: Path) -> None:
        path = folder / "00001_0.jpg"
        seen = face(page, path.name)["revision"]
        record = load_record(path)
        replace_record(path, record.model_copy(update={"track": 5}))
        assert save(page, path.name, [{"kind": "include", "points": SQUARE}], seen)[0] == 200
        assert load_record(path).track == 5
        seen = face(page, path.name)["revision"]
        (a, b, c), row = load_record(path).matrix
        replace_record(path, load_record(path).model_copy(update={"matrix": ((a, b, c + 1), row)}))
        assert save(page, path.name, [], seen)[0] == 409

    def test_two_at_once_do_not_both_win(self, folder: Path) -> None:
        faces = MaskFaces(folder)
        seen = faces.face("00001_0.jpg")["revision"]
        results: list[str] = []

        def attempt(kind: Any) -> None:
            try:
                faces.save("00001_0.jpg", seen, [Drawn(kind=kind, points=[(1, 1), (9, 1), (9, 9)])])
                results.append("saved")
            except ChangedError:
                results.append("changed")

        threads = [threading.Thread(target=attempt, args=(kind,)) for kind in ("include", "exclude")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == ["changed", "saved"]

    @pytest.mark.parametrize(
        ("polygons", "status", "said"),
        [
            ([{"kind": "include", "points": ring(513)}], 422, "polygon 1 has 513 corners; it needs 3 to 512"),
            (
                [{"kind": "include", "points": SQUARE}, {"kind": "include", "points": SQUARE[:2]}],
                422,
                "polygon 2 has 2 corners",
            ),
            ([{"kind": "include", "points": SQUARE}] * 65, 422, "65 polygons are too many: a face holds up to 64"),
            ([{"kind": "include", "points": [*SQUARE, [0, 1e5]]}], 422, "polygon 1 has a corner far outside the face"),
            (
                [{"kind": "include", "points": [*SQUARE, [0, 1e308]]}],
                422,
                "polygon 1 has a corner far outside the face",
            ),
            ([{"kind": "paint", "points": SQUARE}], 400, "polygons.0.kind"),
            ([{"kind": "include", "points": [[1, 2, 3]] * 3}], 400, "polygons.0.points.0"),
            ([{"kind": "include", "points": SQUARE, "color": 1}], 400, "polygons.0.color"),
            ("all", 400, "polygons"),
        ],
    )
    def test_what_a_record_cannot_hold_is_refused(
        self, still: MaskPage, still_folder: Path, polygons: Any, status: int, said: str
    ) -> None:
        before = (still_folder / "00001_0.jpg").read_bytes()
        found = save(still, "00001_0.jpg", polygons)
        assert found[0] == status
        assert said in found[1]["error"]
        assert "\n" not in found[1]["error"]
        assert (still_folder / "00001_0.jpg").read_bytes() == before

    def test_what_a_jpeg_cannot_hold_is_refused(self, still: MaskPage, still_folder: Path) -> None:
        before = (still_folder / "00001_0.jpg").read_bytes()
        status, found = save(still, "00001_0.jpg", [{"kind": "include", "points": ring(512)}] * 10)
        assert status == 422
        assert "does not fit a JPEG" in found["error"]
        assert (still_folder / "00001_0.jpg").read_bytes() == before

    @pytest.mark.parametrize("path", ["/save", "/copy"])
    @pytest.mark.parametrize("sent", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"name": NaN}'])
    def test_what_makes_no_sense_is_refused(self, still: MaskPage, path: str, sent: bytes) -> None:
        status, _, body = ask(still, path, sent, method="POST")
        assert status == 400
        assert json.loads(body)["error"].startswith("not understood: ")

    @pytest.mark.parametrize("path", ["/save", "/copy"])
    def test_too_much_is_refused(self, still: MaskPage, path: str) -> None:
        start, end = b'{"name": "', b'"}'
        fits = start + b"a" * (MOST_BYTES - len(start) - len(end)) + end
        assert ask(still, path, fits)[0] == 400
        status, _, body = ask(still, path, fits + b" ")
        assert status == 413
        assert b"more than 1048576 bytes were sent" in body


class TestCopy:
    def test_polygons_are_carried_along_the_landmarks(self, page: MaskPage, folder: Path) -> None:
        one, other = "00001_0.jpg", "00002_0.jpg"
        assert save(page, one, [{"kind": "exclude", "points": SQUARE}])[0] == 200
        status, found = answered(page, "/copy", {"from": one, "to": other})
        assert status == 200
        giver, taker = load_record(folder / one), load_record(folder / other)
        in_frame = np.array(carried(giver.polygons, giver, taker)[0].points)
        (polygon,) = found["polygons"]
        assert polygon["kind"] == "exclude"
        points = np.array(polygon["points"])
        assert points == pytest.approx(transform(taker.matrix_array(), in_frame), abs=0.01)
        assert points == pytest.approx(np.array(SQUARE), abs=4)  # both crops are aligned
        assert np.abs(points - SQUARE).max() > 0.05
        assert taker.polygons == []  # nothing is saved by this

    @pytest.mark.parametrize(
        "sent", [{"from": "00001_0.jpg", "to": "../x.jpg"}, {"from": "x.jpg", "to": "00001_0.jpg"}]
    )
    def test_only_between_faces(self, page: MaskPage, sent: dict[str, str]) -> None:
        status, found = answered(page, "/copy", sent)
        assert status == 404
        assert "no face here is called" in found["error"]

    def test_a_face_without_a_record(self, page: MaskPage, folder: Path) -> None:
        Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(folder / "plain.jpg")
        status, found = answered(page, "/copy", {"from": "plain.jpg", "to": "00001_0.jpg"})
        assert status == 422
        assert "no face record" in found["error"]
