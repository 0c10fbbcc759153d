"""Logging in and out in a browser, and a studio that is started anew while a page is open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from studio_desk import SECONDS

from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio.app import StudioServer

PASSWORD = "correct horse & battery"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Workspace.create(tmp_path / "my_swap")
    return tmp_path


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(SECONDS * 1000)
    yield context.new_page()
    context.close()


def log_in(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_the_password_and_nothing_else_opens_the_studio(root: Path, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    with StudioServer(root, password=PASSWORD) as server:
        assert "token" not in server.url
        page.goto(server.url)
        assert page.url == f"{server.url}login"
        expect(page.get_by_label("Password")).to_be_focused()
        assert said == []
        log_in(page, "wrong horse & battery")
        expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        assert "401" in said.pop()
        log_in(page, PASSWORD)
        page.wait_for_selector("[data-page][data-ready=yes]")
        assert page.url.startswith(f"{server.url}")
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url(f"{server.url}login")
        page.goto(server.url)
        assert page.url == f"{server.url}login"
        assert said == []


def test_a_page_asks_again_when_the_studio_was_started_anew(root: Path, page: Page) -> None:
    with StudioServer(root, password=PASSWORD) as server:
        page.goto(server.url)
        log_in(page, PASSWORD)
        page.wait_for_selector("[data-page][data-ready=yes]")
        url, port = server.url, int(server.url.rstrip("/").rpartition(":")[2])
    expect(page.locator("#lost")).to_be_visible()
    with StudioServer(root, port=port, password=PASSWORD):
        page.wait_for_url(f"{url}login")
        log_in(page, PASSWORD)
        page.wait_for_selector("[data-page][data-ready=yes]")
