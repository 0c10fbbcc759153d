"""Expressions of a still face: lids, gaze, brows, lips and jaw, as fields in face coordinates.

A lid that closes and lips that part cut the picture in two along a line. So there are two fields: the upper one moves
what hangs from above (lids, upper lip, teeth), the lower one what lies behind or below (eyeballs, lower lip, jaw).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.sample.head import FaceAxes, Field
from lookalike.sample.motion import MotionFrame
from lookalike.sample.portraits import Portrait

_LIP_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_LIP_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_EYES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
_CHIN = 152
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)

_FULL_OPENING = 0.23
"""Distance between the inner lips at mouth_open = 1, in outer-eye distances."""


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """Where to read the portrait for the upper and the lower field, what to lay over it, and which shows where."""

    upper: Field
    """(H, W, 2) displacement in face coordinates, from a place to where its colour is read."""
    lower: Field
    """(H, W, 2) likewise."""
    lower_weight: Field
    """(H, W) 1 where the lower field shows."""
    overlay: Field
    """(H, W, 3) colours that the portrait lacks in these places: the inside of the mouth, lids borrowed from below."""
    overlay_weight: Field
    """(H, W) 1 where the overlay shows; with lower_weight at most 1."""


def rest_motion(mesh: NDArray[np.floating]) -> MotionFrame:
    """The motion that leaves a portrait as it is: lips parted as far as they are."""
    face = FaceAxes.of(mesh).to_face(mesh[:, :2])
    return MotionFrame(mouth_open=_rest_gap(face) / _FULL_OPENING)


def _rest_gap(face: Field) -> float:
    """Distance between the inner lips of the still, in outer-eye distances."""
    return float(np.clip(face[14, 1] - face[13, 1], 0, _FULL_OPENING))


def express(
    portrait: Portrait, axes: FaceAxes, mesh: NDArray[np.floating], places: Field, motion: MotionFrame
) -> Expression:
    """Fields of an expression.

    Args:
        portrait: the still.
        axes: of the mesh.
        mesh: (478, 2) in pixels of the still.
        places: (H, W, 2) places to fill, in face coordinates of the still head.
        motion: what to show.
    """
    face = axes.to_face(mesh[:, :2])
    common = _spread_lips_and_brows(portrait, face, places, motion)
    at = places + common
    plane = places.shape[:2]
    blank = np.zeros((*plane, 3), np.float32)
    out = Expression(common, common.copy(), np.zeros(plane, np.float32), blank, np.zeros(plane, np.float32))
    for upper, lower in _EYES:
        _close_eye(out, portrait, axes, face[list(upper)], face[list(lower)], at, motion)
    _open_mouth(out, portrait, face, at, 1 / axes.unit, motion)
    return out


def _spread_lips_and_brows(portrait: Portrait, face: Field, places: Field, motion: MotionFrame) -> Field:
    """The smooth part that needs no cut."""
    x, y = places[..., 0], places[..., 1]
    mouth = (face[78] + face[308]) / 2
    dx, dy = x - mouth[0], y - mouth[1]
    # A jaw that drops draws the corners in.
    wide = motion.mouth_wide - 0.6 * max(0.0, motion.mouth_open - _rest_gap(face) / _FULL_OPENING)
    near = np.exp(-np.square(dx / 0.55) - np.square(dy / 0.42))
    move_x = -0.17 * wide * dx * near
    # Stretched lips rise at the corners, pursed ones fall.
    lift = 0.03 * wide * near * np.minimum(1.0, np.square(dx / 0.3))

    middle = min(float(face[list(_BROWS), 1].mean()), portrait.brow_floor - 0.1)
    below = portrait.brow_floor - middle
    rise = y - middle
    wave = 0.5 + 0.5 * np.cos(np.pi * np.clip(rise / np.where(rise < 0, np.float32(0.5), below), -1, 1))
    brow = min(0.045, 0.33 * below) * motion.brow * wave * _plateau(x / 0.62)
    return np.stack([move_x, lift + brow], -1).astype(np.float32)


def _close_eye(
    out: Expression,
    portrait: Portrait,
    axes: FaceAxes,
    upper: Field,
    lower: Field,
    at: Field,
    motion: MotionFrame,
) -> None:
    """Draw the upper lid down over the eye and the lower one a little up; move the eyeball behind them."""
    box = _window(at, upper[0, 0] - 0.06, upper[-1, 0] + 0.06, upper[:, 1].min() - 0.25, lower[:, 1].max() + 0.2)
    if box is None:
        return
    x, y = at[box][..., 0], at[box][..., 1]
    top, bottom = _line(upper, x), _line(lower, x)
    opening = np.clip(bottom - top, 0, None)
    edge = top + portrait.lid_edge * opening
    drop = motion.blink * 0.86 * np.clip(bottom - edge, 0, None)
    raised = motion.blink * 0.14 * opening
    lid = edge + drop

    inside = _smooth((y - edge) / 0.04) * _smooth((bottom - y) / 0.04)
    inside = inside * _smooth((x - upper[0, 0]) / 0.1) * _smooth((upper[-1, 0] - x) / 0.1)
    out.lower[box][..., 0] -= 0.028 * motion.gaze[0] * inside
    out.lower[box][..., 1] -= 0.02 * motion.gaze[1] * inside
    rim = y - (bottom - raised)
    out.lower[box][..., 1] += raised * _smooth(rim / 0.02 + 0.5) * (1 - _smooth(rim / 0.2))
    low = np.clip((y - lid) * axes.unit / 1.6 + 0.5, 0, 1)
    out.lower_weight[box] = low

    if portrait.lid_from_below:
        read = np.stack([x, bottom + 0.035 + 0.7 * np.clip(lid - y, 0, None)], -1)
        color = read_colors(portrait.image, axes.to_pixels(read))
        lash = (
            np.exp(-np.square((lid - y) / 0.012))
            * _smooth(drop / 0.05)
            * _smooth((x - upper[0, 0]) / 0.08)
            * _smooth((upper[-1, 0] - x) / 0.08)
        )
        shade = (1 - 0.10 * _smooth((lid - y) / 0.12)) * (1 - 0.75 * lash)
        out.overlay[box] = color * shade[..., None]
        out.overlay_weight[box] = (1 - low) * _smooth((y - edge) / 0.03 + 0.3) * _smooth(drop / 0.03)
        return
    # From the crease down: stretched skin, then the lash line, which shifts and thins.
    crease = edge - portrait.lid_room
    thin = 1 - 0.45 * _smooth(drop / 0.06)
    start = lid - portrait.lash * thin
    skin = (portrait.lid_room - portrait.lash) / (start - crease)
    move = np.where(y < start, np.clip(y - crease, 0, None) * (skin - 1), edge - y + (y - lid) / thin)
    out.upper[box][..., 1] += move * np.minimum(1, drop / 0.004)


def _open_mouth(out: Expression, portrait: Portrait, face: Field, at: Field, pixel: float, motion: MotionFrame) -> None:
    """Part or close the lips along the edge of the lower one, and take the jaw along."""
    upper, lower = face[list(_LIP_UPPER)], face[list(_LIP_LOWER)]
    left, right = float(lower[0, 0]), float(lower[-1, 0])
    box = _window(at, -1.3, 1.3, min(upper[:, 1].min(), lower[:, 1].min()) - 0.3, 2.4)
    if box is None:
        return
    x, y = at[box][..., 0], at[box][..., 1]
    seam = _line(lower, x)
    v = y - seam
    across = np.clip((2 * x - left - right) / (right - left), -1, 1)
    arch = np.sqrt(1 - across * across) * (1 - 0.3 * across * across)

    rest = _rest_gap(face)
    change = motion.mouth_open * _FULL_OPENING - rest
    if change >= 0:
        fall, raised = change * arch, (0.0 if portrait.teeth else 0.14) * change * arch
        fall = fall - raised
        jaw = 0.85 * change
    else:  # The lower lip rises over the teeth to meet the upper one.
        parted = np.clip(seam - _line(upper, x), 0, None)
        fall, raised = parted * (change / rest), np.zeros_like(x)
        jaw = 0.5 * change

    chin = float(face[_CHIN, 1]) - seam
    down = _smooth((v - fall) / np.maximum(chin - fall, 0.1))
    fade = 1 - _smooth((v - chin) / 0.9)
    # From v = -0.2 up the lower field belongs to the eyes.
    out.lower[box][..., 1] -= (v > -0.2) * fall * (1 - down) + jaw * _plateau(x / 0.62) * down * fade
    out.upper[box][..., 1] += raised * (1 - _smooth((-v - raised) / 0.24))

    soft = 1.6 * pixel
    trim = np.minimum(0.012, 0.5 * fall).clip(0) if portrait.teeth else 0.0
    low = np.clip((v - fall) / soft + 0.5, 0, 1)
    up = np.clip((-v - raised - trim) / soft + 0.5, 0, 1)
    out.lower_weight[box] = np.where(v > -0.2, low, out.lower_weight[box])
    gap = np.clip(1 - low - up, 0, 1) * (np.abs(across) < 1)
    color = _cavity(v + raised, np.maximum(fall + raised, 1e-3), across, x, portrait.teeth)
    out.overlay_weight[box] = np.where(v > -0.2, gap, out.overlay_weight[box])
    out.overlay[box] = np.where((v > -0.2)[..., None], color, out.overlay[box])


def _cavity(below: Field, gap: Field, across: Field, x: Field, teeth: bool) -> Field:
    """Inside of a mouth, (h, w, 3): dark, redder where the tongue lies, with an upper tooth row unless it is there."""
    t = np.clip(below / gap, 0, 1)[..., None]
    side = (1 - 0.6 * across * across)[..., None]
    dark = np.array([52, 17, 15], np.float32)
    tongue = np.array([150, 74, 68], np.float32)
    color = dark + (tongue - dark) * _smooth((t - 0.35) / 0.65) * side * _smooth(gap / 0.10)[..., None]
    if teeth:
        return np.asarray(color, np.float32)
    tooth = np.pi * x / 0.075
    tall = np.minimum(0.068, 0.5 * gap) * (0.88 + 0.12 * np.sqrt(np.abs(np.cos(tooth))))
    row = (1 - _smooth((below - tall) / 0.014 + 0.5)) * (0.5 + 0.5 * _smooth(gap / 0.12))
    between = 1 - 0.16 * np.exp(-np.square(np.sin(tooth) / 0.22))
    shade = between * (1 - 0.5 * across * across) * (0.76 + 0.24 * np.clip(below / 0.03, 0, 1))
    white = np.array([238, 202, 164], np.float32) * shade[..., None]
    return np.asarray(color + (white - color) * row[..., None], np.float32)


def _window(at: Field, x0: float, x1: float, y0: float, y1: float) -> tuple[slice, slice] | None:
    """The smallest box of pixels that holds a rectangle of face coordinates; None when it is out of view."""
    within = (at[..., 0] > x0) & (at[..., 0] < x1) & (at[..., 1] > y0) & (at[..., 1] < y1)
    rows, columns = np.flatnonzero(within.any(1)), np.flatnonzero(within.any(0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _line(points: Field, x: Field) -> Field:
    """Height of a polyline, left to right, over x; smoothed, and level beyond its ends."""
    grid = np.linspace(points[0, 0], points[-1, 0], 65)
    order = np.argsort(points[:, 0])
    y = np.interp(grid, points[order, 0], points[order, 1])
    kernel = np.hanning(9)[1:-1] / np.hanning(9).sum()
    bow = np.pad(y, 3, mode="reflect", reflect_type="odd")
    return np.interp(x, grid, np.convolve(bow, kernel, "valid")).astype(np.float32)


def _smooth(t: NDArray[np.floating] | float) -> Field:
    """Smoothstep: 0 up to 0, 1 from 1."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _plateau(t: Field) -> Field:
    """exp(-t^4): 1 over a broad middle, then quickly 0."""
    square = t * t
    return np.exp(-square * square)


def read_colors(image: NDArray[np.uint8], at: Field) -> Field:
    """Colours at (H, W, 2) pixel coordinates, mirrored beyond the border."""
    seen = cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.float32)
