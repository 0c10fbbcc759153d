"""The whole job as a person runs it."""

import json
from pathlib import Path

import pytest
from media import packets
from running import DST_FRAMES, SRC_FRAMES, Run


@pytest.mark.slow
def test_swap_end_to_end_and_again(clips: tuple[Path, Path], lookalike: Run, tmp_path: Path) -> None:
    src, dst = clips
    arguments = ("swap", "--src", src, "--dst", dst, "-o", "out.mp4", "--iterations", 3)
    first = lookalike(*arguments)
    assert first.returncode == 0, first.stderr
    out = tmp_path / "out.mp4"
    assert packets(out, "video")[0] == packets(dst, "video")[0]
    assert packets(out, "audio") == packets(dst, "audio")
    workspace = tmp_path / "out_workspace"
    assert len(list((workspace / "data_src" / "aligned").iterdir())) == SRC_FRAMES
    assert len(list((workspace / "data_dst" / "aligned").iterdir())) == DST_FRAMES
    report = json.loads((workspace / "report" / "report.json").read_text())
    assert report["frames"]["lost"] == 0
    assert (workspace / "report" / "index.html").is_file()

    before = out.read_bytes()
    second = lookalike(*arguments)
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("reused") == 3  # both facesets and the video
    assert "nothing to train" in second.stdout
    assert out.read_bytes() == before


def test_somebody_elses_output_is_kept(clips: tuple[Path, Path], lookalike: Run, tmp_path: Path) -> None:
    mine = tmp_path / "holiday.mp4"
    mine.write_bytes(b"my holiday")
    done = lookalike("swap", "--src", clips[0], "--dst", clips[1], "-o", mine)
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert mine.read_bytes() == b"my holiday"


def test_another_video_in_the_same_workspace_is_refused(clips: tuple[Path, Path], lookalike: Run) -> None:
    assert lookalike("init", "ws", "--src", clips[0], "--dst", clips[1]).returncode == 0
    done = lookalike("init", "ws", "--src", clips[1])
    assert done.returncode == 1
    assert "choose another workspace" in done.stderr
