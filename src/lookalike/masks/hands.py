"""Hands before a face, drawn from capsules: fingers, palm and arm as a landscape of heights, lit from a side. Pure.

A capsule is what a ball sweeps that goes from one point to another and changes its size on the way. Where two of them
overlap the higher one is seen, and the shade follows the slope, so fingers are round and part where they meet.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.masks.layers import Layer, Plane, Scene, jittered, soft_noise

_PALM = 0.6
"""Breadth of a palm in widths of the face. Source: mean breadths of hand (8.4 cm) and face (13.9 cm) of adults."""
_LENGTHS = (0.86, 0.97, 0.90, 0.70)
"""Index to little finger, in breadths of the palm."""
_RADII = (0.115, 0.118, 0.112, 0.098)
_BASES = (-0.36, -0.12, 0.12, 0.34)
"""Where fingers begin, across the palm."""


@dataclass(frozen=True, slots=True)
class _Capsule:
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    radii: tuple[float, float]
    lift: float
    """Height of its axis."""
    nail: bool = False


def hand(scene: Scene, rng: np.random.Generator) -> Layer:
    """A hand with an arm, somewhere on the face, in a skin like the face's."""
    unit = scene.width * _PALM * rng.uniform(0.75, 1.3)
    capsules = _skeleton(rng)
    tips = [c.end for c in capsules if c.nail] or [capsules[0].end]
    held = tips[int(rng.integers(len(tips)))] * rng.uniform(0.2, 1.0)
    goal = scene.landmarks[int(rng.integers(68))] + rng.normal(0, 0.12 * scene.width, 2)
    angle = rng.normal(0, 0.6) if rng.random() < 0.7 else rng.choice([-1.0, 1.0]) * rng.uniform(0.7, 2.2)
    mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ mirror * unit
    placed = [
        _Capsule(
            turn @ (c.start - held) + goal, turn @ (c.end - held) + goal, _times(c.radii, unit), c.lift * unit, c.nail
        )
        for c in capsules
    ]
    return _lit(placed, scene, rng, unit)


def _skeleton(rng: np.random.Generator) -> list[_Capsule]:
    """Capsules in breadths of the palm: fingers point up (negative y), the wrist is at (0, 1)."""
    capsules: list[_Capsule] = []
    wrist = np.array([0.0, 1.05])
    spread, bend, curl = rng.uniform(-0.04, 0.3), rng.normal(0, 0.12), rng.uniform(0.35, 1.0)
    shown = rng.random(4) < (0.95 if rng.random() < 0.7 else 0.5)
    for base, length, radius, seen in zip(_BASES, _LENGTHS, _RADII, shown, strict=True):
        root = np.array([base, -0.05 * np.cos(base * 3) + rng.normal(0, 0.015)])
        capsules.append(_Capsule(wrist + np.array([base * 0.8, 0]), root, (0.17, 0.135), rng.uniform(-0.03, 0.03)))
        at, angle = root, base * spread * 3 + bend + rng.normal(0, 0.05)
        own = np.clip(curl + rng.normal(0, 0.12), 0.25, 1.05) * (1.0 if seen else 0.35)
        lift = rng.normal(0, 0.04)
        for part, share in enumerate((0.46, 0.30, 0.24)):
            angle += rng.normal(0, 0.05) + (1 - own) * rng.normal(0, 0.1)
            end = at + np.array([np.sin(angle), -np.cos(angle)]) * length * share * own
            size = radius * rng.uniform(0.94, 1.04)
            capsules.append(_Capsule(at, end, (size * (1 - 0.07 * part), size * (0.95 - 0.08 * part)), lift, part == 2))
            at, lift = end, lift + rng.normal(0, 0.03)
    if rng.random() < 0.8:
        at, angle = np.array([-0.42, 0.55]), -rng.uniform(0.2, 1.3)
        capsules.append(_Capsule(wrist, at, (0.2, 0.17), 0.0))
        for part, share in enumerate((0.45, 0.35)):
            angle += rng.normal(0.15, 0.2)
            end = at + np.array([np.sin(angle), -np.cos(angle)]) * share
            capsules.append(_Capsule(at, end, (0.145 - 0.02 * part, 0.12 - 0.015 * part), 0.05, part == 1))
            at = end
    sway = rng.normal(0, 0.25)
    elbow = wrist + np.array([np.sin(sway), np.cos(sway)]) * 4
    capsules.append(_Capsule(wrist + np.array([0, -0.1]), elbow, (0.32, 0.45), -0.05))
    return capsules


def _lit(capsules: list[_Capsule], scene: Scene, rng: np.random.Generator, unit: float) -> Layer:
    side = scene.side
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    height = np.full((side, side), -1e3, np.float32)
    alpha = np.zeros((side, side), np.float32)
    ink = np.zeros((side, side), np.float32)
    nails = np.zeros((side, side), np.float32)
    for capsule in capsules:
        box = _box(capsule, side)
        if box is None:
            continue
        along, across, radius = _around(capsule, x[box], y[box])
        top = np.float32(capsule.lift) + np.sqrt(np.maximum(radius**2 - across**2, 0))
        inside = across < radius
        seen = inside & (top > height[box])
        ink[box] = np.where(seen, _creases(along, capsule, unit), ink[box])
        nail = _nail(along, across, radius, capsule) if capsule.nail else np.zeros_like(along)
        nails[box] = np.where(seen, nail, nails[box])
        height[box] = np.where(seen, top, height[box])
        alpha[box] = np.maximum(alpha[box], np.clip(radius - across + 0.5, 0, 1))
    return _shaded(height, alpha, ink, nails, scene, rng, unit)


def _shaded(
    height: Plane, alpha: Plane, ink: Plane, nails: Plane, scene: Scene, rng: np.random.Generator, unit: float
) -> Layer:
    side = scene.side
    floor = np.float32(height[alpha > 0.5].min() if (alpha > 0.5).any() else 0)
    ground = np.maximum(height, floor - np.float32(0.02 * unit))
    smooth = cv2.GaussianBlur(ground, (0, 0), max(0.5, unit * 0.008))
    slope_x, slope_y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(smooth, cv2.CV_32F, 0, 1) / 8
    flat = np.float32(rng.uniform(0.5, 1.6))
    normal = np.dstack([-slope_x, -slope_y, np.full_like(slope_x, flat)])
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    light = np.array([rng.normal(0, 0.7), rng.normal(-0.5, 0.5), 1.0])
    light /= np.linalg.norm(light)
    facing = np.clip(normal @ light.astype(np.float32), 0, 1)
    ambient = rng.uniform(0.35, 0.85)
    shade = ambient + (1 - ambient) * facing
    hollow = np.clip((cv2.GaussianBlur(ground, (0, 0), max(0.7, unit * 0.04)) - ground) / (0.12 * unit), 0, 1)
    shade *= 1 - rng.uniform(0.2, 0.8) * hollow
    shade *= 1 - rng.uniform(0.05, 0.35) * ink
    shade *= 1 + np.float32(rng.uniform(0, 0.06)) * soft_noise(rng, side, 14)
    shade /= max(float(np.percentile(shade[alpha > 0.5], 80)) if (alpha > 0.5).any() else 1.0, 0.1)
    skin = jittered(scene.skin, rng, 0.28, 0.05) if rng.random() < 0.8 else jittered(scene.skin, rng, 0.8, 0.15)
    color = skin[None, None] * shade[..., None]
    red = np.clip(soft_noise(rng, side, 9), 0, 2)[..., None] * np.float32(rng.uniform(0, 0.08))
    color = color * (1 + red * np.array([0.4, -0.6, -0.4], np.float32))
    color = color + rng.normal(0, 0.012, color.shape).astype(np.float32)
    varnish = (
        np.asarray(rng.uniform(0.1, 1, 3), np.float32) if rng.random() < 0.2 else jittered(skin * 1.15, rng, 0.1, 0.06)
    )
    strength = nails[..., None] * np.float32(rng.uniform(0, 0.9) if rng.random() < 0.6 else 0)
    color = color * (1 - strength) + varnish * (0.6 + 0.4 * facing[..., None]) * strength
    return Layer(np.clip(color, 0, 1).astype(np.float32), alpha, depth=unit * rng.uniform(0.02, 0.12))


def _box(capsule: _Capsule, side: int) -> tuple[slice, slice] | None:
    """The part of the canvas that a capsule reaches."""
    reach = max(capsule.radii) + 1
    low = np.floor(np.minimum(capsule.start, capsule.end) - reach).astype(int).clip(0, side)
    high = np.ceil(np.maximum(capsule.start, capsule.end) + reach + 1).astype(int).clip(0, side)
    return (slice(low[1], high[1]), slice(low[0], high[0])) if (high > low).all() else None


def _around(capsule: _Capsule, x: Plane, y: Plane) -> tuple[Plane, Plane, Plane]:
    """Place along the axis (0 to 1, less and more at the round ends), distance from it, and radius there."""
    way = capsule.end - capsule.start
    length = max(float(way @ way), 1e-6)
    free = ((x - capsule.start[0]) * way[0] + (y - capsule.start[1]) * way[1]) / length
    t = np.clip(free, 0, 1)
    across = np.hypot(x - capsule.start[0] - t * way[0], y - capsule.start[1] - t * way[1])
    radius = capsule.radii[0] + t * (capsule.radii[1] - capsule.radii[0])
    return np.asarray(free, np.float32), np.asarray(across, np.float32), np.asarray(radius, np.float32)


def _creases(along: Plane, capsule: _Capsule, unit: float) -> Plane:
    """Dark lines across a joint, where a capsule begins."""
    length = max(float(np.hypot(*(capsule.end - capsule.start))), 1e-3)
    place = along * length / (0.03 * unit)
    return np.asarray(np.exp(-(place**2)) * (0.6 + 0.4 * np.cos(place * 4)), np.float32)


def _nail(along: Plane, across: Plane, radius: Plane, capsule: _Capsule) -> Plane:
    length = max(float(np.hypot(*(capsule.end - capsule.start))), 1e-3)
    place = (along - 1) * length / max(capsule.radii[1], 1e-3)
    return np.asarray(((place / 0.9) ** 2 + (across / radius / 0.65) ** 2 < 1).astype(np.float32), np.float32)


def _times(radii: tuple[float, float], unit: float) -> tuple[float, float]:
    return radii[0] * unit, radii[1] * unit
