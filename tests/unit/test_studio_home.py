"""What the first page and the report's page are told."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from drawn_workspace import COUNT
from lookalike.cli import run
from lookalike.pipeline.report_file import plots
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.page import render_page
from lookalike.web.studio.app import StudioServer
from lookalike.web.studio.kinds import arguments
from made_figures import make_figures, make_report
from studio_http import Client


@pytest.fixture
def client(place: Workspace) -> Iterator[Client]:
    with StudioServer(place.folder) as server:
        client = Client(server)
        yield client
        client.close()


def write_report(place: Workspace, stamp: str = "") -> None:
    place.report.mkdir()
    report = make_report([make_figures(n) for n in range(5)]).model_copy(update={"result_stamp": stamp})
    (place.report / "report.json").write_text(report.model_dump_json())
    (place.report / "index.html").write_text(render_page(report, "<svg viewBox='0 0 9 9'><path d='M0 0'/></svg>"))
    (place.report / "strip.jpg").write_bytes(b"\xff\xd8\xffstrip")


def write_result(place: Workspace) -> str:
    result = place.folder / "result.mp4"
    result.write_bytes(b"result")
    stamp = f"6-{result.stat().st_mtime_ns}"
    place.note("merge", output=str(result), stamp=stamp, model="first", iterations=700, frames=9, options={"erode": 10})
    return stamp


class TestWorkspaces:
    def test_a_card_tells_what_is_done(self, client: Client, place: Workspace) -> None:
        (card,) = client.get("/api/workspaces").json["workspaces"]
        assert card["sides"]["src"] == {"video": "drawn.mp4", "there": True, "faces": COUNT}
        assert card["sides"]["dst"] == {"video": None, "there": False, "faces": COUNT}
        assert (card["model"], card["result"], card["report"]) == (None, None, None)
        model = place.model("first")
        model.mkdir(parents=True)
        (model / "state.json").write_text(json.dumps({"model": {"model": "guided"}, "step": 700}))
        write_report(place, write_result(place))
        (card,) = client.get("/api/workspaces").json["workspaces"]
        assert card["model"] == {"name": "first", "iteration": 700}
        assert card["result"]["name"] == "result.mp4"
        assert card["report"]["old"] is False
        assert 0 < card["report"]["good"] <= card["report"]["checked"]
        (place.folder / "result.mp4").write_bytes(b"another")
        (card,) = client.get("/api/workspaces").json["workspaces"]
        assert (card["result"], card["report"]["old"]) == (None, True)

    def test_the_newest_comes_first_and_a_damaged_one_is_told(self, client: Client, place: Workspace) -> None:
        assert client.post("/api/workspaces", {"name": " my swap "}).json == {"name": "my swap"}
        (place.folder.parent / "my swap" / "workspace.toml").write_text("format = [")
        cards = client.get("/api/workspaces").json["workspaces"]
        assert [card["name"] for card in cards] == ["my swap", place.folder.name]
        assert "cannot be read" in cards[0]["error"]

    def test_a_card_tells_who_agreed(self, client: Client, place: Workspace) -> None:
        (card,) = client.get("/api/workspaces").json["workspaces"]
        assert {side: one["state"] for side, one in card["consent"]["sides"].items()} == {"src": "none", "dst": "none"}
        assert card["consent"]["sides"]["dst"]["command"].startswith("lookalike consent add ")
        assert run(["consent", "add", str(place.folder), "src", "--not-needed", "drawn"]) == 0
        (card,) = client.get("/api/workspaces").json["workspaces"]
        assert (card["consent"]["sides"]["src"]["state"], card["consent"]["required"]) == ("valid", False)
        next(iter(place.video("src").iterdir())).write_bytes(b"another")
        (card,) = client.get("/api/workspaces").json["workspaces"]
        assert card["consent"]["sides"]["src"]["state"] == "not looked at"
        (place.folder / "consents" / "0001.json").write_text("{")
        (card,) = client.get("/api/workspaces").json["workspaces"]
        assert "is damaged and is no consent" in card["consent"]["error"]

    @pytest.mark.parametrize("name", ["", "..", "a/b", ".a", "a\\b", "x" * 101, "a:b", "ws", "\ud800"])
    def test_names_that_cannot_be(self, client: Client, name: str) -> None:
        body = json.dumps({"name": name}).encode()
        assert client.ask("POST", "/api/workspaces", body).status in (400, 422)
        assert len(client.get("/api/workspaces").json["workspaces"]) == 1

    def test_a_picture(self, client: Client, place: Workspace) -> None:
        assert client.get(f"/api/w/{place.folder.name}/picture").body[:3] == b"\xff\xd8\xff"
        Workspace.create(place.folder.parent / "empty")
        assert client.get("/api/w/empty/picture").status == 404


def test_the_check_is_a_job(place: Workspace) -> None:
    assert arguments("check", place.folder, None, {"frames": 8}) == ["check", str(place.folder), "--frames=8"]


class TestReport:
    def test_before_there_is_one(self, client: Client, place: Workspace) -> None:
        seen = client.get(f"/api/w/{place.folder.name}/report").json
        assert seen == {"report": None, "unreadable": False, "page": False, "comparison": None, "result": None}
        assert client.get(f"/api/w/{place.folder.name}/report/plots").json == {"svg": ""}

    def test_figures_plots_and_how_it_was_made(self, client: Client, place: Workspace) -> None:
        write_report(place, write_result(place))
        seen = client.get(f"/api/w/{place.folder.name}/report").json
        stored = json.loads((place.report / "report.json").read_text())
        assert seen["report"]["figures"]["landmarks"]["mean"] == stored["landmarks"]["mean"]
        assert [part["title"] for part in seen["report"]["sections"]][:2] == ["Frames", "Identity by dlib"]
        assert (seen["result"]["model"], seen["result"]["iterations"]) == ("first", 700)
        assert seen["result"]["settings"] == {"merge": {"erode": 10}}
        assert plots(place) == "<svg viewBox='0 0 9 9'><path d='M0 0'/></svg>"
        (place.report / "report.json").write_text('{"format": 99}')
        seen = client.get(f"/api/w/{place.folder.name}/report").json
        assert (seen["report"], seen["unreadable"]) == (None, True)

    def test_only_files_of_the_report_are_shown_and_their_pages_run_nothing(
        self, client: Client, place: Workspace
    ) -> None:
        write_report(place)
        (place.report / "other").mkdir()
        (place.report / "other" / "index.html").write_text("other")
        (place.report / "link.jpg").symlink_to(place.folder / "workspace.toml")
        base = f"/api/w/{place.folder.name}/report/files"
        page = client.get(f"{base}/index.html")
        policy = page.headers["content-security-policy"]
        assert page.status == 200
        assert re.search(r"default-src 'none'.*sandbox", policy)
        assert "script" not in policy
        assert client.get(f"{base}/other/index.html").body == b"other"
        assert client.get(f"{base}/strip.jpg").status == 200
        for name in ("link.jpg", "../workspace.toml", "..%2fworkspace.toml", "none.jpg", "other", ".hidden.html", ""):
            assert client.get(f"{base}/{name}").status in (400, 404), name
        (place.report / "comparison.html").write_text("<p>beside</p>")
        (place.report / "comparison.json").write_text(json.dumps({"results": [{"name": "a"}, {"name": "b"}]}))
        assert client.get(f"/api/w/{place.folder.name}/report").json["comparison"] == {"names": ["a", "b"]}


def test_pages_are_shipped() -> None:
    pages = Path(__file__).parents[2] / "src" / "lookalike" / "web" / "studio" / "static" / "pages"
    for name in ("home", "videos", "report"):
        assert (pages / f"{name}.js").is_file()
        assert (pages / f"{name}.css").is_file()
