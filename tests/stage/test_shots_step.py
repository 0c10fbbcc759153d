"""Cuts of dst, found and offered as ranges."""

from pathlib import Path

import numpy as np
import pytest

from lookalike.color import rgb_to_picture
from lookalike.pipeline.merge_settings import MergeFile, Shot, read_merge_file, write_merge_file
from lookalike.pipeline.shots import shots
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Frame, Message
from lookalike.video import EncodeOptions, VideoWriter
from merge_workspace import Kind, video_info


@pytest.fixture
def cut(tmp_path: Path) -> Workspace:
    """Three shots of noise about three colours: 20, 7 and 13 frames."""
    info = video_info(tmp_path / "dst.mkv", 40, Kind(shift_x=0, shift_y=0))
    with VideoWriter(info.path, info, EncodeOptions(codec="ffv1")) as writer:
        for number in range(40):
            rng = np.random.default_rng(number)
            middle = ((180, 60, 40), (40, 90, 200), (90, 200, 60))[(number >= 20) + (number >= 27)]
            noisy = np.clip(np.array(middle) + rng.normal(0, 12, (180, 200, 3)), 0, 255)
            writer.write(
                Frame(rgb_to_picture(noisy.astype(np.uint8), info.color), number, number * 512, info.time_base)
            )
    workspace = Workspace.create(tmp_path / "ws")
    workspace.set_video("dst", info.path)
    return workspace


def ranges(workspace: Workspace) -> list[tuple[int, int]]:
    return [(shot.first, shot.last) for shot in read_merge_file(workspace.folder / "merge.toml").shots]


def test_shots_are_written_once(cut: Workspace) -> None:
    list(shots(cut))
    assert ranges(cut) == [(1, 20), (21, 27), (28, 40)]
    mine = MergeFile(defaults={"erode": 5.0}, shots=[Shot(first=1, last=9, name="mine", options={"blur": 3.0})])
    write_merge_file(cut.folder / "merge.toml", mine)
    said = [event.text for event in shots(cut) if isinstance(event, Message)]
    assert "--replace" in said[-1]
    assert read_merge_file(cut.folder / "merge.toml") == mine
    list(shots(cut, replace=True))
    assert ranges(cut) == [(1, 20), (21, 27), (28, 40)]
    assert read_merge_file(cut.folder / "merge.toml").defaults == {"erode": 5.0}
