"""A video written in pieces, so that a killed run loses at most one piece."""

import shutil
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from lookalike.errors import EncoderError
from lookalike.files import write_bytes
from lookalike.pipeline.result import stamp, watched
from lookalike.types import Frame, VideoInfo
from lookalike.video import EncodeOptions, Seal, SoundCut, VideoWriter, join_segments, segment_suffix

SEGMENT_FRAMES = 120
_MARK_SUFFIX = ".stamp"
MARK = "AI-generated: the face in this video was replaced with Lookalike"
"""What a result says of itself where a container has room for a comment."""


def _mark(piece: Path) -> Path:
    """Holds the stamp of a finished piece."""
    return piece.with_suffix(_MARK_SUFFIX)


def drop_segments(folder: Path) -> None:
    """Remove pieces that a run left which was killed when its result was finished."""
    shutil.rmtree(folder, ignore_errors=True)


class SegmentedVideo:
    """Encoded pieces of a result in a hidden folder; those of other settings are dropped."""

    def __init__(self, folder: Path, key: str, info: VideoInfo, options: EncodeOptions, *, alpha: bool = False) -> None:
        """`key` stands for everything that decides the pictures; pieces of the same key are used again."""
        self._folder, self._info, self._options, self._alpha = folder / key, info, options, alpha
        self._check_source = watched(info.path)
        if folder.is_dir():
            for other in folder.iterdir():
                if other.name != key:
                    shutil.rmtree(other, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where the pieces lie."""
        return self._folder

    @property
    def options(self) -> EncodeOptions:
        """How they are encoded."""
        return self._options

    @property
    def alpha(self) -> bool:
        """Whether they have alpha."""
        return self._alpha

    @property
    def start(self) -> int:
        """Index of the first frame that is not in a finished piece."""
        number = 0
        while self._is_whole(self._path(number)):
            number += 1
        return number * SEGMENT_FRAMES

    def write(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Encode frames from `start` on; yields what was written.

        Raises:
            VideoOpenError: the video that is read was changed meanwhile; the piece is not kept.
        """
        for number, group in groupby(frames, key=lambda frame: frame.index // SEGMENT_FRAMES):
            with VideoWriter(self._path(number), self._info, self._options, alpha=self._alpha) as writer:
                for frame in group:
                    writer.write(frame)
                    yield frame
            self._keep(number)

    def take(self, number: int, piece: Path | bytes) -> None:
        """Put a piece that was encoded elsewhere with the same options in its place.

        Args:
            number: of the piece, from 0.
            piece: its bytes, or a file in `folder`, which is renamed.

        Raises:
            VideoOpenError: as `write`. StorageError: the disk is full.
        """
        path = self._path(number)
        if isinstance(piece, bytes):
            write_bytes(path, piece)
        else:
            piece.replace(path)
        self._keep(number)

    def _keep(self, number: int) -> None:
        """Mark a piece as finished."""
        self._check_source()
        write_bytes(_mark(self._path(number)), stamp(self._path(number)).encode())

    def finish(
        self,
        output: Path,
        sound_from: Path | None,
        *,
        metadata: dict[str, str] | None = None,
        cut: SoundCut | None = None,
        seal: Seal | None = None,
        bare: bool = False,
    ) -> None:
        """Join the pieces with the sound into `output`, then drop them.

        Args:
            output: the video to write.
            sound_from: file whose sound is copied; None for silence.
            metadata: tags of the file; the mark of a swap when None.
            cut: what is taken of the sound.
            seal: called with the finished file before it gets its name.
            bare: nothing of the sound's file goes along but its packets; see `join_segments`.

        Raises:
            EncoderError: nothing was written, or a piece was changed by somebody else.
        """
        suffix = segment_suffix(self._options.codec)
        pieces = sorted(mark.with_suffix(suffix) for mark in self._folder.glob(f"[0-9]*{_MARK_SUFFIX}"))
        if not pieces:
            raise EncoderError(f"no frame could be read from {self._info.path}; give another video")
        damaged = next((piece for piece in pieces if not self._is_whole(piece)), None)
        if damaged is not None:
            raise EncoderError(f"{damaged} was changed or taken away meanwhile; run the same command again")
        tags = {"comment": MARK} if metadata is None else metadata

        def sealed(path: Path) -> None:
            self._check_source()  # its sound was read, too
            if seal is not None:
                seal(path)

        join_segments(pieces, self._info, output, sound_from, tags, cut, sealed, bare)
        shutil.rmtree(self._folder.parent, ignore_errors=True)

    def _is_whole(self, piece: Path) -> bool:
        """Whether a piece is there as it was written: a shorter one would be joined without a word."""
        mark = _mark(piece)
        return piece.is_file() and mark.is_file() and mark.read_bytes() == stamp(piece).encode()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}{segment_suffix(self._options.codec)}"
