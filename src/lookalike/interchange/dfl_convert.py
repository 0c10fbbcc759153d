"""From faces of DeepFaceLab to records of ours, and back. Pure."""

import base64
import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import RecordError
from lookalike.faceset import FaceRecord, encode_array
from lookalike.faceset.make import outside_share, sharpness
from lookalike.faceset.masks import stored_mask
from lookalike.faceset.plausible import check_face
from lookalike.faceset.record import Polygon, StoredMask
from lookalike.geometry import align_matrix, invert, similarity, transform
from lookalike.interchange.dfl_faces import DflFace, DflPolygon
from lookalike.landmarks import box_about, head_pose, oval_mask
from lookalike.options import FaceType, Geometry, geometry_of

_GEOMETRIES: Final[tuple[Geometry, ...]] = ("2019", "dfl2")
_MOST_CORNERS: Final = 512
_LONGEST_PNG: Final = 48_000
"""Bytes of a mask that is kept as it is; the record takes 64,000 letters of it."""
_LARGEST_MASK: Final = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where a face belongs, as far as it is known here."""

    source: str
    """The video's name, as records have it."""
    frame: int
    """From 0."""
    time_seconds: float
    number: int = 0
    """Which face of the frame."""
    track: int = 0
    frame_wh: tuple[int, int] | None = None
    """Size of the frame, if there is a video."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The points of a face, and the crop that shows it."""

    matrix: NDArray[np.float64]
    """(2, 3) frame to crop."""
    landmarks: NDArray[np.float64]
    """(68, 2) in frame pixels."""
    face_type: FaceType
    geometry: Geometry


def points_of(face: DflFace, *, alone: bool) -> Points:
    """Matrix, landmarks in the frame, and how the face was aligned.

    The matrix is that of the file; without one, what brings the frame's landmarks to the crop's.

    Args:
        face: of DeepFaceLab.
        alone: take the crop as its own frame where nothing tells of another.

    Raises:
        RecordError: it is not square, not aligned, or nothing tells its place in the frame.
    """
    width, height = face.size_wh
    if width != height:
        raise RecordError(f"{width}x{height} pixels; aligned faces are square")
    if face.face_type == "mark-only":
        raise RecordError("a whole picture with marks, not an aligned face; take faces from it with: lookalike extract")
    matrix, landmarks = face.matrix, face.source_landmarks
    if matrix is None and landmarks is not None:
        try:
            matrix = similarity(landmarks, face.landmarks)
        except ValueError as exc:
            raise RecordError(str(exc)) from exc
    if matrix is None:
        if not alone:
            raise RecordError("neither a matrix nor landmarks in the frame, so its place there is not known")
        matrix = np.eye(2, 3)
    if landmarks is None:
        landmarks = transform(invert(matrix), face.landmarks)
    try:
        check_face(landmarks.tolist(), landmarks, matrix, width)
    except ValueError as exc:
        raise RecordError(str(exc)) from exc
    return Points(matrix, landmarks, face.face_type, _geometry(face, face.face_type, matrix, landmarks))


def _geometry(
    face: DflFace, face_type: FaceType, matrix: NDArray[np.float64], landmarks: NDArray[np.float64]
) -> Geometry:
    """Whose formula the matrix fits best; what the file tells decides where both fit alike."""
    apart: dict[Geometry, float] = {}
    size = face.size_wh[0]
    for geometry in _GEOMETRIES:
        try:
            made = align_matrix(landmarks, size, face_type, geometry)
        except ValueError:  # not of this geometry, or points that coincide
            continue
        inner = landmarks[17:]
        apart[geometry] = float(np.abs(transform(made, inner) - transform(matrix, inner)).max()) / size
    told = face.geometry if face.geometry in apart else None
    if not apart:
        return geometry_of(face_type)
    nearest = min(apart, key=lambda one: apart[one])
    return told if told is not None and apart[told] < apart[nearest] + 1e-4 else nearest


def record_of(
    points: Points,
    place: Place,
    crop: NDArray[np.uint8],
    mesh: NDArray[np.floating],
    *,
    box: tuple[float, float, float, float] | None = None,
    polygons: tuple[DflPolygon, ...] = (),
    mask: StoredMask | None = None,
    made_by: str = "dfl",
) -> FaceRecord:
    """Our record of a face of another tool.

    Args:
        points: where it lies.
        place: where it belongs.
        crop: (S, S, 3) uint8 RGB, its picture.
        mesh: (478, 2) in frame pixels.
        box: left, top, right, bottom of the detector in frame pixels; about the landmarks if there is none.
        polygons: in pixels of the crop.
        mask: of `mask_of`.
        made_by: named as its detector and landmarker.

    Raises:
        RecordError: more polygons than a face has here.
    """
    if box is None or box[2] <= box[0] or box[3] <= box[1]:
        left, top, right, bottom = (float(value) for value in box_about(points.landmarks))
        box = left, top, right, bottom
    inside = oval_mask(transform(points.matrix, mesh), (len(crop), len(crop)))
    rows = points.matrix.tolist()
    return FaceRecord(
        source=place.source,
        frame=place.frame,
        time_seconds=place.time_seconds,
        number=place.number,
        detector=made_by,
        landmarker=made_by,
        score=1.0,
        box_xyxy=box,
        landmarks=[(float(x), float(y)) for x, y in points.landmarks],
        mesh=encode_array(mesh, np.float32),
        matrix=((rows[0][0], rows[0][1], rows[0][2]), (rows[1][0], rows[1][1], rows[1][2])),
        size=len(crop),
        face_type=points.face_type,
        geometry=points.geometry,
        pitch_yaw_roll=_pose(points.landmarks),
        sharpness=round(sharpness(crop, inside), 3),
        outside=0.0 if place.frame_wh is None else round(outside_share(mesh, place.frame_wh), 4),
        track=place.track,
        polygons=_polygons(polygons, points.matrix),
        mask=mask,
    )


def _pose(landmarks: NDArray[np.float64]) -> tuple[float, float, float]:
    return head_pose(transform(align_matrix(landmarks, 256, "full", "2019"), landmarks))


def _polygons(polygons: tuple[DflPolygon, ...], matrix: NDArray[np.float64]) -> list[Polygon]:
    drawn = [one for one in polygons if len(one.points) >= 3]
    if len(drawn) > 64:
        raise RecordError(f"{len(drawn)} polygons; a face has at most 64 here")
    back = invert(matrix)
    return [
        Polygon(kind=one.kind, points=[(round(float(x), 6), round(float(y), 6)) for x, y in _thinned(back, one.points)])
        for one in drawn
    ]


def _thinned(back: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most 512 corners in frame pixels, evenly chosen."""
    chosen = points
    if len(points) > _MOST_CORNERS:
        chosen = points[np.linspace(0, len(points) - 1, _MOST_CORNERS).round().astype(int)]
    return transform(back, chosen)


def mask_of(pixels: NDArray[np.uint8], source: str, *, exact: bool = True) -> StoredMask:
    """A mask as records keep it: pixel for pixel where it fits, else smaller and with fewer levels.

    Args:
        pixels: (H, W) uint8, 255 where the face is seen; covers the whole crop.
        source: whose it is.
        exact: try to keep it pixel for pixel.
    """
    if exact and pixels.shape[0] == pixels.shape[1] <= _LARGEST_MASK:
        packed = grey_png(pixels)
        if len(packed) <= _LONGEST_PNG:
            return StoredMask(source=source, png=base64.b64encode(packed).decode())
    side = min(max(pixels.shape), 256)
    square = Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX)
    return stored_mask(np.asarray(square, np.float32) / np.float32(255), source)


def grey_png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W) uint8 as a PNG of one channel."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", compress_level=9)
    return file.getvalue()
