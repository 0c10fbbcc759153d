"""What wiping a workspace removes, what it leaves, and that nothing outside of it is touched."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from drawn_workspace import said
from lookalike.cli import run
from lookalike.errors import StorageError, WorkspaceError
from lookalike.pipeline.config import WipeOptions
from lookalike.pipeline.result import stamp
from lookalike.pipeline.wipe import wipe
from lookalike.pipeline.workspace import Workspace, WorkspaceRecord
from lookalike.types import Message

MADE = (
    "data_src/aligned/00001_0.jpg",
    "data_src/aligned/removed/00002_0.jpg",
    "data_src/aligned_trash/00003_0.jpg",
    "data_src/aligned_debug/00001.jpg",
    "data_src/aligned-2/00001_0.jpg",
    "data_src/edits.json",
    "data_src/aligned.index.sqlite",
    "data_src/aligned.order.txt",
    "data_src/aligned.renames.json",
    "data_src/.aligned.lock",
    "data_src/.extract/KEY/frames.jsonl",
    "data_src/.extract/KEY/faces/00001_0.jpg",
    "data_src/aligned.cache/faces.npy",
    "data_src_denoised.mp4",
    "data_dst/aligned/00001_0.jpg",
    "data_dst/merged/00001.png",
    "data_dst/merged_mask/00001.png",
    "data_dst/merged_patches/00001_0.png",
    "data_dst/aligned_xseg/00001_0.jpg",
    "data_dst/frames/00001.png",
    "data_dst/covers.json",
    "data_dst-2.mp4",
    "merge.toml",
    "pretrain.cache/faces.npy",
    "model/one/model.safetensors",
    "model/one/preview.jpg",
    "model/one/previews/000100.jpg",
    "model/one/backups/01/model.safetensors",
    "model/one/log.jsonl",
    "model/one/timelapse.mp4",
    "model/xseg/xseg.safetensors",
    "result.mp4.c2pa",
    "report/index.html",
    "report/report.json",
    "report/protection.html",
    "report/protection-00001.jpg",
    "report/other/index.html",
    ".merge/KEY/000000.mkv",
    ".encode/KEY/000000.mkv",
    ".piece/KEY/000000.mkv",
    ".denoise_src/KEY/000000.mkv",
    ".studio/jobs.json",
    ".hashes.json",
    ".studio/check.jpg",
    ".upload-src-0123.mp4",
    ".data_src.partial.mp4",
    ".result.mp4.pieces/KEY/000000.mkv",
    "piece.mp4",
)
"""A file of every kind in the table of docs/design.md, and of those that steps leave when they are killed."""


def fill(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a face")


def whole_workspace(folder: Path) -> Workspace:
    """A workspace with everything that a swap ever leaves, and what its owner put there."""
    for side in ("src", "dst"):
        (folder / f"{side}.mp4").write_bytes(b"a video of " + side.encode())
    workspace = Workspace.create(folder / "ws")
    for side in ("src", "dst"):
        workspace.set_video(side, folder / f"{side}.mp4")  # type: ignore[arg-type]
    fill(workspace.folder, MADE)
    fill(workspace.folder, ("final cut.mp4", "notes.txt", ".git/config", "consents/0001.json"))
    for step, name in (("merge", "final cut.mp4"), ("encode", "elsewhere.mp4")):
        result = workspace.folder / name if step == "merge" else folder / name
        result.write_bytes(b"the result")
        workspace.note(step, output=str(result.resolve()), stamp=stamp(result))
    return workspace


def names(folder: Path) -> set[str]:
    """All files and links in a folder, but for the workspace's lock."""
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return {str(path.relative_to(folder)) for path in found} - {".lock", "ws/.lock"}


def test_without_yes_nothing_goes_and_everything_is_listed(tmp_path: Path) -> None:
    workspace = whole_workspace(tmp_path)
    before, lines, events = names(tmp_path), list[str](), wipe(workspace)
    with pytest.raises(WorkspaceError, match="nothing was removed"):  # noqa: PT012 - what was said before counts
        for event in events:
            assert isinstance(event, Message)
            lines.append(event.text)
    assert names(tmp_path) == before
    listed = {line.split(": ")[0] for line in lines if " files, " in line and not line.startswith("in all")}
    assert {Path(name).parts[0] for name in MADE} <= {Path(line).name for line in listed}
    assert any(line.startswith(f"stays: {workspace.folder / 'notes.txt'}, not made by Lookalike") for line in lines)
    assert any(line.startswith(f"stays: {tmp_path / 'elsewhere.mp4'}, a result outside") for line in lines)
    assert any(f"in all {len(MADE) + 3} files" in line for line in lines)  # and both videos and the result


def test_only_what_is_promised_is_left(tmp_path: Path) -> None:
    workspace = whole_workspace(tmp_path)
    list(wipe(workspace, yes=True))
    assert names(workspace.folder) == {"workspace.toml", "notes.txt", ".git/config", "consents/0001.json"}
    assert {path.name for path in workspace.folder.iterdir()} - {".lock"} == {
        "workspace.toml",
        "notes.txt",
        ".git",
        "consents",
    }
    assert workspace.record == WorkspaceRecord(version=workspace.record.version)
    assert (tmp_path / "src.mp4").read_bytes() == b"a video of src"
    assert (tmp_path / "elsewhere.mp4").is_file()


def test_what_else_stays_or_goes_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    workspace = whole_workspace(tmp_path / "a")
    list(wipe(workspace, WipeOptions(keep_result=True, consents=True), yes=True))
    kept = {"workspace.toml", "notes.txt", ".git/config", "final cut.mp4", "piece.mp4", "result.mp4.c2pa"}
    assert names(workspace.folder) == kept
    list(wipe(workspace, WipeOptions(all=True), yes=True))
    assert names(workspace.folder) == {"workspace.toml"}
    assert names(tmp_path / "a") == {"ws/workspace.toml", "src.mp4", "dst.mp4", "elsewhere.mp4"}


def test_links_go_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    workspace = whole_workspace(tmp_path)
    outside = tmp_path / "precious"
    fill(outside, ("a/1.jpg", "2.jpg"))
    shutil.rmtree(workspace.aligned("src"))
    workspace.aligned("src").symlink_to(outside, target_is_directory=True)
    (workspace.folder / "model" / "link").symlink_to(outside / "2.jpg")
    (workspace.folder / "data_dst" / "gone").symlink_to(tmp_path / "nowhere")
    (workspace.folder / "report-link").symlink_to(outside, target_is_directory=True)
    os.link(outside / "2.jpg", workspace.folder / "data_dst" / "twin.jpg")
    list(wipe(workspace, WipeOptions(all=True, consents=True), yes=True))
    assert names(workspace.folder) == {"workspace.toml"}
    assert names(outside) == {"a/1.jpg", "2.jpg"}


def test_originals_in_the_workspace_stay_until_all_is_asked_for(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    fill(workspace.folder, ("maria.mp4", "data_src/00001.png", "data_src/00002.png"))
    workspace.set_video("dst", workspace.folder / "maria.mp4")
    workspace.set_video("src", workspace.folder / "data_src")
    fill(workspace.folder, ("data_src/aligned/00001_0.jpg", "data_dst/aligned/00001_0.jpg"))
    lines = said(wipe(workspace, yes=True))
    assert names(workspace.folder) == {"workspace.toml", "maria.mp4", "data_src/00001.png", "data_src/00002.png"}
    assert f"stays: {workspace.folder / 'maria.mp4'}, the original of dst; --all removes it" in lines
    list(wipe(workspace, WipeOptions(all=True), yes=True))
    assert names(workspace.folder) == {"workspace.toml"}


def test_a_lost_original_is_told_of(tmp_path: Path) -> None:
    workspace = whole_workspace(tmp_path)
    (tmp_path / "dst.mp4").unlink()
    assert any(
        line.startswith(f"the original of dst, {tmp_path / 'dst.mp4'}, is gone")
        for line in said(wipe(workspace, yes=True))
    )


def test_odd_names_and_permissions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = whole_workspace(tmp_path)
    folder = workspace.data("src")
    for name in (b"two\nlines", b"x" * 255, b"\xff\xfe not text", "\U0001f600".encode()):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(b"1")  # noqa: PTH118 - bytes
    Path(os.fsdecode(os.fsencode(workspace.folder) + b"/\xff\n[red]")).write_bytes(b"1")
    (folder / "aligned" / "00001_0.jpg").chmod(0o400)
    (folder / "aligned" / "removed").chmod(0o500)
    (folder / ".extract").chmod(0o000)
    assert run(["wipe", str(workspace.folder), "--yes"]) == 0
    assert not folder.exists()
    out = capsys.readouterr().out
    assert all(line.startswith("wipe: ") for line in out.splitlines())


def test_a_wipe_that_was_cut_short_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = whole_workspace(tmp_path)
    unlink, left = Path.unlink, [9]

    def killed(path: Path, missing_ok: bool = False) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        list(wipe(workspace, yes=True))
    monkeypatch.undo()
    assert workspace.record.dst is not None
    list(wipe(workspace, yes=True))
    assert names(workspace.folder) == {"workspace.toml", "notes.txt", ".git/config", "consents/0001.json"}


def test_what_cannot_be_removed_is_said_and_all_else_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = whole_workspace(tmp_path)
    unlink = Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        if path.name == "preview.jpg":
            raise PermissionError(13, "Permission denied", str(path))
        if path.name == "log.jsonl":
            unlink(path)  # somebody else was faster
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", held)
    with pytest.raises(StorageError, match=r"could not be removed, such as .*preview\.jpg \(Permission denied\)"):
        list(wipe(workspace, yes=True))
    assert "model/one/preview.jpg" in names(workspace.folder)
    assert not (workspace.folder / "report").exists()
    assert workspace.record.dst is not None  # the next run still knows what this is


def test_the_command_refuses_what_is_no_workspace_and_one_in_use(tmp_path: Path) -> None:
    workspace = whole_workspace(tmp_path)
    code = "import sys; from lookalike.cli import main; main(sys.argv[1:])"

    def command(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, "-c", code, "wipe", *words], capture_output=True, text=True, timeout=60)

    before = names(tmp_path)
    none = command(str(tmp_path), "--yes")
    assert (none.returncode, "is no workspace" in none.stderr) == (1, True)
    with workspace.locked(mend=False):
        used = command(str(workspace.folder), "--yes")
        assert (used.returncode, "is at work in" in used.stderr) == (1, True)
    listed = command(str(workspace.folder))
    assert (listed.returncode, len(listed.stderr.splitlines())) == (1, 1)
    assert names(tmp_path) == before
    assert command(str(workspace.folder), "--yes").returncode == 0
    assert names(workspace.folder) == {"workspace.toml", "notes.txt", ".git/config", "consents/0001.json"}
