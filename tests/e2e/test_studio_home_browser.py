"""The first page and the page of videos in a browser: new workspaces, uploads, the check."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from studio_desk import SECONDS, Desk, until

from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio import uploads

LONG = SECONDS * 1000
FRAMES = 5
"""That the check looks at here, of each video."""


@pytest.fixture
def shelf(swap_template: Path, tmp_path: Path) -> Path:
    """Two small videos outside of the studio's folder, of names that need care."""
    shelf = tmp_path / "my films"
    shelf.mkdir()
    shutil.copy(swap_template / "clip_src.mp4", shelf / "Anna (1).mp4")
    shutil.copy(swap_template / "clip_dst.mp4", shelf / "die Bühne.mp4")
    return shelf


def test_a_swap_is_made_of_two_files_of_the_browser_and_cancelled(
    open_studio: Callable[..., Desk], shelf: Path, tmp_path: Path
) -> None:
    (tmp_path / "root").mkdir()
    desk = open_studio(tmp_path / "root")
    page = desk.page
    swap = page.get_by_role("button", name="Start a swap")
    expect(swap).to_be_disabled()
    page.locator("input[data-side=src]").set_input_files(shelf / "Anna (1).mp4")
    page.locator("input[data-side=dst]").set_input_files(shelf / "die Bühne.mp4")
    expect(page.locator("#new-name")).to_have_value("Anna_1_-on-die_Bühne")
    page.locator("#new-name").fill("first swap")
    page.locator("#new-minutes").fill("5")
    swap.click()
    desk.ready("videos")
    workspace = Workspace(tmp_path / "root" / "first swap")
    assert workspace.video("src").read_bytes() == (shelf / "Anna (1).mp4").read_bytes()
    assert workspace.video("dst").read_bytes() == (shelf / "die Bühne.mp4").read_bytes()
    assert workspace.origin("dst").name == "die Bühne.mp4"
    assert sorted(path.name for path in workspace.folder.glob("*.mp4")) == ["data_dst.mp4", "data_src.mp4"]
    expect(page.locator(".videos-side[data-side=dst] h2 + span")).to_have_text("die Bühne.mp4")
    job = desk.server.studio.jobs.list()[0]
    assert (job["kind"], job["options"]) == ("swap", {"preset": "quick", "minutes": 5})
    page.keyboard.press("Alt+0")
    desk.ready("home")
    expect(page.locator("[data-workspace='first swap'] .card-job")).to_contain_text("Swap")
    page.reload()
    desk.ready("home")
    page.keyboard.press("Alt+j")
    page.locator(f"#job-cancel-{job['number']}").click()
    expect(page.locator(f"[data-job='{job['number']}']")).to_have_attribute("data-state", "cancelled", timeout=LONG)


def test_only_the_workspace_with_a_file_of_the_server_and_the_other_side_later(
    open_studio: Callable[..., Desk], shelf: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    Workspace.create(root / "old")
    (root / "films").mkdir()
    shutil.copy(shelf / "Anna (1).mp4", root / "films" / "anna.mp4")
    desk = open_studio(root)
    page = desk.page
    page.keyboard.press("n")
    page.get_by_role("group", name="src").get_by_role("button", name="On the server").click()
    expect(page.get_by_role("button", name="films/ folder")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="anna.mp4")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#sheet")).not_to_be_visible()
    page.get_by_role("button", name="Only make the workspace").click()
    desk.ready("videos")
    workspace = Workspace(root / "anna")
    assert workspace.video("src").samefile(root / "films" / "anna.mp4")
    assert desk.server.studio.jobs.list() == []
    page.locator("input[data-side=dst]").set_input_files(shelf / "die Bühne.mp4")
    expect(page.locator(".videos-side[data-side=dst] .videos-facts")).to_contain_text("24", timeout=LONG)
    assert workspace.video("dst").read_bytes() == (shelf / "die Bühne.mp4").read_bytes()
    page.keyboard.press("Alt+0")
    expect(page.locator("[data-workspace=anna] .card-facts")).to_contain_text("no faces yet · anna.mp4")


def test_an_upload_above_the_limit_is_refused(
    open_studio: Callable[..., Desk], shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)
    Workspace.create(tmp_path / "root" / "ws")
    desk = open_studio(tmp_path / "root")
    desk.go("videos")
    desk.page.locator("input[data-side=src]").set_input_files(shelf / "Anna (1).mp4")
    expect(desk.page.locator(".toast.bad")).to_contain_text("up to 1 kB are uploaded")
    sent = "fetch('/api/w/ws/videos/src/upload?name=a.mp4', {method: 'POST', body: 'x'.repeat(5000)})"
    status, said = desk.page.evaluate(f"{sent}.then(async (answer) => [answer.status, (await answer.json()).error])")
    assert (status, said.startswith("the file has more than")) == (413, True)
    assert [path.name for path in (tmp_path / "root" / "ws").iterdir()] == ["workspace.toml"]
    desk.complaints = [text for text in desk.complaints if "413" not in text]


def _fewer(route: Route) -> str:
    """The page's wish for a check, of fewer frames."""
    wish = json.loads(route.request.post_data or "")
    assert (wish["kind"], wish["options"]) == ("check", {})
    return json.dumps(wish | {"options": {"frames": FRAMES}})


def test_the_check_says_what_it_found(studio: Desk) -> None:
    studio.go("videos")
    page = studio.page
    expect(page.locator("#check")).to_contain_text("A check looks at 40 frames")
    page.route("**/jobs", lambda route: route.continue_(post_data=_fewer(route)))
    page.keyboard.press("c")
    expect(page.locator("#check progress")).to_be_visible(timeout=LONG)
    page.reload()
    studio.ready("videos")
    expect(page.locator("#check")).to_contain_text("checked", timeout=2 * LONG)
    check = json.loads((studio.workspace.folder / ".studio" / "check.json").read_text())
    for side in ("src", "dst"):
        shown = page.locator(f".videos-side[data-side={side}] .findings li")
        found = check[side]["findings"]
        expect(shown).to_have_count(len(found))
        for row, one in zip(shown.all(), found, strict=True):
            assert row.get_attribute("data-verdict") == one["verdict"]
            assert one["found"] in row.inner_text()
            assert one["advice"] in row.inner_text()
    assert {one["what"]: one["verdict"] for one in check["src"]["findings"]}["Face in the picture"] == "good"
    expect(page.locator(".coverage .dst")).to_have_count(FRAMES)
    page.locator("[data-side=src] summary", has_text="faces that it looked at").click()
    sheet = page.locator("[data-side=src] .videos-sheet")
    until(lambda: sheet.evaluate("image => image.complete && image.naturalWidth") == 96 * FRAMES, "the sheet of faces")
    (studio.workspace.folder / "data_src.mp4").unlink()
    page.reload()
    studio.ready("videos")
    expect(page.locator("[data-side=src] .bad")).to_contain_text("is gone")
    expect(page.locator("#check")).to_contain_text("src changed since the check")


def test_faces_are_extracted_from_the_page(studio: Desk) -> None:
    studio.go("videos")
    page = studio.page
    side = page.locator(".videos-side[data-side=src]")
    expect(side.locator(".videos-faces")).to_contain_text("16 faces")
    side.locator("summary", has_text="Extract faces").click()
    side.locator("[data-kind=extract] label", has_text="size").locator("input[type=number]").first.fill("128")
    side.get_by_role("button", name="Extract faces of src").click()
    job = until(lambda: studio.server.studio.jobs.list(), "the job")[0]
    assert (job["kind"], job["side"], job["options"]) == ("extract", "src", {"size": 128})
    until(lambda: studio.server.studio.jobs.get(job["number"]).is_over, "its end")
    assert studio.workspace.done("extract_src")["options"]["size"] == 128
    expect(side.locator(".videos-faces")).to_contain_text("16 faces")
    side.get_by_role("link", name="Look at them").click()
    studio.ready("faces")
    assert page.url.endswith("/faces/src")
