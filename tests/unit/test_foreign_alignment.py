"""Our aligner beside that of DeepFaceLab 2, whose crops are taken in as they are."""

import io
import pickle
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from drawn_faces import SRC as PERSON
from drawn_faces import draw_person
from drawn_workspace import elsewhere, said
from lookalike.faceset import list_faces, load_record
from lookalike.geometry import align_matrix, transform
from lookalike.mean_face import TEMPLATE
from lookalike.options import FaceType
from lookalike.pipeline.faceset_files import import_faces
from lookalike.pipeline.workspace import Workspace


def similarity_by_equations(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Least squares of a turn, a scale and a move, which are linear in four numbers."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        wanted += [u, v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    return np.array([[a, -b, tx], [b, a, ty]])


def deepfacelab_matrix(landmarks: NDArray[np.floating], size: int, padding: float, up: float) -> NDArray[np.float64]:
    """The alignment of DeepFaceLab 2 by the corners of its square."""
    rigid = [*range(17, 49), 54]
    unit = similarity_by_equations(landmarks[rigid], TEMPLATE[[i - 17 for i in rigid]])
    back = np.asarray(cv2.invertAffineTransform(unit), np.float64)
    corners = transform(back, np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]]))
    first, second, third, fourth, centre = corners
    falling, rising = (third - first), (second - fourth)
    half = np.linalg.norm(falling) * (padding * np.sqrt(2) + 0.5)
    falling, rising = falling / np.linalg.norm(falling), rising / np.linalg.norm(rising)
    centre = centre + up * (first - fourth)
    square = np.array([centre - falling * half, centre + rising * half, centre + falling * half], np.float32)
    found = cv2.getAffineTransform(square, np.array([[0, 0], [size, 0], [size, size]], np.float32))
    return np.asarray(found, np.float64)


@pytest.mark.parametrize(
    ("name", "padding", "up", "face_type"),
    [
        ("half_face", 0.0, 0.0, "half"),
        ("midfull_face", 0.0675, 0.0, "mid-full"),
        ("full_face", 0.2109375, 0.0, "full"),
        ("whole_face", 0.4, 0.07, "whole"),
    ],
)
def test_our_aligner_cuts_where_deepfacelab_did(
    name: str, padding: float, up: float, face_type: FaceType, place: Workspace
) -> None:
    size = 128
    picture, face = draw_person(PERSON, 0)
    matrix = deepfacelab_matrix(face.landmarks.astype(np.float64), size, padding, up)
    crop = np.asarray(cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LANCZOS4), np.uint8)
    told: dict[str, Any] = {
        "face_type": name,
        "landmarks": transform(matrix, face.landmarks).tolist(),
        "source_filename": "00001.png",
        "source_rect": np.array([10, 20, 110, 140]),
        "source_landmarks": face.landmarks.tolist(),
        "image_to_face_mat": matrix,
    }
    (place.folder.parent / "in").mkdir()
    (place.folder.parent / "in" / "00001_0.jpg").write_bytes(jpeg_of(crop, pickle.dumps(told, 3)))
    other = elsewhere(place)
    said(import_faces(other, "src", place.folder.parent / "in"))
    record = load_record(list_faces(other.aligned("src"))[0])
    assert record.matrix == tuple(map(tuple, matrix.tolist()))
    assert (record.face_type, record.geometry) == (face_type, "dfl2")
    ours = align_matrix(np.array(record.landmarks), size, face_type, record.geometry)
    corners = np.array([[0, 0], [200, 0], [0, 180], [200, 180]])
    assert np.abs(transform(ours, corners) - transform(matrix, corners)).max() < 2e-3  # pixels; its corners are float32


def jpeg_of(rgb: NDArray[np.uint8], payload: bytes) -> bytes:
    """A picture as DeepFaceLab writes it."""
    made = io.BytesIO()
    Image.fromarray(rgb).save(made, "jpeg", quality=95)
    data = made.getvalue()
    at = 4 + int.from_bytes(data[4:6], "big")
    return data[:at] + b"\xff\xef" + (len(payload) + 2).to_bytes(2, "big") + payload + data[at:]
