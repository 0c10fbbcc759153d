"""Videos that come into a workspace: uploaded in pieces, or chosen in the studio's folder."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from lookalike.errors import WorkspaceError
from lookalike.pipeline import intake
from lookalike.pipeline.intake import inside, safe_name
from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio import uploads
from lookalike.web.studio.app import StudioServer
from studio_http import Answer, Client, status_of, until


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Five frames of noise: a few hundred kilobytes, so that it comes in several pieces."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(5):
            noise = np.random.default_rng(number).integers(0, 255, (240, 320, 3), np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path.read_bytes()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    Workspace.create(root / "ws")
    return root


@pytest.fixture
def client(root: Path) -> Iterator[Client]:
    with StudioServer(root) as server:
        client = Client(server)
        yield client
        client.close()


def send(client: Client, content: bytes, side: str = "src", name: str = "film.avi") -> Answer:
    return client.ask("POST", f"/api/w/ws/videos/{side}/upload?name={quote(name)}", content)


def files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "ws").iterdir() if not path.name.startswith(".lock"))


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("film.mp4", "film.mp4"),
        ("Übung (2) - Schnitt.MOV", "Übung (2) - Schnitt.MOV"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\film.mp4", "film.mp4"),
        (".hidden", "hidden"),
        ("", "video"),
        ("..", "video"),
        ("a\0b\nc?*.mp4", "a_b_c__.mp4"),
        ("film.mp4/", "video"),
        ("x" * 300 + ".mkv", "x" * 80 + ".mkv"),
        ("clip." + "y" * 50, "clip." + "y" * 50),
        ("-rf.mp4", "-rf.mp4"),
        ("e\u0301.mp4", "é.mp4"),
    ],
)
def test_names_are_made_safe(given: str, made: str) -> None:
    assert safe_name(given) == made


class TestUpload:
    def test_a_video_is_taken_in(self, client: Client, root: Path, film: bytes) -> None:
        answer = send(client, film, name="../My film.avi")
        assert (answer.status, answer.json) == (200, {"name": "My film.avi", "size": [320, 240], "frames": 5})
        workspace = Workspace(root / "ws")
        assert workspace.video("src").read_bytes() == film
        assert workspace.origin("src").name == "My film.avi"
        assert files(root) == ["data_src.avi", "workspace.toml"]
        facts = dict(client.get("/api/w/ws/videos/src/facts").json["facts"])
        assert (facts["Size"], facts["Frames"], facts["Sound"]) == ("320x240", "5", "none")
        part = client.get("/api/w/ws/videos/src/file", Range="bytes=10-19")
        assert (part.status, part.body) == (206, film[10:20])
        assert client.get("/api/w/ws/videos/src/still").body[:3] == b"\xff\xd8\xff"

    def test_a_second_video_on_a_side_is_refused_in_one_line(self, client: Client, root: Path, film: bytes) -> None:
        assert send(client, film).status == 200
        answer = send(client, film, name="other.avi")
        assert (answer.status, answer.json["error"].startswith("src of ws is film.avi already")) == (409, True)
        assert client.get("/api/w/ws/videos/src/room?bytes=5").status == 409
        assert client.get("/api/w/ws/videos/dst/room?bytes=5").status == 200
        assert files(root) == ["data_src.avi", "workspace.toml"]
        assert send(client, film, "dst", "film.avi").status == 200

    def test_what_is_no_video_leaves_nothing(self, client: Client, root: Path) -> None:
        for content in (b"", b"no video" * 1000):
            answer = send(client, content)
            assert answer.status == 422
            assert files(root) == ["workspace.toml"]
        assert send(client, b"x", side="both").status == 404

    def test_too_large_a_file(self, client: Client, root: Path, film: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploads, "MOST_BYTES", len(film) - 1)
        assert send(client, film).status == 413
        assert client.get(f"/api/w/ws/videos/src/room?bytes={len(film)}").status == 413
        chunked = client.head("POST", "/api/w/ws/videos/src/upload?name=a.avi", "Transfer-Encoding: chunked")
        with client.socket(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(film), film)) as connection:
            assert status_of(connection) == 413
        assert files(root) == ["workspace.toml"]
        monkeypatch.setattr(uploads, "MOST_BYTES", len(film))
        assert send(client, film).status == 200

    def test_no_room_on_the_disk(
        self, client: Client, root: Path, film: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = type(shutil.disk_usage(root))
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 2**29 + len(film) - 1))
        answer = send(client, film)
        assert (answer.status, "free some" in answer.json["error"]) == (507, True)
        assert files(root) == ["workspace.toml"]

    def test_broken_off_uploads_leave_nothing_and_two_at_once_are_the_most(
        self, client: Client, root: Path, film: bytes
    ) -> None:
        def begun(side: str) -> bytes:
            return client.head("POST", f"/api/w/ws/videos/{side}/upload?name=a.avi", f"Content-Length: {len(film)}")

        with client.socket(begun("src") + film[:5000]), client.socket(begun("dst") + film[:5000]):
            until(lambda: len(files(root)) == 3, "two temporary files")
            answer = send(client, film)
            assert (answer.status, answer.json["error"][:15]) == (503, "two files are b")
            assert client.get("/api/workspaces").status == 200
        until(lambda: files(root) == ["workspace.toml"], "the end of the broken ones")
        assert until(lambda: send(client, film).status == 200, "a place")

    def test_a_file_that_comes_while_others_are_at_work_is_kept(
        self, client: Client, root: Path, film: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(intake, "_LOCK_SECONDS", 0.2)
        with Workspace(root / "ws").locked():
            answer = send(client, film)
        assert answer.status == 409
        assert "film.avi stays in the workspace" in answer.json["error"]
        assert (root / "ws" / "film.avi").read_bytes() == film
        assert client.post("/api/w/ws/videos/src/choose", {"path": "ws/film.avi"}).status == 200

    def test_what_a_killed_studio_left_goes_when_it_is_old(self, client: Client, root: Path, film: bytes) -> None:
        old, new = root / "ws" / ".upload-src-a.mp4", root / "ws" / ".upload-src-b.mp4"
        for path in (old, new):
            path.write_bytes(b"x")
        os.utime(old, (1, 1))
        assert send(client, film).status == 200
        assert (old.exists(), new.exists()) == (False, True)


class TestChoose:
    @pytest.fixture
    def shelf(self, root: Path, film: bytes) -> Path:
        """A folder of the root with a video, an image, a hidden file, and links that lead out."""
        shelf = root / "shelf"
        (shelf / "deep").mkdir(parents=True)
        outside = root.parent / "outside"
        outside.mkdir()
        for path in (shelf / "b.mp4", shelf / "A.AVI", shelf / ".hidden.mp4", shelf / "notes.txt", outside / "s.mp4"):
            path.write_bytes(film)
        (shelf / "1.png").write_bytes(b"")
        (shelf / "link.mp4").symlink_to(outside / "s.mp4")
        (shelf / "away").symlink_to(outside)
        (shelf / "own.mp4").symlink_to(shelf / "b.mp4")
        (shelf / "loop").symlink_to(shelf / "loop")
        return shelf

    def test_what_is_listed(self, client: Client, shelf: Path) -> None:
        top = client.get("/api/files").json
        assert [one["name"] for one in top["folders"]] == ["shelf", "ws"]
        listed = client.get("/api/files?folder=shelf").json
        assert [one["name"] for one in listed["videos"]] == ["A.AVI", "b.mp4", "own.mp4"]
        assert ([one["name"] for one in listed["folders"]], listed["images"]) == (["deep"], 1)
        assert client.get("/api/files?folder=shelf/deep").json["folder"] == "shelf/deep"

    @pytest.mark.parametrize(
        "path", ["..", "../outside", "shelf/../..", "/etc", "shelf/away", "shelf/.hidden.mp4", "none", "shelf/loop"]
    )
    def test_nothing_outside_is_shown_or_taken(self, client: Client, root: Path, shelf: Path, path: str) -> None:
        with pytest.raises(WorkspaceError, match="not in the studio"):
            inside(root, path)
        assert client.get(f"/api/files?folder={quote(path)}").status == 404
        for name in (path, f"{path}/s.mp4", "shelf/link.mp4"):
            assert client.post("/api/w/ws/videos/src/choose", {"path": name}).status == 404
        assert files(root) == ["workspace.toml"]

    def test_a_video_and_a_folder_of_images_are_taken(self, client: Client, root: Path, shelf: Path) -> None:
        answer = client.post("/api/w/ws/videos/dst/choose", {"path": "shelf/A.AVI"})
        assert (answer.status, answer.json["frames"]) == (200, 5)
        assert (root / "ws" / "data_dst.avi").samefile(shelf / "A.AVI")
        assert client.post("/api/w/ws/videos/dst/choose", {"path": "shelf/b.mp4"}).status == 409
        from PIL import Image

        for number in (1, 2):
            Image.new("RGB", (64, 48)).save(shelf / "deep" / f"{number}.png")
        assert client.post("/api/w/ws/videos/src/choose", {"path": "shelf/deep"}).json["frames"] == 2
        sides: Any = client.get("/api/w/ws/videos").json["sides"]
        assert (sides["src"]["images"], sides["dst"]["images"]) == (True, False)
        assert client.get("/api/w/ws/videos/src/file").status == 404
        assert client.get("/api/w/ws/videos/src/still").body[:3] == b"\xff\xd8\xff"
        assert client.post("/api/w/ws/videos/src/choose", {"path": "shelf/notes.txt"}).status == 409

    def test_a_video_outside_is_not_served(self, client: Client, root: Path, shelf: Path) -> None:
        Workspace(root / "ws").set_video("src", shelf / "b.mp4")
        inner = root / "ws" / "data_src.mp4"
        inner.unlink()
        inner.symlink_to(root.parent / "outside" / "s.mp4")
        assert client.get("/api/w/ws/videos/src/file").status == 404
        assert client.get("/api/w/ws/videos/src/still").status == 404
        assert client.get("/api/w/ws/picture").status == 404
