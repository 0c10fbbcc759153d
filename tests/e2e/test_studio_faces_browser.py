"""The gallery in a browser: choosing by mouse and keys, putting aside and taking back, orders, filters, one large."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from studio_desk import SECONDS, Desk, until

from lookalike.curation.facts import degrees
from lookalike.faceset import list_faces, load_record
from lookalike.faceset.index import FacesetIndex
from lookalike.pipeline.workspace import Workspace

SLOW = SECONDS * 1000


def names(folder: Path) -> list[str]:
    return [path.name for path in list_faces(folder)] if folder.is_dir() else []


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in list_faces(folder)}


def selected(page: Page) -> list[str]:
    """Names of the chosen faces that are in the document, in their order on the page."""
    code = """[...document.querySelectorAll('.face[aria-selected=true]')]
      .sort((a, b) => a.dataset.i - b.dataset.i).map((cell) => cell.id.slice(5))"""
    return [str(name) for name in page.evaluate(code)]


def shown(page: Page) -> list[str]:
    code = """[...document.querySelectorAll('.face')].sort((a, b) => a.dataset.i - b.dataset.i)
      .map((cell) => cell.id.slice(5))"""
    return [str(name) for name in page.evaluate(code)]


def face(page: Page, place: int) -> Locator:
    return page.locator(f".face[data-i='{place}']")


def go(studio: Desk, side: str = "src") -> Page:
    """Open the gallery and wait until all is known of every face."""
    studio.go("faces", side)
    expect(studio.page.locator(".range").first).to_be_visible(timeout=SLOW)
    return studio.page


def test_faces_are_chosen_put_aside_and_brought_back(studio: Desk) -> None:
    aligned, trash = studio.workspace.aligned("src"), studio.workspace.trash("src")
    before = content(aligned)
    every = list(before)
    page = go(studio)
    face(page, 1).click()
    face(page, 4).click(modifiers=["Shift"])
    assert selected(page) == every[1:5]
    face(page, 2).click(modifiers=["Control"])
    assert selected(page) == [every[1], *every[3:5]]
    drag(page, face(page, 0), face(page, 2))
    assert selected(page) == every[:3]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Space")
    chosen = [every[1], every[2], every[4]]
    assert selected(page) == chosen
    page.keyboard.press("Delete")
    expect(page.locator(".toast", has_text="3 faces put aside")).to_be_visible(timeout=SLOW)
    assert names(trash) == chosen
    assert {load_record(trash / name).reason for name in chosen} == {"put aside in the studio"}
    assert not set(chosen) & set(shown(page))
    page.locator(".toast button").click()
    expect(page.locator(".toast", has_text="Undone")).to_be_visible(timeout=SLOW)
    assert content(aligned) == before
    assert selected(page) == chosen
    page.keyboard.press("Control+a")
    expect(page.locator(".faces-actions")).to_contain_text(f"{len(every)} selected")
    page.keyboard.press("Escape")
    assert selected(page) == []


def drag(page: Page, start: Locator, end: Locator) -> None:
    """Draw a rectangle from the middle of one face to that of another."""
    first, last = start.bounding_box(), end.bounding_box()
    assert first is not None
    assert last is not None
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + first["height"] / 2)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] / 3, last["y"] + last["height"] / 3, steps=4)
    page.mouse.move(last["x"] + last["width"] / 2, last["y"] + last["height"] / 2)
    page.wait_for_timeout(50)
    page.mouse.up()


def test_removed_and_trash_are_shelves_of_their_own(studio: Desk) -> None:
    aligned, trash = studio.workspace.aligned("dst"), studio.workspace.trash("dst")
    before = content(aligned)
    page = go(studio, "dst")
    face(page, 0).click()
    page.keyboard.press("r")
    expect(page.locator("[data-shelf=removed]")).to_have_text("Removed 1", timeout=SLOW)
    assert names(aligned / "removed") == [next(iter(before))]
    page.keyboard.press("2")
    face(page, 0).click(timeout=SLOW)
    page.keyboard.press("Delete")
    expect(page.locator("[data-shelf=trash]")).to_have_text("Trash 1", timeout=SLOW)
    page.keyboard.press("Control+z")  # where it was: removed
    expect(page.locator("[data-shelf=removed]")).to_have_text("Removed 1", timeout=SLOW)
    page.locator("[data-shelf=use]").click()
    face(page, 3).click(timeout=SLOW)
    page.keyboard.press("Delete")
    page.locator("[data-shelf=trash]").click()
    expect(page.locator(".faces-panel")).to_contain_text("put aside in the studio", timeout=SLOW)
    page.get_by_role("button", name=re.compile("put aside in the studio")).click()
    face(page, 0).click()
    page.keyboard.press("r")
    until(lambda: not names(trash), "the face comes back")
    page.keyboard.press("2")
    face(page, 0).click(timeout=SLOW)
    page.keyboard.press("r")
    until(lambda: content(aligned) == before, "all is as it was")


def test_orders_filters_and_the_map_need_no_server(studio: Desk) -> None:
    aligned = studio.workspace.aligned("src")
    records = {path.name: load_record(path) for path in list_faces(aligned)}
    page = go(studio)
    page.get_by_label("Order", exact=True).select_option("yaw")
    by_yaw = sorted(records, key=lambda name: degrees(records[name])[1])
    assert shown(page) == by_yaw
    page.get_by_role("button", name="Turn the order round").click()
    assert shown(page) == by_yaw[::-1]
    page.get_by_label("Group", exact=True).select_option("track")
    assert page.locator(".faces-head").count() == len({record.track for record in records.values()})
    page.get_by_label("Group", exact=True).select_option("none")
    lowest = page.get_by_label("least yaw")
    lowest.fill("100")
    kept = shown(page)
    assert 0 < len(kept) < len(records)
    assert kept == by_yaw[::-1][: len(kept)]
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_label("Search").fill("00003")
    expect(page.locator(".face")).to_have_count(1)
    page.get_by_label("Search").fill("")
    canvas = page.locator("canvas.map")
    until(lambda: page.evaluate("document.querySelector('canvas.map').width > 200"), "the map")
    canvas.focus()
    for _ in range(40):  # from the middle along a spiral until a cell with faces is met
        page.keyboard.press("ArrowLeft")
        if re.search(r"src [1-9]", page.locator(".faces-panel [aria-live]").inner_text()):
            break
        page.keyboard.press("ArrowUp" if _ % 4 < 2 else "ArrowDown")
    said = page.locator(".faces-panel [aria-live]").inner_text()
    number = int(re.search(r"src (\d+)", said)[1])  # type: ignore[index]
    page.keyboard.press("Enter")
    expect(page.locator(".face")).to_have_count(number)


def test_a_face_is_shown_large_with_its_landmarks_and_leads_to_its_frame(studio: Desk) -> None:
    page = go(studio)
    name = names(studio.workspace.aligned("src"))[2]
    face(page, 2).hover()
    expect(face(page, 2).locator("svg.points")).to_be_visible(timeout=SLOW)
    expect(face(page, 3).locator("svg.points")).to_have_count(0)
    page.keyboard.press("l")
    expect(face(page, 3).locator("svg.points")).to_be_visible(timeout=SLOW)
    face(page, 2).dblclick()
    dialog = page.locator("dialog.faces-large")
    record = load_record(studio.workspace.aligned("src") / name)
    expect(dialog).to_contain_text(f"{record.score:.3f}", timeout=SLOW)
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("h2")).to_have_text(names(studio.workspace.aligned("src"))[3])
    page.keyboard.press("ArrowLeft")
    expect(dialog.locator("h2")).to_have_text(name)
    dialog.get_by_role("button", name="Alignment of this frame").click()
    studio.ready("align")
    assert page.url.endswith(f"/align/src/{record.frame}")


def test_an_order_that_is_not_known_is_made_by_a_job(studio: Desk) -> None:
    page = go(studio)
    aligned = studio.workspace.aligned("src")
    before = content(aligned)
    shutil.copy(aligned / next(iter(before)), aligned / "zz_twin.jpg")
    expect(page.locator("[data-shelf=use]")).to_have_text(f"In use {len(before) + 1}", timeout=SLOW)
    page.get_by_label("Group", exact=True).select_option("duplicates")
    expect(page.locator(".faces-head").first).to_be_visible(timeout=SLOW)
    assert content(aligned).keys() == {*before, "zz_twin.jpg"}  # the job has moved and renamed nothing
    assert studio.server.studio.jobs.list()[0]["options"] == {"by": "duplicates", "rejects": "list"}
    with FacesetIndex(aligned) as index:
        assert set(index.orders()) == {"duplicates"}
    head = page.locator(".faces-head", has_text="zz_twin").or_(page.locator(".faces-head", has_text=next(iter(before))))
    head.get_by_role("button", name="Select all but the sharpest").first.click()
    chosen = selected(page)
    assert chosen
    assert page.evaluate("document.querySelectorAll('.face').length") > len(chosen)


def test_of_many_faces_only_those_in_sight_are_in_the_document(
    open_studio: Callable[..., Desk], tmp_path: Path, swap_template: Path
) -> None:
    workspace = Workspace.create(tmp_path / "many")
    folder = workspace.aligned("src")
    folder.mkdir(parents=True)
    models = list_faces(swap_template / "data_src" / "aligned")
    for number in range(500):
        shutil.copy(models[number % len(models)], folder / f"{number:05d}_0.jpg")
    (folder / "00001_0.jpg").write_bytes(b"no picture")
    studio = open_studio(workspace.folder)
    page = go(studio)
    expect(face(page, 1)).to_have_class(re.compile("broken"), timeout=SLOW)
    expect(page.get_by_role("button", name="cannot be read 1")).to_be_visible(timeout=SLOW)
    assert "cannot be read" in (face(page, 1).get_attribute("title") or "")
    assert page.locator(".face").count() < 120
    page.keyboard.press("End")
    expect(face(page, 499)).to_be_visible()
    assert page.locator(".face").count() < 120
    until(lambda: face(page, 499).locator("img").evaluate("(image) => image.naturalWidth > 0"), "the last picture")
    page.keyboard.press("Home")
    face(page, 0).click()
    page.keyboard.press("Shift+End")
    expect(page.locator(".faces-actions")).to_contain_text("500 selected")
    studio.go("faces", "src", "00300_0.jpg")
    expect(face(page, 300)).to_be_visible()
    assert selected(page) == ["00300_0.jpg"]
    page.reload()
    studio.ready("faces")
    expect(page.locator("[data-shelf=use]")).to_have_text("In use 500")
