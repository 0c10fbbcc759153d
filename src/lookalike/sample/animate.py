"""One frame of a demo clip: a portrait, turned, with an expression, under a light."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lookalike.sample.features import express, read_colors
from lookalike.sample.head import FaceAxes, Field, still_coordinates
from lookalike.sample.motion import MotionFrame
from lookalike.sample.portraits import Portrait


def render(portrait: Portrait, mesh: NDArray[np.floating], motion: MotionFrame) -> NDArray[np.uint8]:
    """Draw a frame.

    Args:
        portrait: the still.
        mesh: (478, 2) of the face in the still, in its pixels, MediaPipe order; further columns are ignored.
        motion: what to show; `rest_motion(mesh)` gives the still back.

    Returns:
        (H, W, 3) uint8 RGB, as large as the portrait.
    """
    if mesh.ndim != 2 or mesh.shape[0] != 478 or mesh.shape[1] < 2:
        raise ValueError(f"mesh must be (478, 2), got {mesh.shape}")
    axes = FaceAxes.of(mesh)
    height, width = portrait.image.shape[:2]
    still = still_coordinates((width, height), axes, motion)
    image = read_colors(portrait.image, still)

    places = axes.to_face(still)
    box = _face_window(places)
    shown = express(portrait, axes, mesh, places[box], motion)
    upper = read_colors(portrait.image, still[box] + axes.vector_to_pixels(shown.upper))
    lower = read_colors(portrait.image, still[box] + axes.vector_to_pixels(shown.lower))
    low, over = shown.lower_weight[..., None], shown.overlay_weight[..., None]
    image[box] = upper + low * (lower - upper) + over * (shown.overlay - upper)
    return _lit(image, *motion.light)


def _face_window(places: Field) -> tuple[slice, slice]:
    """The pixels that an expression may move: 1.3 to either side of the eyes' middle, hair to collar."""
    x, y = places[..., 0], places[..., 1]
    within = (np.abs(x) < 1.3) & (y > -0.9) & (y < 2.5)
    rows, columns = np.flatnonzero(within.any(1)), np.flatnonzero(within.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def animate(
    portrait: Portrait, mesh: NDArray[np.floating], motions: Iterable[MotionFrame]
) -> Iterator[NDArray[np.uint8]]:
    """Frames of a clip, one per motion."""
    for motion in motions:
        yield render(portrait, mesh, motion)


def _lit(image: Field, stops: float, warmth: float) -> NDArray[np.uint8]:
    gain = np.array([1 + warmth, 1, 1 - warmth], np.float32) * np.float32(2.0**stops)
    return np.asarray(np.clip(np.rint(image * gain), 0, 255), np.uint8)
