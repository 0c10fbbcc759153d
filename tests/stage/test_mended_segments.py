"""Pieces of a result that were changed between two runs, or after the result was finished."""

import os
from pathlib import Path

import pytest
from drawn_clips import draw

from lookalike.errors import EncoderError, VideoOpenError
from lookalike.merging.config import MergeConfig
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.merge import merge
from lookalike.pipeline.segments import SEGMENT_FRAMES, SegmentedVideo
from lookalike.types import Message
from lookalike.video import EncodeOptions, probe, read_frames
from merge_workspace import merge_workspace

FFV1 = EncodeOptions(codec="ffv1")
PLAIN = TrustOptions(credentials=False, content_check="off")


def pieces(folder: Path) -> list[Path]:
    return sorted(folder.rglob("[0-9]*.nut"))


@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_a_piece_that_was_changed_is_written_again(tmp_path: Path, harm: str) -> None:
    source = draw(tmp_path / "source.mkv", pts=range(SEGMENT_FRAMES + 6))
    info = probe(source)
    video = SegmentedVideo(tmp_path / "work", "key", info, FFV1)
    for _ in video.write(read_frames(source)):
        pass
    assert video.start == 2 * SEGMENT_FRAMES
    first, _ = pieces(tmp_path / "work")
    if harm == "cut":
        os.truncate(first, first.stat().st_size // 2)
    else:
        first.unlink()
    with pytest.raises(EncoderError, match="was changed or taken away meanwhile; run the same command again"):
        video.finish(tmp_path / "out.mkv", None)
    assert not (tmp_path / "out.mkv").exists()
    again = SegmentedVideo(tmp_path / "work", "key", info, FFV1)
    assert again.start == 0
    for _ in again.write(read_frames(source)):
        pass
    again.finish(tmp_path / "out.mkv", None)
    assert [frame.pts for frame in read_frames(tmp_path / "out.mkv")] == [frame.pts for frame in read_frames(source)]
    assert not (tmp_path / "work").exists()


def test_pieces_of_a_video_that_changes_are_not_kept(tmp_path: Path) -> None:
    source = draw(tmp_path / "source.mkv", pts=range(6))
    video = SegmentedVideo(tmp_path / "work", "key", probe(source), FFV1)
    os.utime(source, (1, 1))
    with pytest.raises(VideoOpenError, match="was changed or taken away while it was read"):
        for _ in video.write(read_frames(source)):
            pass
    assert video.start == 0


def test_a_result_that_was_changed_is_not_used_again(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, 3)
    output = tmp_path / "out.mkv"

    def run(overwrite: bool = False) -> list[str]:
        events = merge(workspace, MergeConfig(), FFV1, trust=PLAIN, output=output, overwrite=overwrite)
        return [event.text for event in events if isinstance(event, Message)]

    run()
    whole = [frame.pts for frame in read_frames(output)]
    left = workspace.folder / ".merge" / "of a run that was killed as it ended"
    left.mkdir(parents=True)
    assert f"reused {output}" in run()
    assert not left.exists()
    os.truncate(output, output.stat().st_size // 2)
    assert not any("reused" in text for text in run(overwrite=True))
    assert [frame.pts for frame in read_frames(output)] == whole
