"""What was found, drawn onto the picture: landmarks, outline, detector's box and aligned square. Pure."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord
from lookalike.geometry import crop_corners
from lookalike.landmarks import hull_mask

Color = tuple[int, int, int]

LANDMARKS: Color = (0, 255, 0)
BOX: Color = (0, 0, 255)
SQUARE: Color = (255, 0, 0)
"""Colours of DeepFaceLab's debug pictures, as R, G, B."""

_OPEN = (range(0, 17), range(17, 22), range(22, 27), (*range(27, 36), 30))
_CLOSED = (range(36, 42), range(42, 48), range(48, 60), range(60, 68))
_JAW = 17
_SHIFT = 4
"""Bits of the fraction that OpenCV draws with."""
_FARTHEST = 2.0**16
"""Points farther away are drawn at this distance, so that a damaged record cannot overflow OpenCV's integers."""


def draw_frame(rgb: NDArray[np.uint8], records: Iterable[FaceRecord]) -> NDArray[np.uint8]:
    """A whole frame with its faces drawn in.

    Args:
        rgb: (H, W, 3) uint8; left as it is.
        records: the faces of the frame.

    Returns:
        (H, W, 3) uint8. For each face: its hull at half brightness, landmarks green, the detector's box blue, the
        aligned square red, and above the box the number of its track, its person and its score.
    """
    picture = rgb.copy()
    width = line_width(picture)
    for record in records:
        points = record.landmarks_array()
        darken_hull(picture, points)
        left, top, right, bottom = record.box_xyxy
        _line(picture, np.array([(left, top), (right, top), (right, bottom), (left, bottom)]), BOX, 2 * width, True)
        _line(picture, crop_corners(record.matrix_array(), record.size), SQUARE, 2 * width, True)
        draw_landmarks(picture, points, width)
        _label(picture, caption(record), (left, top), width)
    return picture


def draw_face(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.uint8]:
    """An (S, S, 3) uint8 crop with hull at half brightness and landmarks green; the crop is left as it is."""
    picture = crop.copy()
    points = record.crop_landmarks()
    darken_hull(picture, points)
    draw_landmarks(picture, points, line_width(picture))
    return picture


def caption(record: FaceRecord) -> str:
    """Track, person and score of a face in a few letters."""
    person = "" if record.person is None else f" person {record.person}"
    return f"track {record.track}{person} {record.score:.2f}{' recovered' if record.recovered else ''}"


def line_width(picture: NDArray[np.uint8]) -> int:
    """Pixels of a thin line, so that it is seen in large pictures as well: 1 up to 1080 lines, 2 from 1440."""
    return max(1, round(float(min(picture.shape[:2])) / 960))


def darken_hull(picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> None:
    """Halve the brightness inside the hull of (68, 2) landmarks, in place; only the part with the hull is touched."""
    points = _finite(landmarks)
    size = np.array(picture.shape[1::-1])
    low = np.clip(np.floor(points.min(0)).astype(int) - 1, 0, size)
    high = np.clip(np.ceil(points.max(0)).astype(int) + 2, 0, size)
    if (high <= low).any():
        return
    part = picture[low[1] : high[1], low[0] : high[0]]
    inside = hull_mask(points - low, (int(high[0] - low[0]), int(high[1] - low[1]))) > 0
    part[inside] //= 2


def draw_landmarks(picture: NDArray[np.uint8], landmarks: NDArray[np.floating], width: int = 1) -> None:
    """Draw (68, 2) landmarks in place: lines along jaw, brows, nose, eyes and lips, and a dot on every point."""
    for part in _OPEN:
        _line(picture, landmarks[list(part)], LANDMARKS, width, False)
    for part in _CLOSED:
        _line(picture, landmarks[list(part)], LANDMARKS, width, True)
    for number, point in enumerate(_fixed(landmarks)):
        radius = (2 if number < _JAW else 1) * width << _SHIFT
        cv2.circle(picture, point.tolist(), radius, LANDMARKS, -1, cv2.LINE_AA, _SHIFT)


def _line(picture: NDArray[np.uint8], points: NDArray[np.floating], color: Color, width: int, closed: bool) -> None:
    cv2.polylines(picture, [_fixed(points)], closed, color, width, cv2.LINE_AA, _SHIFT)


def _finite(points: NDArray[np.floating]) -> NDArray[np.float64]:
    known = np.nan_to_num(np.asarray(points, np.float64))
    return np.clip(known, -_FARTHEST, _FARTHEST)


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Points as OpenCV takes them with a fraction."""
    return np.round(_finite(points) * (1 << _SHIFT)).astype(np.int32)


def _label(picture: NDArray[np.uint8], text: str, corner: tuple[float, float], width: int) -> None:
    """Small text above a corner, or below the picture's edge where there is no room above; on black, to be read."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.4 * width
    (wide, high), below = cv2.getTextSize(text, font, scale, width)
    corner_x, corner_y = _finite(np.array(corner))
    x = int(np.clip(corner_x, 0, max(0, picture.shape[1] - wide)))
    y = int(np.clip(corner_y - 2 * width, high + below, max(high + below, picture.shape[0] - below)))
    cv2.rectangle(picture, (x, y - high - 1), (x + wide, y + below), (0, 0, 0), -1)
    cv2.putText(picture, text, (x, y), font, scale, (255, 255, 255), width, cv2.LINE_AA)
