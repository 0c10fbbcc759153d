"""Whether the border of what was changed shows. Pure."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.reporting.figures import VISIBLE_STEP

_CHANGED = 1.5
"""CIE Lab units, root mean square about a place, from which it counts as changed..."""
_NOISES = 3.0
"""...if it is as many times what the encoder does, seen in the calmer quarter of the edge of the crop."""
_EDGE = 0.06
"""Width of that edge as a share of the crop's side."""
_GRID = 128
"""Side to which the map of changes is brought; the border is then looked for in the crop."""
_CLOSE = 0.12
"""Gaps in the changed region that are closed, and islands that are left out, as shares of the crop's side."""
_LEAST = 0.01
"""Share of the crop below which nothing was changed."""
_POINTS = 256
"""Places around the border that are looked at."""
_FIRST = 17
"""Neighbouring places that are averaged to find the edge."""
_TOGETHER = 33
"""Neighbouring places that are averaged to measure it: an edge runs on, texture does not."""
_SEARCH = (3, 2.5)
"""Pixels to either side of the region's outline in which the edge is looked for, and further pixels of the grid."""
_ROOM = 5
"""Pixels of the profile on each side of a place that `_steps` looks at."""


@dataclass(frozen=True, slots=True)
class Seam:
    """The border of the changed region."""

    step: float
    """Mean over the border of the step in CIE Lab (CIE76) that the result makes across it and dst does not."""
    share: float
    """Share of the border, 0..1, whose step is 1.5 or more."""


NO_SEAM = Seam(0.0, 0.0)


def find_seam(dst: NDArray[np.uint8], result: NDArray[np.uint8]) -> Seam:
    """The step across the border of the region in which two (S, S, 3) uint8 sRGB crops of a face differ.

    Across the border, result minus dst steps from nothing to what was changed. Where the change sets in at once, the
    step of the pixels next to each other is nearly as large as the change: a visible edge. Where it sets in steadily
    over a width, there is none. What both pictures show, as texture and the outline of a face, cancels; texture that
    only the result has does not run along the border, over which the step is averaged before its length is taken.

    A hard edge of 3 reads as 2.5, blended over a Gaussian of four pixels as 0.4.

    Returns:
        NO_SEAM where the pictures do not differ.
    """
    first, second = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for p in (dst, result))
    difference = np.asarray(second - first, np.float32)
    border = _border(difference)
    if border is None:
        return NO_SEAM
    points, outward = border
    search = _SEARCH[0] + round(_SEARCH[1] * dst.shape[0] / _GRID)
    places = _steps(_along(_profile(difference, points, outward, search), _FIRST)).argmax(1) - search
    edge = points + _along(places[:, None, None].astype(np.float32), _FIRST)[:, 0] * outward
    steps = _steps(_along(_profile(difference, edge, outward, 1), _TOGETHER)).max(1)
    return Seam(float(steps.mean()), float((steps >= VISIBLE_STEP).mean()))


def _profile(
    difference: NDArray[np.float32], points: NDArray[np.float32], outward: NDArray[np.float32], search: int
) -> NDArray[np.float32]:
    """(N, offsets, 3) values along the directions, as far as `_steps` needs to look `search` pixels to either side."""
    reach = search + _ROOM
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    places = (points[:, None] + offsets[:, None] * outward[:, None]).astype(np.float32)
    values = cv2.remap(difference, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32)


def _border(difference: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """(N, 2) points on the outline of the largest changed region, and there the (N, 2) directions out of it."""
    side = difference.shape[0]
    region = _filled(_changed(difference).astype(np.uint8))
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


def _changed(difference: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(_GRID, _GRID) True where pictures differ by more than the encoder makes them."""
    energy = cv2.resize((difference**2).sum(2), (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    strength = np.sqrt(cv2.GaussianBlur(energy, (0, 0), 1.0))
    edge = np.ones_like(strength, bool)
    width = round(_EDGE * _GRID)
    edge[width:-width, width:-width] = False
    return np.asarray(strength > max(_CHANGED, _NOISES * float(np.percentile(strength[edge], 25))))


def _filled(changed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A (_GRID, _GRID) region without its gaps and without islands."""
    disc = _disc(max(1, round(_GRID * _CLOSE / 2)))
    room = disc.shape[0]
    firm = cv2.morphologyEx(changed, cv2.MORPH_OPEN, _disc(1))
    closed = cv2.morphologyEx(np.pad(firm, room), cv2.MORPH_CLOSE, disc)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc)[room:-room, room:-room], np.uint8)


def _evenly(outline: NDArray[np.float32]) -> NDArray[np.float32]:
    """A closed outline as _POINTS points of equal distance."""
    closed = np.vstack([outline, outline[:1]])
    run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.linspace(0, run[-1], _POINTS, endpoint=False)
    return np.stack([np.interp(places, run, closed[:, k]) for k in (0, 1)], 1).astype(np.float32)


def _along(profile: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """(N, offsets, C), each place the mean of so many, an odd number, around it on the border."""
    half = count // 2
    around = np.concatenate([profile[-half:], profile, profile[:half]])
    sums = np.cumsum(np.concatenate([np.zeros_like(around[:1]), around]), axis=0, dtype=np.float64)
    return np.asarray((sums[count:] - sums[:-count]) / count, np.float32)


def _steps(profile: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, places) step at each place of a profile, beyond what the slopes on both sides of it go on to.

    Each side is the mean of two pixels next to the place; the slopes are taken over as many pixels further out, so that
    a change that grows steadily over ten pixels, which nobody sees, is none.
    """
    means = (profile[:, :-1] + profile[:, 1:]) / 2
    inmost, inner, outer, outmost = (means[:, k : means.shape[1] - 9 + k] for k in (0, 3, 6, 9))
    steps = (inner - outer) - ((inmost - inner) + (outer - outmost)) / 2
    return np.asarray(np.linalg.norm(steps, axis=2), np.float64)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
