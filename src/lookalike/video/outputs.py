"""What every file written has in common: container options, stream settings, errors."""

import errno
import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.error
from av.video.stream import VideoStream

from lookalike.errors import EncoderError
from lookalike.types import ColorSpace, ColorTags, VideoInfo
from lookalike.video.codecs import CODECS
from lookalike.video.demux import opened
from lookalike.video.encoders import Encoder, choose_encoder
from lookalike.video.images import is_images
from lookalike.video.layouts import layout_named
from lookalike.video.options import CodecName, EncodeOptions
from lookalike.video.planes import planar_layout, stored_color

_FORMATS: Final = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_QUICKTIME: Final = {".mp4", ".mov"}
_NOT_IN_MOV: Final = {"av1", "vp9", "opus", "flac", "truehd"}
"""FFmpeg has names for them in MOV and refuses them when the file is begun."""
_FINE_TICKS: Final = 90_000
_DISK: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EPERM, errno.EIO}

_log = logging.getLogger(__name__)


def check_output(
    output: Path, info: VideoInfo, options: EncodeOptions, track: int | None = None, *, alpha: bool = False
) -> None:
    """Refuse an output that could not be written, before any work is done.

    Args:
        info: of the video whose pictures and sound it will hold.
        track: the only audio track that it will hold, from 0; None for all.
        alpha: whether its pictures have alpha.

    Raises:
        EncoderError: unknown suffix; a container that cannot hold the codec or the sound; the source itself; a codec
            that cannot hold the alpha, or the pictures as exactly as asked; hardware that does not open.
        VideoOpenError: the source cannot be read.
    """
    check_container(output, info, options.codec, track)
    encoder_of(info, options, alpha)


def encoder_of(info: VideoInfo, options: EncodeOptions, alpha: bool) -> Encoder:
    """The encoder for pictures of a video.

    Raises:
        EncoderError: there is none that does what is asked.
    """
    return choose_encoder(options, planar_layout(info.pixel_format), stored_size(info), alpha)


def encoded_as(info: VideoInfo, options: EncodeOptions, alpha: bool) -> tuple[ColorSpace, tuple[int, int]]:
    """What pictures made for an encoder should be, so that it takes them as they are.

    Returns:
        Colour space, and how often chroma is halved across and down in upright pictures.

    Raises:
        EncoderError: as `encoder_of`.
    """
    pixel_format = encoder_of(info, options, alpha).pixel_format
    chroma = layout_named(pixel_format).chroma
    across, down = int(chroma in ("420", "422")), int(chroma == "420")
    color, _ = stored_color(info, pixel_format)
    return color, (across, down) if info.rotation % 180 == 0 else (down, across)


def stored_size(info: VideoInfo) -> tuple[int, int]:
    """Width and height of the pictures as they are encoded, before a player turns them."""
    width, height = info.size_wh
    return (width, height) if info.rotation % 180 == 0 else (height, width)


def check_container(output: Path, info: VideoInfo, codec: CodecName, track: int | None = None) -> None:
    """Refuse a file that cannot hold the codec and the sound, or that is the video read. See `check_output`."""
    suffix = output.suffix.lower()
    known = ", ".join(_FORMATS)
    if suffix not in _FORMATS:
        raise EncoderError(f"{output.name} has no known suffix ({suffix or 'none'}); use one of {known}")
    if output.exists() and info.path.exists() and output.samefile(info.path):
        raise EncoderError(f"{output} is the video that is read; choose another name")
    sounds = _sound_codecs(info, track)
    missing = _not_held(suffix, codec, sounds)
    if missing:
        fitting = [other for other in _FORMATS if not _not_held(other, codec, sounds)]
        advice = f"use {' or '.join(fitting)}" if fitting else "use another --codec, such as h264 in .mkv"
        raise EncoderError(f"a {suffix} file cannot hold {' and '.join(missing)}; {advice}")
    if info.sample_aspect_ratio != 1 and suffix not in _QUICKTIME and codec in ("vp9", "ffv1"):
        _log.warning("%s: %s in %s does not keep pixels of shape %s", output, codec, suffix, info.sample_aspect_ratio)


def fitting_output(base: Path, info: VideoInfo, codec: CodecName, track: int | None = None) -> Path:
    """`base` with the suffix of a container that holds the codec and the sound; that of the source if it does.

    Args:
        base: where the file goes, without a suffix.
        info: of the video whose pictures and sound it will hold.
        codec: of its pictures.
        track: the only audio track that it will hold, from 0; None for all.

    Raises:
        EncoderError: no container does.
    """
    own = info.path.suffix.lower()
    sounds = _sound_codecs(info, track)
    for suffix in (*(s for s in _FORMATS if s == own), *_FORMATS):
        if not _not_held(suffix, codec, sounds):
            return base.with_name(base.name + suffix)
    raise EncoderError(f"no container holds {codec} and the sound of {info.path.name}; use another --codec")


def container_options(path: Path, time_base: Fraction) -> dict[str, str]:
    """Options that keep timestamps exact and let a player start before the whole file is there."""
    if path.suffix == ".nut":
        return {"avoid_negative_ts": "disabled"}
    if path.suffix.lower() in _QUICKTIME:
        # Starts of tracks are kept in these ticks. The default of 1000 would round them to a millisecond; whole
        # parts of a video tick are exact for pictures, and fine enough for sound.
        scale = time_base.denominator
        while scale < _FINE_TICKS:
            scale *= 2
        return {"movflags": "+faststart", "movie_timescale": str(scale)}
    return {}


def describe_stream(stream: VideoStream, info: VideoInfo, codec: CodecName, tags: ColorTags) -> None:
    """Set times, rate, pixel shape, colour tags, rotation and name of a video stream, before its header is written."""
    context = stream.codec_context
    stream.time_base, context.framerate = info.time_base, info.rate
    tag = CODECS[codec].tag
    if tag is not None and stream.container.format.name in ("mp4", "mov"):
        context.codec_tag = tag
    context.sample_aspect_ratio = info.sample_aspect_ratio
    context.color_primaries, context.color_trc = tags.primaries, tags.transfer
    context.colorspace, context.color_range = tags.matrix, tags.range
    if info.rotation:
        stream.set_display_rotation(info.rotation)


@contextmanager
def encoder_errors(path: Path) -> Iterator[None]:
    """Turn FFmpeg's errors into OSError where the disk is at fault, else into EncoderError."""
    try:
        yield
    except av.error.FFmpegError as exc:
        if exc.errno == errno.ENOMEM:
            raise MemoryError from exc
        if exc.errno in _DISK:
            raise OSError(exc.errno, os.strerror(exc.errno), str(path)) from exc
        raise EncoderError(_text(path, exc)) from exc


def _text(path: Path, exc: Exception) -> str:
    reason = " ".join(str(getattr(exc, "strerror", None) or exc).split())
    return f"{path.name} cannot be encoded ({reason}); try another --codec or other settings"


def _sound_codecs(info: VideoInfo, track: int | None) -> list[str]:
    if not info.audio_tracks or is_images(info.path):
        return []
    with opened(info.path) as container:
        streams = container.streams.audio if track is None else container.streams.audio[track : track + 1]
        return [s.codec_context.name if s.codec_context else "unknown sound" for s in streams]


def _not_held(suffix: str, codec: CodecName, sounds: list[str]) -> list[str]:
    """Which of the codecs a container cannot hold."""
    with av.open(io.BytesIO(), "w", format=_FORMATS[suffix]) as container:
        supported = container.supported_codecs
    wanted = [(codec, CODECS[codec].encoder), *((f"{name} sound", name) for name in dict.fromkeys(sounds))]
    refused = {text for text, name in wanted if name not in supported}
    if suffix == ".mov":
        refused |= {text for text, name in wanted if text.removesuffix(" sound") in _NOT_IN_MOV}
    if suffix == ".mp4":
        # The standard lets MP4 hold PCM; what is copied from other files is refused by the writer, or by players.
        refused |= {text for text, name in wanted if name.startswith("pcm_")}
    return [text for text, _ in wanted if text in refused]
