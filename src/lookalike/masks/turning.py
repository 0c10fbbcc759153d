"""A face as it looks from further to its side: turned in depth, by the depth of a mean face. Pure.

Source: face profiling (Zhu et al., CVPR 2016), here by points that are drawn in order of their distance.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from lookalike.geometry import align_matrix, invert, transform
from lookalike.masks.labelled import LabelledFace
from lookalike.mean_face import SOLID

_REST = np.array(
    [
        (0, -105, 20), (-35, -102, 26), (35, -102, 26), (-62, -80, 42), (62, -80, 42), (0, -140, 70), (-55, -125, 80),
        (55, -125, 80), (-84, -40, 95), (84, -40, 95), (-86, 0, 100), (86, 0, 100), (-76, 45, 92), (76, 45, 92),
        (0, 105, 45), (-40, 105, 62), (40, 105, 62), (0, 170, 70), (-70, 170, 80), (70, 170, 80), (-130, -60, 130),
        (130, -60, 130), (-130, 60, 130), (130, 60, 130), (0, -190, 130),
    ],
    np.float64,
)  # fmt: skip
"""Forehead, crown, ears, neck and what is behind, in the units of the solid face; guessed."""
_CENTRE = np.array([0.0, -10.0, 75.0])
"""About which a head turns."""
_HEAD = np.array([112.0, 150.0])
"""Half axes of the ellipse that is turned along; what is outside stays."""
_FINE = 3.0
"""Points drawn for each pixel, across and down."""
_GRID = 21


def turned(face: LabelledFace, degrees: float, side: int) -> LabelledFace:
    """The face after its head turned about its own upright axis, aligned anew.

    Args:
        face: looking about into the camera.
        degrees: how much further; away from the camera it should be the side to which the head is turned already.
        side: of the crop that the network sees.
    """
    height, width = face.label.shape
    points = transform(face.matrix, face.landmarks)
    scale, axes, middle = _pose(points)
    solid = np.concatenate([SOLID, _REST])
    seen = scale * solid @ axes.T
    places = np.concatenate([points, seen[68:, :2] + middle])
    depth_of = RBFInterpolator(places, seen[:, 2], kernel="thin_plate_spline", smoothing=5.0)
    line_x, line_y = np.linspace(0, width - 1, _GRID), np.linspace(0, height - 1, _GRID)
    coarse = depth_of(np.stack(np.meshgrid(line_x, line_y), 2).reshape(-1, 2)).reshape(_GRID, _GRID)
    shape = (round(height * _FINE), round(width * _FINE))
    depth = cv2.resize(coarse.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    y, x = (np.mgrid[0 : shape[0], 0 : shape[1]] / _FINE).astype(np.float32)
    centre = scale * axes @ _CENTRE + np.array([*middle, 0.0])
    turn = cv2.Rodrigues(axes[:, 1] * np.radians(degrees))[0]
    head = _ellipse(x, y, points, scale, axes)
    spots = np.stack([x[head], y[head], depth[head]], 1) - centre
    moved = spots @ turn.T + centre
    order = np.argsort(-moved[:, 2])
    to = np.round(moved[order, :2]).astype(int)
    inside = ((to >= 0) & (to < (width, height))).all(1)
    source = np.round(np.stack([x[head], y[head]], 1)[order][inside]).astype(int)
    source = source.clip(0, (width - 1, height - 1))
    to = to[inside]
    values = np.dstack([face.picture, face.label])
    drawn = np.dstack([_without_head(face.picture, points, scale, axes), np.zeros_like(face.label)])
    known = np.zeros((height, width), np.uint8)
    drawn[to[:, 1], to[:, 0]] = values[source[:, 1], source[:, 0]]
    known[to[:, 1], to[:, 0]] = 1
    drawn = _closed(drawn, known)
    exact = np.column_stack([points, seen[:68, 2]]) - centre
    landmarks = (exact @ turn.T + centre)[:, :2]
    there = align_matrix(landmarks, side, "whole")
    return LabelledFace(drawn[..., :3].copy(), drawn[..., 3].copy(), transform(there, landmarks), invert(there))


def yaw_of(face: LabelledFace) -> float:
    """Degrees that a head is turned by already, counted as `turned` does."""
    _, axes, _ = _pose(transform(face.matrix, face.landmarks))
    return float(np.degrees(np.arctan2(axes[0, 2], axes[2, 2])))


def _pose(points: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Scale, (3, 3) rotation and (2,) place of the solid face under a scaled orthographic camera, by least squares."""
    known = np.column_stack([SOLID, np.ones(68)])
    found = np.linalg.lstsq(known, points, rcond=None)[0].T
    lengths = np.linalg.norm(found[:, :3], axis=1)
    rows = np.vstack([found[:, :3] / lengths[:, None], np.zeros(3)])
    rows[2] = np.cross(rows[0], rows[1])
    u, _, vt = np.linalg.svd(rows)
    return float(lengths.mean()), u @ vt, np.asarray(found[:, 3], np.float64)


def _ellipse(
    x: NDArray[np.float32], y: NDArray[np.float32], points: NDArray[np.float64], scale: float, axes: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Where the head is."""
    up = axes[:2, 1] / max(float(np.linalg.norm(axes[:2, 1])), 1e-6)
    across = np.array([up[1], -up[0]])
    middle = points[27:36].mean(0) - up * 12 * scale
    along, aside = ((x - middle[0]) * v[0] + (y - middle[1]) * v[1] for v in (up, across))
    return np.asarray((aside / (_HEAD[0] * scale)) ** 2 + (along / (_HEAD[1] * scale)) ** 2 < 1)


def _without_head(
    picture: NDArray[np.uint8], points: NDArray[np.float64], scale: float, axes: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """The picture with a blurred guess where the head was."""
    y, x = np.mgrid[0 : len(picture), 0 : picture.shape[1]].astype(np.float32)
    rest = (~_ellipse(x, y, points, scale, axes)).astype(np.float32)
    sigma = len(picture) / 12
    blurred = cv2.GaussianBlur(picture * rest[..., None], (0, 0), sigma)
    weight = cv2.GaussianBlur(rest, (0, 0), sigma) + np.float32(1e-3)
    guess = blurred / weight[..., None]
    return np.round(picture * rest[..., None] + guess * (1 - rest[..., None])).clip(0, 255).astype(np.uint8)


def _closed(drawn: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Small holes between drawn points filled with what is around them."""
    whole = cv2.morphologyEx(known, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    filled = drawn
    for _ in range(3):
        holes = (whole > 0) & (known == 0)
        if not holes.any():
            break
        near = cv2.blur((filled * known[..., None]).astype(np.float32), (3, 3))
        weight = cv2.blur(known.astype(np.float32), (3, 3))
        ready = holes & (weight > 0.05)
        filled = filled.copy()
        filled[ready] = (near[ready] / weight[ready][:, None]).round().clip(0, 255).astype(np.uint8)
        known = (known | ready).astype(np.uint8)
    return np.asarray(filled, np.uint8)
