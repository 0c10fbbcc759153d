"""When each picture of a video is shown, without decoding one."""

from fractions import Fraction
from pathlib import Path

from lookalike.types import VideoInfo
from lookalike.video import images
from lookalike.video.demux import opened, packet_index


def frame_times(info: VideoInfo) -> list[int]:
    """Presentation times by frame number, in ticks of `info.time_base`.

    A file without times of its own (AVI with B-frames), or with broken ones, gets even ones from its rate.

    Raises:
        VideoOpenError: the file cannot be read.
    """
    if images.is_images(info.path):
        return images.frame_times(info.path)
    index = packet_index(info.path)
    if index.pts:
        return list(index.pts)
    return [round(number / (info.rate * info.time_base)) for number in range(index.count)]


def has_times(path: Path) -> bool:
    """False where frames can only be counted."""
    return images.is_images(path) or bool(packet_index(path).pts)


def start_seconds(path: Path) -> Fraction:
    """What a player shows as 0:00, in seconds of the file's own times: the earliest start of picture and sound."""
    if images.is_images(path):
        return Fraction(0)
    with opened(path) as container:
        return Fraction(container.start_time or 0, 1_000_000)
