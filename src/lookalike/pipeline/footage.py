"""The frames of a video on a machine that may not have the file: read in place, or sent as packets or images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lookalike.cluster.files import FileRef, Files, file_ref
from lookalike.types import Frame, VideoInfo
from lookalike.video import is_images, read_frames
from lookalike.video.images import ImagesPiece, cut_images, images_of
from lookalike.video.piece import VideoPiece, cut_piece, piece_frames

_IMAGES: Final = 16
"""Images that are sent at a time."""


@dataclass(frozen=True, slots=True)
class Footage:
    """A video, or a folder of images, as whoever gives out work knows it."""

    info: VideoInfo
    file: FileRef
    images: bool


def footage_of(info: VideoInfo) -> Footage:
    """The video of `info`, for other machines."""
    path = info.path.absolute()
    return Footage(info, file_ref(path), is_images(path))


def footage_frames(footage: Footage, files: Files, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
    """The frames `start` to before `stop`, or to the end, as `read_frames` gives them where the file is.

    A video is sent as the packets that these frames are decoded from; the whole file only where it cannot be cut.

    Raises:
        ClusterError: see Files. Otherwise as `read_frames`.
    """
    path = footage.file.path
    if stop is not None and stop <= start:
        return
    if files.sees(footage.file):
        yield from read_frames(path, start, stop)
        return
    if footage.images:
        yield from _sent_images(footage, files, start, footage.info.frame_count if stop is None else stop)
        return
    piece: VideoPiece | None = files.asked(cut_piece, path, start, stop)
    if piece is not None:
        frames = piece_frames(piece, footage.info, start, stop)
        first = next(frames, None)
        if first is not None and first.index == start:
            yield first
            yield from frames
            return
    (whole,) = files.here([footage.file])
    yield from read_frames(whole, start, stop)


def _sent_images(footage: Footage, files: Files, start: int, stop: int) -> Iterator[Frame]:
    for begin in range(start, min(stop, footage.info.frame_count), _IMAGES):
        piece: ImagesPiece = files.asked(cut_images, footage.file.path, begin, min(begin + _IMAGES, stop))
        yield from images_of(piece, footage.info)
