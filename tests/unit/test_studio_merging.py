"""What the merge page asks for, over HTTP."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import WorkspaceError
from lookalike.merging.config import MergeConfig
from lookalike.pipeline.merge import merge
from lookalike.pipeline.merge_overview import made_path
from lookalike.pipeline.merge_piece import merge_piece
from lookalike.pipeline.merge_settings import MergeFile, read_merge_file, write_merge_file
from lookalike.pipeline.result import allow_output, recorded_result
from lookalike.pipeline.workspace import Workspace
from lookalike.video import EncodeOptions
from lookalike.web.studio.app import StudioServer
from lookalike.web.studio.kinds import arguments
from merge_workspace import merge_workspace
from studio_http import Client

COUNT = 10
BASE = "/api/w/ws/merge"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a result and a piece; tests share it."""
    made = merge_workspace(tmp_path_factory.mktemp("merging"), COUNT)
    quick = EncodeOptions(preset="ultrafast")
    for _ in merge(made, MergeConfig(mask="hull"), quick):
        pass
    for _ in merge_piece(made, MergeConfig(mask="hull"), quick, first=3, last=7):
        pass
    return made


@pytest.fixture(scope="module")
def client(workspace: Workspace) -> Iterator[Client]:
    with StudioServer(workspace.folder) as server:
        yield Client(server)


def picture(client: Client, kind: str, frame: int, width: int = 500, **options: object) -> NDArray[np.uint8]:
    asked = quote(json.dumps(options))
    answer = client.get(f"{BASE}/picture?kind={kind}&frame={frame}&width={width}&options={asked}")
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "image/jpeg"
    return np.asarray(cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def test_the_page_is_told_of_the_video_and_of_what_was_made(client: Client, workspace: Workspace) -> None:
    told = client.get(BASE).json
    assert told["video"]["frames"] == COUNT
    assert (told["video"]["rate"], told["video"]["times"]) == (25, None)
    assert (told["models"], told["missing"]) == (["guided"], None)
    assert told["look"] == list(MergeConfig.model_fields)
    assert (told["result"]["name"], told["result"]["first"], told["result"]["frames"]) == ("result.mp4", 1, COUNT)
    assert (told["piece"]["name"], told["piece"]["first"], told["piece"]["frames"]) == ("piece.mp4", 3, 5)
    assert told["worst"] is None
    assert client.get(f"{BASE}/faces").json == {"stretches": [[1, COUNT]]}
    assert client.get(BASE.replace("ws", "none")).status == 404


def test_what_is_missing_is_said_and_no_error(client: Client, workspace: Workspace) -> None:
    empty = Workspace.create(workspace.folder.with_name("empty"))
    assert "no dst video" in client.get("/api/w/empty/merge").json["problem"]
    empty.set_video("dst", workspace.video("dst"))
    assert "extract" in client.get("/api/w/empty/merge").json["missing"]
    shutil.copytree(workspace.aligned("dst"), empty.aligned("dst"))
    assert "train" in client.get("/api/w/empty/merge").json["missing"]


def test_a_merge_goes_where_its_codec_fits(workspace: Workspace) -> None:
    for codec, name in (("prores", "result.mov"), ("ffv1", "result.mkv")):
        assert arguments("merge", workspace.folder, None, {"codec": codec})[-1] == f"--output={workspace.folder / name}"
    assert arguments("merge", workspace.folder, None, {"codec": "h265"}) == [
        "merge",
        str(workspace.folder),
        "--codec=h265",
    ]


def test_pictures_follow_the_options(client: Client) -> None:
    dst, merged, mask = (picture(client, kind, 4, mask="hull") for kind in ("dst", "result", "mask"))
    assert dst.shape == merged.shape == mask.shape
    changed = np.abs(dst.astype(int) - merged).max(2) > 40
    assert changed.any()
    assert mask[..., 0][changed].min() > 0
    assert (picture(client, "result", 4, mask="hull", erode=100) != merged).any()
    assert (picture(client, "result", 4, mask="hull") == merged).all()
    assert picture(client, "result", 4, 100, mask="hull").shape[1] == 100


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("kind=other&frame=1&width=9", "no picture"),
        ("kind=result&frame=0&width=9", "number from 1"),
        ("kind=result&frame=1", "number from 1"),
        (f"kind=result&frame=1&width={'9' * 400}", "number from 1"),
        (f"kind=dst&frame={COUNT + 1}&width=9", "cannot be decoded"),
        ("kind=result&frame=1&width=9&options=[", "object of JSON"),
        ("kind=result&frame=1&width=9&options=3", "object of JSON"),
        ('kind=result&frame=1&width=9&options={"erode":999}', "erode"),
        ('kind=result&frame=1&width=9&options={"other":1}', "no option 'other'"),
        ('kind=result&frame=1&width=9&run={"name":"none"}', "no model none"),
        ('kind=result&frame=1&width=9&run={"name":"../x"}', "name"),
        ('kind=result&frame=1&width=9&run={"mask_network":"/etc/hosts"}', "outside"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, query: str, words: str) -> None:
    answer = client.get(f"{BASE}/picture?{quote(query, safe='=&')}")
    assert answer.status == 422
    assert words in answer.json["error"]


def test_options_are_changed_by_shot_and_taken_back(client: Client, workspace: Workspace) -> None:
    file = workspace.folder / "merge.toml"
    state = client.get(f"{BASE}/settings").json

    def act(act: str, **more: object) -> None:
        nonlocal state
        answer = client.post(f"{BASE}/settings", {"revision": state["revision"], "act": act, **more})
        assert answer.status == 200, answer.body
        state = answer.json

    act("split", first=5)
    act("range", first=5, last=99, options={"erode": 3})
    act("defaults", options={"blur": 9})
    assert [(s["first"], s["last"], s["options"]) for s in state["shots"]] == [(1, 4, {}), (5, COUNT, {"erode": 3})]
    assert read_merge_file(file).defaults == {"blur": 9}
    act("everywhere", options={"erode": 8})
    act("name", first=5, name="kitchen")
    act("join", first=5)
    assert [(s["first"], s["last"], s["options"]) for s in state["shots"]] == [(1, COUNT, {})]
    for _ in range(3):
        act("undo")
    assert (state["defaults"], state["shots"][1]["options"]) == ({"blur": 9}, {"erode": 3})
    act("redo")
    act("remove", first=1)
    assert [shot["first"] for shot in state["shots"]] == [5]


def test_a_change_of_what_was_changed_elsewhere_is_refused(client: Client, workspace: Workspace) -> None:
    old = client.get(f"{BASE}/settings").json["revision"]
    write_merge_file(workspace.folder / "merge.toml", MergeFile(defaults={"blur": 11}))
    change = {"revision": old, "act": "defaults", "options": {"blur": 12}}
    assert client.post(f"{BASE}/settings", change).status == 409
    new = client.get(f"{BASE}/settings").json["revision"]
    for wrong in (
        {"options": {"blur": "much"}},
        {"act": "range", "first": 5, "last": 4},
        {"act": "split", "first": 99},
    ):
        assert client.post(f"{BASE}/settings", change | {"revision": new} | wrong).status == 422
    assert client.post(f"{BASE}/settings", change | {"act": "fly"}).status == 400
    assert read_merge_file(workspace.folder / "merge.toml").defaults == {"blur": 11}


def test_videos_are_sent_in_parts(client: Client, workspace: Workspace) -> None:
    whole = (workspace.folder / "piece.mp4").read_bytes()
    answer = client.get(f"{BASE}/video/piece", Range="bytes=100-199")
    assert (answer.status, answer.body) == (206, whole[100:200])
    assert answer.headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert client.get(f"{BASE}/video/result").body == (workspace.folder / "result.mp4").read_bytes()
    assert client.get(f"{BASE}/video/dst").status == 404
    assert client.get(f"{BASE}/worst/1").status == 404


def test_a_workspace_that_was_moved_knows_its_result(workspace: Workspace, tmp_path: Path) -> None:
    moved = Workspace(Path(shutil.copytree(workspace.folder, tmp_path / "moved")))
    result = moved.folder / "result.mp4"
    assert recorded_result(moved) == made_path(moved, "result") == result
    allow_output(moved, result, overwrite=False)
    with pytest.raises(WorkspaceError):
        allow_output(moved, moved.folder / "piece.mp4", overwrite=False)
    result.write_bytes(b"mine")
    assert made_path(moved, "result") is None
    with pytest.raises(WorkspaceError):
        allow_output(moved, result, overwrite=False)


def test_only_what_lies_in_the_workspace_is_sent(client: Client, workspace: Workspace, tmp_path: Path) -> None:
    piece = workspace.folder / "piece.mp4"
    moved = piece.rename(tmp_path / "piece.mp4")
    try:
        assert client.get(f"{BASE}/video/piece").status == 404
        piece.symlink_to(moved)
        assert client.get(f"{BASE}/video/piece").status == 404
        assert client.get(BASE).json["piece"] is None
    finally:
        piece.unlink(missing_ok=True)
        moved.rename(piece)
    assert client.get(f"{BASE}/video/piece").status == 200
