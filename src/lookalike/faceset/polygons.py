"""Polygons that people draw on faces: filled, and carried to other frames. Pure."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from lookalike.faceset.record import FaceRecord, Polygon
from lookalike.geometry import transform

Mask = NDArray[np.float32]

_SMOOTHING = 30.0
"""How little a carried point follows a single point of the mesh, against the face as a whole."""
_FAR = 8
"""Sides of the canvas from which on a corner may be anywhere."""
_ANCHORS = 5
"""Every so manieth of the mesh's points is followed; they lie close together."""


def polygon_masks(polygons: Sequence[Polygon], matrix: NDArray[np.floating], side: int) -> tuple[Mask, Mask] | None:
    """(side, side) float32 in [0, 1]: what polygons include, and what they exclude, the later over the earlier.

    Args:
        polygons: in frame pixels.
        matrix: (2, 3), frame to the canvas.
        side: of the canvas.

    Returns:
        None without polygons.
    """
    if not polygons:
        return None
    masks = {kind: np.zeros((side, side), np.uint8) for kind in ("include", "exclude")}
    for polygon in polygons:
        # Where no line can be seen any more; OpenCV walks along all of a line, however far it goes.
        there = np.clip(transform(matrix, np.array(polygon.points)), -_FAR * side, _FAR * side)
        corners = np.round(there * 16).astype(np.int32)
        for kind, mask in masks.items():
            cv2.fillPoly(mask, [corners], 255 if kind == polygon.kind else 0, cv2.LINE_AA, 4)
    include, exclude = (mask.astype(np.float32) / np.float32(255) for mask in masks.values())
    return include, exclude


def with_polygons(
    mask: Mask | None, polygons: Sequence[Polygon], matrix: NDArray[np.floating], side: int
) -> Mask | None:
    """A mask with what polygons include and exclude; without a mask what they include alone; None without both."""
    drawn = polygon_masks(polygons, matrix, side)
    if drawn is None:
        return mask
    include, exclude = drawn
    base = np.zeros((side, side), np.float32) if mask is None else mask
    return np.asarray(np.maximum(base, include) * (1 - exclude), np.float32)


def carried(polygons: Sequence[Polygon], start: FaceRecord, end: FaceRecord) -> list[Polygon]:
    """Polygons drawn on one face, as they lie on another face of the same person.

    Each corner moves as the landmarks and the mesh around it do, smoothed: what opens the mouth moves the chin's edge.

    Source: thin-plate splines (Bookstein, PAMI 11(6), 1989).
    """
    move = _mover(start, end)
    return [Polygon(kind=one.kind, points=_tuples(move(np.array(one.points))), carried=True) for one in polygons]


def between(
    first: tuple[FaceRecord, Sequence[Polygon]], last: tuple[FaceRecord, Sequence[Polygon]], here: FaceRecord
) -> list[Polygon]:
    """Polygons for a face between two on which they were drawn.

    Where both have the same polygons with as many corners, a corner goes evenly from where the first says to where the
    last does; else the nearer frame's are taken.
    """
    (start, early), (end, late) = first, last
    share = (here.frame - start.frame) / max(end.frame - start.frame, 1)
    if [(p.kind, len(p.points)) for p in early] != [(p.kind, len(p.points)) for p in late]:
        return carried(early, start, here) if share < 0.5 else carried(late, end, here)
    pairs = zip(carried(early, start, here), carried(late, end, here), strict=True)
    return [
        Polygon(
            kind=a.kind, points=_tuples(np.array(a.points) * (1 - share) + np.array(b.points) * share), carried=True
        )
        for a, b in pairs
    ]


def _mover(start: FaceRecord, end: FaceRecord) -> RBFInterpolator:
    """Moves (N, 2) frame pixels of one face to those of another."""
    points = [
        np.concatenate([r.landmarks_array(), r.mesh_array()[:468:_ANCHORS]]).astype(np.float64) for r in (start, end)
    ]
    return RBFInterpolator(points[0], points[1], kernel="thin_plate_spline", smoothing=_SMOOTHING)


def _tuples(points: NDArray[np.floating]) -> list[tuple[float, float]]:
    return [(round(float(x), 3), round(float(y), 3)) for x, y in points]
