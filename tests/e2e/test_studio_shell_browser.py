"""The shell of the studio in a browser: tabs, jobs, keys."""

from playwright.sync_api import expect
from studio_desk import SECONDS, Desk


def test_a_job_runs_is_shown_and_survives_a_reload(studio: Desk) -> None:
    page = studio.page
    expect(page.locator("#tabs a")).to_have_count(7)
    assert "token" not in page.url
    page.evaluate("import('/static/jobs.js').then((jobs) => jobs.start('my_swap', 'shots'))")
    page.keyboard.press("Alt+j")
    expect(page.locator("[data-job]").first).to_have_attribute("data-state", "running", timeout=SECONDS * 1000)
    page.reload()
    studio.ready("videos")
    page.keyboard.press("Alt+j")
    expect(page.locator("[data-job='1']")).to_have_attribute("data-state", "done", timeout=SECONDS * 1000)
    page.locator("[data-job='1'] summary").click()
    assert "shots" in page.locator("[data-job='1'] pre").inner_text()
    page.locator("#job-retry-1").click()
    expect(page.locator("[data-job='2']")).to_have_attribute("data-state", "done", timeout=SECONDS * 1000)
    assert (studio.workspace.folder / ".studio" / "jobs.json").is_file()


def test_two_pages_show_the_same(studio: Desk) -> None:
    other = studio.watched(studio.page.context.new_page())
    other.goto(studio.page.url)
    other.wait_for_selector("[data-ready=yes]")
    other.keyboard.press("Alt+j")
    studio.server.studio.jobs.add("my_swap", "shots")
    expect(other.locator("[data-job='1']")).to_have_attribute("data-state", "done", timeout=SECONDS * 1000)
