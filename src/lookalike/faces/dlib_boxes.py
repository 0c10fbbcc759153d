"""Face boxes by dlib: histograms of gradients, or a small network."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.candidates import reduced
from lookalike.faces.detection import Detection

_HOG_LONG_SIDE = 640
_CNN_LONG_SIDE = 640
_CNN_SHORT_SIDE = 40
"""A smaller side than half of the smallest face has none; dlib's layers refuse pictures of some pixels."""


class DlibHog:
    """Finds upright faces from the front, 40 pixels and more in the picture that is searched; strongest first.

    Source: Dalal, Triggs, "Histograms of oriented gradients", CVPR 2005; King, "Max-margin object detection", 2015.
    """

    def __init__(self, min_score: float, long_side: int = _HOG_LONG_SIDE) -> None:
        """`long_side` is the larger side of the picture that is searched; larger pictures are reduced to it."""
        import dlib

        self._find = dlib.get_frontal_face_detector()
        self._min_score = min_score
        self._long_side = long_side

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces in an (H, W, 3) uint8 RGB picture; boxes from the brows to the chin, no points."""
        small, back = reduced(rgb, self._long_side)
        rectangles, margins, _ = self._find.run(np.ascontiguousarray(small), 1, margin(self._min_score))
        return _detections(zip(rectangles, margins, strict=True), back, self._min_score)


class DlibCnn:
    """Finds faces of 80 pixels and more in the picture that is searched, turned heads too; strongest first.

    Source: King, "Max-margin object detection", 2015, with the network mmod_human_face_detector (public domain).
    """

    def __init__(self, min_score: float, long_side: int = _CNN_LONG_SIDE) -> None:
        """`long_side` is the larger side of the picture that is searched; larger pictures are reduced to it.

        A `min_score` under 0.5 gives no more faces than 0.5: dlib has no way to ask this network for them.
        """
        import dlib
        import face_recognition_models as weights

        self._find = dlib.cnn_face_detection_model_v1(str(weights.cnn_face_detector_model_location()))
        self._min_score = min_score
        self._long_side = long_side

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces in an (H, W, 3) uint8 RGB picture; square boxes, no points."""
        small, back = reduced(rgb, self._long_side)
        found = self._find(np.ascontiguousarray(small), 0) if min(small.shape[:2]) >= _CNN_SHORT_SIDE else []
        return _detections(((f.rect, f.confidence) for f in found), back, self._min_score)


def score(margin: float) -> float:
    """0..1 of dlib's distance from its decision border, which has no bounds: the logistic curve, 0.5 on the border."""
    return float(1 / (1 + np.exp(-np.clip(margin, -30, 30))))


def margin(score: float) -> float:
    """The distance from the border that has this score; -30..30."""
    with np.errstate(divide="ignore"):
        return float(np.clip(np.log(np.float64(score)) - np.log1p(-np.float64(score)), -30, 30))


def _detections(found: Iterable[tuple[Any, float]], back: NDArray[np.float32], min_score: float) -> list[Detection]:
    """Of dlib's rectangles, whose last pixel is inside, and margins."""
    detections = []
    for rectangle, distance in found:
        corners = np.array(
            [[rectangle.left(), rectangle.top()], [rectangle.right() + 1, rectangle.bottom() + 1]], np.float32
        )
        detections.append(Detection((corners * back).ravel().astype(np.float32), score(distance)))
    return sorted((d for d in detections if d.score >= min_score), key=lambda d: -d.score)
