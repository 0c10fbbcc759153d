"""Faces of one person in memory, ready to be drawn in batches on the training device."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lookalike.errors import EmptyFacesetError, FacesetError
from lookalike.face_region import face_region
from lookalike.faceset import FaceRecord, list_faces, load_face
from lookalike.geometry import align_matrix, invert, rescale, transform
from lookalike.landmarks import GUIDE_POINTS, feature_mask, guide_points
from lookalike.options import FaceType, Geometry, covers, geometry_of


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """All faces of a faceset, decoded once and kept as bytes on the device."""

    faces: Tensor
    """(N, 5, S, S) uint8: red, green, blue, face region (255 inside), eyes and mouth (255 inside)."""
    points: Tensor
    """(N, P, 2) float32 landmarks and irises, crop coordinates in [-1, 1]."""
    color_mean: Tensor
    """(N, 3) float32 mean R, G, B inside the region, in [0, 1]."""
    color_std: Tensor
    """(N, 3) float32 standard deviation of the same."""

    def __len__(self) -> int:
        return len(self.faces)


def load_person(
    folder: Path, resolution: int, face_type: FaceType, device: torch.device, geometry: Geometry | None = None
) -> Person:
    """Read a faceset for a network of side `resolution`.

    Faces are kept at twice that side, so that a turned and shifted face is still sharp after it is reduced.

    Raises:
        EmptyFacesetError: no faces in the folder.
        FacesetError: the faces show less than the face type needs.
        RecordError: a file is no face of ours.
    """
    paths = list_faces(folder)
    if not paths:
        raise EmptyFacesetError(f"no faces in {folder}; run extract, or put removed faces back")
    faces = (_wide_enough(load_face(path), path, face_type) for path in paths)
    return stack_faces(faces, len(paths), 2 * resolution, face_type, device, geometry)


def stack_faces(
    faces: Iterable[tuple[NDArray[np.uint8], FaceRecord]],
    count: int,
    side: int,
    face_type: FaceType,
    device: torch.device,
    geometry: Geometry | None = None,
) -> Person:
    """Bring `count` faces to one side and one face type, with their masks and colours."""
    stacked = np.empty((count, 5, side, side), np.uint8)
    points = np.empty((count, GUIDE_POINTS, 2), np.float32)
    mean, std = np.empty((count, 3), np.float32), np.empty((count, 3), np.float32)
    for i, (image, record) in enumerate(faces):
        crop, matrix = _recrop(image, record, side, face_type, geometry)
        landmarks, mesh = transform(matrix, record.landmarks_array()), transform(matrix, record.mesh_array())
        region = face_region(crop, landmarks, mesh)
        points[i] = guide_points(landmarks, mesh, side)
        stacked[i, :3] = crop.transpose(2, 0, 1)
        stacked[i, 3] = np.round(region * 255)
        stacked[i, 4] = feature_mask(landmarks, side) * 255
        inside = region > 0.5
        colors = crop[inside if inside.any() else slice(None)].reshape(-1, 3).astype(np.float32) / 255
        mean[i], std[i] = colors.mean(0), colors.std(0)
    tensors = (torch.from_numpy(a).to(device) for a in (stacked, points, mean, std))
    return Person(*tensors)


def _wide_enough(
    face: tuple[NDArray[np.uint8], FaceRecord], path: Path, face_type: FaceType
) -> tuple[NDArray[np.uint8], FaceRecord]:
    if not covers(face[1].face_type, face_type):
        raise FacesetError(
            f"{path} is a {face[1].face_type} face and the model needs {face_type}; "
            f"extract with --face-type {face_type}, or train with --face-type {face[1].face_type}"
        )
    return face


def _recrop(
    image: NDArray[np.uint8], record: FaceRecord, side: int, face_type: FaceType, geometry: Geometry | None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """An aligned face brought to another side, and to another face type if it is of a different one; and its matrix."""
    if (face_type, geometry_of(face_type, geometry)) == (record.face_type, record.geometry):
        method = cv2.INTER_AREA if side < record.size else cv2.INTER_CUBIC
        crop = cv2.resize(image, (side, side), interpolation=method)
        return np.asarray(crop, np.uint8), rescale(record.matrix_array(), side / record.size)
    matrix = align_matrix(record.landmarks_array(), side, face_type, geometry)
    through = np.vstack([matrix, [0, 0, 1]]) @ np.vstack([invert(record.matrix_array()), [0, 0, 1]])
    crop = cv2.warpAffine(image, through[:2], (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8), matrix
