"""Encoding frames into a file."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import av
import av.error
from av.container import OutputContainer
from av.video.stream import VideoStream

from lookalike.errors import EncoderError
from lookalike.files import replacing
from lookalike.types import ColorSpace, ColorTags, Frame, VideoInfo
from lookalike.video.encoders import device_of
from lookalike.video.join import decoding_times
from lookalike.video.options import EncodeOptions
from lookalike.video.outputs import container_options, describe_stream, encoder_errors, encoder_of, stored_size
from lookalike.video.planes import stored_color, to_frame, turned
from lookalike.video.priority import own_priority

_MOST_TICKS: Final = 1 << 53
_FEW: Final = 4
"""Pictures of a stream whose decoding times are made here; encoders look ahead by fewer to order them."""


class VideoWriter:
    """Writes upright frames as a video stored the way `info` was: turn, times, pixel shape and tags.

    The file appears under its name when the block ends well, else not at all. The same frames and options give the
    same bytes on the same machine. Without sound; `join_segments` adds it.

    Raises:
        EncoderError: the settings cannot be encoded; a frame differs in size or comes out of order.
        StorageError: the disk is full or not writable.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        options: EncodeOptions | None = None,
        metadata: dict[str, str] | None = None,
        *,
        alpha: bool = False,
    ) -> None:
        """Nothing is opened before the block is entered.

        Args:
            path: .mp4, .mov, .mkv or .webm for a whole file; `segment_suffix(codec)` for a segment.
            info: of the video that receives the frames.
            metadata: tags of the file, such as title and comment.
            alpha: store the alpha of pictures, those without it as opaque; else it is dropped.
        """
        self._path, self._info, self._metadata = path, info, metadata or {}
        self._options, self._alpha = options or EncodeOptions(), alpha
        self._last_pts: int | None = None
        self._held: list[av.Packet[Any]] | None = []
        self._stack = ExitStack()
        self._container: OutputContainer
        self._stream: VideoStream
        self._pixel_format: str
        self._color: ColorSpace
        self._tags: ColorTags

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self._path))
            stack.enter_context(encoder_errors(self._path))
            self._open(temporary)
            stack.push(self._close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, exc, traceback)

    def write(self, frame: Frame) -> None:
        """Encode one upright frame; pts must rise."""
        if frame.picture.size_wh != self._info.size_wh:
            raise EncoderError(
                f"frame {frame.index} is {frame.picture.size_wh}, the video is {self._info.size_wh}; "
                "give pictures of one size"
            )
        pts = frame.pts * frame.time_base / self._info.time_base
        if pts.denominator != 1 or (self._last_pts is not None and pts <= self._last_pts):
            raise EncoderError(
                f"frame {frame.index} has time {pts} after {self._last_pts}; times must rise in whole ticks"
            )
        if not 0 <= pts < _MOST_TICKS and self._path.suffix == ".nut":  # of all segments but ProRes's
            raise EncoderError(
                f"frame {frame.index} is shown at {frame.seconds:.6g} s, which cannot be written; "
                "copy the video first, with times from 0: ffmpeg -i VIDEO -c copy COPY.mkv"
            )
        self._last_pts = int(pts)
        picture = turned(frame.picture, -self._info.rotation)
        video_frame = to_frame(picture, self._pixel_format, self._color, self._tags)
        video_frame.pts, video_frame.time_base = int(pts), self._info.time_base
        with encoder_errors(self._path):
            self._mux(self._stream.encode(video_frame))

    def _open(self, temporary: Path) -> None:
        info = self._info
        encoder = encoder_of(info, self._options, self._alpha)
        self._pixel_format = encoder.pixel_format
        self._color, self._tags = stored_color(info, encoder.pixel_format)
        try:
            self._container = av.open(f"file:{temporary}", "w", options=container_options(temporary, info.time_base))
        except ValueError as exc:
            raise EncoderError(f"{self._path.name} has no known suffix; use .mp4, .mov, .mkv or .webm") from exc
        try:
            stream = self._container.add_stream(
                encoder.name, rate=info.rate, options=encoder.settings, hwaccel=device_of(encoder)
            )
            assert isinstance(stream, VideoStream)
            self._stream = stream
            self._stream.width, self._stream.height = stored_size(info)
            self._stream.pix_fmt = encoder.pixel_format
            # Before the first encode, else FFmpeg counts in frames and uneven times are lost.
            self._stream.codec_context.time_base = info.time_base
            describe_stream(self._stream, info, self._options.codec, self._tags)
            self._container.metadata.update(self._metadata)
            with own_priority():
                self._container.start_encoding()
        except ValueError as exc:
            self._abandon()
            if isinstance(exc, av.error.FFmpegError):
                raise
            raise EncoderError(f"{self._path.name} cannot hold {self._options.codec}: {exc}; use .mkv") from exc
        except BaseException:
            self._abandon()
            raise

    def _mux(self, packets: list["av.Packet[Any]"]) -> None:
        """Write packets; the first few wait, see `_mux_held`."""
        if self._held is not None:
            self._held += packets
            if len(self._held) <= _FEW:
                return
            packets, self._held = self._held, None
        self._container.mux(packets)

    def _mux_held(self) -> None:
        """Write a stream of few pictures with decoding times of our own: those of x265 are what its memory held."""
        packets = self._held or []
        step = max(round(1 / (self._info.rate * self._info.time_base)), 1)
        ticks = [int((packet.pts or 0) * packet.time_base / self._info.time_base) for packet in packets]
        for packet, pts, dts in zip(packets, ticks, decoding_times(ticks, step).dts if ticks else [], strict=True):
            packet.pts, packet.dts, packet.time_base = pts, dts, self._info.time_base
        self._container.mux(packets)

    def _close(
        self, kind: type[BaseException] | None, _exc: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            self._mux(self._stream.encode(None))
            self._mux_held()
        except BaseException:
            self._abandon()
            raise
        self._container.close()

    def _abandon(self) -> None:
        """Close what will be removed; a disk that was full is still full."""
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError, ValueError):
            return
