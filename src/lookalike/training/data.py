"""Faces of one person, decoded once into a memory-mapped array, ready to be drawn in batches."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lookalike.errors import EmptyFacesetError, FacesetError
from lookalike.face_region import face_region
from lookalike.faceset import FaceRecord, list_faces, load_face
from lookalike.faceset.masks import placed_mask
from lookalike.faceset.polygons import with_polygons
from lookalike.files import replacing, storage_errors
from lookalike.geometry import align_matrix, between, rescale, transform
from lookalike.landmarks import GUIDE_POINTS, feature_mask, guide_points, oval_mask
from lookalike.options import FaceType, Geometry, covers, geometry_of
from lookalike.parallel import ordered_map

_FORMAT = 3
"""Goes up when what is stored changes."""
_WORKERS = 2
_SHARE_OF_MEMORY = 0.25
"""Faces that need no more than this of a graphics card's free memory are kept on it."""
_HELD_ROW = 4
"""Faces held out stand in rows, because neighbours in a video are nearly the same face."""
_LEAST_FACES = 40
"""Smaller facesets have no faces to spare."""
_MOST_HELD = 64

Noted = Callable[[int, int], None]
"""Told of the faces decoded so far, and of all."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """All faces of a faceset."""

    faces: Tensor
    """(N, 5, S, S) uint8: red, green, blue, face region (255 inside), eyes and mouth (255 inside)."""
    points: Tensor
    """(N, P, 2) float32 landmarks and irises, crop coordinates in [-1, 1]."""
    yaw: Tensor
    """(N,) float32 about -1..1, positive where the face looks to the picture's left; on the processor."""

    def __len__(self) -> int:
        return len(self.faces)

    def take(self, index: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """(B, 5, S, S) float32 in [0, 255] and (B, P, 2) of some faces, on `device`; index lies on the processor."""
        index = index.to(self.faces.device)
        return self.faces[index].to(device, non_blocking=True).float(), self.points[index].to(device)

    def part(self, index: Tensor) -> "Person":
        """Some of the faces, as a person; they are copied."""
        return Person(
            self.faces[index.to(self.faces.device)], self.points[index.to(self.points.device)], self.yaw[index]
        )


def load_person(
    folder: Path,
    resolution: int,
    face_type: FaceType,
    geometry: Geometry | None = None,
    *,
    device: torch.device | None = None,
    cache: Path | None = None,
    noted: Noted | None = None,
) -> Person:
    """Read a faceset for a network of side `resolution`.

    Faces are kept at up to twice that side, so that a turned and shifted face is still sharp after it is reduced.

    Args:
        folder: the faceset.
        resolution: of the network.
        face_type, geometry: of the network.
        device: on which the faces are kept if it has the room; the processor if left out.
        cache: folder in which decoded faces are kept for the next time; in memory alone if left out.
        noted: is told how far it is.

    Raises:
        EmptyFacesetError: no faces in the folder.
        FacesetError: the faces show less than the face type needs.
        RecordError: a file is no face of ours.
        StorageError: no room for the cache.
    """
    paths = list_faces(folder)
    if not paths:
        raise EmptyFacesetError(f"no faces in {folder}; run extract, or put removed faces back")
    load = partial(_wide_enough, face_type=face_type)
    side = min(2 * resolution, max(resolution, load(paths[0])[1].size))
    if cache is None:
        return stack_faces(ordered_map(load, iter(paths), _WORKERS), len(paths), side, face_type, geometry, noted=noted)
    key = _key(paths, side, face_type, geometry)
    faces, facts = cache / f"{key}.faces.npy", cache / f"{key}.facts.npz"
    known = _facts(faces, facts)
    if known is None:
        with storage_errors(faces):
            cache.mkdir(parents=True, exist_ok=True)
            for old in cache.glob(f"*-{side}.*"):  # made of a faceset that has changed, or damaged
                old.unlink()
            known = _decode(paths, load, side, face_type, geometry, faces, facts, noted)
    points, yaw = known
    mapped = torch.from_numpy(np.load(faces, mmap_mode="c"))
    where = device if device is not None and _fits(mapped, device) else torch.device("cpu")
    return Person(mapped.to(where), points.to(where), yaw)


def stack_faces(
    faces: Iterable[tuple[NDArray[np.uint8], FaceRecord]],
    count: int,
    side: int,
    face_type: FaceType,
    geometry: Geometry | None = None,
    *,
    into: NDArray[np.uint8] | None = None,
    noted: Noted | None = None,
) -> Person:
    """Bring `count` faces to one side and one face type, with their masks; into the (N, 5, side, side) array given."""
    stacked = np.empty((count, 5, side, side), np.uint8) if into is None else into
    points, yaw = np.empty((count, GUIDE_POINTS, 2), np.float32), np.empty(count, np.float32)
    for i, (image, record) in enumerate(faces):
        crop, matrix = _recrop(image, record, side, face_type, geometry)
        landmarks, mesh = transform(matrix, record.landmarks_array()), transform(matrix, record.mesh_array())
        points[i], yaw[i] = guide_points(landmarks, mesh, side), record.pitch_yaw_roll[1]
        stacked[i, :3] = crop.transpose(2, 0, 1)
        stacked[i, 3] = np.round(_region(crop, record, matrix, landmarks, mesh) * 255)
        stacked[i, 4] = feature_mask(landmarks, side) * 255
        if noted is not None:
            noted(i + 1, count)
    return Person(torch.from_numpy(stacked), torch.from_numpy(points), torch.from_numpy(yaw))


def _region(
    crop: NDArray[np.uint8],
    record: FaceRecord,
    matrix: NDArray[np.float64],
    landmarks: NDArray[np.float64],
    mesh: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Where the face is: inside of its oval what its mask and polygons say, or without a mask what is no dark hair."""
    side, placed = len(crop), placed_mask(record)
    if placed is not None:
        region = oval_mask(mesh, (side, side)) * placed.in_crop(matrix, side)
    else:
        region = face_region(crop, landmarks, mesh)
    drawn = with_polygons(region, record.polygons, matrix, side)
    return region if drawn is None else drawn


def hold_out(count: int, share: float) -> tuple[Tensor, Tensor]:
    """Which of `count` faces are trained on, and which are held out: (T,) and (H,) numbers, both in order.

    Those held out stand in rows of four, spread evenly; none if the faceset is small.
    """
    rows = round(min(count * share, _MOST_HELD) / _HELD_ROW) if count >= _LEAST_FACES else 0
    held = torch.zeros(count, dtype=torch.bool)
    for row in range(rows):
        start = int((row + 0.5) * count / rows) - _HELD_ROW // 2
        held[start : start + _HELD_ROW] = True
    return torch.nonzero(~held)[:, 0], torch.nonzero(held)[:, 0]


def _decode(
    paths: list[Path],
    load: Callable[[Path], tuple[NDArray[np.uint8], FaceRecord]],
    side: int,
    face_type: FaceType,
    geometry: Geometry | None,
    faces: Path,
    facts: Path,
    noted: Noted | None,
) -> tuple[Tensor, Tensor]:
    """Write both files of the cache, the pixels first; the points and the yaw, which are in the second."""
    shape = (len(paths), 5, side, side)
    with replacing(faces) as temporary:
        mapped = np.lib.format.open_memmap(temporary, "w+", np.uint8, shape)
        _take_room(temporary)
        ordered = ordered_map(load, iter(paths), _WORKERS)
        person = stack_faces(ordered, len(paths), side, face_type, geometry, into=mapped, noted=noted)
        mapped.flush()
    with replacing(facts) as temporary, temporary.open("wb") as handle:
        np.savez(handle, points=person.points.numpy(), yaw=person.yaw.numpy(), pixels=_mark(faces))
    return person.points, person.yaw


def _take_room(path: Path) -> None:
    """Have a file's room on the disk before it is written through memory, where a full disk would end the process."""
    if hasattr(os, "posix_fallocate"):  # elsewhere files have no holes, or there is no way to ask
        with path.open("rb+") as handle:
            os.posix_fallocate(handle.fileno(), 0, path.stat().st_size)


def _facts(faces: Path, facts: Path) -> tuple[Tensor, Tensor] | None:
    """The points and the yaw beside cached pixels; None if either file is missing, damaged or not of the other."""
    try:
        with facts.open("rb") as handle, np.load(handle) as found:
            if not np.array_equal(found["pixels"], _mark(faces)):
                return None
            return torch.from_numpy(found["points"]), torch.from_numpy(found["yaw"])
    except (FileNotFoundError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _mark(path: Path) -> NDArray[np.int64]:
    """Size and time of a file, by which it is seen that nobody else wrote into it."""
    stat = path.stat()
    return np.array([stat.st_size, stat.st_mtime_ns], np.int64)


def _key(paths: list[Path], side: int, face_type: FaceType, geometry: Geometry | None) -> str:
    """Changes with every face that is added, removed or changed; ends in the side."""
    told = [f"{p.name} {(stat := p.stat()).st_size} {stat.st_mtime_ns}" for p in paths]
    whole = "\n".join([str((_FORMAT, face_type, geometry_of(face_type, geometry))), *told])
    return f"{hashlib.sha256(whole.encode()).hexdigest()[:16]}-{side}"


def _fits(faces: Tensor, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return faces.nbytes < _SHARE_OF_MEMORY * free


def _wide_enough(path: Path, face_type: FaceType) -> tuple[NDArray[np.uint8], FaceRecord]:
    image, record = load_face(path)
    if not covers(record.face_type, face_type):
        raise FacesetError(
            f"{path} is a {record.face_type} face and the model needs {face_type}; "
            f"extract with --face-type {face_type}, or train with --face-type {record.face_type}"
        )
    return image, record


def _recrop(
    image: NDArray[np.uint8], record: FaceRecord, side: int, face_type: FaceType, geometry: Geometry | None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """An aligned face brought to another side, and to another face type if it is of a different one; and its matrix."""
    if (face_type, geometry_of(face_type, geometry)) == (record.face_type, record.geometry):
        method = cv2.INTER_AREA if side < record.size else cv2.INTER_CUBIC
        crop = cv2.resize(image, (side, side), interpolation=method)
        return np.asarray(crop, np.uint8), rescale(record.matrix_array(), side / record.size)
    matrix = align_matrix(record.landmarks_array(), side, face_type, geometry)
    through = between(record.matrix_array(), matrix)
    crop = cv2.warpAffine(image, through, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8), matrix
