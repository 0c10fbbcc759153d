"""Face boxes by YuNet, through OpenCV."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

_LONG_SIDE = 640
_MIN_SCORE = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A box with five points, in frame pixels."""

    box_xyxy: NDArray[np.float32]
    """(4,) left, top, right, bottom."""
    points: NDArray[np.float32]
    """(5, 2) right eye, left eye, nose, right and left mouth corner (the person's own right and left)."""
    score: float


class YuNet:
    """The face detector: RGB picture in, boxes out, strongest first.

    Source: Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector", MIR 2023.
    """

    def __init__(self, min_score: float = _MIN_SCORE) -> None:
        weights = files("lookalike.faces") / "weights" / "face_detection_yunet_2023mar.onnx"
        with as_file(weights) as path:
            self._net = cv2.FaceDetectorYN.create(str(path), "", (_LONG_SIDE, _LONG_SIDE), min_score, 0.3, 200)

    def detect(self, rgb: NDArray[np.uint8]) -> list[Detection]:
        """Find faces in an (H, W, 3) uint8 RGB picture; the search runs at a long side of at most 640 pixels."""
        height, width = rgb.shape[:2]
        scale = min(1.0, _LONG_SIDE / max(height, width))
        bgr: NDArray[np.uint8] = rgb[:, :, ::-1]
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            bgr = np.asarray(cv2.resize(np.ascontiguousarray(bgr), size, interpolation=cv2.INTER_AREA), np.uint8)
        self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, found_rows = self._net.detect(np.ascontiguousarray(bgr))
        rows = cast("NDArray[np.float32] | None", found_rows)  # OpenCV's stubs forget the None
        if rows is None:
            return []
        back = np.array([width / bgr.shape[1], height / bgr.shape[0]], np.float32)
        found = [
            Detection(
                box_xyxy=np.concatenate([row[:2] * back, (row[:2] + row[2:4]) * back]).astype(np.float32),
                points=(row[4:14].reshape(5, 2) * back).astype(np.float32),
                score=float(row[14]),
            )
            for row in rows
        ]
        return sorted(found, key=lambda d: -d.score)
