"""The gallery of a faceset: what it knows, what it moves, and that all of it can be taken back."""

import io
import json
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from drawn_faces import DST, SRC, drawn_record, write_faceset
from drawn_workspace import COUNT, content, names
from lookalike.curation.columns import COLUMN_NAMES, columns
from lookalike.curation.config import SORT_METHODS, SortConfig
from lookalike.curation.coverage import counts, direction_name
from lookalike.errors import FacesetError
from lookalike.faceset import load_record, save_face
from lookalike.faceset.index import FacesetIndex
from lookalike.faceset.store import replace_record
from lookalike.pipeline import gallery_shelf
from lookalike.pipeline.gallery import REASON, Gallery
from lookalike.pipeline.gallery_coverage import coverage
from lookalike.pipeline.gallery_orders import order, orders
from lookalike.pipeline.gallery_pictures import Pictures
from lookalike.pipeline.gallery_shelf import NoFaceHereError, Seen, Shelf
from lookalike.pipeline.sort import sort
from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio.app import StudioServer
from studio_http import Client

SECONDS = 30


def known(shelf: Shelf) -> Seen:
    """What is known when all is read."""
    end = time.monotonic() + SECONDS
    while (seen := shelf.look()).unread or seen.reading:
        assert time.monotonic() < end
        time.sleep(0.02)
    return seen


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def gallery(place: Workspace) -> Gallery:
    return Gallery(place, "src")


def test_names_come_before_anything_is_read_and_columns_follow(gallery: Gallery) -> None:
    shelf = gallery.shelves["use"]
    assert shelf.look().names == names(shelf.folder)
    seen = known(shelf)
    row = seen.rows["00003_0.jpg"]
    record = load_record(shelf.folder / "00003_0.jpg")
    assert row.feature is not None
    told = dict(zip(COLUMN_NAMES, np.frombuffer(row.feature, np.float32).tolist(), strict=True))
    assert told["frame_low"] == 2
    assert told["person"] == -1
    assert told["sharpness"] == pytest.approx(record.sharpness)
    assert told["score"] == pytest.approx(record.score)
    assert row.source == "drawn.mp4"
    later = record.model_copy(update={"frame": 20_000_001})
    high, low = columns(np.zeros((0, 0, 3), np.uint8), later)[:2].astype(int)
    assert high * 65536 + low == 20_000_001  # beyond what a float32 holds


def test_faces_that_come_go_or_change_are_noticed(gallery: Gallery) -> None:
    shelf = gallery.shelves["use"]
    before = known(shelf)
    (shelf.folder / "00002_0.jpg").unlink()
    crop, record = drawn_record(SRC, 40)
    save_face(shelf.folder / "00041_0.jpg", crop, record)
    changed = shelf.folder / "00003_0.jpg"
    replace_record(changed, load_record(changed).model_copy(update={"edited": True}))
    place = COLUMN_NAMES.index("edited")

    def edited() -> bool:
        row = shelf.look().rows.get("00003_0.jpg")
        return row is not None and row.feature is not None and np.frombuffer(row.feature, np.float32)[place] == 1

    until(edited)
    seen = known(shelf)
    assert seen.names == names(shelf.folder)
    assert seen.version > before.version


def test_a_large_faceset_is_read_by_a_process_of_its_own(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_shelf, "_HERE", 2)
    shelf = gallery.shelves["use"]
    seen = known(shelf)
    assert len(seen.rows) == COUNT
    assert all(row.feature for row in seen.rows.values())
    (shelf.folder / "00001_0.jpg").unlink()
    known(shelf)
    with FacesetIndex(shelf.folder) as index:
        assert index.sync().read == 0  # all was read already, and once


def test_what_cannot_be_read_is_shown_with_its_problem(gallery: Gallery) -> None:
    shelf = gallery.shelves["use"]
    (shelf.folder / "00002_0.jpg").write_bytes(b"no picture")
    seen = known(shelf)
    assert "00002_0.jpg" in seen.names
    assert "cannot be read as an image" in (seen.rows["00002_0.jpg"].problem or "")
    act, failed = gallery.move(["00002_0.jpg", "00003_0.jpg"], "use", "trash")
    assert [one.name for one in act.moved] == ["00003_0.jpg"]
    assert list(failed) == ["00002_0.jpg"]
    act, failed = gallery.move(["00002_0.jpg"], "use", "removed")  # it can be got out of the way
    assert not failed
    assert (shelf.folder / "removed" / "00002_0.jpg").read_bytes() == b"no picture"


def test_put_aside_and_undone_leaves_every_byte_as_it_was(gallery: Gallery) -> None:
    shelf, trash = gallery.shelves["use"], gallery.shelves["trash"]
    before = content(shelf.folder)
    known(shelf)
    chosen = ["00001_0.jpg", "00004_0.jpg"]
    act, failed = gallery.move(chosen, "use", "trash")
    assert not failed
    assert shelf.look().names == names(shelf.folder) == sorted(before.keys() - set(chosen))
    assert {load_record(path).reason for path in trash.folder.iterdir()} == {REASON}
    assert trash.look().rows["00001_0.jpg"].reason == REASON  # known at once, without reading it again
    gallery.move(["00002_0.jpg"], "use", "trash", "too dark")
    back, failed, left = gallery.undo(act.number)  # of the two, the earlier
    assert ([one.name for one in back.moved], failed, left) == (chosen, {}, 0)
    assert names(trash.folder) == ["00002_0.jpg"]
    gallery.undo()
    assert content(shelf.folder) == before
    with pytest.raises(FacesetError, match="nothing to undo"):
        gallery.undo()


def test_faces_in_the_way_keep_their_names_and_undo_gives_the_old_ones(gallery: Gallery) -> None:
    shelf, trash = gallery.shelves["use"], gallery.shelves["trash"]
    write_faceset(trash.folder, DST, 1)
    there, before = content(trash.folder), content(shelf.folder)
    act, _ = gallery.move(["00001_0.jpg"], "use", "trash")
    assert act.moved[0].now == "00001_0-2.jpg"
    assert content(trash.folder)["00001_0.jpg"] == there["00001_0.jpg"]
    gallery.undo()
    assert content(shelf.folder) == before


def test_removed_faces_are_no_part_of_the_faceset_and_come_back(gallery: Gallery) -> None:
    shelf, removed = gallery.shelves["use"], gallery.shelves["removed"]
    before = content(shelf.folder)
    gallery.move(["00003_0.jpg", "00005_0.jpg"], "use", "removed")
    assert names(removed.folder) == ["00003_0.jpg", "00005_0.jpg"]
    assert removed.folder == shelf.folder / "removed"
    assert known(removed).names == ["00003_0.jpg", "00005_0.jpg"]
    gallery.move(["00005_0.jpg"], "removed", "use")
    assert shelf.look().names == names(shelf.folder)
    gallery.undo()
    gallery.undo()
    assert content(shelf.folder) == before
    assert sorted(path.name for path in shelf.folder.iterdir() if path.is_file()) == list(
        before
    )  # no index among the faces


def test_undo_of_a_return_gives_the_old_reason_again(gallery: Gallery) -> None:
    gallery.move(["00001_0.jpg"], "use", "trash", "sort blur: too soft")
    gallery.move(["00001_0.jpg"], "trash", "use")
    assert load_record(gallery.shelves["use"].folder / "00001_0.jpg").reason is None
    gallery.undo()
    assert load_record(gallery.shelves["trash"].folder / "00001_0.jpg").reason == "sort blur: too soft"


def test_handfuls_of_one_stroke_are_undone_together_or_bit_by_bit(gallery: Gallery) -> None:
    shelf = gallery.shelves["use"]
    before = content(shelf.folder)
    all_names = list(before)
    act, _ = gallery.move(all_names[:2], "use", "trash")
    again, _ = gallery.move(all_names[2:5], "use", "trash", act=act.number)
    assert (again.number, gallery.acts) == (act.number, 1)
    other, _ = gallery.move(all_names[5:], "use", "removed", act=act.number)  # of another kind: an act of its own
    assert other.number != act.number
    gallery.undo()
    _, _, left = gallery.undo(most=2)
    assert (left, len(names(shelf.folder))) == (3, 3)
    gallery.undo(act.number)
    assert content(shelf.folder) == before


def test_names_that_lead_elsewhere_are_no_faces(gallery: Gallery, tmp_path: Path) -> None:
    shelf = gallery.shelves["use"]
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"mine")
    (shelf.folder / "link.jpg").symlink_to(secret)
    (shelf.folder / ".hidden.jpg").write_bytes(b"")
    (shelf.folder / "notes.txt").write_text("")
    for name in ("../aligned/00001_0.jpg", str(secret), "link.jpg", ".hidden.jpg", "notes.txt", "", "..", "a\0.jpg"):
        with pytest.raises(NoFaceHereError):
            shelf.path(name)
    _, failed = gallery.move(["link.jpg", "../x.jpg"], "use", "removed")
    assert len(failed) == 2
    assert secret.read_bytes() == b"mine"


def test_pictures_are_reduced_only_if_large_and_remembered_within_bounds(tmp_path: Path) -> None:
    small, large = tmp_path / "small.jpg", tmp_path / "large.png"
    noise = np.random.default_rng(0).integers(0, 255, (600, 600, 3), np.uint8)
    Image.fromarray(noise[:64, :64]).save(small)
    Image.fromarray(noise).save(large)
    pictures = Pictures(kept_bytes=100_000)
    assert pictures.of(small, 256) == small.read_bytes()
    data = pictures.of(large, 128)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (128, 128)
    wide = tmp_path / "wide.jpg"
    Image.fromarray(noise[:400]).save(wide, progressive=True, exif=b"Exif\0\0" + bytes(50))
    with Image.open(io.BytesIO(pictures.of(wide, 90))) as picture:
        assert picture.size == (135, 90)
    large.chmod(0)
    assert pictures.of(large, 128) is data
    for side in range(130, 160):
        pictures.of(large, side)
    assert sum(map(len, pictures._kept.values())) <= 100_000
    large.chmod(0o600)
    large.write_bytes(b"x" * 100_000)
    assert pictures.of(large, 128) == b""
    assert pictures.of(tmp_path / "gone.jpg", 128) == b""


def test_orders_of_the_server_are_those_that_sort_makes(place: Workspace, gallery: Gallery) -> None:
    known(gallery.shelves["use"])
    offered = {one["name"]: one["made"] for one in orders(place, "src")}
    assert list(offered) == list(SORT_METHODS)
    assert offered["hist"] is None
    assert "match-dst" not in {one["name"] for one in orders(place, "dst")}
    with pytest.raises(FacesetError, match="not sorted by hist yet"):
        order(place, "src", "hist")
    for by in ("face-dissim", "identity", "hist"):
        shown = None if by == "hist" else order(place, "src", by)["names"]
        for _ in sort(place, "src", SortConfig(by=by, rejects="list")):
            pass
        with FacesetIndex(place.aligned("src")) as index:
            assert shown in (None, index.load_order(by))
    assert sorted(order(place, "src", "hist")["names"]) == names(place.aligned("src"))


def test_duplicates_are_told_as_long_as_they_are_of_the_last_sort(place: Workspace) -> None:
    folder = place.aligned("src")
    (folder / "00009_0.jpg").write_bytes((folder / "00002_0.jpg").read_bytes())
    for _ in sort(place, "src", SortConfig(by="duplicates", rejects="list")):
        pass
    assert order(place, "src", "duplicates")["rejects"] == {"00009_0.jpg": "duplicate of 00002_0.jpg"}
    for _ in sort(place, "src", SortConfig(by="yaw", rejects="list")):
        pass
    assert order(place, "src", "duplicates")["rejects"] is None


def test_coverage_counts_each_view_and_names_the_holes(place: Workspace) -> None:
    looks = {"src": [(0.0, 0.0)] * 3, "dst": [(0.0, 0.0)] * 2 + [(0.0, 0.9)] * 4}
    for side, views in looks.items():
        folder = place.aligned("src" if side == "src" else "dst")
        for path in folder.iterdir():
            path.unlink()
        for number, (pitch, yaw) in enumerate(views):
            crop, record = drawn_record(SRC, number)
            known_view = {"pitch_yaw_roll": (pitch, yaw, 0.0), "frame": number}
            save_face(folder / f"{number}.jpg", crop, record.model_copy(update=known_view))
    seen = [known(Gallery(place, side).shelves["use"]) for side in ("src", "dst")]
    found = coverage(seen[0], seen[1])
    assert sum(map(sum, found["src"])) == 3
    assert sum(map(sum, found["dst"])) == 6
    assert sum(map(sum, found["alone"])) == 4
    assert found["covered"] == pytest.approx(1 / 3)
    hole = next(one for one in found["holes"] if one["direction"] == "far left")
    assert (hole["yaw"], hole["pitch"]) == ((-90.0, -45.0), (-15.0, 15.0))
    assert "dst looks far left in 4 frames, src has no such face" in hole["text"]
    assert coverage(seen[0], Seen(1, [], {}, None, None))["holes"] == []


def test_views_are_counted_as_they_are_named() -> None:
    edges = np.array([(yaw, pitch) for yaw in (-90, -45, -15, 0, 15, 45, 90) for pitch in (-90, -15, 0, 15, 90)])
    views = np.concatenate([edges, np.random.default_rng(0).uniform(-100, 100, (300, 2))])
    one_by_one = Counter(direction_name(yaw, pitch) for yaw, pitch in views)
    assert {name: number for name, number in counts(views).items() if number} == one_by_one


class Asker(Client):
    """A page, as far as requests go."""

    def json(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status == 200, answer.body
        return answer.json

    def close(self) -> None:
        self._open.close()

    def listed(self, shelf: str) -> tuple[dict[str, Any], dict[str, list[float]]]:
        """What the page makes of the answer: the header, and the columns."""
        data = self.ask("GET", f"/api/w/ws/faces/src/{shelf}").body
        length = struct.unpack("<I", data[:4])[0]
        header = json.loads(data[4 : 4 + length])
        values = np.frombuffer(data[4 + length :], "<f4").reshape(len(header["columns"]), len(header["names"]))
        return header, dict(zip(header["columns"], values.tolist(), strict=True))


@contextmanager
def asking(folder: Path) -> Iterator[Asker]:
    with StudioServer(folder) as server:
        asker = Asker(server)
        try:
            yield asker
        finally:
            asker.close()


@pytest.fixture
def asker(place: Workspace) -> Iterator[Asker]:
    with asking(place.folder) as asker:
        yield asker


def test_a_page_gets_names_columns_and_nothing_twice(asker: Asker, place: Workspace) -> None:
    base = "/api/w/ws/faces/src/use"
    end = time.monotonic() + SECONDS
    while True:
        header, values = asker.listed("use")
        if not np.isnan(values["frame_low"]).any():
            break
        assert time.monotonic() < end
    assert header["names"] == names(place.aligned("src"))
    assert values["frame_low"] == [0, 1, 2, 3, 4, 5]
    assert [header["sources"][int(at)] for at in values["source"]] == ["drawn.mp4"] * COUNT
    assert values["reason"] == [-1] * COUNT
    until(lambda: asker.ask("GET", f"{base}?known={asker.listed('use')[0]['known']}").body == b"")
    pick = {"names": [header["names"][1], "gone.jpg"], "side": 256}
    data = asker.ask("POST", f"{base}/pictures", pick).body
    count, first, second = struct.unpack("<III", data[:12])
    assert (count, second) == (2, 0)
    assert data[12 : 12 + first] == (place.aligned("src") / header["names"][1]).read_bytes()
    points = asker.json("POST", f"{base}/points", {"names": pick["names"]})["points"]
    assert list(points) == [header["names"][1]]
    assert len(points[header["names"][1]]) == 136
    facts = asker.json("GET", f"{base}/facts?name={quote(header['names'][1])}")
    assert (facts["frame"], facts["source"], facts["reason"]) == (1, "drawn.mp4", None)


def test_a_page_moves_faces_and_takes_it_back(asker: Asker, place: Workspace) -> None:
    before = content(place.aligned("src"))
    told = asker.json("POST", "/api/w/ws/faces/src/use/move", {"names": ["00002_0.jpg"], "to": "trash"})
    assert (told["names"], told["failed"]) == (["00002_0.jpg"], {})
    header, values = asker.listed("trash")
    assert header["counts"] == {"use": COUNT - 1, "removed": 0, "trash": 1}
    assert header["acts"] == 1
    back = asker.json("POST", "/api/w/ws/faces/src/undo", {"act": told["act"]})
    assert (back["names"], back["left"]) == (["00002_0.jpg"], 0)
    assert content(place.aligned("src")) == before
    assert values["reason"] in ([0], [-1])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nowhere/faces/src/use", None, 404),
        ("GET", "ws/faces/left/use", None, 422),
        ("GET", "ws/faces/src/attic", None, 422),
        ("GET", "ws/faces/src/use/facts?name=../../workspace.toml", None, 404),
        ("GET", "ws/faces/src/use/picture?name=..%2F..%2Fworkspace.toml", None, 404),
        ("POST", "ws/faces/src/use/pictures", {"names": ["a.jpg"] * 201}, 400),
        ("POST", "ws/faces/src/use/move", {"names": [], "to": "attic"}, 400),
        ("POST", "ws/faces/src/use/move", {"names": [], "to": "use"}, 422),
        ("POST", "ws/faces/src/undo", {}, 422),
        ("GET", "ws/faces/src/orders?by=beauty", None, 422),
        ("GET", "ws/faces/src/orders?by=hist", None, 422),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    asker: Asker, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    answer = asker.ask(method, f"/api/w/{path}", body)
    assert answer.status == status
    assert "\n" not in answer.json["error"]


def test_a_workspace_without_faces_is_no_error(tmp_path: Path) -> None:
    Workspace.create(tmp_path / "ws")
    with asking(tmp_path / "ws") as asker:
        header, _ = asker.listed("use")
        assert (header["names"], header["counts"]["trash"], header["trouble"]) == ([], 0, None)
        assert asker.json("GET", "/api/w/ws/faces/coverage")["holes"] == []
        assert asker.json("GET", "/api/w/ws/faces/dst/orders")["orders"][0]["made"] is None
    assert not (tmp_path / "ws" / "data_src").exists()  # looking makes nothing
