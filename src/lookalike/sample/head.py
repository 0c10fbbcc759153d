"""Turning a flat portrait: where each pixel of the turned picture lies in the still one."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.sample.motion import MotionFrame

Field = NDArray[np.float32]

_STEP = 8
"""Spacing of the nodes at which the turn is solved, in pixels; it is smooth enough to be interpolated between."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceAxes:
    """Coordinates fixed to the face: origin between the eyes, x along them, 1 = outer corner to outer corner."""

    origin: NDArray[np.float64]
    """(2,) in pixels."""
    turn: NDArray[np.float64]
    """(2, 2) rotation, pixels to face."""
    unit: float
    """Outer-eye distance in pixels."""

    @classmethod
    def of(cls, mesh: NDArray[np.floating]) -> "FaceAxes":
        """From a (478, 2) mesh in pixels, MediaPipe order."""
        right, left = np.asarray(mesh[33, :2], np.float64), np.asarray(mesh[263, :2], np.float64)
        along = left - right
        unit = float(np.hypot(*along))
        cos, sin = along / unit
        return cls((right + left) / 2, np.array([[cos, sin], [-sin, cos]]), unit)

    def to_face(self, xy: NDArray[np.floating]) -> Field:
        """(..., 2) pixels to face coordinates."""
        (a, b), (c, d) = self.turn / self.unit
        x, y = xy[..., 0] - self.origin[0], xy[..., 1] - self.origin[1]
        return np.stack([a * x + b * y, c * x + d * y], -1).astype(np.float32)

    def to_pixels(self, xy: NDArray[np.floating]) -> Field:
        """(..., 2) face coordinates to pixels."""
        return np.asarray(self.vector_to_pixels(xy) + self.origin, np.float32)

    def vector_to_pixels(self, xy: NDArray[np.floating]) -> Field:
        """(..., 2) displacements in face coordinates to pixels."""
        (a, b), (c, d) = self.turn * self.unit
        x, y = xy[..., 0], xy[..., 1]
        return np.stack([a * x + c * y, b * x + d * y], -1).astype(np.float32)


def still_coordinates(size_wh: tuple[int, int], axes: FaceAxes, motion: MotionFrame) -> Field:
    """For every pixel of the turned picture, its place in the still one.

    The head is a dome with a nose on it that rotates about the ears' plane, and tilts about the neck; the background
    follows less and less away from it, so nothing tears. The forward motion is inverted by fixed-point steps, which
    converge because its slope stays under 1 for the angles used here.

    Returns:
        (H, W, 2) float32 x, y in pixels; exactly the pixel grid when nothing moves.
    """
    width, height = size_wh
    grid = np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), -1)
    camera = np.asarray(motion.shift, np.float32) * width
    if motion.yaw == motion.pitch == motion.roll == 0:
        return np.asarray(grid - camera, np.float32)

    nodes_x, nodes_y = (np.arange(-(-n // _STEP) + 2, dtype=np.float32) * _STEP - _STEP for n in size_wh)
    target = axes.to_face(np.stack(np.meshgrid(nodes_x, nodes_y), -1) - camera)
    still = target
    for _ in range(12):
        still = target - _head_motion(still, motion)
    move = axes.vector_to_pixels(still - target)
    dense = cv2.remap(move, grid[..., 0] / _STEP + 1, grid[..., 1] / _STEP + 1, cv2.INTER_CUBIC)
    return np.asarray(grid - camera + dense, np.float32)


def _head_motion(face_xy: Field, motion: MotionFrame) -> Field:
    """Forward displacement of points of the still head, (..., 2) in face coordinates."""
    x, y = face_xy[..., 0], face_xy[..., 1]
    yaw, pitch, roll = np.deg2rad([motion.yaw, motion.pitch, motion.roll]).astype(np.float32)
    depth, weight = head_depth(x, y), _head_weight(x, y)
    # The neck carries the head along: it sways sideways with yaw and down with pitch.
    dx = depth * np.sin(yaw) + weight * (x * (np.cos(yaw) - 1) + 0.10 * np.sin(yaw))
    dy = depth * np.sin(pitch) + weight * ((y - 0.5) * (np.cos(pitch) - 1) + 0.12 * np.sin(pitch))
    up = y - 1.7
    dx = dx + weight * (x * (np.cos(roll) - 1) - up * np.sin(roll))
    dy = dy + weight * (up * (np.cos(roll) - 1) + x * np.sin(roll))
    return np.stack([dx, dy], -1)


def head_depth(x: Field, y: Field) -> Field:
    """Depth in front of the ears' plane, in outer-eye distances: a dome and a nose, fitted to the mesh model's z."""
    rim = (x / 1.12) ** 2 + np.abs((y - 0.1) / 1.6) ** 4
    dome = 1.05 * np.clip(1 - rim, 0, None) ** 1.5
    nose = 0.28 * np.exp(-((x / 0.19) ** 2) - ((y - 0.40) / 0.27) ** 2)
    return np.asarray(dome + nose, np.float32)


def _head_weight(x: Field, y: Field) -> Field:
    """1 on the head and its hair or hat, down to 0 in the background and on the shoulders."""
    far = np.sqrt((x / 1.2) ** 2 + ((y + 0.1) / 1.45) ** 2)
    t = np.clip((1.75 - far) / 0.8, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
