"""Aligned faces of DeepFaceLab: JPEGs with a pickled record in APP15, and PNGs of 2019 with one in a chunk fcWp."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.interchange.checks import buffer, items, mapping, numbers, real, text, whole
from lookalike.interchange.file_bytes import read_whole
from lookalike.interchange.image_parts import (
    JPEG_HEAD,
    MOST_IMAGE,
    PNG_HEAD,
    app15,
    decoded_mask,
    image_size,
    png_chunks,
)
from lookalike.interchange.pickles import Limits, read_pickle
from lookalike.interchange.refusals import damaged, not_this
from lookalike.options import FaceType, Geometry

DflFaceType = FaceType | Literal["mark-only"]
"""mark-only: a whole picture with its landmarks, not aligned."""

FACE_TYPES: Final[dict[str, DflFaceType]] = {
    "half_face": "half",
    "midfull_face": "mid-full",
    "full_face": "full",
    "full_face_no_align": "full-no-align",
    "whole_face": "whole",
    "head": "head",
    "head_no_align": "head-no-align",
    "avatar": "avatar",
    "mark_only": "mark-only",
}
"""Our names by DeepFaceLab's."""
_NUMBERED: Final = {
    0: "half_face",
    1: "midfull_face",
    2: "full_face",
    3: "full_face_no_align",
    4: "whole_face",
    10: "head",
    20: "head_no_align",
    100: "mark_only",
}
LIMITS: Final = Limits(steps=500_000, memory=32 * 2**20)
"""For the record of one face."""
POINTS: Final = "lookalike_points"
"""Key that Lookalike adds: the landmarks in the frame, then the mesh that belongs to them, (68 + 478, 2)."""
_MOST_POLYGONS: Final = 1024
_MOST_POINTS: Final = 65536
_MOST_MASK: Final = 4 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class DflPolygon:
    """A part of the mask that somebody drew."""

    kind: Literal["include", "exclude"]
    points: NDArray[np.float64]
    """(N, 2) in pixels of the aligned face; DeepFaceLab cuts the fractions off when it fills them."""


@dataclass(frozen=True, slots=True, eq=False)
class DflFace:
    """What DeepFaceLab keeps of an aligned face."""

    size_wh: tuple[int, int]
    """Of the picture, in pixels."""
    face_type: DflFaceType
    geometry: Geometry | None
    """Whose version wrote it; None where nothing in the record tells."""
    landmarks: NDArray[np.float64]
    """(68, 2) in pixels of the aligned face."""
    source_filename: str
    """The frame's file. Text of the file: never a path to be opened or written."""
    source_landmarks: NDArray[np.float64] | None
    """(68, 2) in pixels of the frame."""
    source_rect: tuple[float, float, float, float] | None
    """Left, top, right, bottom of the detector, in pixels of the frame."""
    matrix: NDArray[np.float64] | None
    """(2, 3) frame to aligned face; mark-only faces have none."""
    eyebrows_expand_mod: float
    polygons: tuple[DflPolygon, ...]
    """Those that include first, as they are painted."""
    encoded_mask: bytes | None
    """The mask as a JPEG or PNG of one channel."""
    pitch_yaw_roll: tuple[float, float, float] | None
    mesh: NDArray[np.float64] | None = None
    """(478, 2) in pixels of the frame, of faces that Lookalike wrote and nobody aligned anew since."""

    def mask(self, origin: str = "a face") -> NDArray[np.uint8] | None:
        """(H, W) uint8, 255 where the face is seen; None without one. May be of another size than the face.

        Raises:
            ForeignFileError: it cannot be decoded, or is larger than 2048 pixels a side.
        """
        return None if self.encoded_mask is None else decoded_mask(self.encoded_mask, origin)


def read_dfl_face(path: Path) -> DflFace:
    """The record of an aligned face; its pixels are not decoded.

    Raises:
        ForeignFileError: no JPEG or PNG, without a record of DeepFaceLab's, damaged, too large, or it holds code.
    """
    return dfl_face_in(read_whole(path, MOST_IMAGE), str(path))


def dfl_face_in(image: bytes, origin: str) -> DflFace:
    """The record of an aligned face whose file is in memory; `origin` names it in errors.

    Raises:
        ForeignFileError: as `read_dfl_face`.
    """
    record = dfl_record(image, origin)
    if record is None:
        raise not_this(origin, "face of DeepFaceLab", "no record in it")
    size = image_size(image, origin)
    return dfl_face(read_pickle(record, origin, LIMITS), size, origin, png=image.startswith(PNG_HEAD))


def dfl_record(image: bytes, origin: str) -> bytes | None:
    """The pickle inside a picture, as it is; None without one.

    Raises:
        ForeignFileError: neither JPEG nor PNG, or its parts reach beyond it.
    """
    if image.startswith(JPEG_HEAD):
        return app15(image, origin)
    if image.startswith(PNG_HEAD):
        return next((body for kind, body in png_chunks(image, origin) if kind == b"fcWp"), None)
    raise not_this(origin, "face of DeepFaceLab", "neither JPEG nor PNG")


def dfl_face(value: object, size_wh: tuple[int, int], origin: str, *, png: bool = False) -> DflFace:
    """A record from its pickle's value, checked.

    Args:
        value: of the pickle.
        size_wh: of the picture.
        origin: names the file in errors.
        png: whether it was in a PNG, which only DeepFaceLab of 2019 wrote.

    Raises:
        ForeignFileError: something is missing, has another shape, or is not finite.
    """
    known = mapping(value, "the record of a face", origin)
    held = {name: found for name, found in known.items() if found is not None}
    if "landmarks" not in held:
        raise damaged(origin, "a record without landmarks")
    rect, around = held.get("source_rect"), held.get("source_landmarks")
    angles = held.get("pitch_yaw_roll")
    return DflFace(
        size_wh=size_wh,
        face_type=face_type(held.get("face_type", "full_face"), origin),
        geometry=_geometry(held, png=png),
        landmarks=numbers(held["landmarks"], (68, 2), "landmarks", origin),
        source_filename=text(held.get("source_filename", ""), "source_filename", origin),
        source_landmarks=None if around is None else numbers(around, (68, 2), "source_landmarks", origin),
        source_rect=None if rect is None else _four(numbers(rect, (4,), "source_rect", origin)),
        matrix=_matrix(held.get("image_to_face_mat"), origin),
        eyebrows_expand_mod=real(held.get("eyebrows_expand_mod", 1.0), "eyebrows_expand_mod", origin),
        polygons=_polygons(held.get("seg_ie_polys", held.get("ie_polys")), origin),
        encoded_mask=_encoded_mask(held, origin),
        pitch_yaw_roll=None if angles is None else _three(numbers(angles, (3,), "pitch_yaw_roll", origin)),
        mesh=_mesh(held, origin),
    )


def face_type(value: object, origin: str) -> DflFaceType:
    """Our name of a face type, by DeepFaceLab's name or number.

    Raises:
        ForeignFileError: there is none such.
    """
    name = _NUMBERED.get(value) if isinstance(value, int) else value
    if not isinstance(name, str) or name not in FACE_TYPES:
        raise damaged(origin, f"face type {value!r:.40}, which is not known")
    return FACE_TYPES[name]


def _geometry(held: dict[str, object], *, png: bool) -> Geometry | None:
    if png or held.keys() & {"ie_polys", "fanseg_mask"} or held.get("face_type") == "avatar":
        return "2019"
    newer = held.keys() & {"seg_ie_polys", "xseg_mask", "xseg_mask_compressed", "eyebrows_expand_mod"}
    return "dfl2" if newer or held.get("face_type") not in ("half_face", "full_face", "head", None) else None


def _matrix(value: object, origin: str) -> NDArray[np.float64] | None:
    if value is None:
        return None
    matrix = numbers(value, (2, 3), "image_to_face_mat", origin, 1e9)
    if not abs(np.linalg.det(matrix[:, :2])) > 1e-12:
        raise damaged(origin, "image_to_face_mat: cannot be inverted")
    return matrix


def _polygons(value: object, origin: str) -> tuple[DflPolygon, ...]:
    """Of a dict of DeepFaceLab 2, or pairs as they were before."""
    if isinstance(value, dict):
        value = value.get("polys")
    parts = [] if value is None else items(value, _MOST_POLYGONS, "polygons", origin)
    made = [found for part in parts if (found := _polygon(part, origin)) is not None]
    return tuple(sorted(made, key=lambda polygon: polygon.kind == "exclude"))


def _polygon(part: object, origin: str) -> DflPolygon | None:
    if isinstance(part, dict):
        kind, points = part.get("type"), part.get("pts")
    else:
        kind, points = (*items(part, 2, "a polygon", origin), None, None)[:2]
    number = whole(kind, 0, 1, "a polygon's type", origin)
    found = numbers(points, (None, 2), "a polygon's points", origin)
    if len(found) > _MOST_POINTS:
        raise damaged(origin, f"a polygon of {len(found)} points")
    return DflPolygon("include" if number else "exclude", found) if len(found) else None


def _mesh(held: dict[str, object], origin: str) -> NDArray[np.float64] | None:
    """Of landmarks that were changed since it was written, it is worth nothing."""
    if POINTS not in held or "source_landmarks" not in held:
        return None
    points = numbers(held[POINTS], (68 + 478, 2), POINTS, origin)
    around = numbers(held["source_landmarks"], (68, 2), "source_landmarks", origin)
    return points[68:] if np.array_equal(points[:68].astype(np.float32), around.astype(np.float32)) else None


def _encoded_mask(held: dict[str, object], origin: str) -> bytes | None:
    for name in ("xseg_mask_compressed", "xseg_mask", "fanseg_mask"):
        if name in held:
            return buffer(held[name], _MOST_MASK, name, origin) or None
    return None


def _three(found: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(found[0]), float(found[1]), float(found[2])


def _four(found: NDArray[np.float64]) -> tuple[float, float, float, float]:
    return (*_three(found), float(found[3]))
