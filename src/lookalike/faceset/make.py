"""From a picture and a face found in it to an aligned face with its record."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.faceset.record import FaceRecord, encode_array
from lookalike.geometry import align_matrix, crop_corners, rescale, transform
from lookalike.landmarks import head_pose, oval_mask
from lookalike.options import FaceType, Geometry, geometry_of
from lookalike.types import Face

_LOBES = 4
"""Pixels that the Lanczos filter reaches to each side."""


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


def crop_lanczos(rgb: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """(size, size, 3) uint8 crop of an (H, W, 3) picture by a frame-to-crop matrix, by Lanczos at every scale.

    Enlarged, the picture is sampled with eight taps a side. Reduced, the part under the crop is first brought to the
    crop's scale by Pillow's Lanczos, which averages over all the pixels it drops, then turned with eight taps.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 1:
        rgb, matrix = _reduced(rgb, matrix, size, scale)
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(rgb, matrix, (size, size), flags=cv2.INTER_LANCZOS4, borderMode=border), np.uint8)


def _reduced(
    rgb: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a picture under a crop at `scale` times its size, and the matrix from there to the crop."""
    corners = crop_corners(matrix, size)
    room = _LOBES / scale + 1
    low = np.clip(np.floor(corners.min(0) - room), 0, None)
    high = np.minimum(np.ceil(corners.max(0) + room), [rgb.shape[1], rgb.shape[0]])
    if (high - low).min() < 1:  # wholly outside the frame: its nearest pixel fills the crop
        return rgb, matrix
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    width, height = (max(1, round(float(v) * scale)) for v in high - low)
    part = Image.fromarray(np.ascontiguousarray(rgb[top:bottom, left:right]))
    small = np.asarray(part.resize((width, height), Image.Resampling.LANCZOS))
    # Pixel k of the small picture lies at (k + 0.5) * step - 0.5 of the part.
    step = (high - low) / [width, height]
    to_frame = np.array([[step[0], 0, left + step[0] / 2 - 0.5], [0, step[1], top + step[1] / 2 - 0.5], [0, 0, 1]])
    return small, (np.vstack([matrix, [0, 0, 1]]) @ to_frame)[:2]


def outside_share(mesh: NDArray[np.floating], size_wh: tuple[int, int]) -> float:
    """Share of a face's oval that lies outside a frame, from its (478, 2) mesh in frame pixels."""
    low, high = mesh.min(0), mesh.max(0)
    if (low >= -0.5).all() and (high <= np.array(size_wh) - 0.5).all():
        return 0.0
    scale = 64 / max(float((high - low).max()), 1e-3)
    oval = oval_mask((mesh - low) * scale, (64, 64))
    x, y = (np.arange(64) / scale + first for first in low)
    inside = ((y > -0.5) & (y < size_wh[1] - 0.5))[:, None] & ((x > -0.5) & (x < size_wh[0] - 0.5))
    return float(1 - (oval * inside).sum() / max(float(oval.sum()), 1e-6))


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
    geometry: Geometry | None = None,
    detector: str = "yunet",
    landmarker: str = "mesh",
    recovered: bool = False,
    edited: bool = False,
) -> tuple[NDArray[np.uint8], FaceRecord]:
    """Align a face of an (H, W, 3) picture: (size, size, 3) crop and its record, not yet embedded."""
    geometry = geometry_of(face_type, geometry)
    matrix = align_matrix(face.landmarks, size, face_type, geometry)
    crop = crop_lanczos(rgb, matrix, size)
    pose = head_pose(transform(align_matrix(face.landmarks, 256, "full", "2019"), face.landmarks))
    inside = oval_mask(transform(matrix, face.mesh), (size, size))
    box, rows = [round(float(v), 2) for v in face.box_xyxy], matrix.tolist()
    record = FaceRecord(
        source=source,
        frame=frame,
        time_seconds=round(time_seconds, 6),
        number=number,
        detector=detector,
        landmarker=landmarker,
        score=round(face.score, 4),
        box_xyxy=(box[0], box[1], box[2], box[3]),
        landmarks=[(round(float(x), 3), round(float(y), 3)) for x, y in face.landmarks],
        mesh=encode_array(face.mesh, np.float32),
        matrix=((rows[0][0], rows[0][1], rows[0][2]), (rows[1][0], rows[1][1], rows[1][2])),
        size=size,
        face_type=face_type,
        geometry=geometry,
        pitch_yaw_roll=pose,
        sharpness=round(sharpness(crop, inside), 3),
        outside=round(outside_share(face.mesh, (rgb.shape[1], rgb.shape[0])), 4),
        recovered=recovered,
        track=track,
        edited=edited,
    )
    return crop, record
