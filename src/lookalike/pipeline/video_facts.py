"""What a video is, for people who look at it before they use it."""

import functools
from pathlib import Path
from typing import Final

from lookalike.reporting.pictures import encode_jpeg
from lookalike.types import VideoInfo
from lookalike.video import codecs_of, probe, still

_TRANSFERS: Final = {16: "HDR (PQ)", 18: "HDR (HLG)"}
_MATRICES: Final = {"bt601": "BT.601", "bt709": "BT.709", "bt2020": "BT.2020", "smpte240m": "SMPTE 240M", "fcc": "FCC"}


def video_facts(path: Path) -> list[tuple[str, str]]:
    """Names and values in the order that they are shown.

    Raises:
        VideoError: it cannot be read.
    """
    info, codecs = probe(path), codecs_of(path)
    width, height = info.size_wh
    turned = f", turned by {info.rotation}°" if info.rotation else ""
    squares = "" if info.sample_aspect_ratio == 1 else f", pixels {float(info.sample_aspect_ratio):.3f} wide"
    sound = f"{info.audio_tracks} track{'s' if info.audio_tracks > 1 else ''} ({', '.join(codecs.sound)})"
    return [
        ("Size", f"{width}x{height}{turned}{squares}" + (", interlaced" if info.interlaced else "")),
        ("Frames", f"{info.frame_count:,}"),
        ("Rate", f"{float(info.rate):.6g} a second"),
        ("Length", _clock(info.duration_seconds)),
        ("Codec", f"{codecs.picture}, {info.pixel_format}"),
        ("Colour", _color(info)),
        ("Sound", sound if info.audio_tracks else "none"),
    ]


def still_jpeg(path: Path, long_side: int) -> bytes:
    """A small JPEG of one picture of a video; kept in memory until the file changes.

    Raises:
        VideoError: it cannot be read.
    """
    stat = path.stat()
    return _still_jpeg(path, long_side, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=64)
def _still_jpeg(path: Path, long_side: int, _mtime_ns: int, _size: int) -> bytes:
    return encode_jpeg(still(path, long_side))


def _color(info: VideoInfo) -> str:
    space = info.color
    matrix = "RGB" if space.matrix == "rgb" else _MATRICES[space.matrix]
    parts = [matrix, f"{space.bits} bits", "full range" if space.full_range else "limited range"]
    return ", ".join([*parts, *([_TRANSFERS[info.tags.transfer]] if info.tags.transfer in _TRANSFERS else [])])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
