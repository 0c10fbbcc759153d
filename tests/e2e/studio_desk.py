"""The studio in a real browser, and what its tests ask of both."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page

from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio.app import StudioServer

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
SECONDS = 60


@dataclass
class Desk:
    """A server, and a page of it."""

    server: StudioServer
    page: Page
    complaints: list[str] = field(default_factory=list)
    """What pages wrote to the console as errors or warnings; a test that provokes one takes it out."""
    asked: list[str] = field(default_factory=list)
    """The addresses of all requests."""

    @property
    def workspace(self) -> Workspace:
        """The one that the studio was started with, or the first."""
        places = self.server.studio.places
        return places.workspace(places.first or places.names()[0])

    def go(self, *parts: str) -> None:
        """Show a page of the workspace: `go("faces", "src")`."""
        self.page.goto(f"{self.server.url.split('?')[0]}#/w/{'/'.join((self.workspace.folder.name, *parts))}")
        self.ready(parts[0])

    def ready(self, page: str) -> None:
        """Wait until a page of the studio is shown."""
        self.page.wait_for_selector(f"[data-page={page}][data-ready=yes]", timeout=SECONDS * 1000)

    def watched(self, page: Page) -> Page:
        """Listen to what another page says and asks, too."""

        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(message.text)

        page.on("console", said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        return page


@contextmanager
def desk(browser: Browser, folder: Path, **context: Any) -> Iterator[Desk]:
    """A studio of a folder, opened; at the end nothing may have complained or left the machine."""
    with StudioServer(folder) as server:
        pages = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context})
        pages.set_default_timeout(SECONDS * 1000)
        made = Desk(server, pages.new_page())
        made.watched(made.page)
        made.page.goto(server.url)
        made.page.wait_for_selector("[data-page][data-ready=yes]")
        yield made
        pages.close()
        assert made.complaints == []
        places = {urlsplit(url).hostname for url in made.asked if not url.startswith(("data:", "blob:"))}
        assert places == {"127.0.0.1"}


def until(asked: Callable[[], Any], what: str) -> Any:
    """Wait for a value that is true."""
    end = time.monotonic() + SECONDS
    while not (value := asked()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.05)
    return value
