"""One frame of a merge: as the merge has it, kept while only options change, read anew when the disk changes."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from lookalike.color import picture_to_rgb8
from lookalike.errors import CheckpointError, VideoError, WorkspaceError
from lookalike.faceset import list_faces
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, save_checkpoint
from lookalike.pipeline import merge_job
from lookalike.pipeline.frame_shelf import FrameShelf
from lookalike.pipeline.merge import merge
from lookalike.pipeline.merge_preview import MergePreview, jpeg
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Frame
from lookalike.video import EncodeOptions, read_frames
from merge_scene import TINY
from merge_workspace import merge_workspace

HULL = MergeConfig(mask="hull")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return merge_workspace(tmp_path, 10, without_face=frozenset({4}))


def test_a_look_is_the_frame_of_the_merge(workspace: Workspace, tmp_path: Path) -> None:
    run = MergeRun(stabilize=False, masks=True)
    for _ in merge(workspace, HULL, EncodeOptions(codec="ffv1"), run=run, output=tmp_path / "out.mkv"):
        pass
    preview = MergePreview(workspace)
    for frame in read_frames(tmp_path / "out.mkv"):
        look = preview.look(frame.index, HULL, run)
        assert np.abs(look.picture().astype(int) - picture_to_rgb8(frame.picture)).max() <= 2
        mask = cv2.imread(str(workspace.data("dst") / "merged_mask" / f"{frame.index + 1:05d}.png"), -1)
        np.testing.assert_array_equal(look.mask(), mask)
        assert len(look.boxes()) == (frame.index != 4)
        plain = preview.dst(frame.index)
        assert (look.picture() == plain).all() == (frame.index == 4)
    assert preview.stretches() == [(0, 3), (5, 9)]


def test_the_face_lies_in_its_box(workspace: Workspace) -> None:
    look = MergePreview(workspace).look(2, HULL)
    left, top, right, bottom = look.boxes()[0]
    rows, columns = np.nonzero(look.mask())
    assert left < columns.min() < columns.max() < right
    assert top < rows.min() < rows.max() < bottom


def test_options_are_tried_on_what_was_drawn_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    real = merge_job.MergeJob.drawn_alone

    def counted(self: merge_job.MergeJob, frame: Frame) -> merge_job.Work:
        drawn.append(frame.index)
        return real(self, frame)

    monkeypatch.setattr(merge_job.MergeJob, "drawn_alone", counted)
    preview = MergePreview(workspace)
    looks = [preview.look(1, HULL.model_copy(update={"erode": erode})).picture() for erode in (0, 60, 0)]
    assert drawn == [1]
    assert (looks[0] != looks[1]).any()
    assert (looks[0] == looks[2]).all()
    preview.look(2, HULL)
    preview.look(1, HULL.model_copy(update={"sharpen": 90}))
    assert drawn == [1, 2]


def test_what_changes_on_disk_is_read_anew(workspace: Workspace) -> None:
    preview = MergePreview(workspace)
    before = preview.look(1, HULL).picture()
    other = build_model(TINY, 9)
    save_checkpoint(workspace.model("guided"), other.state_dict(), {}, TrainState(model=TINY, step=6))
    after = preview.look(1, HULL).picture()
    assert (before != after).any()
    list_faces(workspace.aligned("dst"))[1].unlink()
    assert (preview.look(1, HULL).picture() == preview.dst(1)).all()
    assert preview.stretches()[0] == (0, 0)


def test_what_is_not_there_is_said(workspace: Workspace) -> None:
    preview = MergePreview(workspace)
    with pytest.raises(VideoError, match="frame 11 "):
        preview.dst(10)
    with pytest.raises(CheckpointError, match="no model carol"):
        preview.look(0, HULL, None, "carol")
    preview.close()
    with pytest.raises(WorkspaceError, match="closed"):
        preview.dst(0)


def test_frames_come_in_any_order(workspace: Workspace) -> None:
    shelf = FrameShelf(workspace.video("dst"))
    frames = list(read_frames(workspace.video("dst")))
    for number in (5, 6, 2, 9, 8, 0, 1, 9):
        found = shelf.get(number)
        assert found.index == number
        assert all((a == b).all() for a, b in zip(found.picture.planes, frames[number].picture.planes, strict=True))


def test_pictures_are_reduced_to_the_width_asked_for() -> None:
    rgb = np.zeros((30, 60, 3), np.uint8)
    rgb[..., 0] = 200
    for width, wanted in ((20, (10, 20, 3)), (500, (30, 60, 3))):
        found = cv2.imdecode(np.frombuffer(jpeg(rgb, width), np.uint8), cv2.IMREAD_COLOR)
        assert found is not None
        assert found.shape == wanted
        assert abs(int(found[5, 5, 2]) - 200) < 4
        assert found[5, 5, 0] < 8
