"""Short clips drawn on the spot, and what a test needs to know of a file."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from lookalike.types import ColorTags, Frame, VideoInfo
from lookalike.video import (
    EncodeOptions,
    VideoWriter,
    probe,
    read_frames,
    segment_suffix,
)

UNEVEN_MS = [0, 33, 40, 120, 121, 400, 1000, 1033]
BT709 = ColorTags(1, 1, 1, 1)
UNTAGGED = ColorTags()


def draw(
    path: Path,
    *,
    pts: Sequence[int] = range(24),
    time_base: Fraction = Fraction(1, 24),
    size_wh: tuple[int, int] = (96, 64),
    pixel_format: str = "yuv420p",
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    rotation: int = 0,
    aspect: Fraction = Fraction(1),
    tags: ColorTags = UNTAGGED,
    sounds: int = 0,
) -> Path:
    """A bright square that moves over a ramp; bright also in the top left corner."""
    width, height = size_wh
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24, options=options or {"crf": "12", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        context = stream.codec_context
        stream.time_base = context.time_base = time_base
        context.sample_aspect_ratio = aspect
        context.color_primaries, context.color_trc = tags.primaries, tags.transfer
        context.colorspace, context.color_range = tags.matrix, tags.range
        if rotation:
            stream.set_display_rotation(rotation)
        tracks = [container.add_stream("aac", rate=44100, layout="mono") for _ in range(sounds)]
        for number, time in enumerate(pts):
            image = np.zeros((height, width, 3), np.uint8)
            image[..., 1] = np.linspace(20, 120, width, dtype=np.uint8)
            image[: height // 4, : width // 4] = (250, 60, 40)
            left = 8 + 2 * number % (width - 24)
            image[height // 2 : height // 2 + 12, left : left + 12] = (40, 60, 250)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = time, time_base
            frame.color_range, frame.colorspace = tags.range, tags.matrix
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for number, track in enumerate(tracks):
            wave = np.sin(np.arange(1024 * 44) * (0.05 + 0.02 * number)).astype(np.float32)
            for block in range(44):
                sound = av.AudioFrame.from_ndarray(wave[None, block * 1024 : block * 1024 + 1024], "fltp", "mono")
                sound.sample_rate, sound.pts, sound.time_base = 44100, block * 1024, Fraction(1, 44100)
                container.mux(track.encode(sound))
            container.mux(track.encode(None))
    return path


def digests(frames: Iterator[Frame]) -> list[tuple[int, int, str]]:
    return [(f.index, f.pts, hashlib.md5(b"".join(p.tobytes() for p in f.picture.planes)).hexdigest()) for f in frames]


def sound_of(path: Path) -> list[tuple[str, list[float]]]:
    """md5 of the packets, and their times, of each audio track."""
    found = []
    for number in range(probe(path).audio_tracks):
        with av.open(str(path)) as container:
            kept = [p for p in container.demux(container.streams.audio[number]) if p.size]
            digest = hashlib.md5(b"".join(bytes(p) for p in kept)).hexdigest()
            found.append((digest, [float((p.pts or 0) * p.time_base) for p in kept]))
    return found


def write_segments(
    folder: Path,
    source: Path,
    options: EncodeOptions,
    length: int,
    info: VideoInfo | None = None,
    *,
    alpha: bool = False,
) -> list[Path]:
    info = info or probe(source)
    segments = []
    for start in range(0, info.frame_count, length):
        segments.append(folder / f"{start:06d}{segment_suffix(options.codec)}")
        with VideoWriter(segments[-1], info, options, alpha=alpha) as writer:
            for frame in read_frames(source, start, start + length):
                writer.write(frame)
    return segments


def write(path: Path, info: VideoInfo, frames: Iterable[Frame], options: EncodeOptions | None = None) -> None:
    with VideoWriter(path, info, options) as writer:
        for frame in frames:
            writer.write(frame)


def seconds_of(path: Path) -> list[float]:
    return [frame.seconds for frame in read_frames(path)]
