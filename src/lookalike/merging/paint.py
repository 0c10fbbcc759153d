"""What a drawn face looks like before it is laid into the frame: its colours and its mask, at the network's size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color_transfer import transfer_picture
from lookalike.faceset.polygons import polygon_masks
from lookalike.merging.config import MergeConfig
from lookalike.merging.histogram import match_histograms
from lookalike.merging.mask import finish_mask
from lookalike.merging.membrane import seamless
from lookalike.merging.predict import Prediction
from lookalike.merging.regions import Mask, drawn_region, outline, uses_outline
from lookalike.merging.target import Target

_CLONED = 0.1
"""Mask above which a pixel is cloned seamlessly. Source: DeepFaceLab, 2019."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_RIDGE = 1e-2
"""Pull of a fitted change of colours towards none, in the weight of a pixel of the whole range."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A drawn face in the colours of its frame."""

    face: NDArray[np.float32]
    """(R, R, 3) RGB in [0, 1]."""
    drawn: NDArray[np.float32]
    """(R, R, 3) as the network drew it."""
    region: Mask | None
    """(R, R) what the networks say of the mask; none for dst's outline alone."""
    change: NDArray[np.float64]
    """(4, 3) the matrix that best makes colours of `face` of those of `drawn`: R, G, B and 1 to R, G, B."""


def paint(
    target: Target,
    prediction: Prediction,
    config: MergeConfig,
    seg_prd: Mask | None = None,
    seg_dst: Mask | None = None,
) -> Painted:
    """Give a drawn face the colours that its frame asks for.

    Args:
        target: the face it replaces.
        prediction: of the model.
        config: what is asked for.
        seg_prd, seg_dst: see drawn_region.
    """
    region = drawn_region(config.mask, target, prediction, seg_prd, seg_dst)
    drawn = prediction.picture
    if config.mode.startswith("raw"):
        return Painted(drawn, drawn, region, np.eye(4, 3))
    weight = whole_mask(target, region, config, len(drawn))
    face = _matched(drawn, np.asarray(target.crop, np.float32) / np.float32(255), weight, config)
    return Painted(face, drawn, region, _fitted_change(drawn, face, weight))


def whole_mask(target: Target, region: Mask | None, config: MergeConfig, side: int) -> Mask:
    """(side, side) float32 in [0, 1]: the mask with its edge, in the target's crop enlarged to `side`."""
    matrix = target.matrix_at(side)
    mask = np.ones((side, side), np.float32)
    limit = mask
    if region is not None:
        mask = np.asarray(cv2.resize(region, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)
    if uses_outline(config.mask, region):
        limit = outline(target.spot, matrix, side)
        mask = np.minimum(mask, limit)
    polygons = polygon_masks(target.spot.polygons, matrix, side)
    if polygons is not None:
        include, exclude = polygons
        mask, limit = (np.maximum(m, include) * (1 - exclude) for m in (mask, limit))
    if config.mode.startswith("raw"):
        return mask
    pixel = target.natural / side
    return finish_mask(mask, limit, config.erode, config.blur, clip_sides=config.clip_sides, pixel=pixel)


def recolored(painted: Painted, change: NDArray[np.float64]) -> NDArray[np.float32]:
    """The (R, R, 3) face of `painted`, had its change of colours been `change`."""
    more = change - painted.change
    face = painted.face + painted.drawn @ more[:3].astype(np.float32) + more[3].astype(np.float32)
    return np.asarray(face.clip(0, 1), np.float32)


def _matched(
    drawn: NDArray[np.float32], dst: NDArray[np.float32], weight: Mask, config: MergeConfig
) -> NDArray[np.float32]:
    """Seamless cloning, colour transfer and match of histograms, in the order of DeepFaceLab (2019)."""
    face = drawn
    if config.mode.startswith("seamless"):
        face = seamless(face, dst, weight > _CLONED).clip(0, 1)
    if config.color_transfer != "none":
        face = _transferred(face, dst, weight, config.color_transfer)
    if config.mode == "hist-match-bw":
        face = np.repeat((face @ _LUMA)[..., None], 3, axis=2)
    if "hist-match" in config.mode:
        masked = config.masked_hist_match and config.mode != "seamless-hist-match"
        face = match_histograms(face, dst, config.hist_match_threshold, weight > 0.5 if masked else None)
    return np.asarray(face, np.float32)


def _transferred(face: NDArray[np.float32], dst: NDArray[np.float32], weight: Mask, name: str) -> NDArray[np.float32]:
    share = weight if name == "rct" or name.endswith("-m") else np.ones_like(weight)
    return transfer_picture(name.removesuffix("-m"), face, dst, share)


def _fitted_change(drawn: NDArray[np.float32], face: NDArray[np.float32], weight: Mask) -> NDArray[np.float64]:
    """The (4, 3) matrix of least squares from the colours of `drawn` to those of `face`, where the mask shows them."""
    share = weight.reshape(-1, 1)
    known = np.column_stack([drawn.reshape(-1, 3), np.ones(len(share), np.float32)])
    weighted = known * share
    none, ridge = np.eye(4, 3), _RIDGE * np.eye(4)
    normal = (weighted.T @ known).astype(np.float64) + ridge
    return np.asarray(np.linalg.solve(normal, (weighted.T @ face.reshape(-1, 3)).astype(np.float64) + ridge @ none))
