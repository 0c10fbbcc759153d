"""A picture of something in front of a face, and how it is laid over one. Pure."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Something that covers a part of a face."""

    color: NDArray[np.float32]
    """(S, S, 3) RGB in [0, 1]."""
    alpha: Plane
    """(S, S) in [0, 1]: how much of what is behind it covers."""
    depth: float = 4.0
    """Pixels that its shadow falls away from it; 0 for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What an obstruction needs to know of the face that it shall cover."""

    picture: NDArray[np.float32]
    """(S, S, 3) RGB in [0, 1]."""
    landmarks: NDArray[np.float64]
    """(68, 2) in pixels."""
    skin: NDArray[np.float32]
    """(3,) mean colour of cheeks and nose."""
    hair: NDArray[np.float32]
    """(3,) mean colour of what is above the face."""
    strangers: NDArray[np.float32]
    """(S, S, 3) RGB in [0, 1]: another picture, whose texture things may have."""

    @property
    def side(self) -> int:
        """S."""
        return len(self.picture)

    @property
    def width(self) -> float:
        """Pixels from one edge of the jaw to the other."""
        return float(max(np.ptp(self.landmarks[:17, 0]), 0.25 * self.side))


def lay_over(picture: NDArray[np.float32], layer: Layer, rng: np.random.Generator) -> NDArray[np.float32]:
    """The picture with a layer over it and its shadow under it."""
    below = picture
    if layer.depth:
        angle, reach = rng.uniform(0, 2 * np.pi), layer.depth * rng.uniform(0.3, 1.5)
        move = np.array([[1, 0, reach * np.cos(angle)], [0, 1, abs(reach * np.sin(angle))]])
        shadow = cv2.warpAffine(layer.alpha, move, layer.alpha.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        shadow = cv2.GaussianBlur(shadow, (0, 0), max(0.5, layer.depth * rng.uniform(0.3, 1.2)))
        light = np.asarray(1 - np.float32(rng.uniform(0.1, 0.6)) * shadow, np.float32)
        below = picture * light[..., None]
    alpha = layer.alpha[..., None]
    return np.asarray(below * (1 - alpha) + layer.color * alpha, np.float32)


def jittered(color: NDArray[np.float32], rng: np.random.Generator, light: float, hue: float) -> NDArray[np.float32]:
    """A colour made lighter or darker by up to `light`, and its channels moved apart by up to `hue`; factors."""
    factor = np.exp(rng.uniform(-light, light) + rng.uniform(-hue, hue, 3))
    return np.asarray(np.clip(color * factor, 0.01, 1), np.float32)


def soft_noise(rng: np.random.Generator, side: int, cells: int) -> Plane:
    """(S, S) smooth noise of mean 0 and deviation about 1, `cells` bumps across."""
    small = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    large = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.float32)


def filled(points: NDArray[np.floating], side: int) -> Plane:
    """(S, S) in [0, 1], 1 inside of a polygon of (N, 2) pixels, with a smooth edge."""
    canvas = np.zeros((side, side), np.uint8)
    cv2.fillPoly(canvas, [np.round(np.asarray(points) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / np.float32(255)


def stroke(points: NDArray[np.floating], side: int, thickness: float, *, closed: bool = False) -> Plane:
    """(S, S) in [0, 1], 1 on a line through (N, 2) pixels; thickness in pixels, less than one makes it faint."""
    canvas = np.zeros((side, side), np.uint8)
    line = [np.round(np.asarray(points) * 16).astype(np.int32)]
    whole = max(1, round(thickness))
    cv2.polylines(canvas, line, closed, round(255 * min(1.0, thickness)), whole, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / np.float32(255)
