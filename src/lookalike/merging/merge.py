"""Laying painted faces into a frame. Only the rectangle of a face's mask is touched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import Box, chroma_shifts, paste_rgb, rgb_to_picture
from lookalike.geometry import crop_corners, invert, rescale, transform
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.degrade import poorer_colors, poorer_frame
from lookalike.merging.halo import with_halo
from lookalike.merging.label import labelled
from lookalike.merging.motion_blur import blur_along
from lookalike.merging.paint import Painted, whole_mask
from lookalike.merging.regions import Mask
from lookalike.merging.target import Target, frame_box, in_box
from lookalike.types import Picture

Upscale = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(R, R, 3) float32 RGB to (2R, 2R, 3)."""

_MASK_SIDE = 256
"""Largest side at which a mask's edge is worked out; its blur makes more of no use."""
_SHARPEN_SIGMA = 0.8
"""Of the network's pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A drawn face by itself, for compositing."""

    rgb: NDArray[np.float32]
    """(S, S, 3) in [0, 1]."""
    mask: Mask
    """(S, S) in [0, 1]."""
    matrix: NDArray[np.float64]
    """(2, 3) frame to patch."""


@dataclass(slots=True, eq=False)
class Merged:
    """A frame with its faces replaced."""

    picture: Picture
    cover: Mask | None
    """(H, W) in [0, 1], the masks of all faces together; none unless asked for."""
    patches: list[Patch] = field(default_factory=list)
    """Only if asked for."""
    outlines: list[tuple[Mask, NDArray[np.float64]]] = field(default_factory=list)
    """Of each face its mask and the (2, 3) matrix from the frame to it."""


def merge_frame(
    picture: Picture,
    faces: Sequence[tuple[Target, Painted]],
    config: MergeConfig,
    run: MergeRun,
    upscale: Upscale | None = None,
    white: float = 1.0,
) -> Merged:
    """Lay faces into a frame, one upon the other.

    Args:
        picture: the frame; where no mask is, its samples keep their decoded values, unless options say otherwise.
        faces: what is drawn, and where.
        config: how.
        run: what is asked for besides the picture.
        upscale: for `config.super_resolution`.
        white: code in [0, 1] of white in a label or a halo.

    Returns:
        With alpha, the colours under it are those of the drawn face, unblended; alpha is 1 - (1 - mask of each face).
    """
    alpha = run.alpha or config.mode == "raw-rgb-mask"
    need_cover = alpha or run.masks or config.mode == "raw-mask"
    width, height = picture.size_wh
    merged = Merged(poorer_frame(picture, config), np.zeros((height, width), np.float32) if need_cover else None)
    if config.mode == "raw-predict":
        merged.picture = _grey(picture, np.zeros((height, width), np.float32))
    for target, painted in faces:
        _lay(merged, target, painted, config, run, upscale if config.super_resolution else None, alpha)
    if config.mode == "raw-mask" and merged.cover is not None:
        merged.picture = _grey(picture, merged.cover)
    merged.picture = poorer_colors(merged.picture, config)
    if alpha and merged.cover is not None:
        top = (1 << picture.color.bits) - 1
        codes = np.rint(merged.cover * top).astype(picture.planes[0].dtype)
        merged.picture = Picture(merged.picture.planes, merged.picture.color, codes)
    merged.picture = _marked(merged, config, run, white)
    return merged


def _marked(merged: Merged, config: MergeConfig, run: MergeRun, white: float) -> Picture:
    """The picture with what tells people that it was made: a halo around each face, none in raw modes, and a label."""
    picture = merged.picture
    if run.halo and not config.mode.startswith("raw"):
        for mask, matrix in merged.outlines:
            picture = with_halo(picture, mask, matrix, white)
    return labelled(picture, run.label, white) if run.label else picture


def _lay(
    merged: Merged,
    target: Target,
    painted: Painted,
    config: MergeConfig,
    run: MergeRun,
    upscale: Upscale | None,
    alpha: bool,
) -> None:
    side = int(np.clip(round(target.natural), len(painted.face), max(_MASK_SIDE, len(painted.face))))
    mask = whole_mask(target, painted.region, config, side)
    shown = np.ones_like(mask) if config.mode.startswith("raw") else mask
    if not shown.any():
        return
    face = finished_face(painted.face, target, config, upscale)
    matrix = _zoomed(target.matrix, len(target.crop), 1 + config.scale / 100)
    if run.patches:
        patch_side = len(face)
        reduced = cv2.resize(mask, (patch_side, patch_side), interpolation=cv2.INTER_AREA)
        to_patch = rescale(matrix, patch_side / len(target.crop))
        merged.patches.append(Patch(face, np.asarray(reduced, np.float32), to_patch))
    mask_matrix = rescale(matrix, side / len(target.crop))
    merged.outlines.append((mask, mask_matrix))
    box = _mask_box(shown, mask_matrix, merged.picture)
    size_wh = (box[2] - box[0], box[3] - box[1])
    if min(size_wh) <= 0:
        return
    pasted = _warped(face, rescale(matrix, len(face) / len(target.crop)), box, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
    weight, cover = (_warped(m, mask_matrix, box, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT) for m in (shown, mask))
    if config.mode != "raw-mask":
        hard = (weight > 0).astype(np.float32) if alpha else weight
        merged.picture = paste_rgb(merged.picture, pasted.clip(0, 1), hard, box)
    if merged.cover is not None:
        part = merged.cover[box[1] : box[3], box[0] : box[2]]
        part += cover * (1 - part)


def finished_face(
    face: NDArray[np.float32], target: Target, config: MergeConfig, upscale: Upscale | None
) -> NDArray[np.float32]:
    """(S, S, 3): a painted face enlarged, sharpened, blurred as asked for; S is at most about its size in the frame."""
    side = len(face)
    if upscale is not None:
        plain = cv2.resize(face, (2 * side, 2 * side), interpolation=cv2.INTER_CUBIC)
        share = np.float32(config.super_resolution / 100)
        face = np.asarray((plain + (upscale(face) - plain) * share).clip(0, 1), np.float32)
    if config.sharpen:
        sigma = _SHARPEN_SIGMA * len(face) / side
        soft = cv2.GaussianBlur(face, (0, 0), sigma)
        face = np.asarray((face + (face - soft) * np.float32(config.sharpen / 100)).clip(0, 1), np.float32)
    if config.motion_blur:
        turn = target.matrix[:, :2] * (len(face) / side)
        face = blur_along(face, turn @ target.spot.move * (config.motion_blur / 100))
    natural = max(16, round(target.natural * (1 + config.scale / 100)))
    if natural < len(face):  # averages the pixels that warping would skip
        face = np.asarray(cv2.resize(face, (natural, natural), interpolation=cv2.INTER_AREA), np.float32)
    return face


def _warped(
    crop: NDArray[np.float32], matrix: NDArray[np.float64], box: Box, interpolation: int, border: int
) -> NDArray[np.float32]:
    """A crop laid where it belongs in the rectangle `box` of the frame."""
    size_wh = (box[2] - box[0], box[3] - box[1])
    flags = interpolation | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(crop, in_box(matrix, box), size_wh, flags=flags, borderMode=border), np.float32)


def _mask_box(mask: Mask, matrix: NDArray[np.float64], picture: Picture) -> Box:
    """The rectangle of the frame that a mask reaches."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if len(rows) == mask.shape[0] and len(columns) == mask.shape[1]:
        return frame_box(crop_corners(matrix, len(mask)), picture)
    left, right, top, bottom = columns[0] - 1, columns[-1] + 1, rows[0] - 1, rows[-1] + 1
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    return frame_box(transform(invert(matrix), corners), picture)


def _zoomed(matrix: NDArray[np.float64], side: int, zoom: float) -> NDArray[np.float64]:
    """The matrix to a crop that shows `zoom` times as much about its centre: what is pasted by it comes out larger."""
    zoomed = matrix / zoom
    zoomed[:, 2] += (side - 1) / 2 * (1 - 1 / zoom)
    return zoomed


def _grey(like: Picture, values: Mask) -> Picture:
    """A grey picture of the kind of another, of (H, W) values in [0, 1]."""
    rgb = np.repeat(values[..., None], 3, axis=2)
    return rgb_to_picture(rgb, like.color, *chroma_shifts(like))
