"""Aligned faces as DeepFaceLab keeps them: JPEGs of its second version, and PNGs of 2019."""

import base64
import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import RecordError
from lookalike.faceset import FaceRecord
from lookalike.faceset.masks import read_mask
from lookalike.geometry import transform
from lookalike.interchange.dfl_faces import FACE_TYPES, POINTS
from lookalike.interchange.image_edit import MOST_SEGMENT, jpeg_with_app15, png_with_chunk
from lookalike.interchange.image_parts import JPEG_HEAD, PNG_HEAD
from lookalike.interchange.pickle_writer import dumps

NAMES: Final = {ours: theirs for theirs, ours in FACE_TYPES.items()}
"""DeepFaceLab's face types by ours."""
ONLY_2019: Final = ("half", "full", "head", "avatar")
"""Face types that DeepFaceLab of 2019 knows."""
_MOST_MASK: Final = 50_000
"""Bytes of a mask that DeepFaceLab 2 keeps as a PNG."""
_MOST_MASK_2019: Final = 60_000
_QUALITIES: Final = (100, 95, 90, 80, 70, 50, 30, 10)
_JPEG_QUALITY: Final = 95

Fields = dict[str, object]


def crop_landmarks(record: FaceRecord) -> list[list[float]]:
    """68 points [x, y] in pixels of the crop, with all digits that the record has."""
    points: list[list[float]] = transform(record.matrix_array(), np.array(record.landmarks)).tolist()
    return points


def crop_polygons(record: FaceRecord) -> list[tuple[int, NDArray[np.float64]]]:
    """1 for what includes and 0 for what excludes, with (N, 2) corners in pixels of the crop."""
    matrix = record.matrix_array()
    return [(int(one.kind == "include"), transform(matrix, np.array(one.points))) for one in record.polygons]


def dfl2_fields(record: FaceRecord, frame_name: str) -> Fields:
    """What DeepFaceLab 2 keeps of a face, its mask left out.

    Args:
        record: of the face.
        frame_name: file name of its frame.

    Raises:
        RecordError: DeepFaceLab 2 does not know its face type.
    """
    if record.face_type == "avatar":
        raise RecordError("face type avatar, which only DeepFaceLab of 2019 knows")
    fields = _common(record, frame_name)
    fields["eyebrows_expand_mod"] = 1.0
    if record.polygons:
        parts = [{"type": kind, "pts": points} for kind, points in crop_polygons(record)]
        fields["seg_ie_polys"] = {"polys": parts}
    fields[POINTS] = np.concatenate([record.landmarks_array(), record.mesh_array()])
    return fields


def fields_2019(record: FaceRecord, frame_name: str) -> Fields:
    """What DeepFaceLab of 2019 keeps of a face.

    Raises:
        RecordError: it does not know the face type.
    """
    if record.face_type not in ONLY_2019:
        raise RecordError(f"face type {record.face_type}, which DeepFaceLab of 2019 does not know")
    fields = _common(record, frame_name)
    if record.polygons:
        fields["ie_polys"] = [(kind, points.tolist()) for kind, points in crop_polygons(record)]
    if record.mask is not None:
        buffer = mask_buffer(record, _MOST_MASK_2019)
        if buffer is not None:
            fields["fanseg_mask"] = np.frombuffer(buffer, np.uint8)
    fields["pitch_yaw_roll"] = list(record.pitch_yaw_roll)
    fields[POINTS] = np.concatenate([record.landmarks_array(), record.mesh_array()])
    return fields


def _common(record: FaceRecord, frame_name: str) -> Fields:
    return {
        "face_type": NAMES[record.face_type],
        "landmarks": crop_landmarks(record),
        "source_filename": frame_name,
        "source_rect": np.array([round(side) for side in record.box_xyxy], np.int64),
        "source_landmarks": [[x, y] for x, y in record.landmarks],
        "image_to_face_mat": record.matrix_array(),
    }


def mask_buffer(record: FaceRecord, most: int) -> bytes | None:
    """A record's mask as a PNG, or where that is too long as a JPEG of falling quality; None without one.

    Raises:
        RecordError: it cannot be read.
    """
    if record.mask is None:
        return None
    read_mask(record.mask, min(record.size, 256))
    png = base64.b64decode(record.mask.png)
    if len(png) <= most:
        return png
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        for quality in _QUALITIES:
            file = io.BytesIO()
            picture.save(file, "jpeg", quality=quality)
            if len(file.getvalue()) <= most:
                return file.getvalue()
    return None


def dfl_jpeg(image: bytes, fields: Fields, record: FaceRecord, origin: str) -> tuple[bytes, Fields]:
    """A JPEG with a face's record, and the fields that found room in it, the mask among them.

    A JPEG's pixels stay as they are; a PNG is encoded, as DeepFaceLab 2 reads nothing else.

    Args:
        image: the face's file.
        fields: of `dfl2_fields`.
        record: ours, for its mask.
        origin: names the file in errors.

    Raises:
        RecordError: the mask cannot be read, or even the polygons are too long.
        ForeignFileError: a damaged picture.
    """
    jpeg = image if image.startswith(JPEG_HEAD) else _encoded(image)
    room = MOST_SEGMENT - len(dumps(fields)) - 300
    mask = mask_buffer(record, max(min(_MOST_MASK, room), 0))
    if mask is not None:
        fields = {**fields, "xseg_mask": np.frombuffer(mask, np.uint8)}
    payload = dumps(fields)
    if len(payload) > MOST_SEGMENT:
        fields = {name: value for name, value in fields.items() if name != POINTS}
        payload = dumps(fields)
    if len(payload) > MOST_SEGMENT:
        raise RecordError(f"polygons that take {len(payload)} bytes; DeepFaceLab keeps at most {MOST_SEGMENT}")
    return jpeg_with_app15(jpeg, payload, origin), fields


def dfl_png(image: bytes, fields: Fields, origin: str) -> bytes:
    """A PNG with a face's record as DeepFaceLab wrote it in 2019; the pixels of a JPEG are kept as they are decoded.

    Raises:
        ForeignFileError: a damaged picture.
    """
    png = image if image.startswith(PNG_HEAD) else as_png(image)
    return png_with_chunk(png, b"fcWp", dumps(fields), origin, before=b"IEND")


def as_png(image: bytes) -> bytes:
    """A picture of a face, which was read before, as a PNG of the same pixels."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(image), formats=("JPEG", "PNG")) as picture:
        picture.convert("RGB").save(file, "png", compress_level=6)
    return file.getvalue()


def _encoded(image: bytes) -> bytes:
    file = io.BytesIO()
    with Image.open(io.BytesIO(image), formats=("PNG",)) as picture:
        picture.convert("RGB").save(file, "jpeg", quality=_JPEG_QUALITY, subsampling=0)
    return file.getvalue()
