"""A part of a video as a video of its own, exact to the frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lookalike.errors import ConfigError, EncoderError
from lookalike.pipeline.config import CutOptions
from lookalike.pipeline.result import stamp
from lookalike.pipeline.segments import SegmentedVideo
from lookalike.pipeline.time_points import TimePoint, parse_point
from lookalike.pipeline.workspace import fingerprint
from lookalike.types import Event, Frame, Message, Progress, VideoInfo
from lookalike.video import (
    CodecName,
    EncodeOptions,
    SoundCut,
    check_output,
    file_tags,
    fitting_output,
    frame_times,
    is_images,
    probe,
    read_frames,
    start_seconds,
)

_STEP = "cut"
_HALF_MS = Fraction(1, 2000)
"""Users write milliseconds, so frame times are compared as rounded to them."""
_CODEC: dict[str, CodecName] = {".webm": "vp9"}
"""By suffix, where h264 does not fit."""
_QUALITY: dict[CodecName, int] = {"h264": 12, "h265": 14}
"""crf of a cut where none is asked for: it will be encoded again after the swap."""


@dataclass(frozen=True, slots=True)
class _Part:
    first: int
    """Number of the first frame, from 0."""
    stop: int
    """Number of the frame after the last one."""
    start_ticks: int | None
    """What becomes time 0; None to keep the times."""
    sound: SoundCut


def cut(
    path: Path,
    options: CutOptions,
    encoding: EncodeOptions,
    *,
    output: Path | None = None,
    overwrite: bool = False,
) -> Iterator[Event]:
    """Write the frames shown from one moment up to another, with the sound of that time.

    The picture is encoded anew, with its size, times, depth, turn and colour tags; sound is copied packet for packet.

    Args:
        path: the video.
        options: which part.
        encoding: codec and quality; without a crf, one that leaves no trace to the eye.
        output: `<stem>_cut<suffix>` beside the video when None.
        overwrite: write over a file that is there.

    Raises:
        ConfigError: the part is empty or reaches past the end; no such audio track; a folder of images.
        VideoError: the video cannot be read or written; the output is there. StorageError: the disk is full.
    """
    if is_images(path):
        raise ConfigError(f"{path} is no video but images; copy those that you want to a folder of their own")
    info = probe(path)
    part = _part(info, options)
    encoding = _encoding(encoding, (output or path).suffix.lower())
    output = output or fitting_output(path.with_name(f"{path.stem}_cut"), info, encoding.codec)
    check_output(output, info, encoding.codec)
    if output.exists() and not overwrite:
        raise EncoderError(f"{output} exists already; choose another name with -o, or --overwrite")
    total = part.stop - part.first
    key = fingerprint(stamp(path), encoding, part)
    video = SegmentedVideo(output.with_name(f".{output.name}.pieces"), key, info, encoding)
    if video.start:
        yield Message(_STEP, f"reused {video.start} frames that were encoded before")
    count = min(video.start, total)
    for frame in video.write(_moved(read_frames(path, part.first + count, part.stop), part)):
        count += 1
        yield Progress(_STEP, frame.index + 1, total)
    video.finish(output, path if info.audio_tracks else None, metadata=file_tags(path), cut=part.sound)
    yield Message(_STEP, f"{count} frames, {part.first + 1} to {part.stop} of {info.frame_count}, in {output}")


def _part(info: VideoInfo, options: CutOptions) -> _Part:
    plural = "" if info.audio_tracks == 1 else "s"
    if options.audio_track is not None and options.audio_track >= info.audio_tracks:
        raise ConfigError(
            f"{info.path.name} has {info.audio_tracks} audio track{plural}, counted from 0; choose another"
        )
    ticks = frame_times(info)
    times = [tick * info.time_base for tick in ticks]
    zero = start_seconds(info.path)
    end = times[-1] + 1 / info.rate - zero
    begin, stop = (parse_point(text) if text is not None else None for text in (options.begin, options.end))
    if begin == TimePoint():
        begin = None  # 0:00 keeps sound that is heard before the first picture, too
    for name, point in (("--from", begin), ("--to", stop)):
        _check(name, point, end, len(times))
    first = 0 if begin is None else _index(begin, times, zero)
    after = len(times) if stop is None else _index(stop, times, zero) + (1 if stop.frame is not None else 0)
    if after <= first:
        raise ConfigError(
            f"there is no frame from {options.begin or 'the start'} to {options.end}; --to must come after --from"
        )
    sound = SoundCut(
        start=None if begin is None else times[first],
        stop=times[after] if after < len(times) else None,
        track=options.audio_track,
    )
    return _Part(first, after, None if begin is None else ticks[first], sound)


def _check(name: str, point: TimePoint | None, end: Fraction, count: int) -> None:
    """Refuse what lies past the end; a time may be as coarse as a player shows it."""
    if point is None:
        return
    if point.frame is not None and point.frame > count:
        raise ConfigError(f"{name} {point.frame}f is past the end; the video has {count} frames")
    slack = Fraction(1, 20) if name == "--to" else 0
    if point.frame is None and point.seconds > end + slack:
        raise ConfigError(
            f"{name} {float(point.seconds):g} is past the end; the video is {float(end):.3f} seconds long"
        )


def _index(point: TimePoint, times: list[Fraction], zero: Fraction) -> int:
    """The first frame at a point or after it, from 0."""
    if point.frame is not None:
        return point.frame - 1
    moment = point.seconds + zero - _HALF_MS
    return next((number for number, time in enumerate(times) if time >= moment), len(times))


def _encoding(encoding: EncodeOptions, suffix: str) -> EncodeOptions:
    if "codec" not in encoding.model_fields_set:
        encoding = encoding.model_copy(update={"codec": _CODEC.get(suffix, "h264")})
    if encoding.crf is None and encoding.bitrate is None and encoding.codec in _QUALITY:
        encoding = encoding.model_copy(update={"crf": _QUALITY[encoding.codec]})
    return encoding


def _moved(frames: Iterator[Frame], part: _Part) -> Iterator[Frame]:
    """The frames numbered from 0, and timed from 0 where the part does not begin at the start."""
    for frame in frames:
        yield Frame(frame.picture, frame.index - part.first, frame.pts - (part.start_ticks or 0), frame.time_base)
