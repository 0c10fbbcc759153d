"""The seams of face finding: what a detector gives, what a landmarker adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Turn = Literal[0, 90, 180, 270]
"""Counter-clockwise degrees that a picture is turned by before it is searched."""

_ROTATIONS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A box about a face, in frame pixels."""

    box_xyxy: NDArray[np.float32]
    """(4,) left, top, right, bottom; may reach outside the frame."""
    score: float
    """0..1; only scores of one detector can be compared."""
    points: NDArray[np.float32] | None = None
    """(5, 2) right eye, left eye, nose, right and left mouth corner (the person's own right and left), if known."""
    turn: Turn = 0
    """The turn of the picture in which the face stood upright."""
    landmarks: NDArray[np.float32] | None = None
    """(68, 2) iBUG landmarks, where the detector brings them, as a file or a person does."""


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces in an upright (H, W, 3) uint8 RGB picture, strongest first; `frame` is its number in the video."""
        ...


class Landmarker(Protocol):
    """Places the 68 landmarks of faces that were found."""

    def landmarks(
        self, rgb: NDArray[np.uint8], detections: Sequence[Detection], meshes: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """(68, 2) iBUG landmarks in frame pixels for each face of an (H, W, 3) uint8 RGB picture.

        Args:
            detections: where the faces are.
            meshes: (478, 2) points of each, in frame pixels.
        """
        ...


def turned(rgb: NDArray[np.uint8], turn: Turn) -> NDArray[np.uint8]:
    """The picture turned counter-clockwise."""
    return rgb if turn == 0 else np.asarray(cv2.rotate(rgb, _ROTATIONS[turn]), np.uint8)


def turned_back(points: NDArray[np.floating], turn: Turn, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """(..., 2) points found in a turned picture, in the upright one of `size_wh`."""
    x, y = points[..., 0], points[..., 1]
    width, height = size_wh
    if turn == 90:
        x, y = width - 1 - y, x
    elif turn == 180:
        x, y = width - 1 - x, height - 1 - y
    elif turn == 270:
        x, y = y, height - 1 - x
    return np.stack([x, y], -1).astype(np.float32)


def upright(detection: Detection, turn: Turn, size_wh: tuple[int, int]) -> Detection:
    """A detection in a turned picture as one in the upright picture of `size_wh`."""
    if turn == 0:
        return detection
    ends = turned_back(detection.box_xyxy.reshape(2, 2), turn, size_wh)
    box = np.concatenate([ends.min(0), ends.max(0)]).astype(np.float32)
    points = None if detection.points is None else turned_back(detection.points, turn, size_wh)
    return Detection(box, detection.score, points, turn)
