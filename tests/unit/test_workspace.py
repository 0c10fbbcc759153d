"""The folder of a swap: its record, its videos, its lock."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike import __version__
from lookalike.errors import WorkspaceError
from lookalike.pipeline.workspace import Workspace, fingerprint


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "Größe 漢字")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip ä.MP4"
    path.write_bytes(b"pictures")
    return path


def test_record_comes_back_whole(workspace: Workspace, video: Path) -> None:
    workspace.set_video("src", video)
    workspace.note("extract_src", key="a1", faces=3, options={"size": 256, "png": False}, seconds=1.5, name="ü\n")
    workspace.note("train", iterations=4)
    workspace.note("extract_src", key="b2")
    record = Workspace(workspace.folder).record
    assert record.version == __version__
    assert record.steps == {"extract_src": {"key": "b2"}, "train": {"iterations": 4}}
    assert workspace.done("train") == {"iterations": 4}
    assert workspace.done("merge") == {}
    assert record.src is not None
    assert (record.src.origin, record.src.file, record.src.size) == (str(video.resolve()), "data_src.mp4", 8)
    assert record.dst is None


def test_creating_again_keeps_what_is_there(workspace: Workspace) -> None:
    workspace.note("train", iterations=4)
    assert Workspace.create(workspace.folder).done("train") == {"iterations": 4}


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"is no workspace \(no workspace.toml\); make one with: lookalike init"):
        Workspace(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="is a file; name a folder"):
        Workspace.create(tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = ", r"cannot be read \(Invalid value .*\); mend it"),
        ("steps = 3", r"cannot be read \(steps: .*\); mend it"),
        ("colour = 'red'", r"cannot be read \(colour: .*\); mend it"),
        ("format = 99\ncolour = 'red'", "has format 99; update Lookalike"),
    ],
)
def test_a_damaged_record_is_one_line(workspace: Workspace, text: str, said: str) -> None:
    (workspace.folder / "workspace.toml").write_text(text)
    with pytest.raises(WorkspaceError, match=said) as caught:
        _ = workspace.record
    assert "\n" not in str(caught.value)


def test_a_record_of_another_encoding_is_damaged(workspace: Workspace) -> None:
    (workspace.folder / "workspace.toml").write_bytes(b"version = '\xff'")
    with pytest.raises(WorkspaceError, match=r"cannot be read .*; mend it"):
        _ = workspace.record


def test_a_video_is_taken_in_without_a_copy(workspace: Workspace, video: Path) -> None:
    workspace.set_video("dst", video)
    assert workspace.video("dst") == workspace.folder / "data_dst.mp4"
    assert workspace.video("dst").samefile(video)
    video.unlink()
    assert workspace.video("dst").read_bytes() == b"pictures"


def test_a_video_on_another_disk_is_copied(workspace: Workspace, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    workspace.set_video("dst", video)
    assert workspace.video("dst").read_bytes() == b"pictures"
    assert not workspace.video("dst").samefile(video)
    workspace.set_video("dst", video)
    assert not list(workspace.folder.glob("*.partial*"))


def test_a_folder_of_images_is_read_in_place(workspace: Workspace, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    workspace.set_video("src", images)
    assert workspace.video("src") == images.resolve()
    workspace.set_video("src", images)


def test_another_video_needs_another_workspace(workspace: Workspace, video: Path, tmp_path: Path) -> None:
    workspace.set_video("src", video)
    workspace.set_video("src", video)
    other = tmp_path / "other.mp4"
    other.write_bytes(b"others")
    with pytest.raises(WorkspaceError, match=r"was made for src .*clip ä.MP4, not .*other.mp4; choose another"):
        workspace.set_video("src", other)
    assert workspace.video("src").read_bytes() == b"pictures"
    workspace.set_video("dst", other)


def test_a_video_that_is_missing(workspace: Workspace, video: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"has no dst video; give one with: lookalike init .* --dst FILE"):
        workspace.video("dst")
    workspace.set_video("src", video)
    (workspace.folder / "data_src.mp4").unlink()
    with pytest.raises(WorkspaceError, match=r"data_src.mp4 is gone; put it back"):
        workspace.video("src")


def test_where_things_lie(workspace: Workspace) -> None:
    at = [workspace.aligned("src"), workspace.trash("dst"), workspace.model("df"), workspace.report]
    names = [str(path.relative_to(workspace.folder)) for path in at]
    assert names == ["data_src/aligned", "data_dst/aligned_trash", "model/df", "report"]


def test_the_lock_is_free_again_after_work(workspace: Workspace) -> None:
    for _ in range(2):
        with (
            workspace.locked(),
            pytest.raises(WorkspaceError, match=r"another lookalike \(process \d+\) is at work in .*; wait"),
            Workspace(workspace.folder).locked(),
        ):
            pass
    with pytest.raises(KeyError, match="inside"), workspace.locked():
        raise KeyError("inside")
    with workspace.locked():
        pass


HOLD = """
import sys
from pathlib import Path
from lookalike.pipeline.workspace import Workspace
with Workspace(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_process_leaves_no_lock(workspace: Workspace) -> None:
    command = [sys.executable, "-c", HOLD, str(workspace.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            with pytest.raises(WorkspaceError, match=rf"lookalike \(process {process.pid}\)"), workspace.locked():
                pass
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL
    with workspace.locked():
        pass


def test_fingerprints_tell_any_change() -> None:
    prints = [fingerprint(*parts) for parts in ((), ("",), ("a",), ("a", "b"), ("b", "a"), ("a", 1), ("a", 2))]
    assert len(set(prints[1:])) == len(prints) - 1
    assert all(len(text) == 16 for text in prints)
    assert fingerprint("a", 1) == fingerprint("a", 1)
