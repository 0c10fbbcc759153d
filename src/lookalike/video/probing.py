"""What is known of a video before its pictures are decoded."""

import functools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from lookalike.errors import VideoOpenError
from lookalike.types import ColorSpace, ColorTags, Matrix, VideoInfo
from lookalike.video import images
from lookalike.video.demux import next_frame, opened, packet_index, picture_stream
from lookalike.video.planes import Rotation, guessed_matrix, is_rgb, layout_bits

_MATRIX_OF_TAG: Final[dict[int, Matrix]] = {
    1: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    9: "bt2020",
    10: "bt2020",
}
_OF_CONTAINER: Final = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}


def probe(path: Path) -> VideoInfo:
    """Open a video, or a folder of images, and read what it is; kept until the file changes.

    Raises:
        VideoOpenError: missing, unreadable, or no picture can be decoded.
        NoVideoStreamError: sound only.
    """
    if images.is_images(path):
        return images.probe(path)
    if not path.exists():
        raise VideoOpenError(f"{path} does not exist; check the path")
    stat = path.stat()
    return _probe(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=32)
def _probe(path: Path, _mtime_ns: int, _size: int) -> VideoInfo:
    with opened(path) as container:
        stream = picture_stream(container, path)
        time_base = stream.time_base or Fraction(1, 90000)
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate or Fraction(25)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        seconds = _duration(container, stream)
        audio_tracks = len(container.streams.audio)
        frame = next_frame(container, stream, path)
        stored_wh = (frame.width, frame.height)
        tags, pixel_format, rotation = _tags(stream, frame), frame.format.name, _rotation(frame)
        interlaced = frame.interlaced_frame
    index = packet_index(path)
    color, tags = decide_color(pixel_format, tags, stored_wh[1])
    return VideoInfo(
        path=path,
        size_wh=stored_wh if rotation % 180 == 0 else (stored_wh[1], stored_wh[0]),
        pixel_format=pixel_format,
        color=color,
        tags=tags,
        frame_count=index.count,
        rate=rate,
        time_base=time_base,
        sample_aspect_ratio=aspect if aspect > 0 else Fraction(1),
        rotation=rotation,
        duration_seconds=seconds if seconds is not None else float(index.count / rate),
        audio_tracks=audio_tracks,
        interlaced=interlaced,
    )


def file_tags(path: Path) -> dict[str, str]:
    """Title, comment and the like of a file, for a copy of it; not what a container says of itself."""
    if images.is_images(path):
        return {}
    with opened(path) as container:
        return {key: value for key, value in container.metadata.items() if key.lower() not in _OF_CONTAINER}


def decide_color(pixel_format: str, tags: ColorTags, stored_height: int) -> tuple[ColorSpace, ColorTags]:
    """How the planes stand for RGB, and the tags that a copy of the video carries.

    An untagged video is taken as BT.709 from 720 lines on, else as BT.601, and limited range, as players do. R, G, B
    stay what they are, in full range.
    """
    guess, _ = guessed_matrix(stored_height)
    bits = layout_bits(pixel_format)
    if is_rgb(pixel_format):
        return ColorSpace("rgb", True, bits), replace(tags, matrix=0, range=2)
    if pixel_format.startswith("yuvj"):
        tags = replace(tags, range=2)
    return ColorSpace(_MATRIX_OF_TAG.get(tags.matrix, guess), tags.range == 2, bits), tags


def _tags(stream: VideoStream, frame: av.VideoFrame) -> ColorTags:
    """Tags of the container or the stream, else of the first picture."""
    context = stream.codec_context

    def first(unspecified: int, *values: int) -> int:
        return next((int(value) for value in values if int(value) != unspecified), unspecified)

    return ColorTags(
        primaries=first(2, context.color_primaries, frame.color_primaries),
        transfer=first(2, context.color_trc, frame.color_trc),
        matrix=first(2, context.colorspace, frame.colorspace),
        range=first(0, context.color_range, frame.color_range),
    )


def _rotation(frame: av.VideoFrame) -> Rotation:
    turns: tuple[Literal[0], Literal[90], Literal[180], Literal[270]] = (0, 90, 180, 270)
    return turns[round(frame.rotation / 90) % 4]


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else None
