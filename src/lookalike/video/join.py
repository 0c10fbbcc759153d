"""Joining segments and sound into the final file, packet by packet, without encoding."""

import heapq
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from lookalike.errors import EncoderError
from lookalike.files import replacing
from lookalike.types import VideoInfo
from lookalike.video.codecs import CODECS
from lookalike.video.demux import opened, packets, picture_stream
from lookalike.video.options import CodecName
from lookalike.video.outputs import check_container, container_options, describe_stream, encoder_errors
from lookalike.video.planes import planar_layout, stored_color
from lookalike.video.sound_cut import SoundCut
from lookalike.video.vorbis import without_comments

Seal = Callable[[Path], object]
"""The last that happens to a file, in place."""

_Timed = tuple[Fraction, "av.Packet[Any]"]


@dataclass(frozen=True, slots=True)
class _Times:
    """When the packets of all segments are decoded and shown, in file order and ticks of the video."""

    pts: list[int]
    dts: list[int]
    durations: list[int]


def join_segments(
    segments: list[Path],
    info: VideoInfo,
    output: Path,
    sound_from: Path | None,
    metadata: dict[str, str],
    cut: SoundCut | None = None,
    seal: Seal | None = None,
    bare: bool = False,
) -> None:
    """Write segments one after another, and all sound of another file, into one video by stream copy.

    Times of pictures stay as the segments have them. A source that starts late (MPEG-TS) is moved by whole seconds,
    sound alike, so that the file starts in its first second.

    Args:
        segments: written by `VideoWriter` with one set of options, in order.
        info: of the video that received the frames.
        sound_from: file whose audio tracks are copied packet for packet; None for silence.
        metadata: tags of the file, such as title and comment.
        cut: what is taken of the sound; None for all.
        seal: called with the finished file before it gets its name.
        bare: of the sound's file nothing but its packets goes along: no language, title or use of a track. What is
            shown or heard first is then at time 0, and all else as long after it as before.

    Raises:
        EncoderError: no segments, segments that overlap or differ in settings, or a container that refuses a codec.
        StorageError: the disk is full or not writable.
    """
    if not segments:
        raise EncoderError(f"{output.name} has no segments to be joined from; encode at least one frame")
    codec = _codec_of(segments[0])
    cut = cut or SoundCut()
    check_container(output, info, codec, cut.track)
    times = _plan(segments, info)
    with replacing(output) as temporary, encoder_errors(output), ExitStack() as stack:
        sound = stack.enter_context(opened(sound_from)) if sound_from is not None else None
        first = stack.enter_context(opened(segments[0]))
        options = container_options(temporary, info.time_base)
        with av.open(f"file:{temporary}", "w", options=options) as container:
            container.metadata.update(metadata)
            template = picture_stream(first, segments[0])
            video = container.add_stream_from_template(template, opaque=True)
            _, tags = stored_color(info, template.codec_context.pix_fmt or planar_layout(info.pixel_format))
            describe_stream(video, info, codec, tags)
            if codec == "prores":  # its profile is nowhere but in this name; without it all would pass for HQ
                video.codec_context.codec_tag = template.codec_context.codec_tag
            tracks = _add_sound(container, cut.tracks(sound), bare) if sound is not None else {}
            shift = Fraction(0) if cut.start is not None else _late_start(min(times.pts) * info.time_base, sound, bare)
            sources = [_video_packets(segments, video, times, info.time_base, shift)]
            if sound is not None:
                hides_lead = container.format.name in ("mp4", "mov")
                sources.append(_sound_packets(cut.packets(sound, hides_lead), tracks, cut.start or shift))
            for _, packet in heapq.merge(*sources, key=lambda item: item[0]):
                container.mux(packet)
        if seal is not None:
            seal(temporary)


def segment_suffix(codec: CodecName) -> str:
    """Suffix of the files that `VideoWriter` writes for `join_segments`."""
    return CODECS[codec].segment_suffix


def _codec_of(segment: Path) -> CodecName:
    with opened(segment) as container:
        name = picture_stream(container, segment).codec_context.codec.canonical_name
    for codec, entry in CODECS.items():
        if entry.name == name:
            return codec
    raise EncoderError(f"{segment.name} is {name}, not a segment written here; remove it and rerun")


def _plan(segments: list[Path], info: VideoInfo) -> _Times:
    """Read the times of all packets, and check that the segments fit together."""
    pts: list[int] = []
    settings: bytes | None = None
    for number, path in enumerate(segments):
        last = max(pts, default=None)
        with opened(path) as container:
            stream = picture_stream(container, path)
            found = bytes(stream.codec_context.extradata or b"")
            scale = (stream.time_base or info.time_base) / info.time_base
            new = [
                round(p.pts * scale) for p in packets(container, stream, lambda: None) if p.size and p.pts is not None
            ]
        if number and found != settings:
            raise EncoderError(
                f"{path.name} was encoded with other settings than the segments before; remove and rerun"
            )
        if not new or (last is not None and min(new) <= last):
            raise EncoderError(f"{path.name} is empty or overlaps the segment before it; remove it and rerun")
        settings = found
        pts += new
    return decoding_times(pts, max(round(1 / (info.rate * info.time_base)), 1))


def decoding_times(pts: list[int], step: int) -> _Times:
    """Decoding times for pictures in file order, from presentation times alone.

    A picture is decoded when the one `delay` places before it in file order is shown, with the smallest delay that
    never decodes a picture after it is shown. So dts rise strictly however uneven the times are, across segments too.

    Args:
        pts: in the order of decoding.
        step: usual ticks between pictures; for the first pictures and the length of the last.
    """
    shown = sorted(pts)
    place = {time: number for number, time in enumerate(shown)}
    delay = max(number - place[time] for number, time in enumerate(pts))
    dts = [
        shown[0] - (delay - number) * step if number < delay else shown[number - delay] for number in range(len(pts))
    ]
    lengths = {time: later - time for time, later in pairwise(shown)}
    return _Times(pts, dts, [lengths.get(time, step) for time in pts])


def _video_packets(
    segments: list[Path], out: VideoStream, times: _Times, time_base: Fraction, shift: Fraction
) -> Iterator[_Timed]:
    """Packets of all segments with their times; yields seconds and packet."""
    offset = round(shift / time_base)
    number = 0
    for path in segments:
        with opened(path) as container:
            for packet in packets(container, picture_stream(container, path), lambda: None):
                if not packet.size or packet.pts is None:
                    continue
                packet.time_base = time_base
                packet.pts, packet.dts = times.pts[number] - offset, times.dts[number] - offset
                packet.duration = times.durations[number]
                packet.stream = out
                number += 1
                yield packet.dts * time_base, packet


def _add_sound(container: OutputContainer, streams: list[AudioStream], bare: bool) -> dict[int, AudioStream]:
    """Output track for the number of each audio track."""
    tracks: dict[int, AudioStream] = {}
    for stream in streams:
        out = container.add_stream_from_template(stream)
        if bare and stream.codec_context.name == "vorbis":
            out.codec_context.extradata = _without_comments(stream)
        elif not bare:
            out.metadata.update({key: value for key, value in stream.metadata.items() if key in ("language", "title")})
            out.disposition = stream.disposition
        tracks[stream.index] = out
    return tracks


def _without_comments(stream: AudioStream) -> bytes:
    try:
        return without_comments(bytes(stream.codec_context.extradata or b""))
    except ValueError as exc:
        raise EncoderError("the header of dst's Vorbis sound cannot be read; leave it out with --sound drop") from exc


def _sound_packets(
    kept: Iterator["av.Packet[Any]"], tracks: dict[int, AudioStream], shift: Fraction
) -> Iterator[_Timed]:
    """Sound as it lies in the file, earlier by some seconds; yields seconds and packet."""
    for packet in kept:
        time_base = packet.time_base
        packet.dts = (packet.dts or 0) - round(shift / time_base)
        if packet.pts is not None:
            packet.pts -= round(shift / time_base)
        packet.stream = tracks[packet.stream_index]
        yield packet.dts * time_base, packet


def _late_start(first_seconds: Fraction, sound: InputContainer | None, exact: bool) -> Fraction:
    """Seconds before anything is shown or heard; whole ones unless `exact`, as these fit the ticks of every track."""
    starts = [first_seconds]
    if sound is not None:
        starts += [s.start_time * s.time_base for s in sound.streams.audio if s.start_time is not None and s.time_base]
    first = max(min(starts), Fraction(0))
    return first if exact else Fraction(math.floor(first))
