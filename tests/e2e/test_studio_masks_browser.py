"""The page of masks in a real browser: what a mouse and a keyboard do there ends in the face records."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from studio_desk import SECONDS, Desk, until

from drawn_faces import DST, SRC, write_faceset
from lookalike.faceset import FaceRecord, list_faces, load_record, replace_record
from lookalike.faceset.polygons import carried, polygon_masks
from lookalike.faceset.record import Polygon
from lookalike.geometry import transform
from lookalike.pipeline.workspace import Workspace

COUNT, SIZE = 4, 64
MARGIN = 24
"""Pixels that the page leaves about a face that is fit to its window."""
SQUARE = [(12.0, 12.0), (40.0, 12.0), (40.0, 44.0), (12.0, 44.0)]
TRIANGLE = [(20.0, 20.0), (36.0, 22.0), (28.0, 38.0)]

Corners = Sequence[tuple[float, float]]


@dataclass
class Drawing:
    """The page with dst's faces, and where its pixels lie on the screen."""

    desk: Desk
    paths: list[Path]

    @property
    def page(self) -> Page:
        return self.desk.page

    def part(self, name: str) -> Any:
        return self.page.locator(f"[data-part='{name}']")

    def wait_for_face(self, number: int) -> None:
        expect(self.part("canvas")).to_have_attribute("aria-label", re.compile(f"Face {self.paths[number].name},"))

    def screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the crop lies."""
        box = self.part("canvas").bounding_box()
        scale = (min(box["width"], box["height"]) - 2 * MARGIN) / SIZE
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        return middle[0] + (x + 0.5 - SIZE / 2) * scale, middle[1] + (y + 0.5 - SIZE / 2) * scale

    def click(self, x: float, y: float, **more: Any) -> None:
        self.page.mouse.click(*self.screen(x, y), **more)

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def draw(self, corners: Corners) -> None:
        """Click corners, and the first of them once more."""
        for corner in [*corners, corners[0]]:
            self.click(*corner)

    def drag(self, *places: tuple[float, float], button: Any = "left") -> None:
        """Press at the first place of the screen, go to the others, release."""
        mouse = self.page.mouse
        mouse.move(*places[0])
        mouse.down(button=button)
        for place in places[1:]:
            mouse.move(*place, steps=4)
        mouse.up(button=button)

    def paint(self, *places: tuple[float, float]) -> None:
        self.drag(*(self.screen(*place) for place in places))

    def record(self, number: int) -> FaceRecord:
        return load_record(self.paths[number])

    def in_crop(self, number: int, polygon: int = 0) -> NDArray[np.float64]:
        record = self.record(number)
        return transform(record.matrix_array(), np.array(record.polygons[polygon].points))

    def covered(self, number: int) -> NDArray[np.bool_]:
        """(SIZE, SIZE) what the polygons of a face include."""
        record = self.record(number)
        masks = polygon_masks(record.polygons, record.matrix_array(), SIZE)
        assert masks is not None
        return masks[0] > 0.5

    def wait_saved(self, number: int, kinds: list[str]) -> None:
        """Until a face's record has polygons of these kinds, and the page has nothing left to save."""
        until(lambda: [polygon.kind for polygon in self.record(number).polygons] == kinds, f"{kinds} in face {number}")
        self.wait_idle()

    def wait_idle(self) -> None:
        expect(self.part("state")).to_have_text("Saved")


@pytest.fixture
def drawing(open_studio: Callable[..., Desk], tmp_path: Path) -> Drawing:
    """The first of four faces, opened."""
    workspace = Workspace.create(tmp_path / "my_swap")
    write_faceset(workspace.aligned("src"), SRC, 2, SIZE)
    paths = list_faces(write_faceset(workspace.aligned("dst"), DST, COUNT, SIZE))
    expect.set_options(timeout=SECONDS * 1000)
    drawing = Drawing(open_studio(workspace.folder), paths)
    drawing.desk.go("masks", "dst")
    drawing.wait_for_face(0)
    return drawing


def near(points: Corners) -> Any:
    return pytest.approx(np.array(points), abs=0.15)  # the mouse knows whole pixels of the screen, of ten to a crop's


def test_drawn_polygons_are_in_the_record(drawing: Drawing) -> None:
    before = drawing.record(0)
    for corner in TRIANGLE:
        drawing.click(*corner)
    drawing.keys("Escape", "i")  # drops them
    drawing.draw(SQUARE)
    drawing.wait_saved(0, ["include"])
    assert drawing.in_crop(0) == near(SQUARE)
    assert drawing.record(0).model_copy(update={"polygons": []}) == before
    drawing.keys("e")
    for corner in TRIANGLE:
        drawing.click(*corner)
    drawing.keys("Enter")
    drawing.wait_saved(0, ["include", "exclude"])
    assert drawing.in_crop(0, 1) == near(TRIANGLE)
    expect(drawing.page.locator(".face .mark.exclude")).to_have_text("−1")


def test_every_control_has_a_name_and_fits(drawing: Drawing) -> None:
    nameless = """() => [...document.querySelectorAll('.masks :is(input, button, canvas, a)')]
        .filter((one) => !one.getAttribute('aria-label') && !one.textContent.trim() && !one.labels?.length)
        .map((one) => one.outerHTML)"""
    assert drawing.page.evaluate(nameless) == []
    assert drawing.page.locator(".masks :is(input, button)").count() > 25
    over = """() => [document.documentElement, document.getElementById('page')]
        .flatMap((one) => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight])"""
    assert drawing.page.evaluate(over) == [0, 0, 0, 0]
    drawing.keys("?")
    expect(drawing.page.locator("#sheet")).to_contain_text("Brush or polygon")
    drawing.keys("Escape")


def test_undo_and_redo(drawing: Drawing) -> None:
    drawing.draw(SQUARE)
    drawing.wait_saved(0, ["include"])
    drawing.keys("Delete")
    drawing.wait_saved(0, [])
    drawing.keys("Control+z")
    drawing.wait_saved(0, ["include"])
    drawing.desk.go("masks", "src")  # and back: what was done can still be undone
    drawing.desk.go("masks", "dst")
    drawing.wait_for_face(0)
    drawing.keys("Control+z")
    drawing.wait_saved(0, [])
    drawing.keys("Control+Shift+z")
    drawing.wait_saved(0, ["include"])
    assert drawing.in_crop(0) == near(SQUARE)


def test_corners_move_come_and_go(drawing: Drawing) -> None:
    drawing.draw(SQUARE)
    drawing.wait_saved(0, ["include"])
    drawing.paint((40, 44), (50, 50))
    drawing.page.keyboard.down("Alt")
    drawing.click(26, 12)
    drawing.page.keyboard.up("Alt")
    until(lambda: len(drawing.record(0).polygons[0].points) == 5, "a corner more")
    assert drawing.in_crop(0) == near([(12, 12), (26, 12), (40, 12), (50, 50), (12, 44)])
    drawing.keys("Shift+ArrowDown", "ArrowRight")
    until(lambda: drawing.in_crop(0)[1:2] == near([(27, 22)]), "the new corner nudged")
    drawing.click(12, 44, button="right")
    until(lambda: len(drawing.record(0).polygons[0].points) == 4, "a corner less")
    assert drawing.in_crop(0) == near([(12, 12), (27, 22), (40, 12), (50, 50)])


def test_a_brush_stroke_is_in_the_record_and_one_step(drawing: Drawing) -> None:
    drawing.keys("b", "]", "]", "]", "]")
    drawing.paint((16, 20), (48, 20))
    drawing.wait_saved(0, ["include"])
    covered, (x, y) = drawing.covered(0), np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    radius = np.count_nonzero(covered[:, 32]) / 2
    assert 5 < radius < 9
    wanted = np.hypot(x - x.clip(16, 48), y - 20) < radius
    assert np.count_nonzero(covered != wanted) < 0.06 * np.count_nonzero(wanted)
    drawing.paint((48, 20), (48, 48))  # goes on from where the first ended: one polygon
    until(lambda: drawing.covered(0)[46, 48], "the second stroke")
    drawing.wait_saved(0, ["include"])
    drawing.keys("Control+z")
    until(lambda: not drawing.covered(0)[46, 48], "the second stroke undone")
    assert np.array_equal(drawing.covered(0), covered)
    drawing.keys("e")
    drawing.paint((24, 20), (30, 20))
    drawing.wait_saved(0, ["include", "exclude"])
    assert not drawing.covered(0)[20, 27]
    drawing.keys("Control+z", "Control+z")
    drawing.wait_saved(0, [])


def test_a_ring_painted_leaves_its_middle_alone(drawing: Drawing) -> None:
    drawing.keys("b")
    turn = np.linspace(0, 2 * np.pi, 24)
    drawing.paint(*((32 + 20 * float(np.cos(a)), 32 + 20 * float(np.sin(a))) for a in turn))
    drawing.wait_saved(0, ["include"])
    covered = drawing.covered(0)
    assert all(covered[round(32 + 20 * float(np.sin(a))), round(32 + 20 * float(np.cos(a)))] for a in turn)
    assert not covered[26:38, 26:38].any()
    drawing.keys("b", "x", "Escape", "s", "Escape")
    drawing.wait_idle()


def test_copy_to_the_next_face(drawing: Drawing) -> None:
    drawing.draw(SQUARE)
    drawing.keys(".")  # at once: what is not saved yet is not lost
    drawing.wait_for_face(1)
    drawing.keys("c")
    drawing.wait_saved(1, ["include"])
    one, other = drawing.record(0), drawing.record(1)
    moved = np.array(carried(one.polygons, one, other)[0].points)
    assert np.array(other.polygons[0].points) == pytest.approx(moved, abs=0.01)
    assert np.abs(moved - np.array(one.polygons[0].points)).max() > 1
    assert not other.polygons[0].carried  # taken over by hand


def test_what_others_changed_is_shown_and_said(drawing: Drawing) -> None:
    drawing.draw(SQUARE)
    drawing.wait_saved(0, ["include"])
    replace_record(drawing.paths[0], drawing.record(0).model_copy(update={"polygons": []}))
    drawing.keys("ArrowRight")
    expect(drawing.part("error")).to_contain_text("changed by another program")
    drawing.wait_idle()
    assert drawing.record(0).polygons == []
    expect(drawing.part("polygons").locator("li")).to_have_count(0)
    drawing.keys("Control+z")
    drawing.wait_saved(0, ["include"])
    assert "409" in drawing.desk.complaints.pop()  # the browser itself notes the answer


def test_a_face_that_goes_makes_room_for_the_next(drawing: Drawing) -> None:
    drawing.keys(".")
    drawing.wait_for_face(1)
    drawing.paths[1].unlink()
    drawing.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    drawing.wait_for_face(2)
    expect(drawing.part("message")).to_contain_text(f"{drawing.paths[1].name} is not here any more")
    expect(drawing.part("count")).to_have_text("3 faces")


def test_the_picture_moves_and_zooms_under_the_pointer(drawing: Drawing) -> None:
    fixed = drawing.screen(12, 12)
    drawing.page.mouse.move(*fixed)
    drawing.page.mouse.wheel(0, -400)
    moved = fixed[0] + 60, fixed[1] + 30
    drawing.drag(fixed, moved, button="middle")
    drawing.page.mouse.click(*moved)
    drawing.keys("0")
    for corner in SQUARE[1:]:
        drawing.click(*corner)
    drawing.keys("Enter")
    drawing.wait_saved(0, ["include"])
    assert drawing.in_crop(0) == near(SQUARE)


def test_drawing_without_a_mouse(drawing: Drawing) -> None:
    drawing.keys("x", "x")  # shows the cross in the middle
    for arrow in ("ArrowRight", "ArrowDown"):
        drawing.keys(f"Shift+{arrow}", "x")
    drawing.keys("Enter")
    drawing.wait_saved(0, ["include"])
    assert drawing.in_crop(0) == pytest.approx(np.array([(31.5, 31.5), (41.5, 31.5), (41.5, 41.5)]), abs=0.01)
    drawing.keys(".")
    drawing.wait_for_face(1)
    drawing.keys("b", "x", "x")
    drawing.wait_saved(1, ["include"])
    assert drawing.covered(1)[31:33, 31:33].all()


def test_a_click_inside_chooses_and_again_what_lies_below(drawing: Drawing) -> None:
    drawing.draw(SQUARE)
    drawing.keys("e")
    drawing.draw(TRIANGLE)
    drawing.click(55, 55)  # beside both: lets go
    drawing.click(28, 26)
    drawing.page.wait_for_timeout(600)  # no double click
    drawing.click(28, 26)
    drawing.keys("k")
    drawing.wait_saved(0, ["exclude", "exclude"])
    drawing.paint((14, 40), (19, 45))
    until(lambda: np.abs(drawing.in_crop(0)[0] - (17, 17)).max() < 0.15, "the whole polygon moved")
    assert drawing.in_crop(0, 1) == near(TRIANGLE)
    drawing.keys("PageUp", "Delete")
    drawing.wait_saved(0, ["exclude"])
    assert drawing.in_crop(0) == near(TRIANGLE)


def test_nothing_is_lost_by_a_reload_in_the_middle(drawing: Drawing) -> None:
    drawing.keys(".")
    drawing.wait_for_face(1)
    drawing.draw(SQUARE)
    drawing.keys("e")
    for corner in TRIANGLE:
        drawing.click(*corner)
    drawing.page.reload()  # before anything was saved, and with a polygon that is not closed
    drawing.desk.ready("masks")
    drawing.wait_for_face(1)  # the same face
    drawing.keys("d")
    drawing.wait_for_face(2)
    drawing.keys("a")
    drawing.wait_for_face(1)
    drawing.keys("Enter")
    drawing.wait_saved(1, ["include", "exclude"])
    assert drawing.in_crop(1) == near(SQUARE)
    assert drawing.in_crop(1, 1) == near(TRIANGLE)
    drawing.keys("Delete")
    drawing.page.goto("about:blank")  # as much as leaving
    until(lambda: len(drawing.record(1).polygons) == 1, "saved by the page that is gone")


def test_the_next_face_with_polygons_and_what_a_face_cannot_hold(drawing: Drawing) -> None:
    polygon = Polygon(kind="include", points=[(1, 2), (30, 2), (5, 60)])
    for number, many in ((2, 1), (3, 64)):
        replace_record(drawing.paths[number], drawing.record(number).model_copy(update={"polygons": [polygon] * many}))
    drawing.page.reload()
    drawing.desk.ready("masks")
    expect(drawing.part("reading")).to_contain_text("2 drawn")
    for key, number in ((">", 2), (">", 3), ("<", 2), (">", 3)):
        drawing.keys(key)
        drawing.wait_for_face(number)
    drawing.keys("i")
    drawing.click(60, 60)
    expect(drawing.part("error")).to_contain_text("A face holds up to 64 polygons")


def test_the_network_masks_one_face_and_all(drawing: Drawing) -> None:
    drawing.draw(SQUARE)
    drawing.keys("n")
    until(lambda: drawing.record(0).mask is not None, "a mask of the network")
    expect(drawing.part("source")).to_contain_text("xseg")
    assert [polygon.kind for polygon in drawing.record(0).polygons] == ["include"]
    assert drawing.record(1).mask is None
    shots = []
    for show in "1234":
        drawing.keys(show)
        drawing.page.wait_for_timeout(200)
        shots.append(drawing.part("canvas").screenshot())
    assert all(one != other for one, other in itertools.combinations(shots, 2))
    drawing.part("take-out").click()
    until(lambda: drawing.record(0).mask is None, "no mask")
    drawing.page.get_by_text("Bring back").click()
    until(lambda: drawing.record(0).mask is not None, "the mask again")
    drawing.keys("Shift+N")
    drawing.page.locator("#sheet button.main").click()
    until(lambda: all(drawing.record(number).mask for number in range(COUNT)), "all masked by a job")
    expect(drawing.page.locator(".face .mark.network")).to_have_count(COUNT)


def test_polygons_are_carried_and_the_network_is_taught_by_jobs(drawing: Drawing) -> None:
    for number in (0, 2):
        drawing.page.locator(".face").nth(number).click()
        drawing.wait_for_face(number)
        drawing.keys("i")
        drawing.draw(SQUARE)
        drawing.wait_saved(number, ["include"])
    drawing.part("carry").click()
    drawing.page.locator("#sheet button.main").click()
    until(lambda: [one.carried for one in drawing.record(1).polygons] == [True], "carried to the face between")
    expect(drawing.part("reading")).to_contain_text("2 drawn, 1 carried")
    jobs = drawing.desk.server.studio.jobs
    until(lambda: jobs.busy("my_swap") is None, "the end of the job")
    drawing.part("train").click()
    expect(drawing.page.locator("#sheet")).to_contain_text("2 faces with polygons")
    drawing.page.locator("#sheet input").fill("1")
    drawing.page.locator("#sheet button.main").click()
    job = until(lambda: next((one for one in jobs.list() if one["kind"] == "train"), None), "a training")
    assert job["words"][2:] == ["--model=xseg", "--iterations=1"]
    for _ in range(2):
        jobs.cancel(job["number"])
