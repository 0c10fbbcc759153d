"""The page of training: start, watch, change, stop, go back, begin a new model."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect
from studio_desk import SECONDS, Desk, until

from lookalike.web.studio.job import Job

LONG = SECONDS * 1000
PIXELS = """(image) => { const canvas = document.createElement('canvas'); canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight; canvas.getContext('2d').drawImage(image, 0, 0); return canvas.toDataURL(); }"""
NAMELESS = """[...document.querySelectorAll('input, select, canvas, progress, video')].filter((one) =>
    one.checkVisibility() && !one.parentElement.closest('[role=img]')
    && !one.getAttribute('aria-label') && !one.labels?.length).map((one) => one.outerHTML)"""
"""Fields and pictures that a screen reader has no name for."""


def part(page: Page, name: str) -> Locator:
    return page.locator(f"[data-part={name}]")


def field(place: Locator, name: str) -> Locator:
    """The control of an option, by its name in words."""
    return place.locator(".field", has=place.page.get_by_text(name, exact=True)).locator(
        "input:not([type=range]), select"
    )


def state_of(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "state.json").read_text())
    return value


def job(studio: Desk, number: int) -> Job:
    """Of that number, once the page has asked for it."""
    jobs = studio.server.studio.jobs
    until(lambda: any(one["number"] == number for one in jobs.list()), f"job {number}")
    return jobs.get(number)


def wait_for(studio: Desk, number: int, state: str) -> None:
    until(lambda: job(studio, number).state == state, f"job {number} {state}: {job(studio, number)}")


def training(page: Page) -> None:
    """Wait until the page says that it trains."""
    expect(part(page, "state")).to_have_text("Training", timeout=LONG)


def test_train_watch_change_and_go_back(studio: Desk) -> None:
    page, folder = studio.page, studio.workspace.model("guided")
    studio.go("training", "guided")
    expect(part(page, "state")).to_have_text("Finished: the target is reached")
    begun = state_of(folder)["step"]
    picture = page.locator(".frame img[src]")
    address, drawn = picture.get_attribute("src"), picture.evaluate(PIXELS)

    part(page, "autobackup").check()
    expect(part(page, "pending")).to_contain_text("autobackup: no → yes")
    page.locator("body").press("t")
    part(page, "endless").click()
    training(page)
    until(lambda: picture.evaluate(PIXELS) != drawn, "another preview")
    assert picture.get_attribute("src") != address
    until(lambda: part(page, "speed").inner_text() != "–", "a speed")
    assert "MB" in part(page, "memory").inner_text()

    options = page.locator("[data-panel=options]")
    field(options, "batch size").fill("3")
    field(options, "batch size").press("Tab")
    expect(part(page, "pending")).to_contain_text("batch size: 2 → 3")
    page.reload()
    studio.ready("training")
    training(page)
    expect(part(page, "act")).to_have_text("Stop and save")
    expect(part(page, "pending")).to_contain_text("batch size: 2 → 3")
    expect(part(page, "autobackup")).to_be_checked()

    part(page, "apply").click()
    wait_for(studio, 1, "cancelled")
    saved = state_of(folder)["step"]
    assert saved > begun
    assert state_of(folder)["options"]["batch_size"] == 2
    expect(part(page, "pending")).to_be_hidden()
    training(page)
    assert field(options, "batch size").input_value() == "3"
    until(lambda: int(part(page, "iteration").inner_text().replace(",", "")) > saved, "more iterations")

    page.locator("[data-backup='1']").get_by_role("button").click()
    page.get_by_role("button", name="Go back", exact=True).click()
    wait_for(studio, 2, "cancelled")
    until(lambda: any(f"back to iteration {saved} of" in line for line in job(studio, 3).lines), "going back")
    assert state_of(folder / "backups" / "01")["options"]["batch_size"] == 3
    assert state_of(folder / "backups" / "01")["step"] > saved
    expect(page.locator("[data-backup]")).to_have_count(2)
    training(page)
    part(page, "act").click()
    wait_for(studio, 3, "cancelled")
    expect(part(page, "act")).to_have_text("Go on")
    assert state_of(folder)["step"] >= saved
    assert state_of(folder)["options"]["batch_size"] == 3  # options stay as they are


def test_a_new_model_until_its_folder_is_deleted(studio: Desk) -> None:
    page = studio.page
    studio.go("training")
    page.locator("body").press("n")
    dialog = page.locator(".newmodel")
    dialog.get_by_text("quick", exact=True).click()
    expect(field(dialog, "resolution")).to_have_value("96")
    for name, value in {"resolution": "32", "ae dims": "8", "batch size": "2"}.items():
        field(dialog, name).fill(value)
        field(dialog, name).press("Tab")
    expect(dialog.get_by_role("alert")).to_contain_text("ae dims: ")
    expect(part(page, "create")).to_be_disabled()
    dialog.get_by_text("More (", exact=False).first.click()
    for name, value in {"ae dims": "16", "e dims": "4", "d dims": "2"}.items():
        field(dialog, name).fill(value)
        field(dialog, name).press("Tab")
    dialog.get_by_label("Name of its folder").fill("guided")
    expect(dialog.get_by_role("alert")).to_contain_text("There is a model guided already")
    dialog.get_by_label("Name of its folder").fill("second")
    part(page, "create").click()
    folder = studio.workspace.model("second")
    until((folder / "state.json").is_file, "a first checkpoint")
    expect(page).to_have_url(re.compile("training/second$"))
    assert state_of(folder)["model"]["resolution"] == 32
    part(page, "act").click()
    wait_for(studio, 1, "cancelled")
    expect(part(page, "act")).to_have_text("Go on")
    shutil.rmtree(folder)
    expect(part(page, "gone")).to_contain_text("model/second is not there", timeout=LONG)
    studio.complaints[:] = [text for text in studio.complaints if "404" not in text]
    page.get_by_role("button", name="Show guided").click()
    expect(part(page, "iteration")).to_have_text("6")


def test_history_large_picture_and_time_lapse(studio: Desk) -> None:
    page, folder = studio.page, studio.workspace.model("guided")
    shutil.copy(folder / "previews" / "0000006.jpg", folder / "previews" / "0000003.jpg")
    studio.go("training", "guided")
    page.locator(".frame img[src]").wait_for()
    page.locator("body").press("e")
    large = page.locator("dialog.large")
    expect(large.locator("canvas")).to_have_count(6)
    large.get_by_text("pixel by pixel").click()
    expect(large.locator("img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    page.locator("body").press("c")
    expect(page.locator(".bigtiles canvas")).to_have_count(6)
    page.locator("body").press("[")
    history = page.locator("[data-panel=history]")
    expect(history.locator("canvas")).to_have_attribute("data-iteration", "3")
    history.get_by_role("button", name="Play").click()
    expect(history.locator("canvas")).to_have_attribute("data-iteration", "6")
    part(page, "timelapse").click()
    wait_for(studio, 1, "done")
    video = page.locator("video")
    expect(video).to_be_visible(timeout=LONG)
    assert page.evaluate("document.querySelector('video').src").startswith(studio.server.url.split("?")[0])
    assert page.evaluate(NAMELESS) == []


def test_no_model_yet(studio: Desk) -> None:
    shutil.rmtree(studio.workspace.folder / "model")
    shutil.rmtree(studio.workspace.aligned("src"))
    studio.go("training")
    expect(studio.page.locator(".steps")).to_contain_text("Faces first: there are none of src yet")
    studio.page.get_by_role("link", name="faces of src").click()
    studio.ready("faces")
