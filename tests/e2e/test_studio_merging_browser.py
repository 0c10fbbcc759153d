"""The merge page in a browser: options are tried, kept by shot and undone; a piece is rendered and played."""

import tomllib
from typing import Any

from playwright.sync_api import Page, expect
from studio_desk import SECONDS, Desk, until

from lookalike.video import probe

WAIT = SECONDS * 1000
PIXELS = """kind => { const image = document.querySelector(`.merge-stage img[data-kind=${kind}]`);
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  canvas.getContext('2d').drawImage(image, 0, 0); return canvas.toDataURL(); }"""


def toml(studio: Desk) -> dict[str, Any]:
    path = studio.workspace.folder / "merge.toml"
    return tomllib.loads(path.read_text()) if path.is_file() else {}


def pixels(page: Page, frame: int, kind: str = "result") -> str:
    """What is shown of a frame, once it is."""
    page.wait_for_selector(f".merge-stage[data-state=shown][data-frame='{frame}'] img[data-kind={kind}]")
    found = page.evaluate(PIXELS, kind)
    assert isinstance(found, str)
    return found


def go_to(page: Page, frame: int) -> str:
    page.keyboard.press("g")
    page.keyboard.type(str(frame))
    page.keyboard.press("Enter")
    return pixels(page, frame)


def settle(page: Page) -> None:
    expect(page.locator("#merge-saved")).to_have_text("saved in merge.toml")


def field(page: Page, name: str) -> Any:
    return page.locator(f".merge-look input[type=number][id^=field-{name}-]")


def test_options_show_at_once_and_hold_where_they_should(studio: Desk) -> None:
    page = studio.page
    studio.go("merge", "5")
    plain = pixels(page, 5)
    field(page, "degrade_bicubic").fill("80")
    field(page, "degrade_bicubic").press("Enter")
    rough = until(lambda: (now := pixels(page, 5)) != plain and now, "another picture")
    until(lambda: toml(studio).get("defaults") == {"degrade_bicubic": 80}, "the option in the file")
    page.locator("[data-reset=degrade_bicubic]").click()
    until(lambda: pixels(page, 5) == plain, "the picture as it was")
    until(lambda: toml(studio).get("defaults") == {}, "no option in the file")
    expect(field(page, "degrade_bicubic")).to_have_value("0")

    page.keyboard.press("Escape")
    other = go_to(page, 15)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("s")
    until(lambda: len(toml(studio)["shots"]) == 2, "two shots")
    page.locator("input[value=shot]").check()
    field(page, "degrade_bicubic").fill("80")
    field(page, "degrade_bicubic").press("Enter")
    shot = {"first": 13, "last": 24, "name": "", "options": {"degrade_bicubic": 80}}
    until(lambda: toml(studio)["shots"][1] == shot, "the option of the shot")
    assert toml(studio)["shots"][0]["options"] == toml(studio)["defaults"] == {}
    page.keyboard.press("Escape")
    assert go_to(page, 15) != other
    assert go_to(page, 5) == plain

    page.keyboard.press("Control+z")
    until(lambda: toml(studio)["shots"][1]["options"] == {}, "undone")
    assert go_to(page, 15) == other
    page.keyboard.press("Control+Shift+z")
    until(lambda: toml(studio)["shots"][1] == shot, "done again")
    page.wait_for_function("() => location.hash.endsWith('/merge/15')")
    page.reload()
    studio.ready("merge")
    assert pixels(page, 15) != other
    page.keyboard.press("Control+z")
    until(lambda: toml(studio)["shots"][1]["options"] == {}, "undone after a reload")
    assert rough != plain


def test_views_wipe_zoom_and_worst_frames(studio: Desk) -> None:
    page = studio.page
    studio.go("merge")
    pixels(page, 1)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    merged = pixels(page, 12)
    page.keyboard.press("5")
    assert pixels(page, 12, "mask") != merged
    page.keyboard.press("3")
    assert pixels(page, 12, "dst") != pixels(page, 12)
    line = page.get_by_role("slider", name="Line between")
    line.focus()
    page.keyboard.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuenow", "52")
    box = page.locator(".merge-pane").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.52, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.up()
    expect(line).to_have_attribute("aria-valuenow", "25")
    wide = page.locator(".merge-plane").bounding_box()
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Face")).to_have_attribute("aria-pressed", "true")
    near = page.locator(".merge-plane").bounding_box()
    assert wide is not None
    assert near is not None
    assert near["width"] > wide["width"]
    worst = page.locator(".merge-worst-one").first
    number = int(worst.get_attribute("data-frame") or 0)
    worst.click()
    pixels(page, number)
    assert page.locator("#merge-frame").input_value() == str(number)


def test_a_piece_is_rendered_and_played_and_the_scrubber_goes_with_it(studio: Desk) -> None:
    page = studio.page
    studio.go("merge", "12")
    pixels(page, 12)
    page.keyboard.press("i")
    go_to(page, 20)
    page.keyboard.press("o")
    page.locator("#merge-tab-render").click()
    page.locator("#merge-length").select_option("range")
    before = studio.workspace.done("merge")
    page.locator("#merge-piece").click()
    until(lambda: studio.server.studio.jobs.list("my_swap"), "a job")
    page.reload()
    studio.ready("merge")
    page.locator("#merge-play-piece").click(timeout=WAIT)
    page.wait_for_function("() => document.querySelector('video').duration > 0", timeout=WAIT)
    made = studio.workspace.folder / "piece.mp4"
    assert probe(made).frame_count == 9
    assert abs(page.evaluate("document.querySelector('video').duration") - 9 / 25) < 0.1
    page.evaluate("document.querySelector('video').pause()")
    page.locator("#page").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('.merge-player').dataset.frame === '20'", timeout=WAIT)
    page.evaluate("document.querySelector('video').currentTime = 3.5 / 25")
    expect(page.locator("#merge-frame")).to_have_value("15")
    page.keyboard.press("1")
    pixels(page, 15)
    assert studio.workspace.done("merge") == before
    page.get_by_role("button", name="Rendered").click()
    page.wait_for_function("() => document.querySelector('video').duration > 0.9", timeout=WAIT)
