"""Faces of faceswap as we align them. Pure.

Sources: faceswap's `lib/align/aligned_face.py` for its legacy square and `lib/align/constants.py` for the shares of its
centrings; its mean face is dlib's, moved to the middle of the unit square.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import RecordError
from lookalike.faceset.masks import moved_mask
from lookalike.geometry import rescale, similarity, transform
from lookalike.interchange.fsa import FsaFace, FsaMask
from lookalike.mean_face import TEMPLATE

_MIDDLE: Final = np.array([0.5 - TEMPLATE[27 - 17, 0], 0.0])
"""What faceswap's mean face is moved by."""
_ROOM: Final = {"legacy": 0.375, "face": 0.5, "head": 0.625}
"""Share of a square that lies outside the mean face's, by how it is centred."""
_FROM_LANDMARKS: Final = ("components", "extended", "landmarks")
"""Masks that are drawn about the landmarks, and say nothing that those do not."""
_HEAD_VERSION: Final = 2.0
"""Of alignments, from which on faces were cut with the whole head."""


def landmarks_of(face: FsaFace) -> NDArray[np.float64]:
    """(68, 2) in frame pixels.

    Raises:
        RecordError: it has another number of landmarks.
    """
    if face.landmarks.shape != (68, 2):
        raise RecordError(f"{len(face.landmarks)} landmarks; only faces of 68 are taken in")
    return face.landmarks


def legacy_matrix(landmarks: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """(2, 3) frame to faceswap's legacy square of `size` pixels, by (68, 2) landmarks.

    Raises:
        RecordError: the landmarks coincide.
    """
    return _square(landmarks, size, "legacy")


def cut_with_head(version: float) -> bool:
    """Whether faces of this version of alignments show the whole head."""
    return version >= _HEAD_VERSION


def head_matrix(
    face: FsaFace, landmarks: NDArray[np.float64], size: int, seen: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(2, 3) frame to a face of faceswap that shows the whole head, which its file does not tell.

    Turn and scale follow from the landmarks. The place is that of a mask which is centred as the picture is, if there
    is one; else what brings the landmarks to where they were seen in the picture, on average, which is right to about
    a pixel.

    Args:
        face: of faceswap.
        landmarks: (68, 2) in frame pixels.
        size: side of the picture.
        seen: (68, 2) in the picture's pixels.

    Raises:
        RecordError: the landmarks coincide.
    """
    for mask in face.masks.values():
        if mask.centering == "head":
            return _enlarged(mask, size)
    matrix = _square(landmarks, size, "head")
    matrix[:, 2] += (seen[17:] - transform(matrix, landmarks[17:])).mean(0)
    return matrix


def mask_pixels(
    face: FsaFace, matrix: NDArray[np.float64], size: int, origin: str
) -> tuple[str, NDArray[np.uint8]] | None:
    """The name of a face's mask and (N, N) uint8 of it on our whole crop; None if it has none but of landmarks.

    Args:
        face: of faceswap; of several masks the first is taken.
        matrix: (2, 3) frame to crop.
        size: side of the crop.
        origin: names the file in errors.

    Raises:
        ForeignFileError: it does not unpack to what it must.
    """
    for name, mask in face.masks.items():
        if name not in _FROM_LANDMARKS:
            side = min(size, 256)
            values = mask.pixels(origin).astype(np.float32) / np.float32(255)
            moved = moved_mask(values, mask.matrix, rescale(matrix, side / size), side)
            return name, np.round(moved * 255).astype(np.uint8)
    return None


def _enlarged(mask: FsaMask, size: int) -> NDArray[np.float64]:
    """The matrix to a picture of which the mask is a smaller copy; faceswap counts pixels from their corners."""
    return np.asarray(mask.matrix * (size / mask.size), np.float64)


def _square(landmarks: NDArray[np.float64], size: int, centering: str) -> NDArray[np.float64]:
    """A square about the mean face, which is not moved towards the middle of the head."""
    try:
        unit = similarity(landmarks[17:], TEMPLATE + _MIDDLE)
    except ValueError as exc:
        raise RecordError(str(exc)) from exc
    padding = int(size * _ROOM[centering] / 2)
    matrix = unit * (size - 2 * padding)
    matrix[:, 2] += padding
    return matrix
