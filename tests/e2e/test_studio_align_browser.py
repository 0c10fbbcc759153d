"""The align page in a browser: frames set by hand with mouse and keys, and what is on disk then."""

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from studio_desk import SECONDS, Desk, until

from lookalike.faceset import FaceRecord, list_faces, load_record

FRAME = 5


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in list_faces(folder)}


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".lock" not in path.name)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def record_of(desk: Desk, frame: int) -> FaceRecord | None:
    """The face of a frame in use."""
    found = [r for path in list_faces(desk.workspace.aligned("dst")) if (r := load_record(path)).frame == frame]
    assert len(found) <= 1
    return found[0] if found else None


def edits(desk: Desk) -> dict[str, list[object]]:
    path = desk.workspace.data("dst") / "edits.json"
    return json.loads(path.read_text())["frames"] if path.is_file() else {}


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the frame lies in the window while the whole frame is shown."""
    box = page.locator("#stage").bounding_box()
    assert box is not None
    wide, high = page.evaluate(
        "fetch('/api/w/my_swap/align/dst').then((r) => r.json()).then((v) => [v.width, v.height])"
    )
    scale = min(box["width"] / wide, box["height"] / high)
    left, top = box["x"] + (box["width"] - wide * scale) / 2, box["y"] + (box["height"] - high * scale) / 2
    return left + (x + 0.5) * scale, top + (y + 0.5) * scale


def settled(desk: Desk) -> None:
    """Wait until everything set by hand is in the faceset."""

    def done() -> bool:
        told = desk.page.evaluate("fetch('/api/w/my_swap/align/dst').then((r) => r.json())")
        assert not told["failed"]
        return not told["waiting"] and not told["state"] and told["reading"] is None

    until(done, "frames that are made")


def set_by_hand(desk: Desk, frame: int, shift: float = 0.0) -> None:
    """Lay the square over the face of a frame, moved a little, and accept."""
    page, record = desk.page, record_of(desk, frame)
    assert record is not None
    left, top, right, bottom = record.box_xyxy
    desk.go("align", "dst", str(frame))
    page.keyboard.press("m")
    page.mouse.move(*at(page, (left + right) / 2 + shift, (top + bottom) / 2 + shift), steps=5)
    page.mouse.click(*at(page, (left + right) / 2 + shift, (top + bottom) / 2 + shift))
    expect(page.locator("#stage")).to_have_attribute("data-locked", "yes")
    page.keyboard.press("Enter")
    expect(page.locator("#number")).to_have_value(str(frame + 2))
    page.keyboard.press("q")
    settled(desk)


def test_a_frame_is_set_by_hand_and_taken_back(studio: Desk) -> None:
    page = studio.page
    before, first = everything(studio.workspace.folder), record_of(studio, FRAME)
    assert first is not None
    name = f"data_dst/aligned/{FRAME + 1:05d}_0.jpg"
    set_by_hand(studio, FRAME, 4)
    set_so = record_of(studio, FRAME)
    assert set_so is not None
    assert set_so.edited
    assert not first.edited
    apart = np.linalg.norm(set_so.landmarks_array() - first.landmarks_array(), axis=1)
    assert 0.05 < apart.mean() < 8  # found anew, on the same face
    assert np.allclose(set_so.landmarks, edits(studio)[str(FRAME)][0]["landmarks"], atol=1e-3)  # type: ignore[index]
    now = everything(studio.workspace.folder)
    changed = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
    aside = name.replace("aligned", "aligned_trash")
    assert changed <= {name, aside, "data_dst/edits.json", "workspace.toml"}
    assert {name, aside} <= changed
    page.keyboard.press("Control+z")
    expect(page.locator("#redo")).to_be_enabled()
    settled(studio)
    assert record_of(studio, FRAME) == first
    assert edits(studio) == {}
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#redo")).to_be_disabled()
    settled(studio)
    again = record_of(studio, FRAME)
    assert again is not None
    assert again.landmarks == set_so.landmarks


def test_frames_between_two_move_evenly(studio: Desk) -> None:
    page, aligned = studio.page, studio.workspace.aligned("dst")
    before = contents(aligned)
    set_by_hand(studio, 2)
    set_by_hand(studio, 6)
    studio.go("align", "dst", "6")
    page.keyboard.press("i")
    expect(page.locator("[data-link='2-6']")).to_have_attribute("aria-pressed", "true")
    settled(studio)
    ends = record_of(studio, 2), record_of(studio, 6)
    a, b = (end.landmarks_array() for end in ends if end is not None)
    for frame in (3, 4, 5):
        between = record_of(studio, frame)
        assert between is not None
        assert between.edited
        share = (frame - 2) / 4
        assert np.allclose(between.landmarks_array(), a * (1 - share) + b * share, atol=2e-3)
    changed = {
        load_record(aligned / name).frame for name, data in contents(aligned).items() if before.get(name) != data
    }
    assert changed == {2, 3, 4, 5, 6}


def test_a_face_is_added_and_another_deleted(studio: Desk) -> None:
    page, first = studio.page, record_of(studio, FRAME)
    assert first is not None
    studio.go("align", "dst", str(FRAME))
    page.keyboard.press("+")
    page.mouse.move(*at(page, first.box_xyxy[0], first.box_xyxy[1]), steps=3)
    page.keyboard.press("l")
    expect(page.locator("#stage")).to_have_attribute("data-locked", "yes")
    page.keyboard.press("Enter")
    expect(page.locator(".align-face")).to_have_count(2)
    settled(studio)
    aligned = studio.workspace.aligned("dst")
    both = [r for path in list_faces(aligned) if (r := load_record(path)).frame == FRAME]
    assert [r.edited for r in both] == [False, True]  # the one that was there is as it was
    page.keyboard.press("Delete")  # the chosen face is the first
    expect(page.locator(".align-face")).to_have_count(1)
    settled(studio)
    left = record_of(studio, FRAME)
    assert left is not None
    assert left.landmarks == both[1].landmarks
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(page.locator("#undo")).to_be_disabled()
    settled(studio)
    assert record_of(studio, FRAME) == first


def test_keys_step_through_and_set_frames_without_a_face(studio: Desk) -> None:
    page = studio.page
    studio.go("align", "dst", "8")
    page.keyboard.press("m")
    page.keyboard.press("h")
    expect(page.locator("#manual-help")).to_be_hidden()
    page.mouse.move(*at(page, 100, 100))
    expect(page.locator("#manual-note")).to_contain_text("square 200 px")
    page.mouse.wheel(0, 100)
    expect(page.locator("#manual-note")).to_contain_text("square 180 px")
    for _ in range(12):
        page.mouse.wheel(0, 100)
    expect(page.locator("#manual-note")).to_contain_text("square 68 px")  # by tens of the size, then by single pixels
    page.keyboard.press(" ")  # no face in frame 8
    expect(page.locator("#number")).to_have_value("10")
    page.keyboard.press(".")  # not locked: nothing is stored
    expect(page.locator("#number")).to_have_value("11")
    page.keyboard.press(",")  # what is there is taken up again, locked
    expect(page.locator("#number")).to_have_value("10")
    expect(page.locator("#stage")).to_have_attribute("data-locked", "yes")
    page.keyboard.press("q")
    settled(studio)
    assert list(edits(studio)) == ["8", "9"]
    assert record_of(studio, 8) is None
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("#undo")).to_be_disabled()
    settled(studio)
    assert record_of(studio, 8) is not None
    assert edits(studio) == {}


@pytest.mark.parametrize("reach", [0, 40])
def test_a_landmark_is_dragged(studio: Desk, reach: int) -> None:
    page, first = studio.page, record_of(studio, FRAME)
    assert first is not None
    studio.go("align", "dst", str(FRAME))
    for _ in range(reach // 10):
        page.keyboard.press("]")
    chin = first.landmarks[8]
    page.mouse.move(*at(page, *chin))
    page.mouse.down()
    page.mouse.move(*at(page, chin[0], chin[1] + 10), steps=4)
    page.mouse.up()
    until(lambda: edits(studio), "an edit on disk")
    settled(studio)
    changed = record_of(studio, FRAME)
    assert changed is not None
    moved = changed.landmarks_array() - first.landmarks_array()
    assert np.allclose(moved[8], [0, 10], atol=0.1)
    assert (np.abs(moved[[0, 16, 27]]) < 2e-3).all()
    assert (abs(moved[7, 1]) > 0.5) == (reach > 0)


def test_a_job_at_work_is_waited_for(studio: Desk) -> None:
    page = studio.page
    studio.go("align", "dst", str(FRAME))
    with studio.workspace.locked():
        page.keyboard.press("e")
        expect(page.locator("#state")).to_contain_text("another lookalike", timeout=SECONDS * 1000)
        assert record_of(studio, FRAME) is not None
        assert edits(studio)[str(FRAME)] == []
    settled(studio)
    assert record_of(studio, FRAME) is None
