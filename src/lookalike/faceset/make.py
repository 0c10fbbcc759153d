"""From a picture and a face found in it to an aligned face with its record."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faceset.record import FaceRecord, encode_array
from lookalike.geometry import align_matrix, rescale, transform
from lookalike.landmarks import head_pose, oval_mask
from lookalike.options import FaceType
from lookalike.types import Face


def crop_face(
    rgb: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, border: int = cv2.BORDER_REPLICATE
) -> NDArray[np.uint8]:
    """(size, size, 3) uint8 crop of an (H, W, 3) picture by a frame-to-crop matrix.

    A reduction by more than two is sampled at twice the side and averaged, so that fine detail does not alias.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:
        large = cv2.warpAffine(rgb, rescale(matrix, 2), (2 * size, 2 * size), flags=cv2.INTER_LINEAR, borderMode=border)
        return np.asarray(cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    flags = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(rgb, matrix, (size, size), flags=flags, borderMode=border), np.uint8)


def sharpness(crop: NDArray[np.uint8], inside: NDArray[np.floating]) -> float:
    """Variance of the Laplacian of luma where `inside` is above one half."""
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    values = cv2.Laplacian(luma, cv2.CV_32F)[inside > 0.5]
    return float(values.var()) if values.size else 0.0


def make_face(
    rgb: NDArray[np.uint8],
    face: Face,
    *,
    source: str,
    frame: int,
    time_seconds: float,
    number: int,
    size: int,
    face_type: FaceType,
    track: int,
) -> tuple[NDArray[np.uint8], FaceRecord]:
    """Align a face of an (H, W, 3) picture: (size, size, 3) crop and its record, not yet embedded."""
    matrix = align_matrix(face.landmarks, size, face_type)
    crop = crop_face(rgb, matrix, size)
    pose = head_pose(transform(align_matrix(face.landmarks, 256), face.landmarks))
    inside = oval_mask(transform(matrix, face.mesh), (size, size))
    box, rows = [round(float(v), 2) for v in face.box_xyxy], matrix.tolist()
    record = FaceRecord(
        source=source,
        frame=frame,
        time_seconds=round(time_seconds, 6),
        number=number,
        score=round(face.score, 4),
        box_xyxy=(box[0], box[1], box[2], box[3]),
        landmarks=[(round(float(x), 3), round(float(y), 3)) for x, y in face.landmarks],
        mesh=encode_array(face.mesh, np.float32),
        matrix=((rows[0][0], rows[0][1], rows[0][2]), (rows[1][0], rows[1][1], rows[1][2])),
        size=size,
        face_type=face_type,
        pitch_yaw_roll=pose,
        sharpness=round(sharpness(crop, inside), 3),
        track=track,
    )
    return crop, record
