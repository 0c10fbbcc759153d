"""Extraction cut off anywhere, and a second run with other wishes: nothing is lost, nothing is there twice."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from extracting import contents, records, run, trash
from PIL import Image
from running import SRC_FRAMES

from lookalike.errors import ConfigError, EditsError, FaceError, PersonNotFoundError
from lookalike.faceset import list_faces, load_record, replace_record
from lookalike.faceset.trash import put_aside
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.edits import EditedFace, Edits, write_edits
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits


def fresh(folder: Path, clip: Path) -> Workspace:
    workspace = Workspace.create(folder)
    workspace.set_video("src", clip)
    return workspace


@pytest.mark.slow
def test_cut_off_after_any_frame(clips: tuple[Path, Path], tmp_path: Path, blind: Callable[[range], None]) -> None:
    """The log of a search with a gap is cut at many lengths, as kills would have left it."""
    blind(range(6, 15))
    one_run = fresh(tmp_path / "one", clips[0])
    run(one_run)
    expected = contents(one_run.aligned("src"))
    (search,) = (one_run.data("src") / ".extract").iterdir()
    for length in (1, 6, 7, 10, 14, 15, 16, 17, SRC_FRAMES):
        again = Workspace(Path(shutil.copytree(one_run.folder, tmp_path / f"cut{length}")))
        folder = again.data("src") / ".extract" / search.name
        again.aligned("src").rename(folder / "faces")
        for path in list_faces(folder / "faces"):
            if load_record(path).frame > length:  # the next frame's face was written, but not logged
                path.unlink()
        lines = (search / "frames.jsonl").read_bytes().splitlines(keepends=True)
        (folder / "frames.jsonl").write_bytes(b"".join(lines[:length]) + b'{"faces": [')
        assert run(again)[0] == f"going on from frame {length}"
        assert contents(again.aligned("src")) == expected


def test_faces_that_were_damaged_before_the_faceset_was_made(workspace: Workspace) -> None:
    """A run was killed after its search; meanwhile one of its faces went, another lost its end."""
    expected = contents(workspace.aligned("src"))
    (search,) = (workspace.data("src") / ".extract").iterdir()
    workspace.aligned("src").rename(search / "faces")
    (search / "faces" / "00003_0.jpg").unlink()
    os.truncate(search / "faces" / "00009_0.jpg", 2000)
    run(workspace)
    assert contents(workspace.aligned("src")) == expected


def test_options_left_out_stay_as_they_were(workspace: Workspace) -> None:
    before = contents(workspace.aligned("src"))
    assert run(workspace, ExtractConfig())[0].startswith("reused the 24 faces")
    (workspace.aligned("src") / "00003_0.jpg").unlink()
    run(workspace, ExtractConfig(), only_missing=True)
    assert contents(workspace.aligned("src")) == before
    run(workspace, ExtractConfig(), debug=True)
    (workspace.data("src") / "aligned_debug" / "00008.jpg").unlink()
    run(workspace, ExtractConfig(min_score=0.6), redo=True)
    assert {record.size for record in records(workspace).values()} == {96}


def test_a_workspace_that_was_copied_is_still_done(workspace: Workspace, tmp_path: Path) -> None:
    copied = Workspace(Path(shutil.copytree(workspace.folder, tmp_path / "copy", copy_function=shutil.copyfile)))
    assert run(copied)[0].startswith("reused the 24 faces")


def test_a_wish_that_fails_leaves_everything(workspace: Workspace) -> None:
    before = contents(workspace.aligned("src"))
    with pytest.raises(PersonNotFoundError):
        run(workspace, ExtractConfig(size=96, person="5"))
    assert contents(workspace.aligned("src")) == before
    (workspace.aligned("src") / "00003_0.jpg").unlink()
    assert run(workspace, only_missing=True)[0] == "1 faces were missing"
    assert contents(workspace.aligned("src")) == before


def test_other_options_move_the_old_faces_aside(workspace: Workspace) -> None:
    before = contents(workspace.aligned("src"))
    run(workspace, debug=True)
    said = run(workspace, ExtractConfig(size=64))
    assert [text for text in said if "moved the faces" in text] == [
        f"moved the faces of other options to {workspace.data('src') / name}"
        for name in ("aligned-2", "aligned_debug-2")
    ]
    assert contents(workspace.data("src") / "aligned-2") == before
    assert {record.size for record in records(workspace).values()} == {64}


def test_what_extraction_put_aside_is_no_wish_of_a_person(workspace: Workspace) -> None:
    aligned, aside = workspace.aligned("src"), workspace.trash("src")
    before = contents(aligned)
    put_aside(aligned / "00003_0.jpg", aside, "another person")
    put_aside(aligned / "00004_0.jpg", aside, "filter: too blurred")
    assert run(workspace, only_missing=True)[0] == "1 faces were missing"
    assert contents(aligned) == {name: data for name, data in before.items() if name != "00004_0.jpg"}


def test_a_frame_redone_otherwise_is_not_missing(workspace: Workspace) -> None:
    path = workspace.aligned("src") / "00008_0.jpg"
    replace_record(path, load_record(path).model_copy(update={"number": 1}))  # as another detector may count
    before = contents(workspace.aligned("src"))
    assert run(workspace, only_missing=True)[0] == "0 faces were missing"
    assert contents(workspace.aligned("src")) == before


def test_a_face_set_by_hand_that_was_lost(workspace: Workspace) -> None:
    edits = workspace.data("src") / "edits.json"
    write_edits(edits, Edits(frames={5: [EditedFace(box=(120, 60, 330, 350))], 6: []}))
    run(workspace)
    made = contents(workspace.aligned("src"))
    (workspace.aligned("src") / "00006_0.jpg").unlink()
    run(workspace, only_missing=True)
    assert contents(workspace.aligned("src")) == made
    run(workspace, ExtractConfig(size=96, min_score=0.6), only_missing=True)  # frame 6 is to stay empty
    assert contents(workspace.aligned("src")) == made


def test_edits_that_make_no_face_leave_the_old_one(workspace: Workspace) -> None:
    before = contents(workspace.aligned("src"))
    write_edits(workspace.data("src") / "edits.json", Edits(frames={5: [EditedFace(box=(9e4, 9e4, 9.1e4, 9.1e4))]}))
    with pytest.raises(EditsError, match=r"frame 5 of edits\.json shows no face"):
        run(workspace)
    assert contents(workspace.aligned("src")) == before


def test_faces_in_sub_folders_are_not_touched(workspace: Workspace) -> None:
    aside = workspace.aligned("src") / "removed"
    aside.mkdir()
    (workspace.aligned("src") / "00005_0.jpg").rename(aside / "00005_0.jpg")
    (aside / "holiday.jpg").write_bytes(b"no picture")
    write_edits(workspace.data("src") / "edits.json", Edits(frames={4: [EditedFace(box=(120, 60, 330, 350))]}))
    run(workspace)
    run(workspace, only_missing=True)
    assert sorted(path.name for path in aside.iterdir()) == ["00005_0.jpg", "holiday.jpg"]
    assert records(workspace)[4].edited
    assert trash(workspace) == []


def test_the_same_video_under_another_name(workspace: Workspace) -> None:
    """As after denoising: the same frames from another file."""
    video = workspace.video("src")
    other = video.with_name("data_src_denoised.mp4")
    shutil.copy2(video, other)
    workspace.replace_video("src", other)
    write_edits(workspace.data("src") / "edits.json", Edits(frames={3: [EditedFace(box=(120, 60, 330, 350))]}))
    run(workspace, ExtractConfig(), only_missing=True)
    assert [load_record(path).frame for path in list_faces(workspace.aligned("src"))] == list(range(SRC_FRAMES))
    assert trash(workspace) == [(3, "set by hand anew")]


def test_the_reference_picture_may_go_once_it_was_used(workspace: Workspace, tmp_path: Path) -> None:
    picture = tmp_path / "who.png"
    Image.fromarray(load_portraits()[0].image).save(picture)
    run(workspace, ExtractConfig(size=96, person=str(picture)))
    picture.unlink()
    assert run(workspace, ExtractConfig())[0].startswith("reused the 24 faces")
    with pytest.raises(FaceError, match="cannot be read as a picture"):
        run(workspace, ExtractConfig(size=80))


def test_two_things_at_once(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="two things to do"):
        run(workspace, only_missing=True, redo=True)


def test_a_video_that_lies_in_the_folder_is_not_written_over(clips: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "data_src.mp4").write_bytes(b"somebody's own")
    workspace = fresh(folder, clips[0])
    assert (folder / "data_src.mp4").read_bytes() == b"somebody's own"
    assert workspace.video("src").name == "data_src-2.mp4"
    shutil.copy(clips[0], folder / "data_dst.mp4")
    workspace.set_video("dst", folder / "data_dst.mp4")
    assert workspace.video("dst") == folder / "data_dst.mp4"
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        "data_dst.mp4", "data_src-2.mp4", "data_src.mp4", "workspace.toml",
    ]  # fmt: skip


def test_a_video_without_a_suffix(clips: tuple[Path, Path], tmp_path: Path) -> None:
    bare = tmp_path / "talk"
    shutil.copy(clips[0], bare)
    workspace = fresh(tmp_path / "ws", bare)
    run(workspace)
    assert len(records(workspace)) == SRC_FRAMES
