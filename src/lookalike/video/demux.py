"""Opening a file and walking its packets; the only place that knows how FFmpeg fails."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from lookalike.errors import NoVideoStreamError, VideoOpenError
from lookalike.video.limits import CONTAINERS, DECODER_OPTIONS, INPUT_OPTIONS, LARGEST, limit_allocations

_MAX_ERRORS_IN_A_ROW: Final = 100


@dataclass(frozen=True, slots=True)
class PacketIndex:
    """Presentation times of the pictures in a file, read without decoding."""

    pts: tuple[int, ...]
    """Rising; empty when packets lack times or share them, so that pictures can only be counted."""
    keyframes: tuple[int, ...]
    """Times that decoding can start from, rising."""
    count: int
    """Packets that hold a picture."""
    timed: bool = True
    """False where the file has no presentation times (AVI with B-frames): count frames instead."""


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open a video. Nothing of the container may be used after the block: FFmpeg has freed it.

    Raises:
        VideoOpenError: missing, no media file, cut short, or not readable.
    """
    if not path.exists():
        raise VideoOpenError(f"{path} does not exist; check the path")
    if not path.is_file():  # a pipe or a device would never end
        raise VideoOpenError(f"{path} is no file; pass a video")
    limit_allocations()
    try:
        container = _container(path)
    except av.error.ArgumentError as exc:
        raise VideoOpenError(
            f"{path} is no video of a kind that is read ({CONTAINERS}), or is damaged; convert it, or fetch it again"
        ) from exc
    except PermissionError as exc:
        raise VideoOpenError(f"{path} cannot be read (permission denied); change its permissions") from exc
    except (av.error.FFmpegError, ValueError) as exc:
        raise VideoOpenError(
            f"{path} is no video or is cut short ({_reason(exc)}); play it to check, or fetch it again"
        ) from exc
    with container:
        yield container


def _container(path: Path) -> InputContainer:
    name = f"file:{path}"  # so that no name is taken for an address, a pattern or a device
    first, second = INPUT_OPTIONS
    try:
        return av.open(name, options=first)
    except av.error.ArgumentError:
        return av.open(name, options=second)


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first picture track that is no cover art.

    Raises:
        NoVideoStreamError: the file has none.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic and stream.codec_context is not None:
            stream.codec_context.options = DECODER_OPTIONS
            return stream
    count = len(container.streams.audio)
    raise NoVideoStreamError(
        f"{path} has no video stream ({count} audio stream{'s' if count != 1 else ''} found); "
        "pass a file with a picture track"
    )


def packets(
    container: InputContainer, streams: Stream | list[AudioStream], damaged: Callable[[], None]
) -> Iterator["av.Packet[Any]"]:
    """Packets of some streams in file order, ending with an empty one; goes on after damage and reports it.

    Args:
        damaged: called for each place that could not be read.
    """
    errors = 0
    while errors < _MAX_ERRORS_IN_A_ROW:
        try:
            for packet in container.demux(streams):
                errors = 0
                yield packet
            return
        except av.error.FFmpegError:
            errors += 1
            damaged()


def packet_index(path: Path) -> PacketIndex:
    """Times of the pictures of a file; kept until the file changes.

    Raises:
        VideoOpenError, NoVideoStreamError: as `opened` and `picture_stream`.
    """
    stat = path.stat()
    return _packet_index(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=8)
def _packet_index(path: Path, _mtime_ns: int, _size: int) -> PacketIndex:
    times: list[int | None] = []
    keyframes: list[int] = []
    broken: list[None] = []
    with opened(path) as container:
        stream = picture_stream(container, path)
        timed = container.format.name != "avi" or not stream.codec_context.has_b_frames
        for packet in packets(container, stream, lambda: broken.append(None)):
            if not packet.size:
                continue
            if packet.is_keyframe and packet.pts is not None:
                keyframes.append(packet.pts)
            # An edit list marks what comes before the cut: needed to decode, never shown.
            if not packet.is_discard:
                times.append(packet.pts)
    known = {time for time in times if time is not None}
    exact = timed and len(known) == len(times) and not broken
    return PacketIndex(tuple(sorted(known)) if exact else (), tuple(sorted(keyframes)), len(times), timed)


def _reason(exc: Exception) -> str:
    text = getattr(exc, "strerror", None) or str(exc)
    return " ".join(str(text).split()).rstrip(".")


def next_frame(container: InputContainer, stream: VideoStream, path: Path) -> av.VideoFrame:
    """The first picture that can be decoded from where the container stands.

    Raises:
        VideoOpenError: there is none.
    """
    stream.thread_type = "SLICE"  # frame threads would decode many pictures ahead
    for packet in packets(container, stream, lambda: None):
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            continue
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                return frame
    raise VideoOpenError(f"{path} has a video stream but no picture in it can be decoded ({LARGEST}); play it to check")
