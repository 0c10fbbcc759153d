"""dst's face and the result's, cut out alike, and what two such crops say of sharpness and flicker. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord, crop_face
from lookalike.geometry import rescale, transform
from lookalike.landmarks import oval_mask
from lookalike.types import ColorSpace, Picture

_FLAT = 0.5
"""Codes of Laplacian below which dst has no detail to compare with."""
_STILL = 0.05
"""Codes of change from frame to frame below which dst is a still picture."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrops:
    """Luma of dst's face and the result's, both cut out by dst's matrix."""

    dst: NDArray[np.uint8]
    """(S, S) codes in 8 bits."""
    result: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    """(S, S), the oval without its edge."""


def measuring_size(sides: Sequence[float]) -> int:
    """Side of the crops to measure in: that of the usual face in frame pixels, so that no detail is lost or made up.

    Args:
        sides: of the faces' crops, in frame pixels.
    """
    return int(np.clip(round(float(np.median(sides))), 64, 512))


def frame_side(record: FaceRecord) -> float:
    """Side of a face's crop in frame pixels."""
    matrix = record.matrix_array()
    return float(record.size / np.hypot(matrix[0, 0], matrix[1, 0]))


def cut_out(dst: Picture, result: Picture, record: FaceRecord, size: int) -> FaceCrops:
    """The face of `record` in both pictures, `size` pixels wide."""
    matrix = rescale(record.matrix_array(), size / record.size)
    crops = [crop_face(luma8(p, dst.color), matrix, size) for p in (dst, result)]
    oval = oval_mask(transform(matrix, record.mesh_array()), (size, size))
    return FaceCrops(crops[0], crops[1], shrunk(oval, 0.06))


def cut_square(rgb: NDArray[np.uint8], record: FaceRecord, size: int) -> NDArray[np.uint8]:
    """(size, size, 3) uint8: the face of `record` in an (H, W, 3) picture."""
    return crop_face(rgb, rescale(record.matrix_array(), size / record.size), size)


def sharpness_ratio(crops: FaceCrops) -> float | None:
    """Standard deviation of the Laplacian inside the oval, result over dst; None when dst has no detail there."""
    if not crops.inside.any():
        return None
    dst, result = (float(cv2.Laplacian(c, cv2.CV_32F)[crops.inside].std()) for c in (crops.dst, crops.result))
    return result / dst if dst >= _FLAT else None


def flicker_ratio(before: FaceCrops, now: FaceCrops, after: FaceCrops) -> float | None:
    """Mean |before - 2 now + after| of luma inside the oval, result over dst; None when dst is still."""
    if not now.inside.any():
        return None

    def energy(a: NDArray[np.uint8], b: NDArray[np.uint8], c: NDArray[np.uint8]) -> float:
        inside = now.inside
        return float(np.abs(a[inside].astype(np.int16) - 2 * b[inside].astype(np.int16) + c[inside]).mean())

    dst = energy(before.dst, now.dst, after.dst)
    return energy(before.result, now.result, after.result) / dst if dst >= _STILL else None


def plane8(picture: Picture, plane: int, full_range: bool) -> NDArray[np.float32]:
    """(H, W) float32: a plane of a picture in 8-bit codes of the range wanted."""
    color: ColorSpace = picture.color
    codes = picture.planes[plane].astype(np.float32)
    if color.bits > 8:
        codes *= np.float32(255 / ((1 << color.bits) - 1) if color.full_range else 2.0 ** (8 - color.bits))
    if color.full_range == full_range:
        return codes
    span, centre = (219, 16) if plane == 0 else (224, 128)
    zero = 0 if plane == 0 else 128
    if full_range:
        return np.asarray((codes - centre) * (255 / span) + zero, np.float32)
    return np.asarray((codes - zero) * (span / 255) + centre, np.float32)


def luma8(picture: Picture, like: ColorSpace) -> NDArray[np.uint8]:
    """(H, W) luma of a picture in 8-bit codes of the range of `like`."""
    plane = picture.planes[0]
    if plane.dtype == np.uint8 and picture.color.full_range == like.full_range:
        return np.asarray(plane, np.uint8)
    codes = np.rint(plane8(picture, 0, like.full_range).clip(0, 255))
    return np.asarray(codes, np.uint8)


def shrunk(oval: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """(S, S) True in the oval further than a share of the crop's side from its edge and the crop's."""
    padded = np.pad((oval > 0.5).astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(depth > max(1.0, share * oval.shape[0]))
