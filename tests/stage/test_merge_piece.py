"""A piece of a merge: its frames are those of the whole, its state is its own."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from drawn_clips import draw, sound_of

from drawn_faces import FRAME_WH
from lookalike import cli
from lookalike.errors import ConfigError, WorkspaceError
from lookalike.merging.config import MergeConfig
from lookalike.pipeline.merge import merge
from lookalike.pipeline.merge_piece import merge_piece
from lookalike.pipeline.merge_settings import MergeFile, Shot, write_merge_file
from lookalike.pipeline.result import recorded_result
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Frame, Message, Progress
from lookalike.video import EncodeOptions, read_frames
from merge_workspace import merge_workspace

FFV1 = EncodeOptions(codec="ffv1")
COUNT = 30


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[Frame]]:
    """A workspace with two shots, merged as a whole, and what came out."""
    workspace = merge_workspace(tmp_path_factory.mktemp("whole"), COUNT, without_face=frozenset({21}))
    shot = Shot(first=11, last=17, options={"erode": 40, "mask": "hull"})
    write_merge_file(workspace.folder / "merge.toml", MergeFile(shots=[shot]))
    output = workspace.folder / "result.mkv"
    for _ in merge(workspace, MergeConfig(), FFV1, output=output):
        pass
    return workspace, list(read_frames(output))


@pytest.mark.parametrize(("first", "last"), [(1, 5), (6, 7), (9, 24), (20, 30), (30, 30), (None, 3), (27, None)])
def test_frames_are_those_of_the_whole_merge(
    whole: tuple[Workspace, list[Frame]], tmp_path: Path, first: int | None, last: int | None
) -> None:
    workspace, frames = whole
    before = workspace.done("merge")
    events = list(merge_piece(workspace, MergeConfig(), FFV1, first=first, last=last, output=tmp_path / "piece.mkv"))
    wanted = frames[(first or 1) - 1 : last]
    found = list(read_frames(tmp_path / "piece.mkv"))
    assert [e.done for e in events if isinstance(e, Progress)] == list(range(1, len(wanted) + 1))
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        for plane, same in zip(one.picture.planes, other.picture.planes, strict=True):
            np.testing.assert_array_equal(plane, same)
        assert one.seconds == pytest.approx(other.seconds - wanted[0].seconds, abs=1e-3)
    assert workspace.done("merge") == before
    assert recorded_result(workspace) == workspace.folder / "result.mkv"
    assert not (workspace.folder / ".piece").exists()
    assert workspace.done("piece")["first"] == (first or 1)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 3), (5, COUNT + 1), (COUNT + 1, None)])
def test_frames_that_there_are_not_are_refused(
    whole: tuple[Workspace, list[Frame]], first: int | None, last: int | None
) -> None:
    with pytest.raises(ConfigError, match=f"frames 1 to {COUNT}"):
        list(merge_piece(whole[0], MergeConfig(), FFV1, first=first, last=last))


def test_the_command_line_makes_a_piece(
    whole: tuple[Workspace, list[Frame]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = str(whole[0].folder), str(tmp_path / "piece.mkv")
    assert cli.run(["merge", folder, "--first", "4", "--last", "6", "--codec", "ffv1", "-o", output]) == 0
    assert len(list(read_frames(Path(output)))) == 3
    assert cli.run(["merge", folder, "--first", "4", "--sequence"]) == 2
    assert "--sequence" in capsys.readouterr().err


def test_a_piece_takes_its_sound_along_and_is_written_over_by_the_next(tmp_path: Path) -> None:
    video = draw(tmp_path / "dst.mp4", pts=range(24), time_base=Fraction(1, 24), size_wh=FRAME_WH, sounds=1)
    drawn = merge_workspace(tmp_path / "faces", 24)
    workspace = Workspace.create(tmp_path / "ws")
    workspace.set_video("dst", video)
    (workspace.folder / "data_dst").mkdir()
    drawn.aligned("dst").rename(workspace.aligned("dst"))
    (drawn.folder / "model").rename(workspace.folder / "model")
    piece = workspace.folder / "piece.mp4"
    for first in (13, 3):
        said = list(merge_piece(workspace, MergeConfig(mask="hull"), EncodeOptions(), first=first, last=first + 9))
        assert isinstance(said[-1], Message)
        assert f"frames {first} to {first + 9} of 24" in said[-1].text
        (packets,) = sound_of(piece)
        assert packets[1][0] <= 0 < packets[1][-1] < 0.5
        assert next(read_frames(piece)).pts == 0
    piece.write_bytes(b"mine")
    with pytest.raises(WorkspaceError, match="choose another name"):
        list(merge_piece(workspace, MergeConfig(mask="hull"), EncodeOptions(), first=1, last=2))
    assert piece.read_bytes() == b"mine"
