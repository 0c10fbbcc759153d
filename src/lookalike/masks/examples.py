"""What a mask network learns from: a face, changed and covered at random, with what of it is still seen. Pure.

Source: that covering faces with drawn hands and with shapes of any texture teaches a network about real ones is from
Voo et al., "Delving into high-quality synthetic face occlusion segmentation datasets", CVPRW 2022.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.geometry import invert, transform
from lookalike.landmarks import GUIDE_MIRROR, hull_mask
from lookalike.masks.labelled import LabelledFace
from lookalike.masks.layers import Scene, lay_over, soft_noise
from lookalike.masks.things import glare, moved_blur, obstruction

_COVERED = 0.65
"""Share of the examples with something in front."""
_ROTATION, _SCALE, _SHIFT, _ASPECT = np.radians(18), 0.2, 0.08, 0.08
_BEND = 0.012
"""Deviation, in sides, of the smooth field that bends an example."""
_TURNED = 0.35
"""Share of the examples with one half of the face narrower than the other."""
_UNTOLD = 0.15
"""Share of the examples without the outline of the landmarks."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """What the network is given, and what it shall say."""

    picture: NDArray[np.uint8]
    """(S, S, 3) RGB."""
    outline: NDArray[np.uint8]
    """(S, S), 255 inside of the landmarks; all 0 if it is not told."""
    label: NDArray[np.uint8]
    """(S, S), 255 where the face is seen."""


def make_example(
    face: LabelledFace, stranger: LabelledFace, side: int, rng: np.random.Generator, covered: float = _COVERED
) -> Example:
    """Change a face at random and lay things over it.

    Args:
        face: what it is made of.
        stranger: another face, which lends things its textures.
        side: S.
        covered: share of the examples with something in front.
    """
    picture, label, landmarks = _moved(face, side, rng)
    other = cv2.resize(stranger.picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    tone = _tone(rng)
    picture = _toned(picture, tone)
    if rng.random() < 0.12:
        picture = _bearded(picture, landmarks, rng)
    noise = 0.004
    if rng.random() < covered:
        noise = 0.02
        for _ in range(1 + int(rng.random() < 0.35)):
            scene = Scene(
                picture,
                landmarks,
                _skin(picture, landmarks, label),
                _hair(picture, landmarks, label),
                np.asarray(other, np.float32),
            )
            layer = obstruction(scene, rng)
            picture = lay_over(picture, layer, rng)
            label = label * (1 - layer.alpha)
            if rng.random() < 0.05:
                picture = lay_over(picture, glare(scene, rng), rng)
    picture = _lit(_cut_off(_worn(picture, rng), label, rng), rng)
    outline = np.zeros((side, side), np.uint8)
    if rng.random() > _UNTOLD:
        outline = hull_mask(_shaken(landmarks, noise, side, rng), (side, side)) * np.uint8(255)
    return Example(_bytes(picture), outline, _bytes(label))


def _moved(
    face: LabelledFace, side: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Picture, label and landmarks after a random similarity, a stretch, a mirror and a smooth bend."""
    angle, scale = rng.normal(0, _ROTATION / 1.5), np.exp(rng.uniform(-_SCALE, _SCALE))
    aspect = np.exp(rng.uniform(-_ASPECT, _ASPECT))
    mirror = rng.choice([-1.0, 1.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([aspect * mirror, 1 / aspect]) * scale
    middle = np.full(2, (side - 1) / 2)
    forward = np.hstack([linear, (middle + rng.uniform(-_SHIFT, _SHIFT, 2) * side - linear @ middle)[:, None]])
    bend = np.stack([soft_noise(rng, side, int(rng.integers(2, 5))) for _ in range(2)], 2)
    bend *= np.float32(_BEND * side * rng.uniform(0, 1.4))
    if rng.random() < _TURNED:
        bend += _sideways(angle, side, rng)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    places = np.dstack([x, y]) + bend
    inside = transform(face.matrix, transform(invert(forward), places)).astype(np.float32)
    maps = inside[..., 0], inside[..., 1]
    border = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    picture = cv2.remap(face.picture, *maps, cv2.INTER_LINEAR, borderMode=border)
    label = cv2.remap(face.label, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    landmarks = _bent(transform(forward, face.landmarks), bend)
    if mirror < 0:
        landmarks = landmarks[list(GUIDE_MIRROR[:68])]
    unit = np.float32(255)
    return np.asarray(picture, np.float32) / unit, np.asarray(label, np.float32) / unit, landmarks


def _sideways(angle: float, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(S, S, 2) shift that makes one half of a face narrower and the other wider, a little like a turn of the head."""
    line = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    across = np.clip(x * cos + y * sin, -1, 1)
    way = np.float32(rng.uniform(-0.42, 0.42) * side / 2) * (across**2 - np.float32(0.3))
    return np.asarray(np.dstack([way * cos, way * sin]), np.float32)


def _bent(points: NDArray[np.float64], bend: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where points are seen in a picture whose pixel p shows what was at p + bend[p]."""
    seen = points
    for _ in range(5):
        at = np.round(seen).astype(int).clip(0, len(bend) - 1)
        seen = points - bend[at[:, 1], at[:, 0]]
    return np.asarray(seen, np.float64)


def _tone(rng: np.random.Generator) -> NDArray[np.float64]:
    """Gain, gamma and saturation: other skins and other light."""
    gain = np.exp(rng.normal(-0.1, 0.35) + rng.normal(0, 0.12, 3))
    return np.concatenate(
        [gain, [np.exp(rng.normal(0, 0.3)), np.exp(rng.normal(0, 0.3)) if rng.random() > 0.08 else 0]]
    )


def _toned(picture: NDArray[np.float32], tone: NDArray[np.float64]) -> NDArray[np.float32]:
    grey = picture.mean(2, keepdims=True)
    colored = grey + (picture - grey) * np.float32(tone[4])
    return np.asarray(
        (np.clip(colored, 0, 1) ** np.float32(tone[3]) * tone[:3].astype(np.float32)).clip(0, 1), np.float32
    )


def _bearded(
    picture: NDArray[np.float32], landmarks: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Stubble or a beard, which is part of the face."""
    side = len(picture)
    area = np.concatenate([landmarks[2:15], landmarks[[35, 33, 31]]])
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(area).astype(np.int32)], 255)
    cv2.fillPoly(mask, [np.round(landmarks[48:60]).astype(np.int32)], 0)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), side / 60)
    grain = 0.6 + 0.4 * rng.random((side, side)).astype(np.float32)
    strength = (soft * grain * np.float32(rng.uniform(0.15, 0.85)))[..., None]
    color = np.asarray(rng.uniform(0.02, 0.4) * np.array([1, 0.8, 0.65]), np.float32)
    return np.asarray(picture * (1 - strength) + color * strength, np.float32)


def _skin(
    picture: NDArray[np.float32], landmarks: NDArray[np.float64], label: NDArray[np.float32]
) -> NDArray[np.float32]:
    mask = np.zeros(label.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(landmarks[[41, 46, 54, 48]]).astype(np.int32)), 1)
    chosen = picture[(mask > 0) & (label > 0.5)]
    return np.asarray(np.median(chosen, 0) if len(chosen) > 20 else [0.6, 0.45, 0.38], np.float32)


def _hair(
    picture: NDArray[np.float32], landmarks: NDArray[np.float64], label: NDArray[np.float32]
) -> NDArray[np.float32]:
    top = int(np.clip(landmarks[17:27, 1].min(), 1, len(picture)))
    near = cv2.dilate((label > 0.5).astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    chosen = picture[:top][near[:top] & (label[:top] < 0.1)]
    return np.asarray(np.median(chosen, 0) if len(chosen) > 20 else [0.15, 0.1, 0.08], np.float32)


def _worn(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """What lenses, sensors and codecs do."""
    side = len(picture)
    if rng.random() < 0.25:
        small = max(40, round(side * rng.uniform(0.18, 0.8)))
        reduced = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(reduced, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)
    elif rng.random() < 0.25:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 3.2)), np.float32)
    elif rng.random() < 0.08:
        picture = moved_blur(picture, rng.uniform(2, 10), rng.uniform(0, np.pi))
    if rng.random() < 0.4:
        picture = picture + rng.normal(0, rng.uniform(0.003, 0.03), picture.shape).astype(np.float32)
    if rng.random() < 0.35:
        quality = int(rng.integers(25, 90))
        coded = cv2.imencode(".jpg", _bytes(picture), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.float32) / np.float32(255)
    return np.asarray(picture, np.float32)


def _lit(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Light that falls unevenly or from one side, cast shadows, shine, and an exposure of its own."""
    side = len(picture)
    if rng.random() < 0.4:
        field = np.exp(np.float32(rng.uniform(0.05, 0.45)) * soft_noise(rng, side, int(rng.integers(1, 4))))
        picture = picture * field[..., None]
    if rng.random() < 0.35:
        y, x = np.mgrid[0:side, 0:side].astype(np.float32) / np.float32(side) - np.float32(0.5)
        angle, dark = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.7)
        slope = (x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.25, 0.25)) / rng.uniform(0.03, 0.25)
        shade = np.asarray(dark + (1 - dark) / (1 + np.exp(-slope)), np.float32)
        picture = picture * shade[..., None]
    if rng.random() < 0.25:
        edge = (soft_noise(rng, side, int(rng.integers(1, 5))) - rng.uniform(0, 1)) / rng.uniform(0.05, 0.6)
        picture = picture * (1 - np.float32(rng.uniform(0.2, 0.75)) / (1 + np.exp(-edge)))[..., None]
    if rng.random() < 0.25:
        bumps = np.clip(soft_noise(rng, side, int(rng.integers(4, 9))) - np.float32(1.1), 0, 1)[..., None]
        picture = picture + np.sqrt(np.maximum(picture, 0)) * bumps * np.float32(rng.uniform(0.2, 1))
    return np.asarray(np.clip(picture * np.float32(np.exp(rng.normal(0.05, 0.25))), 0, 1), np.float32)


def _cut_off(picture: NDArray[np.float32], label: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The picture's own border, as at the edge of a frame or of a narrower crop: black, or its last row repeated.

    `label` is cut in place.
    """
    if rng.random() > 0.15:
        return picture
    side = len(picture)
    cut, repeated = picture.copy(), rng.random() < 0.5
    for edge in range(4):
        if rng.random() < 0.6:
            continue
        depth = int(rng.uniform(0, 0.22) * side) + 1
        turned = np.rot90(cut, edge)
        turned[:depth] = turned[depth] if repeated else 0
        np.rot90(label, edge)[:depth] = 0
    return cut


def _shaken(landmarks: NDArray[np.float64], noise: float, side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Landmarks as a landmarker might have said them: those of the jaw are the least sure."""
    middle = landmarks.mean(0)
    whole = middle + (landmarks - middle) * np.exp(rng.normal(0, noise)) + rng.normal(0, noise * side * 0.5, 2)
    loose = np.cumsum(rng.normal(0, noise * side * 0.25, (17, 2)), 0)
    whole[:17] += loose - loose.mean(0) + rng.normal(0, noise * side * 0.4, 2)
    return np.asarray(whole + rng.normal(0, 0.003 * side, whole.shape))


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.round(np.clip(values, 0, 1) * 255), np.uint8)
