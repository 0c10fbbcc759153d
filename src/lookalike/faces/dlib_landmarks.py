"""68 landmarks by dlib's regression trees. The weights may not be used commercially."""

import logging
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.detection import Detection
from lookalike.geometry import invert, transform

_log = logging.getLogger(__name__)

_SIDE = 400
_BOX = 200
"""Side of the face's box in the upright square of _SIDE pixels that is looked at."""
_BOX_OF_MESH = 0.9
"""Side of the box, as a share of the height of the upright mesh; the two are centred alike. Fitted to dlib's boxes."""
_JITTER = [(x, y, (0.96, 1.0, 1.04)[(x + 2 * y) % 3]) for x in (-1, 0, 1) for y in (-1, 0, 1)]
"""Nine boxes: steps to the right and down, and a scale; every scale once in each row and column of shifts."""
_STEP = 0.03 * _BOX
_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER = 33, 263


class DlibLandmarker:
    """The predictor's mean over boxes that differ a little, which cuts its noise to two fifths. About 13 ms a face.

    It looks at the face turned upright, so pictures that lie on their side do as well. On full profiles and behind
    hands it invents a face from the front: there the mesh is better.

    Source: Kazemi, Sullivan, "One millisecond face alignment with an ensemble of regression trees", CVPR 2014; King's
    weights, trained on iBUG 300-W, whose licence excludes commercial use.
    """

    def __init__(self) -> None:
        import dlib
        import face_recognition_models as weights

        _say_licence()
        self._rectangle = dlib.rectangle
        self._predict = dlib.shape_predictor(str(weights.pose_predictor_model_location()))

    def landmarks(
        self, rgb: NDArray[np.uint8], detections: Sequence[Detection], meshes: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """(68, 2) iBUG landmarks in frame pixels for each (478, 2) mesh; the detector's boxes are not used."""
        return [self._of_face(rgb, mesh) for mesh in meshes]

    def _of_face(self, rgb: NDArray[np.uint8], mesh: NDArray[np.float32]) -> NDArray[np.float32]:
        matrix = _upright_matrix(mesh)
        face = cv2.warpAffine(rgb, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = [self._in_box(np.asarray(face, np.uint8), *jitter) for jitter in _JITTER]
        return transform(invert(matrix), np.mean(found, 0)).astype(np.float32)

    def _in_box(self, face: NDArray[np.uint8], right: int, down: int, size: float) -> NDArray[np.float64]:
        """(68, 2) points for the middle box scaled by `size` and shifted by steps to the right and down."""
        half = _BOX / 2 * size
        x, y = (_SIDE / 2 + _STEP * steps for steps in (right, down))
        box = self._rectangle(*(round(v) for v in (x - half, y - half, x + half - 1, y + half - 1)))
        points = self._predict(face, box)
        return np.array([(p.x, p.y) for p in points.parts()], np.float64)


def _upright_matrix(mesh: NDArray[np.float32]) -> NDArray[np.float64]:
    """Frame to square so that the eyes lie level and the box has its place and side."""
    eyes = mesh[_LEFT_EYE_OUTER] - mesh[_RIGHT_EYE_OUTER]
    angle = np.arctan2(eyes[1], eyes[0])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    upright = mesh @ turn.T
    low, high = upright.min(0), upright.max(0)
    scale = _BOX / max(_BOX_OF_MESH * float(high[1] - low[1]), 1e-3)
    return np.hstack([turn * scale, (_SIDE / 2 - scale * (low + high) / 2)[:, None]])


@cache
def _say_licence() -> None:
    _log.warning("dlib's landmarks were trained on iBUG 300-W: their licence excludes commercial use")
