"""Pictures that no codec keeps by chance, and the alpha of a file's frames."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from lookalike.types import ColorSpace, ColorTags, Frame, Picture, VideoInfo
from lookalike.video import EncodeOptions, VideoWriter, join_segments, segment_suffix
from lookalike.video.layouts import Layout, planar
from lookalike.video.planes import Rotation

SIZE_WH = (64, 48)
COUNT = 6
FASTEST = {"h264": "ultrafast", "h265": "ultrafast", "av1": "12", "vp9": "8"}


def info_of(layout: Layout, rotation: Rotation = 0) -> VideoInfo:
    """A video of such pictures that is nowhere on disk; 25 a second."""
    rgb = layout.chroma == "rgb"
    return VideoInfo(
        path=Path("nowhere.mkv"),
        size_wh=SIZE_WH,
        pixel_format=layout.name,
        color=ColorSpace("rgb" if rgb else "bt709", rgb, layout.bits),
        tags=ColorTags(1, 1, 0 if rgb else 1, 2 if rgb else 1),
        frame_count=COUNT,
        rate=Fraction(25),
        time_base=Fraction(1, 1000),
        sample_aspect_ratio=Fraction(1),
        rotation=rotation,
        duration_seconds=COUNT / 25,
        audio_tracks=0,
    )


def noise(info: VideoInfo, alpha: bool = False) -> Iterator[Frame]:
    """The same frames at every call, at uneven times: above random codes, below a ramp that moves and an even patch.

    Both are needed: an encoder may be exact for the one and not for the other.
    """
    layout = planar(info.pixel_format)
    assert layout is not None
    down, across = (2 if layout.chroma == "420" else 1), (2 if layout.chroma in ("420", "422") else 1)
    if info.rotation % 180:
        down, across = across, down
    width, height = info.size_wh
    rng = np.random.default_rng(0)
    kind = np.uint8 if layout.bits == 8 else np.uint16

    def plane(h: int, w: int, number: int) -> NDArray[np.generic]:
        codes = rng.integers(0, 1 << layout.bits, (h, w), kind)
        ramp = np.add.outer(np.arange(h - h // 2), np.arange(w) + 3 * number)
        codes[h // 2 :] = (ramp << (layout.bits - 7)) % (1 << layout.bits)
        codes[h // 2 :, : w // 3] = 77 << (layout.bits - 8)
        return codes

    for number in range(COUNT):
        small = [plane(height // down, width // across, number) for _ in range(2)]
        opacity = plane(height, width, number) if alpha else None
        picture = Picture((plane(height, width, number), small[0], small[1]), info.color, opacity)
        yield Frame(picture, number, 40 * number + number % 3, info.time_base)


def joined(
    folder: Path, suffix: str, info: VideoInfo, options: EncodeOptions, frames: Iterator[Frame], alpha: bool = False
) -> Path:
    """A file of two segments."""
    pieces = []
    every = list(frames)
    half = len(every) // 2
    for number in (0, 1):
        pieces.append(folder / f"{number}{segment_suffix(options.codec)}")
        with VideoWriter(pieces[-1], info, options, alpha=alpha) as writer:
            for frame in (every[:half], every[half:])[number]:
                writer.write(frame)
    out = folder / f"joined{suffix}"
    join_segments(pieces, info, out, None, {})
    return out


def fast(codec: str, **options: object) -> EncodeOptions:
    return EncodeOptions.model_validate({"codec": codec, "preset": FASTEST.get(codec)} | options)


def stored_alpha(path: Path) -> list[tuple[NDArray[np.float64], int]]:
    """Alpha of every picture as stored, not turned, and its highest code."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.format.name == "bgra":
                found.append((frame.to_ndarray()[..., 3].astype(np.float64), 255))
                continue
            layout = planar(frame.format.name)
            assert layout is not None
            assert layout.alpha, frame.format.name
            kind = np.uint8 if layout.bits == 8 else np.uint16
            lines = np.frombuffer(memoryview(frame.planes[3]), kind).reshape(frame.height, -1)
            found.append((lines[:, : frame.width].astype(np.float64), (1 << layout.bits) - 1))
    return found
