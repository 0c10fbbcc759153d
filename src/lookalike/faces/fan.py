"""The 68 landmarks by 2DFAN-4."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lookalike.faces.detection import Detection
from lookalike.faces.mesh import MeshLandmarker
from lookalike.geometry import invert, transform
from lookalike.models.fan import FAN, MAP_SIDE, SIDE, peaks
from lookalike.models.pretrained import inference_compute, load_published

_FACES_AT_ONCE = 16
_UP = 0.12
"""How far the crop's centre lies above that of the landmarks, in heights of theirs."""
_ROOM = 200 / 195
"""Side of the crop in widths and heights, added, of the landmarks."""
_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER = 36, 45


class FanLandmarker:
    """Landmarks from heat maps, in two passes; the second looks where the first found the face.

    The crop of the first pass is laid about the 68 points that derive from the mesh, not about the detector's box:
    detectors draw their boxes differently, while the network was trained and measured on crops laid about landmarks
    (`bounding_box` in the authors' evaluation code), which is the rule followed here. Both crops are turned so that the
    eyes lie level.
    """

    def __init__(self, weights: Path) -> None:
        """Load the network.

        Raises:
            WeightsError: the file is missing, damaged or another network's.
        """
        self._compute = inference_compute(exact=True)
        self._net = load_published(FAN(), weights).to(self._compute.device)
        self._first = MeshLandmarker()

    def landmarks(
        self, rgb: NDArray[np.uint8], detections: Sequence[Detection], meshes: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """(68, 2) iBUG landmarks in frame pixels for each (478, 2) mesh of an (H, W, 3) uint8 RGB picture.

        The faces of a picture go through the network together. It is computed in float32 on every device; only
        processors were tried.
        """
        points = self._first.landmarks(rgb, detections, meshes)
        for _ in range(2):
            points = self._pass(rgb, points)
        return points

    def _pass(self, rgb: NDArray[np.uint8], points: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = []
        for start in range(0, len(points), _FACES_AT_ONCE):
            matrices = [crop_matrix(face) for face in points[start : start + _FACES_AT_ONCE]]
            in_crop = self._find(np.stack([_crop(rgb, matrix) for matrix in matrices]))
            found += [transform(invert(m), xy).astype(np.float32) for m, xy in zip(matrices, in_crop, strict=True)]
        return found

    def _find(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(B, 68, 2) landmarks in pixels of (B, 256, 256, 3) uint8 RGB crops."""
        batch = torch.from_numpy(crops).to(self._compute.device).permute(0, 3, 1, 2)
        with torch.inference_mode(), self._compute.autocast():
            maps = self._net(batch.float() / 255)[-1]
        step = SIDE / MAP_SIDE
        return np.asarray((peaks(maps).cpu().numpy() + 0.5) * step - 0.5, np.float32)


def crop_matrix(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """(2, 3) matrix from the frame to the 256-pixel crop about (68, 2) landmarks, its eyes level.

    The crop's middle, between its pixels 127 and 128, is the middle of the landmarks moved up; the published code cuts
    crops at whole pixels, which moves them by up to a pixel.
    """
    points = np.asarray(landmarks, np.float64)
    across = points[_LEFT_EYE_OUTER] - points[_RIGHT_EYE_OUTER]
    angle = np.arctan2(across[1], across[0])
    cos, sin = np.cos(angle), np.sin(angle)
    level = np.array([[cos, sin], [-sin, cos]])
    low, high = (points @ level.T).min(0), (points @ level.T).max(0)
    width, height = high - low
    centre = (low + high) / 2 - [0, _UP * height]
    scale = SIDE / max((width + height) * _ROOM, 1e-3)
    return np.hstack([level * scale, ((SIDE - 1) / 2 - centre * scale)[:, None]])


def _crop(rgb: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Bilinear with black around the frame, as the network was trained."""
    return np.asarray(cv2.warpAffine(rgb, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.uint8)
