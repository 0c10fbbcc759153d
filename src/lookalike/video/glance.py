"""What can be told of a video at a glance: its codecs, one picture, where decoding can begin."""

from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import av.error
import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from lookalike.errors import VideoOpenError
from lookalike.untrusted import UnreadableError, opened_picture
from lookalike.video.demux import next_frame, opened, packet_index, picture_stream
from lookalike.video.images import FORMATS, is_images, list_images

_PLACE: Final = 3
"""A third of the way in: past titles and black."""
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Codecs:
    """Names as FFmpeg has them."""

    picture: str
    """Or "images"."""
    sound: tuple[str, ...] = ()
    """Of each track."""


def codecs_of(path: Path) -> Codecs:
    """What a video is encoded with.

    Raises:
        VideoOpenError, NoVideoStreamError: as `probe`.
    """
    if is_images(path):
        return Codecs("images")
    with opened(path) as container:
        picture = picture_stream(container, path).codec_context.name
        return Codecs(picture, tuple(stream.codec_context.name for stream in container.streams.audio))


def keyframes(path: Path) -> list[int]:
    """Numbers of the frames that decoding can begin at, rising; empty where they are not known, or all can be."""
    if is_images(path):
        return []
    index = packet_index(path)
    places = [bisect_left(index.pts, time) for time in index.keyframes]
    return [n for n, time in zip(places, index.keyframes, strict=True) if n < len(index.pts) and index.pts[n] == time]


def still(path: Path, long_side: int) -> NDArray[np.uint8]:
    """(H, W, 3) RGB of a picture a third into a video, upright and small; neither exact in place nor in colour.

    Raises:
        VideoOpenError: missing, unreadable, or no picture can be decoded. NoVideoStreamError: sound only.
    """
    if is_images(path):
        return _of_images(path, long_side)
    with opened(path) as container:
        stream = picture_stream(container, path)
        if container.duration and container.duration > _PLACE * _MICROSECONDS:
            with suppress(av.error.FFmpegError):
                container.seek((container.start_time or 0) + container.duration // _PLACE)
        return _small(next_frame(container, stream, path), long_side)


def _small(frame: av.VideoFrame, long_side: int) -> NDArray[np.uint8]:
    scale = min(1.0, long_side / max(frame.width, frame.height))
    width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
    rgb = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90) % 4), np.uint8)


def _of_images(path: Path, long_side: int) -> NDArray[np.uint8]:
    files = list_images(path)
    file = files[len(files) // _PLACE]
    try:
        with opened_picture(file, FORMATS) as picture:
            picture.draft("RGB", (long_side, long_side))
            small = ImageOps.exif_transpose(picture).convert("RGB")
            small.thumbnail((long_side, long_side))
            return np.asarray(small, np.uint8)
    except (UnreadableError, OSError) as exc:
        raise VideoOpenError(f"{file} is no image that can be read; remove it or save it again") from exc
