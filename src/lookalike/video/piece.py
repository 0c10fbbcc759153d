"""Packets of a part of a video, cut out at key frames, for a machine that does not have the file."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import av
import av.error
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from lookalike.types import Frame, VideoInfo
from lookalike.video.demux import PacketIndex, opened, packet_index, packets, picture_stream
from lookalike.video.images import is_images
from lookalike.video.limits import DECODER_OPTIONS, limit_allocations
from lookalike.video.reader import DecodeErrors, ReadReport, keyframe_before, numbered

_CODECS: Final = frozenset(
    ("h264", "hevc", "av1", "vp8", "vp9", "mpeg2video", "mpeg4", "ffv1", "prores", "mjpeg", "dnxhd")
)
"""Those whose packets and header are all that their decoder needs."""
_CHANGES: Final = ("new_extradata", "param_change", "palette", "matroska_block_additional", "encryption_info")
"""What a container may say beside a packet that its decoder would miss."""


@dataclass(frozen=True, slots=True)
class PiecePacket:
    """A packet as it lies in the file."""

    data: bytes
    pts: int | None
    dts: int | None
    keyframe: bool


@dataclass(frozen=True, slots=True)
class PieceCodec:
    """What a container says of how its packets are decoded."""

    name: str
    extradata: bytes | None
    tag: str
    size_wh: tuple[int, int]
    pixel_format: str | None
    sample_bits: int
    reorder_depth: int


@dataclass(frozen=True, slots=True)
class VideoPiece:
    """All that is needed to decode some pictures of a video as if from the whole file."""

    codec: PieceCodec
    packets: tuple[PiecePacket, ...]
    index: PacketIndex
    """Times of the pictures in it, and the count of all in the video."""
    first: int
    """Number of the first of these times."""
    after: int | None
    """Time of the key frame that it begins at; None for the beginning of the video."""

    @property
    def size(self) -> int:
        """Bytes of its packets."""
        return sum(len(packet.data) for packet in self.packets)


def cut_piece(path: Path, start: int, stop: int | None = None) -> VideoPiece | None:
    """The packets from which the pictures `start` to before `stop` can be decoded, or all to the end of the file.

    Returns:
        None where a part cannot be cut out safely: a folder of images, a file whose pictures have no times of their
        own, a codec or a change within the file that needs more than packets, or damage on the way.

    Raises:
        VideoOpenError, NoVideoStreamError: as `probe`.
    """
    if is_images(path):
        return None
    index = packet_index(path)
    if not 0 <= start < min(len(index.pts), len(index.pts) if stop is None else stop):
        return None
    after = keyframe_before(index, start)
    first = bisect_left(index.pts, after) if after is not None else 0
    to_end = stop is None or stop >= len(index.pts)
    times = index.pts[first:] if stop is None else index.pts[first : stop + 1]  # interlaced ones need the next, too
    for seek in (True, False):  # where a container lands elsewhere, its packets are walked from the beginning
        with opened(path) as container:
            stream = picture_stream(container, path)
            if stream.codec_context.codec.canonical_name not in _CODECS:
                return None
            found = _collected(container, stream, times, after, (seek, to_end))
            if found:
                return VideoPiece(_codec(stream), found, PacketIndex(times, (), len(index.pts)), first, after)
    return None


def piece_frames(piece: VideoPiece, info: VideoInfo, start: int, stop: int | None = None) -> Iterator[Frame]:
    """The pictures `start` to before `stop`, or to the end, as `read_frames` of the whole video gives them.

    Args:
        piece: cut for these or for more.
        info: of the whole video.

    A first picture with another number than `start` tells that decoding cannot begin at that key frame (a video with
    intra refresh): then these are not the pictures of the whole video, which has to be read from its beginning.
    """
    decoded: Callable[[DecodeErrors], Iterator[av.VideoFrame]] = partial(_decoded, piece, info)
    yield from numbered(decoded, info, piece.index, (start, stop), ReadReport(), after=piece.after, first=piece.first)


def _collected(
    container: InputContainer, stream: VideoStream, times: tuple[int, ...], after: int | None, how: tuple[bool, bool]
) -> tuple[PiecePacket, ...]:
    """The packets in file order from the key frame on, until all of these times are among them; none if that fails.

    `how`: seek to the key frame instead of walking there; go on to the end of the file.
    """
    seek, to_end = how
    broken: list[None] = []
    if after is not None and seek:
        try:
            container.seek(after, stream=stream, backward=True, any_frame=False)
        except av.error.FFmpegError:
            return ()
    found: list[PiecePacket] = []
    missing = set(times)
    for packet in packets(container, stream, lambda: broken.append(None)):
        if broken:
            return ()
        if not packet.size:
            break
        if not found and after is not None and not (packet.pts == after and packet.is_keyframe):
            continue
        if packet.is_corrupt or any(packet.has_sidedata(kind) for kind in _CHANGES):
            return ()
        if packet.is_discard and (packet.pts is None or packet.pts >= times[0]):
            return ()  # an edit list hides pictures, which can be told by their times only before all others
        found.append(PiecePacket(bytes(packet), packet.pts, packet.dts, packet.is_keyframe))
        if packet.pts is not None:
            missing.discard(packet.pts)
        if not missing and not to_end:
            break
    return tuple(found) if not missing and not broken else ()


def _codec(stream: VideoStream) -> PieceCodec:
    context = stream.codec_context
    return PieceCodec(
        context.name,
        bytes(context.extradata) if context.extradata else None,
        context.codec_tag,
        (context.width, context.height),
        context.pix_fmt,
        context.bits_per_coded_sample,
        context.reorder_depth,
    )


def _decoded(piece: VideoPiece, info: VideoInfo, errors: DecodeErrors) -> Iterator[av.VideoFrame]:
    """Frames as FFmpeg hands them out."""
    limit_allocations()
    context = _context(piece.codec)
    for packet in [*map(partial(_packet, info), piece.packets), None]:
        try:
            yield from context.decode(packet)
        except av.error.FFmpegError:
            errors.count += 1


def _context(codec: PieceCodec) -> VideoCodecContext:
    context = av.CodecContext.create(codec.name, "r")
    assert isinstance(context, VideoCodecContext)
    context.options = DECODER_OPTIONS
    context.extradata = codec.extradata
    context.codec_tag = codec.tag
    context.width, context.height = codec.size_wh
    if codec.pixel_format:
        context.pix_fmt = codec.pixel_format
    context.bits_per_coded_sample = codec.sample_bits
    context.reorder_depth = codec.reorder_depth
    context.thread_type = "AUTO"
    return context


def _packet(info: VideoInfo, piece: PiecePacket) -> "av.Packet[Any]":
    packet = av.Packet(piece.data)
    packet.pts, packet.dts, packet.time_base = piece.pts, piece.dts, info.time_base
    packet.is_keyframe = piece.keyframe
    return packet
