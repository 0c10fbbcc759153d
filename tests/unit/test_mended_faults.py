"""What random faults found, each as a small case of its own; the faults themselves are in tests/faults."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from drawn_faces import SRC, write_faceset
from lookalike.cli import run
from lookalike.errors import CheckpointError, StorageError, VideoOpenError, WorkspaceError
from lookalike.faceset import list_faces, load_face, load_record
from lookalike.files import sweep, write_bytes
from lookalike.models.build import build_model
from lookalike.models.checkpoint import PARTS, TrainState, drop_half_saved, load_checkpoint, load_state
from lookalike.pipeline import doctor
from lookalike.pipeline.models import plan_training
from lookalike.pipeline.result import allow_output, made_by, noting, stamp, watched
from lookalike.pipeline.scan import drop_unlogged
from lookalike.pipeline.scan_log import Line, ScanLog
from lookalike.pipeline.workspace import Workspace
from lookalike.training import data
from lookalike.training.backups import back_up, go_back, is_due
from lookalike.training.config import TrainConfig
from lookalike.training.data import load_person
from lookalike.training.session import open_session
from small_models import adam, save, tiny


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; run the same command again to go on"),
        (MemoryError(), 1, "error: out of memory; close other programs"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "error: out of memory; close other programs"),
        (RuntimeError("std::bad_alloc"), 1, "error: out of memory; close other programs"),
        (OSError(errno.EIO, "Input/output error", "a.jpg"), 1, "error: a.jpg: Input/output error; put that right"),
    ],
    ids=["ctrl-c", "memory", "memory of torch", "memory of OpenCV", "disk"],
)
def test_what_ends_a_command_is_one_line_that_says_what_to_do(
    trouble: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def troubled() -> None:
        raise trouble

    monkeypatch.setattr(doctor, "doctor", troubled)
    assert run(["doctor"]) == code
    shown = capsys.readouterr().err
    assert shown.startswith(said)
    assert shown.count("\n") == 1


def test_errors_that_are_ours_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "doctor", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(["doctor"])


def broken_reads(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let files of a name fail to be opened, as of a bad block."""
    opened = Path.open

    def refuse(path: Path, *arguments: object, **options: object) -> object:
        if path.name == name:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)


def saved_model(folder: Path) -> Path:
    sizes = tiny()
    model = build_model(sizes)
    save(folder, model, adam(model), TrainState(model=sizes, step=7))
    return folder


def test_weights_without_a_state_are_not_trained_over(tmp_path: Path) -> None:
    folder = saved_model(tmp_path)
    (folder / "state.json").unlink()
    weights = (folder / "model.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match=r"has lost its state\.json; put it or a backup back"):
        open_session(folder, tiny(), TrainConfig(), "cpu")
    assert (folder / "model.safetensors").read_bytes() == weights


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_a_backup_helps_a_model_whose_state_cannot_be_read(tmp_path: Path, harm: str) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    folder = saved_model(workspace.model("guided"))
    back_up(folder)
    (folder / "state.json").unlink()  # the backup is the same file by another name
    if harm == "damaged":
        (folder / "state.json").write_bytes(b"\0")
    sizes, _ = plan_training(workspace, "guided", None, {}, {}, backup=1)
    assert sizes == tiny()
    go_back(folder, 1)
    assert load_state(folder).step == 7


def test_weights_that_are_not_numbers_are_a_damaged_model(tmp_path: Path) -> None:
    sizes = tiny()
    model = build_model(sizes)
    with torch.no_grad():
        next(model.parameters())[0] = torch.nan
    save(tmp_path, model, adam(model), TrainState(model=sizes, step=7))
    with pytest.raises(CheckpointError, match=r"cannot be read \(.* is not finite\); put a backup back"):
        load_checkpoint(tmp_path)


def test_a_disk_that_fails_is_no_damaged_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved_model(tmp_path)
    broken_reads(monkeypatch, "state.json")
    with pytest.raises(OSError, match="Input/output error"):
        load_state(folder)


@pytest.mark.parametrize("load", [load_record, load_face])
def test_a_disk_that_fails_is_no_damaged_face(
    load: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = list_faces(write_faceset(tmp_path / "aligned", SRC, 1))[0]
    broken_reads(monkeypatch, face.name)
    with pytest.raises(OSError, match="Input/output error"):
        load(face)


def test_a_backup_of_the_future_does_not_end_all_backups(tmp_path: Path) -> None:
    made = back_up(saved_model(tmp_path)) / "state.json"
    assert not is_due(tmp_path)
    os.utime(made, (time.time() + 1e8,) * 2)
    assert is_due(tmp_path)


def test_making_a_workspace_leaves_the_record_of_one_made_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"frames")
    made = Path.mkdir

    def mkdir(path: Path, *arguments: object, **options: object) -> None:
        made(path, *arguments, **options)  # type: ignore[arg-type]
        monkeypatch.setattr(Path, "mkdir", made)
        Workspace.create(tmp_path / "ws").set_video("src", video)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    assert Workspace.create(tmp_path / "ws").record.src is not None


def test_the_first_trouble_is_told_not_that_of_cleaning_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.create(tmp_path / "ws")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StorageError, match="no space left"), workspace.locked():
        raise StorageError("no space left")
    with workspace.locked():  # and the lock is free
        pass


def test_a_video_that_was_cut_short_in_the_workspace_is_not_used(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"frames")
    workspace = Workspace.create(tmp_path / "ws")
    workspace.set_video("src", video)
    inside = workspace.video("src")
    inside.unlink()
    inside.write_bytes(b"fra")
    with pytest.raises(WorkspaceError, match="has 3 bytes and had 6 when it was taken in; put it back"):
        workspace.video("src")


def test_a_video_that_was_changed_is_called_so(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"frames")
    workspace = Workspace.create(tmp_path / "ws")
    workspace.set_video("src", video)
    workspace.aligned("src").mkdir(parents=True)
    os.utime(video, (1, 1))
    with pytest.raises(WorkspaceError, match=r"a\.mp4 was changed since .*ws was made of it; put it back"):
        workspace.set_video("src", video)


def test_a_video_of_which_no_faces_were_made_is_taken_in_again(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"fra")
    workspace = Workspace.create(tmp_path / "ws")
    workspace.set_video("src", video)
    (workspace.data("src") / ".extract" / "key" / "faces").mkdir(parents=True)  # faces were looked for, and none found
    video.unlink()  # what lies in the workspace may be the same file by another name
    video.write_bytes(b"frames")
    workspace.set_video("src", video)
    assert workspace.video("src").read_bytes() == b"frames"
    assert (workspace.folder / "data_src.mp4").read_bytes() == b"fra"  # nobody can say whose it is


@pytest.mark.parametrize("harm", ["facts gone", "facts cut", "pixels cut", "pixels others"])
def test_a_damaged_cache_of_faces_is_made_anew(harm: str, facesets: tuple[Path, Path], tmp_path: Path) -> None:
    fresh = load_person(facesets[0], 32, "full")
    load_person(facesets[0], 32, "full", cache=tmp_path)
    (pixels,), (facts,) = tmp_path.glob("*.npy"), tmp_path.glob("*.npz")
    if harm == "facts gone":
        facts.unlink()
    elif harm == "facts cut":
        os.truncate(facts, 100)
    elif harm == "pixels cut":
        os.truncate(pixels, 1000)
    else:
        with pixels.open("r+b") as handle:
            handle.seek(5000)
            handle.write(bytes(range(256)))
    again = load_person(facesets[0], 32, "full", cache=tmp_path)
    for name in ("faces", "points", "yaw"):
        assert torch.equal(getattr(again, name), getattr(fresh, name))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no such call on this system")
def test_a_disk_too_full_for_the_cache_is_one_line(
    facesets: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written through memory, a file on a full disk would end the process with a bus error."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(data, "stack_faces", None)  # not begun
    with pytest.raises(StorageError, match="no space left while writing"):
        load_person(facesets[0], 32, "full", cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_video_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"frames")
    check = watched(video)
    check()
    os.utime(video, (1, 1))
    with pytest.raises(VideoOpenError, match="was changed or taken away while it was read; put it back"):
        check()
    again = watched(video)
    video.unlink()
    with pytest.raises(VideoOpenError, match="was changed or taken away while it was read; put it back"):
        again()
    watched(tmp_path)()  # a folder of images


def test_a_video_in_the_workspace_is_compared_with_its_owners(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"frames")
    workspace = Workspace.create(tmp_path / "ws")
    workspace.set_video("src", video)
    inside = workspace.video("src")
    inside.unlink()
    workspace.set_video("src", video)
    assert inside.read_bytes() == b"frames"
    inside.unlink()
    inside.write_bytes(b"frames")  # copied without its time
    workspace.set_video("src", video)
    inside.write_bytes(b"garble")
    with pytest.raises(WorkspaceError, match="is not any more the video that was taken in; delete it"):
        workspace.set_video("src", video)


def test_other_files_among_faces_under_way_are_let_be(tmp_path: Path) -> None:
    for name in ("00001_0.jpg", ".00002_0.partial.jpg", ".DS_Store", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    drop_unlogged(tmp_path, ScanLog(tmp_path / "frames.jsonl", [Line()]))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".DS_Store", "00001_0.jpg", "notes.txt"]


def test_half_written_files_are_swept_up(tmp_path: Path) -> None:
    others = [".partial", ".tmp", ".tmp notes", "a.partial.jpg", "preview.jpg"]
    safetensors_own = ".tmpCHnonF"
    for name in (".preview.partial.jpg", ".state.new.partial.json", safetensors_own, *others):
        (tmp_path / name).write_bytes(b"x")
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == others


@pytest.mark.parametrize("decided", [True, False])
def test_half_a_save_is_finished_or_forgotten(tmp_path: Path, decided: bool) -> None:
    folder, newer = saved_model(tmp_path / "model"), saved_model(tmp_path / "newer")
    for part in PARTS if decided else PARTS[:2]:
        shutil.copy(newer / part, folder / part.replace(".", ".new."))
    drop_half_saved(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(PARTS)
    assert load_state(folder).step == 7


@pytest.mark.parametrize("killed", ["before the rename", "after it"])
def test_a_result_is_known_whenever_the_run_was_killed(killed: str, tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    output, finished = tmp_path / "out.mp4", tmp_path / "finished"
    output.write_bytes(b"the result before")
    workspace.note("merge", output=str(output), stamp=stamp(output))
    finished.write_bytes(b"the new result, longer")
    noting(workspace, "merge", output, lambda path: None, lambda: {"key": "k"})(finished)
    if killed == "after it":
        finished.replace(output)
    allow_output(workspace, output, overwrite=False)
    assert made_by(workspace, "merge") == output
    write_bytes(output, b"somebody else's")
    with pytest.raises(WorkspaceError, match="exists already"):
        allow_output(workspace, output, overwrite=False)
