"""How tests talk to the studio's page on which masks are drawn."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio.app import StudioServer

BASE = "/api/w/my_swap/masks/dst"
SQUARE = [[12.0, 10.5], [40.25, 12.0], [40.0, 44.0], [11.0, 43.123]]


@dataclass
class MaskPage:
    """What the page of dst's masks asks of a studio."""

    server: StudioServer
    url: str


@contextmanager
def serving(folder: Path) -> Iterator[MaskPage]:
    """Serve the workspace about a faceset `my_swap/data_dst/aligned`."""
    with StudioServer(Workspace.create(folder.parents[1]).folder) as server:
        yield MaskPage(server, server.url)


def ask(
    page: MaskPage,
    path: str,
    sent: Any = None,
    *,
    token: bool = True,
    method: str = "",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any, bytes]:
    """Status, headers and body of an answer; the path, below BASE if not under /api, is sent as it is.

    What is sent and is no bytes goes as JSON.
    """
    address, path = urlsplit(page.url), path if path.startswith("/api/") else BASE + path
    if token:
        path += ("&" if "?" in path else "?") + address.query
    body = None if sent is None else sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    connection = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=20)
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def answered(page: MaskPage, path: str, sent: Any = None) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer."""
    status, _, body = ask(page, path, sent)
    return status, json.loads(body, parse_constant=pytest.fail)


def face(page: MaskPage, name: str) -> dict[str, Any]:
    status, found = answered(page, f"/face?name={quote(name)}")
    assert status == 200, found
    return found


def save(page: MaskPage, name: str, polygons: Any, revision: str | None = None) -> tuple[int, dict[str, Any]]:
    revision = face(page, name)["revision"] if revision is None else revision
    return answered(page, "/save", {"name": name, "revision": revision, "polygons": polygons})


def ring(corners: int) -> list[list[float]]:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points: list[list[float]] = (32 + 20 * np.stack([np.cos(turn), np.sin(turn)], 1)).round(4).tolist()
    return points


def all_read(page: MaskPage) -> dict[str, Any]:
    """The list of faces when no record is left to be read."""
    until = time.monotonic() + 20
    while (found := answered(page, "/faces")[1])["unread"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    return found
