"""A part of a video as a video of its own, exact to the frame."""

from bisect import bisect_left, bisect_right
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
    planar_layout,
    probe,
    read_frames,
    start_seconds,
)

_STEP = "cut"
_HALF_MS = Fraction(1, 2000)
"""Users write milliseconds, so frame times are compared as rounded to them."""
_QUALITY: dict[CodecName, int] = {"h264": 12, "h265": 14}
"""crf of a cut where none is asked for: it will be encoded again after the swap."""


@dataclass(frozen=True, slots=True)
class _Part:
    first: int
    """Number of the first frame, from 0."""
    stop: int
    """Number of the frame after the last one."""
    start_ticks: int | None
    """What becomes time 0; None to keep the times. The first frame may begin before it."""
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
    encoding = _encoding(encoding, (output or path).suffix.lower(), info)
    output = output or fitting_output(path.with_name(f"{path.stem}_cut"), info, encoding.codec, options.audio_track)
    check_output(output, info, encoding, options.audio_track)
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
    first = 0 if begin is None else _shown(begin, times, zero)
    after = len(times) if stop is None else _after(stop, times, zero)
    if after <= first or (begin and stop and begin.frame is stop.frame is None and stop.seconds <= begin.seconds):
        raise ConfigError(
            f"there is no frame from {options.begin or 'the start'} to {options.end}; --to must come after --from"
        )
    start = None if begin is None else ticks[first]
    if begin is not None and begin.frame is None and times[first] < begin.seconds + zero - _HALF_MS:
        start = int((begin.seconds + zero) // info.time_base)
    ends = [times[after]] if after < len(times) else []
    if stop is not None and stop.frame is None and stop.seconds < end - _HALF_MS:
        ends.append(stop.seconds + zero)
    sound = SoundCut(
        start=None if start is None else start * info.time_base,
        stop=min(ends, default=None),
        track=options.audio_track,
    )
    return _Part(first, after, start, sound)


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


def _shown(point: TimePoint, times: list[Fraction], zero: Fraction) -> int:
    """The last frame that begins at a point or before it, from 0; the first frame where none does."""
    if point.frame is not None:
        return point.frame - 1
    return max(bisect_right(times, point.seconds + zero + _HALF_MS) - 1, 0)


def _after(point: TimePoint, times: list[Fraction], zero: Fraction) -> int:
    """The first frame after the last one asked for, from 0: that at a moment, or after it."""
    if point.frame is not None:
        return point.frame
    return bisect_left(times, point.seconds + zero - _HALF_MS)


def _encoding(encoding: EncodeOptions, suffix: str, info: VideoInfo) -> EncodeOptions:
    if "codec" not in encoding.model_fields_set:
        encoding = encoding.model_copy(update={"codec": _webm_codec(info) if suffix == ".webm" else "h264"})
    if encoding.crf is None and encoding.bitrate is None and not encoding.lossless and encoding.codec in _QUALITY:
        encoding = encoding.model_copy(update={"crf": _QUALITY[encoding.codec]})
    return encoding


def _webm_codec(info: VideoInfo) -> CodecName:
    """vp9 has 8 bits here; av1 has 10, of 4:2:0 alone."""
    layout = planar_layout(info.pixel_format)
    if info.color.bits == 8:
        return "vp9"
    if layout != "yuv420p10le" or any(side % 2 for side in info.size_wh):
        raise EncoderError(f"no codec for .webm keeps {layout} of {info.path.name}; use another suffix with -o")
    return "av1"


def _moved(frames: Iterator[Frame], part: _Part) -> Iterator[Frame]:
    """The frames numbered from 0, and timed from 0 where the part does not begin at the start."""
    for frame in frames:
        pts = frame.pts if part.start_ticks is None else max(frame.pts - part.start_ticks, 0)
        yield Frame(frame.picture, frame.index - part.first, pts, frame.time_base)
