"""Faces of ellipses, drawn together with their points: as much of a face as alignment, masks and training need."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord, face_name, make_face, save_face
from lookalike.landmarks import MESH_OVAL
from lookalike.mean_face import SOLID
from lookalike.types import Face

FRAME_WH = (200, 180)


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of a drawn person."""

    skin: tuple[int, int, int]
    eyes: tuple[int, int, int]
    lips: tuple[int, int, int]


SRC = Look((220, 170, 140), (40, 90, 160), (190, 60, 70))
DST = Look((120, 90, 70), (60, 40, 20), (120, 40, 50))


def model_landmarks() -> NDArray[np.float64]:
    """(68, 2) landmarks of the specification's alignment vectors: the solid face seen from in front, at (320, 260)."""
    return SOLID[:, :2] * 2 + [320, 260]


def symmetric(points: NDArray[np.floating], mirror: tuple[int, ...]) -> NDArray[np.float64]:
    """The points and their mirror image about x = 0, averaged."""
    return (np.asarray(points, np.float64) + points[list(mirror)] * [-1, 1]) / 2


def mesh_around(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """(478, 2) points: the oval's on an ellipse, the irises about the eyes, the others anywhere inside."""
    low, high = landmarks.min(0), landmarks.max(0)
    centre, radii = (low + high) / 2 - [0, 0.12 * (high - low)[1]], (high - low) * [0.55, 0.68]
    rng = np.random.default_rng(0)
    angle, distance = rng.uniform(0, 2 * np.pi, 478), rng.uniform(0, 0.9, 478)
    mesh = centre + radii * (np.stack([np.cos(angle), np.sin(angle)], 1) * distance[:, None])
    turn = np.linspace(0, 2 * np.pi, len(MESH_OVAL), endpoint=False)  # from the hairline, clockwise
    mesh[list(MESH_OVAL)] = centre + radii * np.stack([np.sin(turn), -np.cos(turn)], 1)
    for first, eye in ((468, landmarks[36:42]), (473, landmarks[42:48])):
        reach = np.ptp(eye[:, 0]) / 5
        mesh[first : first + 5] = eye.mean(0) + np.array([(0, 0), (1, 0), (0, -1), (-1, 0), (0, 1)]) * reach
    return np.asarray(mesh, np.float32)


def face_at(landmarks: NDArray[np.floating], score: float = 0.9) -> Face:
    """A face with these (68, 2) landmarks."""
    mesh = mesh_around(landmarks)
    box = np.concatenate([mesh.min(0), mesh.max(0)]).astype(np.float32)
    return Face(box, score, np.asarray(landmarks, np.float32), mesh)


def draw_person(look: Look, number: int) -> tuple[NDArray[np.uint8], Face]:
    """A (180, 200, 3) uint8 picture and the face in it; place, tilt and mouth change with `number`."""
    rng = np.random.default_rng(number)
    angle, scale = rng.uniform(-0.2, 0.2), rng.uniform(0.7, 0.9)
    flat = SOLID[:, :2].copy()
    flat[55:60, 1] += rng.uniform(0, 12)
    flat[65:68, 1] += rng.uniform(0, 12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = flat @ turn.T * scale + [100 + rng.uniform(-15, 15), 95 + rng.uniform(-10, 10)]
    face = face_at(landmarks)
    picture = np.full((FRAME_WH[1], FRAME_WH[0], 3), (60, 70, 80), np.uint8)
    _fill(picture, face.mesh[list(MESH_OVAL)], look.skin)
    for eye in (range(36, 42), range(42, 48)):
        _fill(picture, landmarks[list(eye)], (240, 240, 240))
    for iris in (468, 473):
        _fill(picture, face.mesh[iris + 1 : iris + 5], look.eyes)
    _fill(picture, landmarks[48:60], look.lips)
    _fill(picture, landmarks[60:68], (30, 10, 10))
    return picture, face


def drawn_record(look: Look = SRC, number: int = 0, size: int = 64) -> tuple[NDArray[np.uint8], FaceRecord]:
    """An aligned face and its record."""
    picture, face = draw_person(look, number)
    return make_face(
        picture,
        face,
        source="drawn.mp4",
        frame=number,
        time_seconds=number / 25,
        number=0,
        size=size,
        face_type="full",
        track=0,
    )


def write_faceset(folder: Path, look: Look, count: int, size: int = 64) -> Path:
    """Save `count` aligned faces of a drawn person."""
    folder.mkdir(parents=True)
    for number in range(count):
        crop, record = drawn_record(look, number, size)
        save_face(folder / face_name(record), crop, record)
    return folder


def _fill(picture: NDArray[np.uint8], points: NDArray[np.floating], color: tuple[int, int, int]) -> None:
    cv2.fillPoly(picture, [np.round(points * 16).astype(np.int32)], color, cv2.LINE_AA, 4)
