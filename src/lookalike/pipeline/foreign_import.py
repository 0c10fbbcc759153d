"""Faces of other tools as faces of ours: each with a record, its picture's pixels as they were."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from lookalike.curation.faceset_config import ImportConfig
from lookalike.errors import ForeignFileError, RecordError
from lookalike.faceset import FaceRecord
from lookalike.faceset.make import crop_lanczos
from lookalike.faceset.plausible import check_face
from lookalike.faceset.store import FORMATS, MOST_PIXELS, encode_face, with_record
from lookalike.geometry import align_matrix, between, invert, transform
from lookalike.interchange.dfl_convert import Place, mask_of, points_of, record_of
from lookalike.interchange.dfl_faces import DflFace
from lookalike.interchange.fsa import FsaPng
from lookalike.interchange.fsa_convert import cut_with_head, head_matrix, landmarks_of, legacy_matrix
from lookalike.interchange.image_edit import bare
from lookalike.landmarks import box_about
from lookalike.options import first_problem, geometry_of, shown
from lookalike.pipeline.foreign_frames import Video, first_number, tracks
from lookalike.pipeline.foreign_origins import Arrival, Origin
from lookalike.pipeline.foreign_points import Meshes
from lookalike.pipeline.fsa_faces import fsa_face
from lookalike.pipeline.workspace import Side
from lookalike.untrusted import UnreadableError, opened_picture


@dataclass(frozen=True, slots=True)
class _Light:
    """What must be known of all faces before the first is taken in."""

    frame_name: str
    box: NDArray[np.floating]


class Converter:
    """Makes faces of ours of an origin's."""

    def __init__(self, origin: Origin, video: Video, side: Side, config: ImportConfig) -> None:
        """Look all faces through for their frames."""
        self._origin, self._video, self._side, self._config = origin, video, side, config
        self._meshes = Meshes()
        light: dict[int, _Light] = {}
        for number in range(len(origin)):
            try:
                arrival = origin.read(number)
                if arrival.face is not None:
                    light[number] = _Light(arrival.frame_name, _box(arrival.face))
            except (ForeignFileError, RecordError):
                pass  # told when it is to be taken in
        first = first_number(one.frame_name for one in light.values())
        frames = {number: video.frame(one.frame_name, first) for number, one in light.items()}
        known = {number: frame for number, frame in frames.items() if frame is not None}
        order = list(known)
        linked = tracks([(known[number], light[number].box) for number in order])
        seen: dict[int, int] = {}
        self._places: dict[int, Place] = {}
        for number, track in zip(order, linked, strict=True):
            frame = known[number]
            self._places[number] = video.place(frame, seen.get(frame, 0), track)
            seen[frame] = seen.get(frame, 0) + 1
        self._free = max(known.values(), default=-1) + 1, max(linked, default=-1) + 1

    def face(self, number: int, arrival: Arrival) -> tuple[str, bytes]:
        """Name and file of a face of ours.

        Raises:
            ForeignFileError, RecordError: it cannot be one; the error does not name it.
        """
        try:
            return self._face(number, arrival)
        except ValidationError as exc:
            raise RecordError(first_problem(exc)) from exc
        except ValueError as exc:  # of points of which no mesh can be made
            raise RecordError(shown(exc)) from exc

    def _face(self, number: int, arrival: Arrival) -> tuple[str, bytes]:
        face = arrival.face
        assert face is not None
        place = self._place(number, arrival)
        crop = _pixels(arrival.data)
        if isinstance(face, FsaPng):
            return self._of_faceswap(arrival, face, place, crop)
        points = points_of(face, alone=self._side == "src")
        inside = transform(points.matrix, points.landmarks)
        mesh = face.mesh if face.mesh is not None else self._mesh_of(crop, points.matrix, inside)
        pixels = face.mask(self._origin.shown(number))

        def made(exact: bool) -> FaceRecord:
            mask = None if pixels is None else mask_of(pixels, "dfl", exact=exact)
            box, drawn = face.source_rect, face.polygons
            return record_of(points, place, crop, mesh, box=box, polygons=drawn, mask=mask)

        return arrival.name, fitted(bare(arrival.data, arrival.name), made)

    def _mesh_of(
        self, crop: NDArray[np.uint8], matrix: NDArray[np.float64], inside: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return transform(invert(matrix), self._meshes.around(crop, inside))

    def _place(self, number: int, arrival: Arrival) -> Place:
        place = self._places.get(number)
        if place is not None:
            return place
        if self._side == "dst":
            raise RecordError("the name of its frame has no number, so it can be laid into none")
        frame, track = self._free
        self._free = frame + 1, track + 1
        return self._video.place(frame, 0, track)

    def _of_faceswap(self, arrival: Arrival, face: FsaPng, place: Place, crop: NDArray[np.uint8]) -> tuple[str, bytes]:
        """A legacy face stays as it is; one with the whole head is cut to what is asked for, as we know none such."""
        size, config = face.size_wh[0], self._config
        if face.size_wh != (size, size):
            raise RecordError(f"{face.size_wh[0]}x{face.size_wh[1]} pixels; aligned faces are square")
        landmarks = landmarks_of(face.face)
        check_face(landmarks.tolist(), landmarks, legacy_matrix(landmarks, size), size)
        if not cut_with_head(face.version):
            matrix = legacy_matrix(landmarks, size)
            mesh = self._mesh_of(crop, matrix, transform(matrix, landmarks))
            made = fsa_face(face.face, matrix, ("full", "2019"), place, crop, mesh)
            return arrival.name, fitted(bare(arrival.data, arrival.name), made)
        rough = head_matrix(face.face, landmarks, size, transform(_upright(landmarks, size), landmarks))
        seen = self._meshes.seen(crop, transform(rough, landmarks))
        matrix = head_matrix(face.face, landmarks, size, seen)
        mesh = self._mesh_of(crop, matrix, transform(matrix, landmarks))
        geometry = geometry_of(config.face_type, config.geometry)
        wanted = align_matrix(landmarks, config.size, config.face_type, geometry)
        cut = crop_lanczos(crop, between(matrix, wanted), config.size)
        made = fsa_face(face.face, wanted, (config.face_type, geometry), place, cut, mesh)
        return arrival.name, fitted(encode_face(cut, ".png"), made)


def fitted(image: bytes, made: Callable[[bool], FaceRecord]) -> bytes:
    """A picture with its record, whose mask is made smaller where there is no room for it.

    Raises:
        RecordError: there is no room even so.
    """
    try:
        return with_record(image, made(True), "it")
    except RecordError:
        return with_record(image, made(False), "it")


def _upright(landmarks: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """About where a face with its whole head shows the landmarks: in the middle, and somewhat below."""
    matrix = align_matrix(landmarks, size, "whole", "dfl2", zoom=1.25)
    matrix[1, 2] += size * 0.05
    return matrix


def _box(face: DflFace | FsaPng) -> NDArray[np.floating]:
    """(4,) in the frame, or in the crop where nothing else is known."""
    if isinstance(face, FsaPng):
        left, top, width, height = face.face.box_xywh
        return np.array([left, top, left + width, top + height], np.float64)
    if face.source_rect is not None:
        return np.array(face.source_rect)
    return box_about(face.landmarks if face.source_landmarks is None else face.source_landmarks)


def _pixels(data: bytes) -> NDArray[np.uint8]:
    try:
        with opened_picture(data, FORMATS, most_pixels=MOST_PIXELS) as picture:
            return np.asarray(picture.convert("RGB"))
    except UnreadableError as exc:
        raise RecordError(f"its picture cannot be read ({exc})") from exc
