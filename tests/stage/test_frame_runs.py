"""Videos cut into runs, and runs read in any order: the same frames as of one reading."""

import functools
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from drawn_clips import draw

from lookalike.pipeline import frame_runs
from lookalike.pipeline.frame_runs import Run, RunReader, cut_into_runs, runs_between, why_not_cut
from lookalike.types import Frame
from lookalike.video import keyframes, read_frames


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty frames, key frames at 0, 20 and 40."""
    folder = tmp_path_factory.mktemp("runs")
    options = {"crf": "12", "x264-params": "keyint=20:min-keyint=20:scenecut=0:bframes=2"}
    return draw(folder / "clip.mp4", pts=range(60), options=options)


def same(one: list[Frame], other: list[Frame]) -> bool:
    def facts(frame: Frame) -> tuple[int, int, bytes]:
        return frame.index, frame.pts, b"".join(np.ascontiguousarray(p).tobytes() for p in frame.picture.planes)

    return [facts(frame) for frame in one] == [facts(frame) for frame in other]


@pytest.mark.parametrize("keys", [[0], [0, 250, 500], list(range(1008)), [0, 30, 31, 95, 700]])
@pytest.mark.parametrize("first", [0, 7, 999, 1007])
def test_runs_cover_every_frame_once(keys: list[int], first: int) -> None:
    runs = runs_between(keys, first, 1008)
    assert (runs[0].start, runs[-1].stop) == (first, None)
    assert all(before.stop == after.start for before, after in pairwise(runs))
    assert all(8 <= after.start - before.start <= 96 for before, after in pairwise(runs))
    assert sum(run.holds(500) for run in runs) == (first <= 500)


def test_runs_get_shorter_towards_the_end() -> None:
    starts = [run.start for run in runs_between([0], 0, 1008)]
    lengths = [after - before for before, after in pairwise(starts)]
    assert lengths == sorted(lengths, reverse=True)
    assert (lengths[0], lengths[-1]) == (63, 16)


def test_runs_start_after_key_frames_that_are_near() -> None:
    starts = {run.start for run in runs_between([0, 250, 500, 750, 1000], 0, 1008)}
    assert {251, 501, 751} <= starts


def test_runs_in_any_order_hold_what_one_reading_gives(clip: Path) -> None:
    whole, reader = list(read_frames(clip)), RunReader(clip)
    assert keyframes(clip) == [0, 20, 40]
    for run in (Run(0, 7), Run(7, 9), Run(15, 21), Run(21, 22), Run(22, 24), Run(3, 5), Run(41, None), Run(58, None)):
        assert same(list(reader.read(run)), whole[run.start : run.stop]), run


def test_what_lies_near_is_not_sought(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []

    @functools.wraps(read_frames)
    def noted(path: Path, start: int = 0, stop: int | None = None) -> object:
        opened.append(start)
        return read_frames(path, start, stop)

    monkeypatch.setattr(frame_runs, "read_frames", noted)
    reader = RunReader(clip)
    for run in (Run(0, 5), Run(5, 9), Run(12, 15), Run(30, 32), Run(32, 40), Run(41, 44), Run(42, 43)):
        list(reader.read(run))
    assert opened == [0, 30, 42]


def test_frames_that_were_lost_between_two_runs(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(path: Path, start: int = 0, stop: int | None = None) -> object:
        return (frame for frame in read_frames(path, start, stop) if frame.index not in (8, 9, 10, 13))

    monkeypatch.setattr(frame_runs, "read_frames", damaged)
    reader = RunReader(clip)
    runs = [Run(4, 9), Run(9, 11), Run(11, 14), Run(14, 16)]
    assert [[frame.index for frame in reader.read(run)] for run in runs] == [[4, 5, 6, 7], [], [11, 12], [14, 15]]


def test_a_video_whose_frames_can_only_be_counted_is_not_cut(clip: Path, tmp_path: Path) -> None:
    assert why_not_cut(clip) is None
    counted = draw(tmp_path / "counted.avi", options={"x264-params": "bframes=2"})
    assert why_not_cut(counted) == "the frames of counted.avi can only be counted from its beginning"


def test_runs_with_frames_before_them(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_runs, "_SHORTEST", 12)
    assert [run.start for run in cut_into_runs(clip, 60)] == [0, 12, 21, 33, 41, 53]
    assert [run.start for run in cut_into_runs(clip, 60, beside=1)] == [0, 12, 22, 34, 42]
