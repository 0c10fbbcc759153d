"""Face boxes by YuNet, through OpenCV."""

from importlib.resources import as_file, files
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.detection import Detection

_LONG_SIDE = 640


class YuNet:
    """The face detector: RGB picture in, boxes out, strongest first.

    Source: Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector", MIR 2023.
    """

    def __init__(self, min_score: float, long_side: int = _LONG_SIDE) -> None:
        """`long_side` is the larger side of the picture that is searched; larger pictures are reduced to it."""
        weights = files("lookalike.faces") / "weights" / "face_detection_yunet_2023mar.onnx"
        with as_file(weights) as path:
            self._net = cv2.FaceDetectorYN.create(str(path), "", (long_side, long_side), min_score, 0.3, 200)
        self._long_side = long_side

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces in an (H, W, 3) uint8 RGB picture, strongest first."""
        height, width = rgb.shape[:2]
        scale = min(1.0, self._long_side / max(height, width))
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
