"""Faces of faceswap: alignments files (`.fsa`), and PNGs that carry the same of one face."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.interchange.checks import buffer, items, mapping, numbers, real, text, whole
from lookalike.interchange.file_bytes import read_whole
from lookalike.interchange.image_parts import MOST_IMAGE, image_size, inflated, png_text
from lookalike.interchange.literals import read_literal
from lookalike.interchange.pickles import read_pickle
from lookalike.interchange.refusals import damaged, not_this

_MOST_FILE: Final = 256 * 2**20
_MOST_UNPACKED: Final = 512 * 2**20
_MOST_FRAMES: Final = 10_000_000
_MOST_FACES: Final = 1000
_MOST_MASKS: Final = 64
_MOST_STORED: Final = 1024
_MOST_THUMB: Final = 1 << 20
_MOST_TEXT: Final = 2 * 2**20
_POINTS: Final = (4, 51, 68, 98)
KEYWORD: Final = "faceswap"
"""Of the text in a PNG."""


@dataclass(frozen=True, slots=True, eq=False)
class FsaMask:
    """One mask of a face."""

    matrix: NDArray[np.float64]
    """(2, 3), from the frame to the mask."""
    interpolator: int
    """OpenCV's number of how it was warped."""
    size: int
    """Side in pixels."""
    centering: str
    """legacy, face or head."""
    packed: bytes
    """zlib of size x size bytes."""

    def pixels(self, origin: str = "a face") -> NDArray[np.uint8]:
        """(size, size) uint8, 255 where the face is seen.

        Raises:
            ForeignFileError: it does not unpack to just so many bytes.
        """
        data = inflated(self.packed, self.size * self.size, f"a mask of {origin}")
        if len(data) != self.size * self.size:
            raise damaged(f"a mask of {origin}", f"{len(data)} bytes for {self.size}x{self.size} pixels")
        return np.frombuffer(bytearray(data), np.uint8).reshape(self.size, self.size)


@dataclass(frozen=True, slots=True, eq=False)
class FsaFace:
    """One face of a frame."""

    box_xywh: tuple[int, int, int, int]
    """Left, top, width, height in frame pixels."""
    landmarks: NDArray[np.float64]
    """(4, 2), (51, 2), (68, 2), (98, 2) or (26, 3) in frame pixels."""
    masks: dict[str, FsaMask]
    """By the name of what made them."""
    identity: dict[str, NDArray[np.float64]]
    """(D,) embeddings by the network's name."""
    thumb: bytes | None
    """A small JPEG of the face."""


@dataclass(frozen=True, slots=True, eq=False)
class FsaFile:
    """An alignments file."""

    version: float
    """0 for files from before it was written."""
    frames: dict[str, tuple[FsaFace, ...]]
    """Faces by the name of their frame; names are text of the file, never paths to be opened or written."""
    is_video: bool
    """Whether the frames come from a video, whose times the file keeps."""


@dataclass(frozen=True, slots=True, eq=False)
class FsaPng:
    """What a PNG of one aligned face says."""

    size_wh: tuple[int, int]
    face: FsaFace
    version: float
    original_filename: str
    """As all names here: text of the file, never a path to be opened or written."""
    source_filename: str
    face_index: int
    is_video: bool
    frame_wh: tuple[int, int] | None


def read_fsa(path: Path) -> FsaFile:
    """Read an alignments file.

    Raises:
        ForeignFileError: no such file, damaged, unpacks to more than 512 MiB, or it holds code.
    """
    origin = str(path)
    packed = read_whole(path, _MOST_FILE)
    if packed[:1] != b"\x78":
        raise not_this(origin, "alignments file of faceswap", "it is not packed with zlib")
    value = mapping(read_pickle(inflated(packed, _MOST_UNPACKED, origin), origin, compact=True), "alignments", origin)
    frames = mapping(value.get("__data__", value), "__data__", origin)
    meta = mapping(value.get("__meta__", {}), "__meta__", origin)
    if len(frames) > _MOST_FRAMES:
        raise damaged(origin, f"{len(frames)} frames")
    read = {name: _frame(name, entry, origin) for name, entry in frames.items()}
    return FsaFile(
        version=_version(meta.get("version", 0.0), origin),
        frames={name: faces for name, (faces, _) in read.items()},
        is_video=any(video for _, video in read.values()),
    )


def read_fsa_png(path: Path) -> FsaPng:
    """Read what faceswap wrote into a PNG of an aligned face; its pixels are not decoded.

    Raises:
        ForeignFileError: no such PNG, damaged, or too large.
    """
    return fsa_png_in(read_whole(path, MOST_IMAGE), str(path))


def fsa_png_in(image: bytes, origin: str) -> FsaPng:
    """As `read_fsa_png`, of a file in memory.

    Raises:
        ForeignFileError: as `read_fsa_png`.
    """
    source = png_text(image, KEYWORD, _MOST_TEXT, origin)
    if source is None:
        raise not_this(origin, "face of faceswap", "no text of it inside")
    value = mapping(read_literal(source, origin, _MOST_TEXT), "its text", origin)
    told = mapping(value.get("source"), "source", origin)
    dims = told.get("source_frame_dims")
    height_width = None if dims is None else numbers(dims, (2,), "source_frame_dims", origin)
    return FsaPng(
        size_wh=image_size(image, origin),
        face=_face(value.get("alignments"), origin),
        version=_version(told.get("alignments_version", 0.0), origin),
        original_filename=text(told.get("original_filename", ""), "original_filename", origin),
        source_filename=text(told.get("source_filename", ""), "source_filename", origin),
        face_index=whole(told.get("face_index", 0), 0, 10**6, "face_index", origin),
        is_video=told.get("source_is_video") is True,
        frame_wh=None if height_width is None else (int(height_width[1]), int(height_width[0])),
    )


def _version(value: object, origin: str) -> float:
    if isinstance(value, str) and len(value) < 10 and value.replace(".", "", 1).isdigit() and value.isascii():
        return float(value)
    return real(value, "version", origin)


def _frame(name: str, entry: object, origin: str) -> tuple[tuple[FsaFace, ...], bool]:
    where = f"frame {name} in {origin}"
    if isinstance(entry, dict):
        meta = entry.get("video_meta")
        faces, video = entry.get("faces", []), isinstance(meta, dict) and len(meta) > 0
    else:
        faces, video = entry, False  # as before version 2.1
    return tuple(_face(face, where) for face in items(faces, _MOST_FACES, "faces", where)), video


def _face(value: object, origin: str) -> FsaFace:
    held = mapping(value, "a face", origin)
    left, top, width, height = (whole(held.get(side), -(10**6), 10**6, side, origin) for side in "xywh")
    masks = mapping(_or_none(held.get("mask")), "mask", origin)
    identity = mapping(_or_none(held.get("identity")), "identity", origin)
    if max(len(masks), len(identity)) > _MOST_MASKS:
        raise damaged(origin, f"{max(len(masks), len(identity))} masks or embeddings")
    thumb = held.get("thumb")
    return FsaFace(
        box_xywh=(left, top, width, height),
        landmarks=_landmarks(held.get("landmarks_xy", held.get("landmarksXY")), origin),
        masks={name: _mask(mask, origin) for name, mask in masks.items()},
        identity={name: numbers(vector, (None,), "identity", origin) for name, vector in identity.items()},
        thumb=None if thumb is None else _bytes(thumb, origin),
    )


def _or_none(value: object) -> object:
    """An empty dict in the place of nothing."""
    return {} if value is None else value


def _landmarks(value: object, origin: str) -> NDArray[np.float64]:
    width = 3 if isinstance(value, list | tuple | np.ndarray) and len(value) == 26 else 2
    found = numbers(value, (None, width), "landmarks_xy", origin)
    if width == 2 and len(found) not in _POINTS:
        raise damaged(origin, f"{len(found)} landmarks")
    return found


def _mask(value: object, origin: str) -> FsaMask:
    held = mapping(value, "a mask", origin)
    return FsaMask(
        matrix=numbers(held.get("affine_matrix"), (2, 3), "affine_matrix", origin),
        interpolator=whole(held.get("interpolator", 0), 0, 100, "interpolator", origin),
        size=whole(held.get("stored_size"), 1, _MOST_STORED, "stored_size", origin),
        centering=text(held.get("stored_centering", "legacy"), "stored_centering", origin, 20),
        packed=buffer(held.get("mask"), _MOST_STORED**2 * 2, "a mask's bytes", origin),
    )


def _bytes(value: object, origin: str) -> bytes:
    """Bytes, or a list of their numbers."""
    if isinstance(value, list):
        held = [number for number in items(value, _MOST_THUMB, "thumb", origin) if isinstance(number, int)]
        if len(held) != len(value) or not all(0 <= number < 256 for number in held):
            raise damaged(origin, "thumb: numbers that are no bytes")
        return bytes(held)
    return buffer(value, _MOST_THUMB, "thumb", origin)
