"""Between Y, Cb, Cr planes and RGB, and pasting RGB back without touching what the mask leaves out.

Where the planes are G, B, R (matrix "rgb"), both ways are exact.

Chroma is taken as centred in its block of luma samples, which is also how it is drawn and averaged here; both ways use
the same filters, so that a picture pasted onto itself stays itself.
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.types import ColorSpace, Matrix, Picture

Box = tuple[int, int, int, int]

_KR_KB: Final[dict[Matrix, tuple[float, float]]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}

_GBR: Final = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])

_SHARPEN_PASSES: Final = 2
"""Rounds that undo the blur of drawing chroma large and averaging it again; 2 leave < 1 code on a smooth picture."""


def rgb_to_codes(color: ColorSpace) -> NDArray[np.float64]:
    """Matrix (3, 4) that takes R, G, B in [0, 1] and 1 to Y, Cb, Cr in codes.

    Source: ITU-T H.273, 8.3 (equations 20 to 62 for the matrix and the two ranges).
    """
    if color.matrix == "rgb":
        return np.column_stack([_GBR * float((1 << color.bits) - 1), np.zeros(3)])
    kr, kb = _KR_KB[color.matrix]
    luma = np.array([kr, 1 - kr - kb, kb])
    rows = np.stack(
        [luma, (np.array([0, 0, 1]) - luma) / (2 * (1 - kb)), (np.array([1, 0, 0]) - luma) / (2 * (1 - kr))]
    )
    unit = float(1 << (color.bits - 8))
    top = float((1 << color.bits) - 1)
    scale = np.array([top, top, top] if color.full_range else [219 * unit, 224 * unit, 224 * unit])
    offset = np.array([0 if color.full_range else 16 * unit, 128 * unit, 128 * unit])
    return np.column_stack([rows * scale[:, None], offset])


def legal_range(color: ColorSpace) -> tuple[tuple[int, int], tuple[int, int]]:
    """Lowest and highest code of luma, and of chroma."""
    if color.full_range:
        return (0, (1 << color.bits) - 1), (0, (1 << color.bits) - 1)
    unit = 1 << (color.bits - 8)
    return (16 * unit, 235 * unit), (16 * unit, 240 * unit)


def chroma_shifts(picture: Picture) -> tuple[int, int]:
    """How many times chroma is halved across (x) and down (y): (1, 1) for 4:2:0."""
    y, u, _ = picture.planes
    down, across = (
        next(shift for shift in range(3) if -(-size >> shift) == c) for size, c in zip(y.shape, u.shape, strict=True)
    )
    return across, down


def align_box(box_xyxy: Box, picture: Picture) -> Box:
    """Smallest box that holds `box_xyxy`, starts and ends between chroma samples, and lies within the picture."""
    sx, sy = chroma_shifts(picture)
    width, height = picture.size_wh
    left, top, right, bottom = box_xyxy
    return (
        max(left >> sx << sx, 0),
        max(top >> sy << sy, 0),
        min(-(-right >> sx) << sx, width),
        min(-(-bottom >> sy) << sy, height),
    )


def picture_to_rgb(picture: Picture, box_xyxy: Box | None = None) -> NDArray[np.float32]:
    """RGB of the picture, or of a box in it.

    Args:
        picture: any subsampling, range and depth.
        box_xyxy: left, top, right, bottom; an outcome of `align_box`. The pixels are those of the whole picture.

    Returns:
        (H, W, 3) float32 in [0, 1]; colours outside RGB are clipped.

    Raises:
        ValueError: the box is empty, leaves the picture or cuts a chroma sample.
    """
    left, top, right, bottom = box = _checked(box_xyxy, picture)
    y, u, v = picture.planes
    codes = np.empty((bottom - top, right - left, 3), np.float32)
    codes[..., 0] = y[top:bottom, left:right]
    for channel, plane in ((1, u), (2, v)):
        codes[..., channel] = _drawn_large(plane, picture, box)
    forward = rgb_to_codes(picture.color)
    inverse = np.linalg.inv(forward[:, :3])
    rgb = _transformed(codes, np.column_stack([inverse, -inverse @ forward[:, 3]]))
    return np.clip(rgb, 0, 1, out=rgb)


def eight_bit(rgb: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Float values in [0, 1] as uint8, rounded; (H, W, 3)."""
    return np.asarray(cv2.convertScaleAbs(rgb, alpha=255), np.uint8)


def picture_to_rgb8(picture: Picture) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a picture."""
    return eight_bit(picture_to_rgb(picture))


def paste_rgb(picture: Picture, rgb: NDArray[np.float32], mask: NDArray[np.float32], box_xyxy: Box) -> Picture:
    """A copy of the picture with `rgb` blended into a box, in Y, Cb, Cr.

    Args:
        rgb: (h, w, 3) float32 in [0, 1].
        mask: (h, w) float32 in [0, 1]; averaged over the block of a chroma sample.
        box_xyxy: an outcome of `align_box`, w wide and h high.

    Returns:
        A new picture. Where the mask is exactly 0, and outside the box, every code is as it was. Elsewhere what is
        pasted lies in the legal range, and so does the blend wherever the picture did.

    Raises:
        ValueError: the box does not fit picture, rgb or mask.
    """
    left, top, right, bottom = _checked(box_xyxy, picture)
    if rgb.shape != (bottom - top, right - left, 3) or mask.shape != rgb.shape[:2]:
        raise ValueError(f"box {box_xyxy} holds rgb {rgb.shape} and mask {mask.shape}, which differ in size")
    sx, sy = chroma_shifts(picture)
    new = _codes(rgb, picture.color, sx, sy)
    mask = mask.clip(0, 1)
    small_mask = _averaged(mask, sx, sy)
    planes = tuple(plane.copy() for plane in picture.planes)
    for plane, codes, weight, (dx, dy) in zip(
        planes, new, (mask, small_mask, small_mask), ((0, 0), (sx, sy), (sx, sy)), strict=True
    ):
        part = plane[top >> dy : -(-bottom >> dy), left >> dx : -(-right >> dx)]
        old = part.astype(np.float32)
        np.copyto(part, np.rint(old + (codes - old) * weight).astype(part.dtype), where=weight > 0)
    return replace(picture, planes=(planes[0], planes[1], planes[2]))


def rgb_to_picture(
    rgb: NDArray[np.uint8 | np.uint16 | np.float32],
    color: ColorSpace,
    shift_x: int = 0,
    shift_y: int = 0,
) -> Picture:
    """Y, Cb, Cr of an image.

    Args:
        rgb: (H, W, 3), uint8, uint16 or float in [0, 1].
        color: how to write the codes.
        shift_x: how often chroma is halved across, 1 for 4:2:2 and 4:2:0.
        shift_y: how often chroma is halved down, 1 for 4:2:0.
    """
    top = {"B": 255, "H": 65535}.get(rgb.dtype.char, 1)
    image = np.asarray(rgb, np.float32) / np.float32(top)
    kind = np.uint8 if color.bits == 8 else np.uint16
    y, u, v = (np.rint(plane).astype(kind) for plane in _codes(image, color, shift_x, shift_y))
    return Picture((y, u, v), color)


def converted(picture: Picture, color: ColorSpace) -> Picture:
    """The picture in another colour space, drawn by way of RGB.

    Chroma keeps its size; from and to planes that are G, B, R it has that of luma. Alpha stays, scaled to the depth.
    """
    if picture.color == color:
        return picture
    rgb = "rgb" in (picture.color.matrix, color.matrix)
    new = rgb_to_picture(picture_to_rgb(picture), color, *((0, 0) if rgb else chroma_shifts(picture)))
    if picture.alpha is None:
        return new
    tops = [(1 << space.bits) - 1 for space in (picture.color, color)]
    alpha = np.rint(picture.alpha.astype(np.float64) * (tops[1] / tops[0])).astype(new.planes[0].dtype)
    return replace(new, alpha=alpha)


def in_one_space(first: Picture, second: Picture) -> tuple[Picture, Picture]:
    """Two pictures whose planes mean the same: where one alone is G, B, R, it is converted to the other's Y, Cb, Cr."""
    if (first.color.matrix == "rgb") == (second.color.matrix == "rgb"):
        return first, second
    if first.color.matrix == "rgb":
        return converted(first, second.color), second
    return first, converted(second, first.color)


def _transformed(pixels: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """(3, 4) matrix applied to (H, W, 3) pixels."""
    return np.asarray(cv2.transform(pixels, matrix), np.float32)


def _checked(box_xyxy: Box | None, picture: Picture) -> Box:
    width, height = picture.size_wh
    box = (0, 0, width, height) if box_xyxy is None else box_xyxy
    left, top, right, bottom = box
    if align_box(box, picture) != box or left >= right or top >= bottom:
        raise ValueError(f"box {box} is empty or not aligned to chroma in a {width}x{height} picture; use align_box")
    return box


def _drawn_large(plane: NDArray[np.generic], picture: Picture, box: Box) -> NDArray[np.float32]:
    """The box of a chroma plane at the size of luma; neighbours outside the box count, as in the whole picture."""
    sx, sy = chroma_shifts(picture)
    left, top, right, bottom = box
    x0, y0 = max((left >> sx) - 2, 0), max((top >> sy) - 2, 0)
    part = plane[y0 : (bottom >> sy) + 3, x0 : (right >> sx) + 3].astype(np.float32)
    large = _large(part, sx, sy)
    return large[top - (y0 << sy) : bottom - (y0 << sy), left - (x0 << sx) : right - (x0 << sx)]


def _large(plane: NDArray[np.float32], sx: int, sy: int) -> NDArray[np.float32]:
    if not sx and not sy:
        return plane
    size_wh = (plane.shape[1] << sx, plane.shape[0] << sy)
    return np.asarray(cv2.resize(plane, size_wh, interpolation=cv2.INTER_LINEAR), np.float32)


def _averaged(plane: NDArray[np.float32], sx: int, sy: int) -> NDArray[np.float32]:
    """Mean over the block of each chroma sample; a block cut by the edge repeats its last samples."""
    if not sx and not sy:
        return plane
    height, width = plane.shape
    missing = -height % (1 << sy), -width % (1 << sx)
    padded = np.pad(plane, ((0, missing[0]), (0, missing[1])), mode="edge") if any(missing) else plane
    size_wh = (padded.shape[1] >> sx, padded.shape[0] >> sy)
    return np.asarray(cv2.resize(padded, size_wh, interpolation=cv2.INTER_AREA), np.float32)


def _codes(
    rgb: NDArray[np.float32], color: ColorSpace, sx: int, sy: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Y, Cb, Cr of an image as unrounded legal codes, chroma at its own size."""
    codes = _transformed(np.clip(rgb, 0, 1), rgb_to_codes(color))
    luma, chroma = legal_range(color)
    y, u, v = (np.ascontiguousarray(codes[..., channel]) for channel in range(3))
    return y.clip(*luma), _small(u, sx, sy).clip(*chroma), _small(v, sx, sy).clip(*chroma)


def _small(plane: NDArray[np.float32], sx: int, sy: int) -> NDArray[np.float32]:
    """Chroma that, drawn large again, averages to the same: back-projection against the blur of the two filters."""
    if not sx and not sy:
        return plane
    height, width = plane.shape
    target = _averaged(plane, sx, sy)
    small = target
    for _ in range(_SHARPEN_PASSES):
        small = small + target - _averaged(_large(small, sx, sy)[:height, :width], sx, sy)
    return small
