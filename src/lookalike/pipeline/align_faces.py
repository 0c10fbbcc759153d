"""The faces of a folder as a page needs them: read once, then again only where files changed."""

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.facts import Facts
from lookalike.errors import RecordError
from lookalike.faces.mesh import MeshLandmarker
from lookalike.faceset import SUFFIXES, FaceRecord, load_record
from lookalike.faceset.masks import read_mask
from lookalike.geometry import crop_corners, rescale, transform
from lookalike.landmarks import eye_distance, hull_mask, oval_mask
from lookalike.pipeline.known import Known

_MASK_SIDE: Final = 64
_TICK_SECONDS: Final = 0.05
"""A folder changed within the last of these may change once more without another time stamp."""

Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class FaceFile:
    """What is remembered of a face on disk: about 3 kB."""

    known: Known
    facts: Facts
    corners: NDArray[np.float64]
    """(4, 2) of its crop, frame pixels."""
    mesh_gap: float
    """Mean distance of the landmarks from those that its mesh tells, in eye distances."""
    mask_covers: float | None
    """Share of the landmarks' outline that its stored mask calls face; None without a mask."""
    mask_beyond: float | None
    """Share of its stored mask that lies outside of the face's oval and outline."""

    @property
    def name(self) -> str:
        """File name."""
        return self.known.path.name


class FaceFiles:
    """The faces of a folder by frame. Safe in threads; the files may change at any time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read before `refresh`."""
        self.folder = folder
        self._rows: dict[str, tuple[Stamp, FaceFile | None]] = {}
        self._frames: dict[int, tuple[FaceFile, ...]] = {}
        self._seen: int | None = None
        self._lock = threading.Lock()
        self._landmarker = MeshLandmarker()
        self.read = self.total = 0
        """How far the reading is that goes on, in faces."""

    @property
    def is_read(self) -> bool:
        """Whether all faces were read once."""
        return self._seen is not None

    @property
    def is_stale(self) -> bool:
        """Whether the folder has changed since."""
        return self._seen is None or self._changed() != self._seen

    def refresh(self) -> set[int]:
        """Read what is new or changed; the frames concerned. One thread reads, others wait."""
        with self._lock:
            changed = self._changed()
            if changed == self._seen:
                return set()
            frames = self._sync(_listed(self.folder))
            settled = changed == 0 or time.time_ns() - changed > _TICK_SECONDS * 1e9
            self._seen = changed if settled else -1
            return frames

    def faces(self, frame: int, sources: Iterable[str]) -> list[FaceFile]:
        """The faces of a frame of a video, in the order of their numbers."""
        found = self._frames.get(frame, ()) if self.is_read else self._by_name(frame)
        known = set(sources)
        return sorted((f for f in found if f.facts.source in known), key=lambda f: (f.known.number, f.name))

    def by_frame(self, sources: Iterable[str]) -> dict[int, list[FaceFile]]:
        """All faces of a video."""
        return {n: faces for n in list(self._frames) if (faces := self.faces(n, sources))}

    def _changed(self) -> int:
        try:
            return self.folder.stat().st_mtime_ns
        except OSError:
            return 0

    def _sync(self, stamps: dict[str, Stamp]) -> set[int]:
        frames = set()
        for name in self._rows.keys() - stamps.keys():
            frames |= self._forget(name)
        stale = [name for name, stamp in stamps.items() if self._rows.get(name, (None,))[0] != stamp]
        self.read, self.total = 0, len(stale)
        for name in stale:
            frames |= self._forget(name)
            face = self._load(name)
            self._rows[name] = stamps[name], face
            if face is not None:
                frame = face.facts.frame
                self._frames[frame] = (*self._frames.get(frame, ()), face)
                frames.add(frame)
            self.read += 1
        return frames

    def _forget(self, name: str) -> set[int]:
        _, face = self._rows.pop(name, (None, None))
        if face is None:
            return set()
        frame = face.facts.frame
        left = tuple(other for other in self._frames.get(frame, ()) if other.name != name)
        if left:
            self._frames[frame] = left
        else:
            self._frames.pop(frame, None)
        return {frame}

    def _load(self, name: str) -> FaceFile | None:
        try:
            return self._face(self.folder / name, load_record(self.folder / name))
        except (RecordError, ValueError, ArithmeticError):  # no face of ours, or a damaged one
            return None

    def _face(self, path: Path, record: FaceRecord) -> FaceFile:
        landmarks = record.landmarks_array()
        apart = np.linalg.norm(self._landmarker.of_mesh(record.mesh_array()) - landmarks, axis=1).mean()
        covers, beyond = _against_mask(record) if record.mask is not None else (None, None)
        return FaceFile(
            known=Known.of(path, record),
            facts=Facts.of(path.name, record),
            corners=crop_corners(record.matrix_array(), record.size),
            mesh_gap=float(apart) / max(eye_distance(landmarks), 1e-3),
            mask_covers=covers,
            mask_beyond=beyond,
        )

    def _by_name(self, frame: int) -> tuple[FaceFile, ...]:
        """Before all is read: the files that extraction named after the frame."""
        names = [name for name in _listed(self.folder) if name.startswith(f"{frame + 1:05d}_")]
        return tuple(face for name in names if (face := self._load(name)) and face.facts.frame == frame)


def _listed(folder: Path) -> dict[str, Stamp]:
    """Size and time of the images of a folder; none if there is no folder."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name[0] != "." and entry.name.lower().endswith(SUFFIXES):
                    try:
                        stat = entry.stat()
                    except OSError:
                        continue  # gone since it was listed
                    found[entry.name] = stat.st_size, stat.st_mtime_ns
    except OSError:
        return {}
    return found


def _against_mask(record: FaceRecord) -> tuple[float | None, float | None]:
    """How far the stored mask and the points tell the same of where the face is."""
    assert record.mask is not None
    try:
        mask = read_mask(record.mask, _MASK_SIDE) > 0.5
    except RecordError:
        return None, None
    matrix, size = rescale(record.matrix_array(), _MASK_SIDE / record.size), (_MASK_SIDE, _MASK_SIDE)
    hull = hull_mask(transform(matrix, record.landmarks_array()), size) > 0
    about = hull | (oval_mask(transform(matrix, record.mesh_array()), size) > 0.5)
    covers = float((mask & hull).sum() / max(int(hull.sum()), 1))
    return covers, float((mask & ~about).sum() / max(int(mask.sum()), 1))
