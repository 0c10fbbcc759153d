"""What the studio answers of a whole swap is what its description says; and the example for programs works."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import ENVIRONMENT

from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio.app import StudioServer
from studio_description import address, operations, problems
from studio_http import Client, until

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "extract_job.py"
NOT_THERE = {
    "/api/jobs/{number}",
    "/api/w/{ws}/report/files/{name}",
    "/api/w/{ws}/training/{model}/backups/{number}.jpg",
    "/api/w/{ws}/training/{model}/previews/{name}",
    "/api/w/{ws}/training/{model}/timelapse.mp4",
    "/api/w/{ws}/videos/{side}/room",
    "/api/w/{ws}/videos/{side}/sheet",
}
"""What a swap without jobs, backups and a check has not."""


@pytest.fixture(scope="module")
def swap(swap_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(Path(shutil.copytree(swap_template, tmp_path_factory.mktemp("openapi") / "my_swap")))


@pytest.fixture(scope="module")
def client(swap: Workspace) -> Iterator[Client]:
    with StudioServer(swap.folder) as server:
        client = Client(server)
        until(lambda: client.get("/api/w/my_swap/faces/coverage").json["unread"] == 0, "the faces are read")
        yield client
        client.close()


def test_answers_are_as_they_are_described(client: Client, swap: Workspace) -> None:
    described: dict[str, Any] = client.get("/api/openapi.json").json
    face = sorted(swap.aligned("dst").iterdir())[0].name
    refused = set()
    for path, operation in operations(described, "get"):
        if path == "/api/events":
            continue
        for values in ({"side": "src"}, {"side": "dst", "which": "piece"}):
            answer = client.get(address(path, operation, ws="my_swap", name=face, model="guided", **values))
            assert problems(described, operation, answer) == [], path
            if answer.status != 200 and "which" not in path and "face" not in path and "picture/" not in path:
                refused.add(path)
    assert refused == NOT_THERE


def test_changes_are_answered_as_they_are_described(client: Client, swap: Workspace) -> None:
    described: dict[str, Any] = client.get("/api/openapi.json").json
    face = sorted(swap.aligned("dst").iterdir())[0].name
    mask = client.get(f"/api/w/my_swap/masks/dst/face?name={face}").json
    frame = client.get("/api/w/my_swap/align/dst/faces?n=3").json
    settings = client.get("/api/w/my_swap/merge/settings").json
    bodies: list[tuple[str, Any]] = [
        ("faces/{side}/{shelf}/points", {"names": [face]}),
        ("faces/{side}/{shelf}/pictures", {"names": [face]}),
        ("faces/{side}/{shelf}/move", {"names": [face], "to": "removed"}),
        ("faces/{side}/undo", {}),
        ("masks/{side}/save", {"name": face, "revision": mask["revision"], "polygons": mask["polygons"]}),
        ("masks/{side}/copy", {"from": face, "to": face}),
        ("masks/{side}/mask", {"name": face, "mask": None}),
        ("training/plan", {"options": {"preset": "quick"}}),
        ("training/plan", {"options": {"preset": "slow"}}),
        ("merge/settings", {"revision": settings["revision"], "act": "defaults", "options": {"erode": 3}}),
        ("align/{side}/landmarks", {"frame": 3, "box": frame["faces"][0]["box"]}),
        ("align/{side}/save", {"frame": 3, "revision": frame["revision"], "faces": []}),
        ("align/{side}/undo", {}),
        ("align/{side}/redo", {}),
    ]
    for path, body in bodies:
        operation = described["paths"][f"/api/w/{{ws}}/{path}"]["post"]
        answer = client.post(address(f"/api/w/{{ws}}/{path}", operation, ws="my_swap"), body)
        assert answer.status == 200, (path, answer.body)
        assert problems(described, operation, answer) == [], path


def test_the_example(swap_template: Path, tmp_path: Path) -> None:
    """A program that starts a studio and a job, waits by events, and reads the outcome."""
    workspace = Workspace.create(tmp_path / "swaps" / "new one")
    workspace.set_video("src", Workspace(swap_template).video("src"))
    words = [sys.executable, str(EXAMPLE), str(tmp_path / "swaps"), "new one", "src"]
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "16 faces"
    assert lines[-2].startswith("extract_src: 16 faces")
    assert len(list(workspace.aligned("src").glob("*.jpg"))) == 16
