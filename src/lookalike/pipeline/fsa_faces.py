"""Faces of faceswap: records of ours, and crops of the frames for alignments that have no pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from lookalike.color import picture_to_rgb8
from lookalike.curation.faceset_config import ImportConfig
from lookalike.errors import FacesetError, ForeignFileError, RecordError
from lookalike.faceset import FaceRecord, face_name
from lookalike.faceset.make import crop_lanczos
from lookalike.faceset.plausible import check_face
from lookalike.faceset.store import encode_face
from lookalike.geometry import align_matrix
from lookalike.interchange.dfl_convert import Place, Points, mask_of, record_of
from lookalike.interchange.fsa import FsaFace, read_fsa
from lookalike.interchange.fsa_convert import landmarks_of, mask_pixels
from lookalike.options import FaceType, Geometry, first_problem, geometry_of, shown
from lookalike.pipeline.foreign_frames import Video, first_number, tracks
from lookalike.pipeline.foreign_points import Meshes
from lookalike.video import read_frames


def fsa_face(
    face: FsaFace,
    matrix: NDArray[np.float64],
    kind: tuple[FaceType, Geometry],
    place: Place,
    crop: NDArray[np.uint8],
    mesh: NDArray[np.floating],
) -> Callable[[bool], FaceRecord]:
    """What makes our record of a face of faceswap, with its mask pixel for pixel, or made smaller.

    Raises:
        ForeignFileError: its mask is damaged.
        RecordError: it has not 68 landmarks.
    """
    points = Points(matrix, landmarks_of(face), *kind)
    left, top, width, height = face.box_xywh
    found = mask_pixels(face, matrix, len(crop), "a face")

    def made(exact: bool) -> FaceRecord:
        mask = None if found is None else mask_of(found[1], shown(f"faceswap {found[0]}"), exact=exact)
        box = (float(left), float(top), float(left + width), float(top + height))
        return record_of(points, place, crop, mesh, box=box, mask=mask, made_by="faceswap")

    return made


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A face that was cut from its frame, or why it was not."""

    told: str
    """Frame and face, in one line."""
    name: str = ""
    """Of its file."""
    image: bytes = b""
    made: Callable[[bool], FaceRecord] | None = None
    problem: str = ""


class FsaFaces:
    """The faces of an alignments file, cut from the frames of a video."""

    def __init__(self, path: Path, video: Video, config: ImportConfig) -> None:
        """Read the file.

        Raises:
            ForeignFileError: damaged, or it holds code.
            FacesetError: there is no video, or no face.
        """
        frames = read_fsa(path).frames
        self.count = sum(map(len, frames.values()))
        if not self.count:
            raise FacesetError(f"{path} has no faces")
        if video.path is None:
            raise FacesetError(f"{path} has no pictures of faces; name the video that they are cut from: --video FILE")
        self._path, self._video, self._config = video.path, video, config
        self._faces: list[tuple[str, int | None, FsaFace]] = []
        first = first_number(frames)
        for name, faces in frames.items():
            frame = video.frame(name, first)
            inside = frame is not None and frame < len(video.seconds)
            self._faces += [(name, frame if inside else None, face) for face in faces]

    def __iter__(self) -> Iterator[Cut]:
        """Every face, those first that have no frame.

        Raises:
            VideoError: the video cannot be read.
        """
        boxes = [None if frame is None else (frame, _box(face)) for _, frame, face in self._faces]
        track = tracks(boxes)
        by_frame: dict[int, list[int]] = {}
        for index, (name, frame, _) in enumerate(self._faces):
            if frame is None:
                yield Cut(shown(name), problem=f"no such frame in {self._path.name}")
            else:
                by_frame.setdefault(frame, []).append(index)
        meshes = Meshes()
        if by_frame:
            for picture in read_frames(self._path, min(by_frame), max(by_frame) + 1):
                wanted = by_frame.pop(picture.index, [])
                rgb = picture_to_rgb8(picture.picture) if wanted else None
                for number, index in enumerate(wanted):
                    assert rgb is not None
                    place = self._video.place(picture.index, number, track[index])
                    yield self._cut(rgb, index, place, meshes)
        for index in (one for left in by_frame.values() for one in left):
            yield Cut(shown(self._faces[index][0]), problem="its frame cannot be read")

    def _cut(self, rgb: NDArray[np.uint8], index: int, place: Place, meshes: Meshes) -> Cut:
        name, _, face = self._faces[index]
        config = self._config
        geometry = geometry_of(config.face_type, config.geometry)
        try:
            landmarks = landmarks_of(face)
            matrix = align_matrix(landmarks, config.size, config.face_type, geometry)
            check_face(landmarks.tolist(), landmarks, matrix, config.size)
            crop = crop_lanczos(rgb, matrix, config.size)
            mesh = meshes.around(rgb, landmarks)
            made = fsa_face(face, matrix, (config.face_type, geometry), place, crop, mesh)
            return Cut(shown(name), face_name(made(True)), encode_face(crop, ".jpg"), made)
        except ValidationError as exc:
            return Cut(shown(name), problem=first_problem(exc))
        except (RecordError, ForeignFileError, ValueError) as exc:
            return Cut(shown(name), problem=shown(exc))


def _box(face: FsaFace) -> NDArray[np.float64]:
    left, top, width, height = face.box_xywh
    return np.array([left, top, left + width, top + height], np.float64)
