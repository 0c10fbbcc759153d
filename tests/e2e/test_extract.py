"""Extraction beyond one run: gaps, lost faces, faces set by hand, frames redone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from extracting import contents, records, run, trash
from running import SRC_FRAMES

from lookalike.errors import EditsError, FacesetError, NoFaceError, PersonNotFoundError
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.edits import EditedFace, Edits, write_edits
from lookalike.pipeline.workspace import Workspace


def test_one_face_a_frame(workspace: Workspace) -> None:
    found = records(workspace)
    assert sorted(found) == list(range(SRC_FRAMES))
    assert {(r.track, r.person, r.recovered, r.edited) for r in found.values()} == {(0, 0, False, False)}
    assert all(r.identity is not None for r in found.values())


def test_a_gap_is_searched_again(clips: tuple[Path, Path], tmp_path: Path, blind: Callable[[range], None]) -> None:
    blind(range(8, 12))
    workspace = Workspace.create(tmp_path / "gap")
    workspace.set_video("src", clips[0])
    run(workspace)
    found = records(workspace)
    assert sorted(found) == list(range(SRC_FRAMES))
    assert [n for n, record in found.items() if record.recovered] == [8, 9, 10, 11]
    assert {record.track for record in found.values()} == {0}
    before = contents(workspace.aligned("src"))
    for frame in (3, 9, 11):
        (workspace.aligned("src") / f"{frame + 1:05d}_0.jpg").unlink()
    assert run(workspace, only_missing=True)[0] == "3 faces were missing"
    assert contents(workspace.aligned("src")) == before


def test_a_face_that_does_not_come_back_is_not_made_up(
    clips: tuple[Path, Path], tmp_path: Path, blind: Callable[[range], None]
) -> None:
    blind(range(16, SRC_FRAMES))
    workspace = Workspace.create(tmp_path / "end")
    workspace.set_video("src", clips[0])
    run(workspace)
    assert sorted(records(workspace)) == list(range(16))
    assert trash(workspace) == [(frame, "not found again") for frame in range(16, SRC_FRAMES)]


def test_a_face_that_is_never_sure_is_put_aside(clips: tuple[Path, Path], tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "strict")
    workspace.set_video("src", clips[0])
    with pytest.raises(NoFaceError, match=r"no face was found in src\.mp4"):
        run(workspace, ExtractConfig(size=96, min_score=0.99, thorough=False))


@pytest.mark.parametrize("moved", ["trash", "removed"])
def test_faces_put_away_by_hand_are_not_missing(workspace: Workspace, moved: str) -> None:
    aligned = workspace.aligned("src")
    away = workspace.trash("src") if moved == "trash" else aligned / "removed"
    away.mkdir(exist_ok=True)
    (aligned / "00003_0.jpg").rename(away / "00003_0.jpg")
    (aligned / "00007_0.jpg").unlink()
    before = contents(aligned)
    assert run(workspace, only_missing=True)[0] == "1 faces were missing"
    assert contents(aligned).keys() - before.keys() == {"00007_0.jpg"}


def test_missing_faces_are_looked_for_with_other_options(workspace: Workspace) -> None:
    aligned = workspace.aligned("src")
    before = contents(aligned)
    for name in ("00002_0.jpg", "00019_0.jpg"):
        (aligned / name).unlink()
    said = run(workspace, ExtractConfig(size=96, min_score=0.6), only_missing=True)
    assert said[-1] == "2 faces found in the 2 frames that had none"
    after = contents(aligned)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {"00002_0.jpg", "00019_0.jpg"}
    assert {record.track for record in records(workspace).values()} == {0}


def test_nothing_to_complete(clips: tuple[Path, Path], tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "none")
    workspace.set_video("src", clips[0])
    with pytest.raises(FacesetError, match="is not there yet; extract without --only-missing"):
        run(workspace, only_missing=True)


def test_faces_set_by_hand(workspace: Workspace) -> None:
    before, old = contents(workspace.aligned("src")), records(workspace)
    moved = {n: [(x + 4, y - 2) for x, y in old[n].landmarks] for n in (5, 9)}
    edits = Edits(
        frames={5: [EditedFace(landmarks=moved[5])], 9: [EditedFace(landmarks=moved[9])], 12: []},
        between=[(5, 9)],
    )
    path = workspace.data("src") / "edits.json"
    write_edits(path, edits)
    assert run(workspace)[-1] == "6 frames are set by hand"
    new = records(workspace)
    assert sorted(new) == [n for n in range(SRC_FRAMES) if n != 12]
    assert [n for n, record in new.items() if record.edited] == [5, 6, 7, 8, 9]
    np.testing.assert_allclose(new[5].landmarks_array(), moved[5], atol=2e-3)
    np.testing.assert_allclose(new[7].landmarks_array(), (np.array(moved[5]) + moved[9]) / 2, atol=2e-3)
    # The mesh goes with the landmarks, and the face stays the same person's.
    np.testing.assert_allclose(new[5].mesh_array() - old[5].mesh_array(), np.tile([4, -2], (478, 1)), atol=1.5)
    assert {(r.track, r.person) for r in new.values()} == {(0, 0)}
    assert trash(workspace) == [(n, "set by hand anew") for n in (5, 6, 7, 8, 9, 12)]
    untouched = {name for name, data in contents(workspace.aligned("src")).items() if before[name] == data}
    assert len(untouched) == SRC_FRAMES - 6
    made = contents(workspace.aligned("src"))
    assert run(workspace)[-1].startswith("reused the 23 faces")
    write_edits(path, edits.model_copy(update={"frames": {**edits.frames, 20: []}}))
    run(workspace)
    assert contents(workspace.aligned("src")) == {name: data for name, data in made.items() if name != "00021_0.jpg"}


def test_an_edit_taken_back_gives_the_old_face(workspace: Workspace) -> None:
    before = contents(workspace.aligned("src"))
    path = workspace.data("src") / "edits.json"
    write_edits(path, Edits(frames={4: [EditedFace(box=(120, 60, 330, 350))], 6: []}))
    run(workspace)
    assert records(workspace)[4].edited
    assert 6 not in records(workspace)
    path.unlink()
    run(workspace)
    assert contents(workspace.aligned("src")) == before


def test_everything_by_hand(clips: tuple[Path, Path], tmp_path: Path, whole_faceset: Path) -> None:
    workspace = Workspace.create(tmp_path / "hand")
    workspace.set_video("src", clips[0])
    box = records(Workspace(whole_faceset))[3].box_xyxy
    workspace.data("src").mkdir()
    write_edits(workspace.data("src") / "edits.json", Edits(frames={3: [EditedFace(box=box)]}))
    run(workspace, ExtractConfig(size=96, detector="manual"))
    (only,) = records(workspace).values()
    assert (only.frame, only.edited, only.detector) == (3, True, "manual")
    told = records(Workspace(whole_faceset))[3]
    np.testing.assert_allclose(only.landmarks_array(), told.landmarks_array(), atol=0.03 * only.size)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ('{"format": 9}', "format 9; update Lookalike"),
        ('{"frames": {"1": [{}]}}', "needs landmarks or a box"),
        ('{"frames": {"1": [{"box": [5, 5, 1, 9]}]}}', "left < right"),
        ('{"frames": {"-1": []}}', "greater than or equal to 0"),
        ('{"frames": {"1": []}, "between": [[1, 3]]}', "both frames must be set by hand"),
        ('{"frams": {}}', "frams"),
    ],
)
def test_edits_that_cannot_be_used(workspace: Workspace, text: str, said: str) -> None:
    (workspace.data("src") / "edits.json").write_text(text)
    before = contents(workspace.aligned("src"))
    with pytest.raises(EditsError, match=said):
        run(workspace)
    assert contents(workspace.aligned("src")) == before


def test_frames_redone(workspace: Workspace) -> None:
    debug = workspace.data("src") / "aligned_debug"
    run(workspace, debug=True)
    assert len(list(debug.glob("*.jpg"))) == SRC_FRAMES
    before = contents(workspace.aligned("src"))
    # As after a sort: the old face has another name, and must not stay beside the new one.
    (workspace.aligned("src") / "00005_0.jpg").rename(workspace.aligned("src") / "00000.jpg")
    for frame in (4, 17):
        (debug / f"{frame + 1:05d}.jpg").unlink()
    run(workspace, redo=True)
    assert len(list(debug.glob("*.jpg"))) == SRC_FRAMES
    assert trash(workspace) == [(4, "redone"), (17, "redone")]
    after = contents(workspace.aligned("src"))
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {"00005_0.jpg", "00018_0.jpg"}


def test_a_person_who_is_not_there(clips: tuple[Path, Path], tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "who")
    workspace.set_video("src", clips[0])
    with pytest.raises(PersonNotFoundError, match="shows 1 people, 0 to 0; there is no 3"):
        run(workspace, ExtractConfig(size=96, person="3"))


def test_every_face_by_itself(clips: tuple[Path, Path], tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "each")
    workspace.set_video("src", clips[0])
    run(workspace, ExtractConfig(size=64, identity="face", face_type="whole", png=True))
    found = records(workspace)
    assert len({record.identity for record in found.values()}) == SRC_FRAMES
    assert {(r.face_type, r.geometry, r.size) for r in found.values()} == {("whole", "dfl2", 64)}
