"""Whether the border of what was changed shows. Pure."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_CHANGED = 1.5
"""CIE Lab units from which a pixel counts as changed."""
_GRID = 128
"""Side to which the map of changes is brought before its region is filled; the edge is then looked for in the crop."""
_CLOSE = 0.12
"""Gaps in the changed region that are closed, and islands that are left out, as shares of the crop's side."""
_LEAST = 0.01
"""Share of the crop below which nothing was changed."""
_POINTS = 256
"""Places around the border that are looked at."""
_TOGETHER = 17
"""Neighbouring places that are averaged: an edge runs on, texture does not."""
_REACH = 7
"""Pixels to either side of the border that are sampled."""
_SEARCH = 4
"""Pixels to either side of the border in which the edge is looked for."""
_VISIBLE = 2.0
"""CIE Lab units of a step that begins to show."""


@dataclass(frozen=True, slots=True)
class Seam:
    """The border of the changed region."""

    step: float
    """Mean over the border of the step in CIE Lab (CIE76) that the result makes across it and dst does not."""
    share: float
    """Share of the border, 0..1, whose step is 2 or more."""


NO_SEAM = Seam(0.0, 0.0)


def find_seam(dst: NDArray[np.uint8], result: NDArray[np.uint8]) -> Seam:
    """The step across the border of the region in which two (S, S, 3) uint8 sRGB crops of a face differ.

    Across the border, result minus dst steps from nothing to what was changed. Where the change sets in at once, the
    step of the pixels next to each other is as large as the change: a visible edge. Where it sets in over a width, it
    is that share of it. What both pictures show, as texture and the outline of a face, cancels; texture that only the
    result has does not run along the border, over which the step is averaged before its length is taken.

    Returns:
        NO_SEAM where the pictures do not differ.
    """
    first, second = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for p in (dst, result))
    difference = np.asarray(second - first, np.float32)
    border = _border(difference)
    if border is None:
        return NO_SEAM
    points, outward = border
    offsets = np.arange(-_REACH, _REACH + 1, dtype=np.float32)
    places = (points[:, None] + offsets[:, None] * outward[:, None]).astype(np.float32)  # (N, offsets, 2)
    profile = cv2.remap(difference, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    steps = _steps(_along(np.asarray(profile, np.float32)))
    return Seam(float(steps.mean()), float((steps >= _VISIBLE).mean()))


def _border(difference: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """(N, 2) points on the outline of the largest changed region, and there the (N, 2) directions out of it."""
    side = difference.shape[0]
    smooth = cv2.GaussianBlur(difference, (0, 0), 1.0)
    changed = (np.linalg.norm(smooth, axis=2) > _CHANGED).astype(np.float32)
    region = _filled((cv2.resize(changed, (_GRID, _GRID), interpolation=cv2.INTER_AREA) >= 0.5).astype(np.uint8))
    region = (cv2.resize(region.astype(np.float32), (side, side)) >= 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea, default=None)
    if outline is None or cv2.contourArea(outline) < _LEAST * side**2:
        return None
    points = _evenly(outline[:, 0].astype(np.float32))
    ahead, behind = np.roll(points, -3, 0), np.roll(points, 3, 0)
    along = ahead - behind
    length = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    outward = np.stack([along[:, 1], -along[:, 0]], 1) / length
    if cv2.contourArea(points, oriented=True) > 0:
        outward = -outward
    inside = ((points > 2) & (points < side - 3)).all(1)  # the crop's own edge is no border
    return (points[inside], outward[inside]) if inside.sum() > _TOGETHER else None


def _filled(changed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A (_GRID, _GRID) region without its gaps and without islands."""
    disc = _disc(max(1, round(_GRID * _CLOSE / 2)))
    room = disc.shape[0]
    closed = cv2.morphologyEx(np.pad(changed, room), cv2.MORPH_CLOSE, disc)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc)[room:-room, room:-room], np.uint8)


def _evenly(outline: NDArray[np.float32]) -> NDArray[np.float32]:
    """A closed outline as _POINTS points of equal distance."""
    closed = np.vstack([outline, outline[:1]])
    run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.linspace(0, run[-1], _POINTS, endpoint=False)
    return np.stack([np.interp(places, run, closed[:, k]) for k in (0, 1)], 1).astype(np.float32)


def _along(profile: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, offsets, 3), each place the mean of its neighbours along the border."""
    half = _TOGETHER // 2
    around = np.concatenate([profile[-half:], profile, profile[:half]])
    sums = np.cumsum(np.concatenate([np.zeros_like(around[:1]), around]), axis=0, dtype=np.float64)
    return np.asarray((sums[_TOGETHER:] - sums[:-_TOGETHER]) / _TOGETHER, np.float32)


def _steps(profile: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) largest step near the border: from the mean of two pixels inside to the mean of two outside."""
    steps = []
    for at in range(_REACH - _SEARCH, _REACH + _SEARCH + 1):
        inner, outer = profile[:, at - 2 : at].mean(1), profile[:, at + 1 : at + 3].mean(1)
        steps.append(np.linalg.norm(inner - outer, axis=1))
    return np.asarray(np.max(steps, axis=0), np.float64)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
