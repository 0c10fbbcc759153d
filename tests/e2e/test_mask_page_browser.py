"""The page of masks in a real browser: what a mouse and a keyboard do there ends in the face records."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import DST, write_faceset
from lookalike.faceset import FaceRecord, list_faces, load_record, replace_record
from lookalike.faceset.polygons import carried
from lookalike.faceset.record import Polygon
from lookalike.geometry import transform
from lookalike.web.mask_page import MaskPage

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
SECONDS = 40
SIZE = 64
MARGIN = 24
"""Pixels that the page leaves about a face that is fit to its window."""
CODES = {"Enter": 13, "Escape": 27, "PageUp": 33, "Delete": 46, "ArrowRight": 39, "ArrowDown": 40}
CTRL, ALT, SHIFT = 2, 1, 8


class Browser:
    """Chromium without a window, driven through a pipe by its own DevTools protocol."""

    def __init__(self, program: str, profile: Path) -> None:
        into, self._commands = os.pipe()
        self._answers, out = os.pipe()
        ends = [os.dup(end) for end in (into, out)]  # so that neither is 3 or 4 itself

        def hand_over() -> None:
            for number, end in enumerate(ends, 3):
                os.dup2(end, number)

        self._process = subprocess.Popen(
            [program, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=hand_over,
            pass_fds=(3, 4),
        )
        for end in (into, out, *ends):
            os.close(end)
        os.set_blocking(self._answers, False)
        self._rest, self._number, self._session = b"", 0, ""
        self.errors: list[str] = []
        """What the page complained about in the console."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable")
        self.resize(1280, 800)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def resize(self, width: int, height: int, dark: bool = False) -> None:
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        self._ask("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        return self._ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until an expression is true in the page."""
        until_true(lambda: self.value(expression), expression)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float, button: str = "left", modifiers: int = 0) -> None:
        self.mouse("mouseMoved", x, y, modifiers=modifiers)
        self.mouse("mousePressed", x, y, button=button, clickCount=1, modifiers=modifiers)
        self.mouse("mouseReleased", x, y, button=button, clickCount=1, modifiers=modifiers)

    def drag(self, start: tuple[float, float], end: tuple[float, float], button: str = "left") -> None:
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, button=button, clickCount=1)
        for share in (0.5, 1):
            place = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
            self.mouse("mouseMoved", *place, button=button)
        self.mouse("mouseReleased", *end, button=button, clickCount=1)

    def key(self, key: str, modifiers: int = 0) -> None:
        text = {"text": key} if len(key) == 1 and not modifiers & CTRL else {}
        code = CODES.get(key, ord(key[0].upper()))
        event = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self._ask("Input.dispatchKeyEvent", type="keyDown", **event, **text)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **event)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for said in self._said():
                self._note(said)
                if said.get("id") == self._number:
                    assert "error" not in said, (method, said["error"])
                    result: dict[str, Any] = said["result"]
                    return result
            time.sleep(0.002)
        raise TimeoutError(f"no answer to {method}")

    def _said(self) -> Iterator[dict[str, Any]]:
        try:
            self._rest += os.read(self._answers, 1 << 20)
        except BlockingIOError:
            return
        *whole, self._rest = self._rest.split(b"\0")
        for one in whole:
            yield json.loads(one)

    def _note(self, said: dict[str, Any]) -> None:
        what = said.get("params", {})
        match said.get("method"):
            case "Runtime.exceptionThrown":
                self.errors.append(str(what["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if what["type"] in ("error", "warning"):
                self.errors.append(str(what["args"]))
            case "Log.entryAdded" if what["entry"]["level"] in ("error", "warning"):
                self.errors.append(f"{what['entry']['text']} {what['entry'].get('url')}")


class Desk:
    """The page with a faceset, and where its pixels lie on the screen."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser, self.paths = browser, list_faces(folder)

    def wait_for_face(self, number: int) -> None:
        self.browser.wait(f"document.getElementById('canvas').ariaLabel?.startsWith('Face {self.paths[number].name}')")

    def screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the crop lies."""
        box = self.browser.value("(({x, y, width, height}) => [x, y, width, height])(canvas.getBoundingClientRect())")
        left, top, width, height = box
        scale = (min(width, height) - 2 * MARGIN) / SIZE
        return (
            left + width / 2 + (x + 0.5 - SIZE / 2) * scale,
            top + height / 2 + (y + 0.5 - SIZE / 2) * scale,
        )

    def draw(self, corners: list[tuple[float, float]]) -> None:
        """Click corners, and the first of them once more."""
        for corner in [*corners, corners[0]]:
            self.browser.click(*self.screen(*corner))

    def record(self, number: int) -> FaceRecord:
        return load_record(self.paths[number])

    def in_crop(self, number: int, polygon: int = 0) -> NDArray[np.float64]:
        record = self.record(number)
        return transform(record.matrix_array(), np.array(record.polygons[polygon].points))

    def wait_saved(self, number: int, kinds: list[str]) -> None:
        """Until a face's record has polygons of these kinds."""

        def kinds_now() -> list[str]:
            return [polygon.kind for polygon in self.record(number).polygons]

        until_true(lambda: kinds_now() == kinds, f"{kinds} in face {number}")
        self.wait_idle()

    def wait_idle(self) -> None:
        """Until the page, if it is there, has nothing to save; else it would ask whether to be left."""
        self.browser.wait("['Saved', undefined].includes(document.getElementById('state')?.textContent)")


def until_true(asked: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + SECONDS
    while not asked():
        assert time.monotonic() < until, f"in vain: {what}"
        time.sleep(0.03)


def near(points: list[tuple[float, float]]) -> Any:
    return pytest.approx(np.array(points), abs=0.15)  # the mouse knows whole pixels of the screen, of ten to a crop's


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None or sys.platform == "win32":
        pytest.skip("Chromium is not installed")
    with Browser(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    """The first of four faces, opened."""
    folder = write_faceset(tmp_path / "my_swap" / "data_dst" / "aligned", DST, 4, SIZE)
    browser.errors.clear()
    with MaskPage(folder) as page:
        browser.open(page.url)
        desk = Desk(browser, folder)
        desk.wait_for_face(0)
        yield desk
        desk.wait_idle()
        browser.open("about:blank")  # before the server goes, which the page would miss
        assert browser.errors == []


SQUARE = [(12.0, 12.0), (40.0, 12.0), (40.0, 44.0), (12.0, 44.0)]
TRIANGLE = [(20.0, 20.0), (36.0, 22.0), (28.0, 38.0)]


def test_a_drawn_polygon_is_in_the_record(desk: Desk) -> None:
    before = desk.record(0)
    desk.draw(SQUARE)
    desk.wait_saved(0, ["include"])
    assert desk.in_crop(0) == near(SQUARE)
    assert desk.record(0).model_copy(update={"polygons": []}) == before
    desk.browser.key("e")
    for corner in TRIANGLE:
        desk.browser.click(*desk.screen(*corner))
    desk.browser.key("Enter")
    desk.wait_saved(0, ["include", "exclude"])
    assert desk.in_crop(0, 1) == near(TRIANGLE)
    assert desk.browser.value("document.querySelector('.row .mark.exclude').textContent") == "−1"


def test_escape_drops_what_is_not_closed(desk: Desk) -> None:
    for corner in TRIANGLE:
        desk.browser.click(*desk.screen(*corner))
    desk.browser.key("Escape")
    desk.browser.key("i")
    desk.draw(SQUARE)
    desk.wait_saved(0, ["include"])
    assert desk.in_crop(0) == near(SQUARE)


def test_undo_and_redo(desk: Desk) -> None:
    desk.draw(SQUARE)
    desk.wait_saved(0, ["include"])
    desk.browser.key("Delete")
    desk.wait_saved(0, [])
    desk.browser.key("z", CTRL)
    desk.wait_saved(0, ["include"])
    desk.browser.key("z", CTRL)
    desk.wait_saved(0, [])
    desk.browser.key("Z", CTRL | SHIFT)
    desk.wait_saved(0, ["include"])
    assert desk.in_crop(0) == near(SQUARE)


def test_corners_move_come_and_go(desk: Desk) -> None:
    desk.draw(SQUARE)
    desk.wait_saved(0, ["include"])
    desk.browser.drag(desk.screen(40, 44), desk.screen(50, 50))
    desk.browser.click(*desk.screen(26, 12), modifiers=ALT)
    until_true(lambda: len(desk.record(0).polygons[0].points) == 5, "a corner more")
    assert desk.in_crop(0) == near([(12, 12), (26, 12), (40, 12), (50, 50), (12, 44)])
    desk.browser.key("ArrowDown", SHIFT)
    desk.browser.key("ArrowRight")
    until_true(lambda: desk.in_crop(0)[1:2] == near([(27, 22)]), "the new corner nudged")
    desk.browser.click(*desk.screen(12, 44), button="right")
    until_true(lambda: len(desk.record(0).polygons[0].points) == 4, "a corner less")
    assert desk.in_crop(0) == near([(12, 12), (27, 22), (40, 12), (50, 50)])


def test_copy_to_the_next_face(desk: Desk) -> None:
    desk.draw(SQUARE)
    desk.browser.key(".")  # at once: what is not saved yet is not lost
    desk.wait_for_face(1)
    desk.browser.key("c")
    desk.wait_saved(1, ["include"])
    one, other = desk.record(0), desk.record(1)
    moved = np.array(carried(one.polygons, one, other)[0].points)
    assert np.array(other.polygons[0].points) == pytest.approx(moved, abs=0.01)
    assert np.abs(moved - np.array(one.polygons[0].points)).max() > 1
    assert not other.polygons[0].carried  # taken over by hand


def test_what_others_changed_is_shown_and_said(desk: Desk) -> None:
    desk.draw(SQUARE)
    desk.wait_saved(0, ["include"])
    replace_record(desk.paths[0], desk.record(0).model_copy(update={"polygons": []}))
    desk.browser.key("ArrowRight")
    desk.browser.wait("document.getElementById('error').textContent.includes('changed by another program')")
    desk.wait_idle()
    assert desk.record(0).polygons == []
    assert desk.browser.value("document.querySelectorAll('#polygons li').length") == 0
    desk.browser.key("z", CTRL)
    desk.wait_saved(0, ["include"])
    desk.browser.errors.clear()  # the browser itself notes the answer 409


def test_the_picture_moves_and_zooms_under_the_pointer(desk: Desk) -> None:
    fixed = desk.screen(12, 12)
    desk.browser.mouse("mouseWheel", *fixed, deltaX=0, deltaY=-400)
    desk.browser.drag(fixed, (fixed[0] + 60, fixed[1] + 30), button="middle")
    desk.browser.click(fixed[0] + 60, fixed[1] + 30)
    desk.browser.key("0")
    for corner in SQUARE[1:]:
        desk.browser.click(*desk.screen(*corner))
    desk.browser.key("Enter")
    desk.wait_saved(0, ["include"])
    assert desk.in_crop(0) == near(SQUARE)


def test_drawing_without_a_mouse(desk: Desk) -> None:
    desk.browser.key("x")  # shows the cross in the middle
    desk.browser.key("x")
    for arrow in ("ArrowRight", "ArrowDown"):
        desk.browser.key(arrow, SHIFT)
        desk.browser.key("x")
    desk.browser.key("Enter")
    desk.wait_saved(0, ["include"])
    assert desk.in_crop(0) == pytest.approx(np.array([(31.5, 31.5), (41.5, 31.5), (41.5, 41.5)]), abs=0.01)


def test_a_click_inside_chooses_and_again_what_lies_below(desk: Desk) -> None:
    desk.draw(SQUARE)
    desk.browser.key("e")
    desk.draw(TRIANGLE)
    desk.browser.click(*desk.screen(55, 55))  # beside both: lets go
    desk.browser.click(*desk.screen(28, 26))
    desk.browser.click(*desk.screen(28, 26))
    desk.browser.key("k")
    desk.wait_saved(0, ["exclude", "exclude"])
    desk.browser.drag(desk.screen(14, 40), desk.screen(19, 45))
    until_true(lambda: np.abs(desk.in_crop(0)[0] - (17, 17)).max() < 0.15, "the whole polygon moved")
    assert desk.in_crop(0, 1) == near(TRIANGLE)
    desk.browser.key("PageUp")
    desk.browser.key("Delete")
    desk.wait_saved(0, ["exclude"])
    assert desk.in_crop(0) == near(TRIANGLE)


def test_a_begun_polygon_waits_while_other_faces_are_looked_at(desk: Desk) -> None:
    for corner in TRIANGLE:
        desk.browser.click(*desk.screen(*corner))
    desk.browser.key("d")
    desk.wait_for_face(1)
    desk.browser.key("a")
    desk.wait_for_face(0)
    desk.browser.key("Enter")
    desk.wait_saved(0, ["include"])
    assert desk.in_crop(0) == near(TRIANGLE)
    assert desk.record(1).polygons == []


def test_the_next_face_with_polygons(desk: Desk) -> None:
    for number in (2, 3):
        polygon = Polygon(kind="include", points=[(1, 2), (30, 2), (5, 60)])
        replace_record(desk.paths[number], desk.record(number).model_copy(update={"polygons": [polygon]}))
    desk.browser.value("window.leftBehind = true; location.reload()")
    desk.browser.wait("!window.leftBehind && document.getElementById('reading')?.textContent.includes('2 drawn')")
    desk.wait_for_face(0)
    for number in (2, 3):
        desk.browser.key(">")
        desk.wait_for_face(number)
    desk.browser.key("<")
    desk.wait_for_face(2)
    desk.browser.click(*desk.screen(60, 60))


def test_what_cannot_be_saved_is_said(desk: Desk) -> None:
    crowd = [Polygon(kind="include", points=[(1, 2), (30, 2), (5, 60)])] * 64
    replace_record(desk.paths[1], desk.record(1).model_copy(update={"polygons": crowd}))
    desk.browser.key(".")
    desk.wait_for_face(1)
    desk.browser.key("i")
    desk.browser.click(*desk.screen(60, 60))
    desk.browser.wait("document.getElementById('error').textContent.startsWith('A face holds up to 64 polygons')")


def test_what_was_just_drawn_survives_leaving_the_page(desk: Desk) -> None:
    desk.draw(SQUARE)
    desk.browser.open("about:blank")
    until_true(lambda: len(desk.record(0).polygons) == 1, "saved by the page that is gone")
    assert desk.in_crop(0) == near(SQUARE)
