"""What a demo clip does over time: pure curves from a role, a seed and a frame count."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]
Role = Literal["src", "dst"]

FRAMES_PER_SECOND = 25


@dataclass(frozen=True, slots=True)
class MotionFrame:
    """Pose, expression, light and camera of one frame."""

    yaw: float = 0.0
    """Degrees; positive turns the nose to the right of the picture."""
    pitch: float = 0.0
    """Degrees; positive nods down."""
    roll: float = 0.0
    """Degrees; positive tilts the head clockwise as seen."""
    mouth_open: float = 0.0
    """0 lips closed, 1 wide open; absolute, so a portrait that smiles rests above 0 (see rest_motion)."""
    mouth_wide: float = 0.0
    """-1 pursed, 0 as in the portrait, 1 stretched."""
    blink: float = 0.0
    """0 eyes as in the portrait, 1 closed."""
    brow: float = 0.0
    """-1 lowered, 1 raised."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Right and down, -1..1."""
    light: tuple[float, float] = (0.0, 0.0)
    """Exposure in stops, and warmth: the share by which red rises and blue falls."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Camera drift, as a share of the picture's width: the picture moves right and down."""


RANGES: dict[Role, dict[str, tuple[float, float]]] = {
    "src": {
        "yaw": (-15.0, 15.0),
        "pitch": (-7.0, 8.0),
        "roll": (-5.0, 5.0),
        "mouth_open": (0.0, 1.0),
        "mouth_wide": (-1.0, 1.0),
        "blink": (0.0, 1.0),
        "brow": (-0.6, 1.0),
        "gaze_x": (-1.0, 1.0),
        "gaze_y": (-0.5, 0.5),
        "exposure": (-0.16, 0.16),
        "warmth": (-0.05, 0.05),
        "shift_x": (-0.010, 0.010),
        "shift_y": (-0.006, 0.006),
    },
    "dst": {
        "yaw": (-11.0, 12.0),
        "pitch": (-4.5, 6.0),
        "roll": (-3.5, 3.0),
        "mouth_open": (0.0, 0.85),
        "mouth_wide": (-0.7, 0.7),
        "blink": (0.0, 1.0),
        "brow": (-0.3, 0.8),
        "gaze_x": (-0.7, 0.7),
        "gaze_y": (-0.3, 0.3),
        "exposure": (-0.12, 0.12),
        "warmth": (-0.04, 0.04),
        "shift_x": (-0.008, 0.008),
        "shift_y": (-0.005, 0.005),
    },
}
"""Exact extremes of every curve. src covers dst, so that the model has seen what it must draw."""

_PERIOD_SECONDS = {
    "yaw": 4.2,
    "pitch": 2.3,
    "roll": 3.4,
    "mouth_wide": 0.9,
    "brow": 2.0,
    "gaze_x": 1.6,
    "gaze_y": 2.1,
    "exposure": 6.0,
    "warmth": 8.0,
    "shift_x": 5.0,
    "shift_y": 3.7,
}


def plan_motion(role: Role, seed: int, frames: int) -> list[MotionFrame]:
    """Motion of a clip at 25 frames a second; the same arguments give the same list."""
    if frames < 2:
        raise ValueError(f"frames must be 2 or more, got {frames}")
    rng = np.random.default_rng([seed, ("src", "dst").index(role)])
    curves = {name: _sway(rng, frames, seconds) for name, seconds in _PERIOD_SECONDS.items()}
    curves["mouth_open"] = _talk(rng, frames)
    curves["blink"] = _blinks(rng, frames)
    c = {name: _spread(curves[name], *span) for name, span in RANGES[role].items()}
    return [
        MotionFrame(
            yaw=float(c["yaw"][i]),
            pitch=float(c["pitch"][i]),
            roll=float(c["roll"][i]),
            mouth_open=float(c["mouth_open"][i]),
            mouth_wide=float(c["mouth_wide"][i]),
            blink=float(c["blink"][i]),
            brow=float(c["brow"][i]),
            gaze=(float(c["gaze_x"][i]), float(c["gaze_y"][i])),
            light=(float(c["exposure"][i]), float(c["warmth"][i])),
            shift=(float(c["shift_x"][i]), float(c["shift_y"][i])),
        )
        for i in range(frames)
    ]


def _spread(curve: Curve, low: float, high: float) -> Curve:
    """Scale a curve so that its extremes are exactly low and high; a flat one lies midway."""
    floor, span = curve.min(), np.ptp(curve)
    unit = (curve - floor) / span if span > 0 else np.full_like(curve, 0.5)
    return np.clip(low + unit * (high - low), low, high)


def _sway(rng: np.random.Generator, frames: int, period_seconds: float) -> Curve:
    """Smooth wandering: three sines around a period, in no simple ratio."""
    seconds = np.arange(frames) / FRAMES_PER_SECOND
    total = np.zeros(frames)
    for ratio, weight in ((1.0, 1.0), (0.61, 0.45), (0.37, 0.18)):
        period = period_seconds * ratio * rng.uniform(0.9, 1.1)
        total += weight * np.sin(2 * np.pi * (seconds / period + rng.uniform()))
    return total


def _talk(rng: np.random.Generator, frames: int) -> Curve:
    """Syllables of 0.16 to 0.32 s in phrases of 4 to 9, with pauses between."""
    curve = np.zeros(frames)
    grid = np.arange(frames)
    at = rng.uniform(3, 8)
    while at < frames:
        for _ in range(int(rng.integers(4, 10))):
            width = rng.uniform(4.0, 8.0)
            height = rng.uniform(0.35, 1.0)
            curve = np.maximum(curve, height * np.exp(-(((grid - at) / (0.42 * width)) ** 2)))
            at += width
        at += rng.uniform(6, 14)
    return np.clip(curve - 0.06, 0.0, None)


def _blinks(rng: np.random.Generator, frames: int) -> Curve:
    """A blink of seven frames every 1.2 to 2.8 s; every fourth is held for a moment."""
    curve = np.zeros(frames)
    at, count = min(int(rng.integers(12, 25)), frames // 2), 0
    while at < frames:
        hold = 5 if count % 4 == 3 else 2
        shape = np.array([0.35, 0.85, *[1.0] * hold, 0.75, 0.4, 0.12])
        end = min(frames, at + len(shape))
        curve[at:end] = shape[: end - at]
        at += int(rng.integers(30, 70)) + hold
        count += 1
    return curve
