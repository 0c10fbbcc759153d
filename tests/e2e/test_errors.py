"""Bad input: one clear line, exit 1, nothing under a final name."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from running import Run


def _write_video(path: Path, frames: int = 12) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(frames):
            image = np.full((120, 160, 3), 90, np.uint8)
            image[40:80, 10 + 4 * index : 50 + 4 * index] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def _write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    _write_video(tmp_path / "no_face.mp4")
    _write_sound(tmp_path / "sound_only.mp4")
    (tmp_path / "text.mp4").write_text("this is no video\n" * 50)
    return tmp_path


@pytest.mark.parametrize("side", ["src", "dst"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_face.mp4", "no_face.mp4"),
        ("sound_only.mp4", "no video stream"),
        ("text.mp4", "text.mp4"),
        ("missing.mp4", "missing.mp4"),
    ],
)
def test_bad_video(bad: Path, clips: tuple[Path, Path], lookalike: Run, name: str, words: str, side: str) -> None:
    videos = {"src": clips[0], "dst": clips[0], side: bad / name}
    done = lookalike("swap", "--src", videos["src"], "--dst", videos["dst"], "-o", "out.mp4", "--iterations", 1)
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert words in lines[0]
    assert not (bad / "out.mp4").exists()
    if side == "src":  # dst may already have been extracted, and is kept
        assert not (bad / "out_workspace" / "data_src" / "aligned").exists()


def test_wrong_usage(lookalike: Run) -> None:
    done = lookalike("merge", "ws", "--crff", "3")
    assert done.returncode == 2
    assert "--crf" in done.stderr


def test_no_workspace(lookalike: Run) -> None:
    done = lookalike("train", "nowhere")
    assert done.returncode == 1
    assert "nowhere is no workspace" in done.stderr


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk(clips: tuple[Path, Path], lookalike: Run, tiny_disk: Path) -> None:
    done = lookalike("swap", "--src", clips[0], "--dst", clips[0], "-o", tiny_disk / "out.mp4", "--iterations", 1)
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "no space left" in lines[0]
    assert not (tiny_disk / "out.mp4").exists()
    assert not (tiny_disk / "out_workspace" / "data_src" / "aligned").exists()
    shutil.rmtree(tiny_disk / "out_workspace")
