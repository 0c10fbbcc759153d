"""Alignments and PNG faces as faceswap keeps them."""

import io
import zlib
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import RecordError
from lookalike.faceset import FaceRecord
from lookalike.faceset.make import crop_lanczos
from lookalike.faceset.masks import placed_mask
from lookalike.files import write_bytes
from lookalike.geometry import between
from lookalike.interchange.fsa import KEYWORD
from lookalike.interchange.fsa_convert import legacy_matrix
from lookalike.interchange.image_edit import international_text, png_with_chunk
from lookalike.interchange.pickle_writer import dumps

VERSION: Final = 2.4
"""Of alignments files."""
_LEGACY: Final = 1.0
"""Version of alignments whose faces are squares about the mean face, not about the head."""
MASK: Final = "custom_face"
"""What faceswap calls masks that come from elsewhere."""
_MASK_SIDE: Final = 256
_THUMB_SIDE: Final = 96

Entry = dict[str, object]


def face_entry(record: FaceRecord) -> Entry:
    """A face as faceswap keeps it, without its thumbnail.

    Raises:
        RecordError: its mask cannot be read, or its landmarks coincide.
    """
    left, top, right, bottom = (round(side) for side in record.box_xyxy)
    return {
        "x": left,
        "y": top,
        "w": max(right - left, 1),
        "h": max(bottom - top, 1),
        "landmarks_xy": [[x, y] for x, y in record.landmarks],
        "mask": _mask(record),
        "identity": {},
    }


def _mask(record: FaceRecord) -> dict[str, Entry]:
    """The record's mask in faceswap's legacy square, which is where faceswap looks for one centred so."""
    placed = placed_mask(record)
    if placed is None:
        return {}
    matrix = legacy_matrix(np.array(record.landmarks), _MASK_SIDE)
    pixels = np.round(placed.in_crop(matrix, _MASK_SIDE) * 255).astype(np.uint8)
    return {
        MASK: {
            "mask": zlib.compress(pixels.tobytes()),
            "affine_matrix": matrix.tolist(),
            "interpolator": int(cv2.INTER_CUBIC),
            "stored_size": _MASK_SIDE,
            "stored_centering": "legacy",
        }
    }


def thumbnail(crop: NDArray[np.uint8]) -> list[int]:
    """The bytes of a small JPEG of an (S, S, 3) face, as numbers."""
    file = io.BytesIO()
    size = (_THUMB_SIDE, _THUMB_SIDE)
    Image.fromarray(crop).resize(size, Image.Resampling.LANCZOS).save(file, "jpeg", quality=75)
    return list(file.getvalue())


def write_fsa(path: Path, frames: dict[str, list[Entry]]) -> None:
    """Write an alignments file.

    Args:
        path: of the file.
        frames: faces by the name of their frame.

    Raises:
        StorageError: the disk is full.
    """
    data: Entry = {name: {"faces": faces, "video_meta": {}} for name, faces in frames.items()}
    write_bytes(path, zlib.compress(dumps({"__meta__": {"version": VERSION}, "__data__": data}, 4)))


def fsa_png(
    crop: NDArray[np.uint8], record: FaceRecord, frame_name: str, name: str, frame_wh: tuple[int, int], *, video: bool
) -> bytes:
    """A PNG of a face in faceswap's legacy square, cut from our crop, with what faceswap keeps of it.

    Args:
        crop: (S, S, 3) uint8 RGB.
        record: of the crop.
        frame_name: what faceswap calls its frame.
        name: of the file.
        frame_wh: size of the frame.
        video: whether the frame is one of a video.

    Raises:
        RecordError: its mask cannot be read, or its landmarks coincide.
    """
    matrix = legacy_matrix(np.array(record.landmarks), record.size)
    file = io.BytesIO()
    cut = crop_lanczos(crop, between(record.matrix_array(), matrix), record.size)
    Image.fromarray(cut).save(file, "png", compress_level=6)
    source = {
        "alignments_version": _LEGACY,
        "original_filename": name,
        "face_index": record.number,
        "source_filename": frame_name,
        "source_is_video": video,
        "source_frame_dims": (frame_wh[1], frame_wh[0]),
    }
    text = repr({"alignments": face_entry(record), "source": source})
    try:
        body = international_text(KEYWORD, text)
    except UnicodeEncodeError as exc:
        raise RecordError("the name of its frame is no text") from exc
    return png_with_chunk(file.getvalue(), b"iTXt", body, name, before=b"IDAT")
