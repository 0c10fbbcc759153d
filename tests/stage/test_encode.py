"""`encode`: images of data_dst/merged into a video, pixel for pixel where asked for."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_clips import draw, seconds_of, sound_of
from noise_clips import fast, stored_alpha
from numpy.typing import NDArray
from video_steps import said

from lookalike.color import picture_to_rgb
from lookalike.errors import EncoderError, WorkspaceError
from lookalike.pipeline.encode import encode
from lookalike.pipeline.workspace import Workspace
from lookalike.video import EncodeOptions, probe, read_frames

COUNT = 5
UNEVEN = [0, 40, 130, 131, 200]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """dst is turned by a quarter and has uneven times and sound."""
    workspace = Workspace.create(tmp_path / "ws")
    workspace.set_video("dst", draw(tmp_path / "a.mp4", pts=UNEVEN, rotation=90, sounds=2))
    return workspace


def fill(workspace: Workspace, bits: int, channels: int = 3) -> list[NDArray[np.integer]]:
    """Random images, upright; (H, W, 3) or (H, W, 4) with R, G, B first."""
    folder = workspace.data("dst") / "merged"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(bits)
    kind = np.uint8 if bits == 8 else np.uint16
    images = [rng.integers(0, 1 << bits, (96, 64, channels), kind) for _ in range(COUNT)]
    for number, image in enumerate(images):
        bgr = np.dstack([image[..., 2::-1], *([image[..., 3]] if channels == 4 else [])])
        cv2.imwrite(str(folder / f"{number + 1:05d}.png"), bgr)
    return images


def pixels(path: Path, bits: int) -> list[NDArray[np.float32]]:
    return [np.rint(picture_to_rgb(frame.picture) * ((1 << bits) - 1)) for frame in read_frames(path)]


@pytest.mark.parametrize(
    ("codec", "bits", "suffix"),
    [
        ("h264", 8, ".mp4"),
        ("h264", 8, ".mov"),
        ("h265", 8, ".mp4"),
        ("vp9", 8, ".mkv"),
        ("ffv1", 8, ".mkv"),
        ("ffv1", 16, ".mkv"),
    ],
)
def test_pixels_are_stored_exactly(workspace: Workspace, codec: str, bits: int, suffix: str) -> None:
    images = fill(workspace, bits)
    out = workspace.folder / f"out{suffix}"
    list(encode(workspace, fast(codec, lossless=True, chroma="rgb"), output=out))
    dst = workspace.video("dst")
    assert np.array_equal(pixels(out, bits), images)
    assert (probe(out).rotation, probe(out).size_wh, probe(out).color.matrix) == (90, (64, 96), "rgb")
    assert [digest for digest, _ in sound_of(out)] == [digest for digest, _ in sound_of(dst)]
    if suffix != ".mkv":
        assert seconds_of(out) == pytest.approx(seconds_of(dst), abs=1e-9)


@pytest.mark.parametrize("bits", [8, 16])
def test_pixels_and_alpha_in_ffv1(workspace: Workspace, bits: int) -> None:
    images = fill(workspace, bits, channels=4)
    out = workspace.folder / "out.mkv"
    list(encode(workspace, fast("ffv1", chroma="rgb"), output=out))
    assert np.array_equal(pixels(out, bits), [image[..., :3] for image in images])
    for (alpha, top), image in zip(stored_alpha(out), images, strict=True):
        assert top == (1 << bits) - 1
        assert np.array_equal(alpha, np.rot90(image[..., 3], -1))


def test_alpha_in_prores(workspace: Workspace) -> None:
    images = fill(workspace, 16, channels=4)
    out = workspace.folder / "out.mov"
    text = said(encode(workspace, EncodeOptions(codec="prores"), output=out))
    assert "dropped" not in text
    for (alpha, top), image in zip(stored_alpha(out), images, strict=True):
        assert np.abs(alpha / top - np.rot90(image[..., 3], -1) / 65535).max() <= 1 / 1023


def test_alpha_that_is_dropped_is_told(workspace: Workspace) -> None:
    images = fill(workspace, 8, channels=4)
    out = workspace.folder / "out.mp4"
    text = said(encode(workspace, fast("h264", lossless=True, chroma="rgb"), output=out))
    assert "dropped the alpha of the images: h264 has none, prores and ffv1 keep it" in text
    assert np.array_equal(pixels(out, 8), [image[..., :3] for image in images])


def test_an_image_without_alpha_among_others_is_opaque(workspace: Workspace) -> None:
    fill(workspace, 8, channels=4)
    cv2.imwrite(str(workspace.data("dst") / "merged" / "00002.png"), np.full((96, 64, 3), 40, np.uint8))
    out = workspace.folder / "out.mkv"
    list(encode(workspace, fast("ffv1", chroma="rgb"), output=out))
    assert [bool((alpha == 255).all()) for alpha, _ in stored_alpha(out)] == [False, True, False, False, False]


@pytest.mark.parametrize("chroma", ["same", "444"])
def test_what_may_lose_stays_near(workspace: Workspace, chroma: str) -> None:
    folder = workspace.data("dst") / "merged"
    folder.mkdir(parents=True)
    slopes = np.add.outer(np.arange(96), np.arange(64)).astype(np.uint8) + 40
    for number in range(COUNT):
        cv2.imwrite(str(folder / f"{number + 1:05d}.png"), np.dstack([slopes, slopes[::-1], np.full_like(slopes, 99)]))
    list(encode(workspace, EncodeOptions(crf=4, chroma=chroma)))  # type: ignore[arg-type]
    result = workspace.folder / "result.mp4"
    assert probe(result).pixel_format == ("yuv420p" if chroma == "same" else "yuv444p")
    want = np.dstack([np.full_like(slopes, 99), slopes[::-1], slopes]).astype(np.float32)
    assert np.abs(pixels(result, 8)[0] - want).mean() < 1.5


def test_refused_before_work(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="no images in"):
        list(encode(workspace, EncodeOptions()))
    fill(workspace, 16)
    with pytest.raises(EncoderError, match=r"h264 cannot store RGB of 16 bits exactly; use --codec ffv1$"):
        list(encode(workspace, fast("h264", lossless=True, chroma="rgb")))
    cv2.imwrite(str(workspace.data("dst") / "merged" / "00003.png"), np.zeros((64, 96, 3), np.uint8))
    with pytest.raises(WorkspaceError, match=r"00003\.png is 96x64, the video 64x96; merge again"):
        list(encode(workspace, EncodeOptions(preset="ultrafast")))


def test_from_the_command_line(workspace: Workspace) -> None:
    images = fill(workspace, 8)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from lookalike.cli import main; main()", "encode", str(workspace.folder)]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)

    assert run("--lossless", "--chroma", "rgb").returncode == 0
    assert np.array_equal(pixels(workspace.folder / "result.mp4", 8), images)
    wrong = run("--lossless", "--codec", "prores")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
