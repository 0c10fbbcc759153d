"""Who a face is: numbers by SFace, or by another network that looks at faces as ArcFace's do."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import WeightsError
from lookalike.geometry import similarity
from lookalike.types import Face

SAME_PERSON_SFACE = 0.637
"""Cosine distance under which two faces are taken for one person. Source: OpenCV's example, cosine above 0.363."""

_SIDE = 112
_TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""Eyes, tip of the nose, corners of the mouth; the picture's left comes first. Source: Deng et al., ArcFace, 2019."""


class SFace:
    """Embeds faces, each from a square of 112 pixels in which eyes, nose and mouth lie at fixed places.

    Source: Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", TIP 2021; the
    network of OpenCV's model zoo (Apache-2.0), run by OpenCV.
    """

    def __init__(self, weights: Path) -> None:
        """Read a network in ONNX: (1, 3, 112, 112) RGB in 0..255 in, one vector out.

        Raises:
            WeightsError: the file is no such network.
        """
        self._file = weights
        try:
            self._net = cv2.dnn.readNetFromONNX(str(weights))
        except cv2.error as exc:
            raise self._unfit() from exc

    def embed(self, rgb: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        """(D,) float32 embedding, of length 1, of a face in an (H, W, 3) RGB picture; compare by the angle.

        Raises:
            WeightsError: the network does not take such pictures, or gives no vector.
        """
        square = aligned_square(rgb, face.landmarks)
        try:
            self._net.setInput(cv2.dnn.blobFromImage(square))
            found = np.asarray(self._net.forward(), np.float32).reshape(-1)
        except cv2.error as exc:
            raise self._unfit() from exc
        length = float(np.linalg.norm(found))
        if found.size < 2 or not np.isfinite(length):
            raise self._unfit()
        return np.asarray(found / max(length, 1e-12), np.float32)

    def _unfit(self) -> WeightsError:
        return WeightsError(
            f"{self._file} is no network that makes a vector of a 112 x 112 face; "
            "get the published one with: lookalike weights get sface"
        )


def aligned_square(rgb: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """(112, 112, 3) uint8 square of the face with these (68, 2) landmarks in an (H, W, 3) picture."""
    points = np.array(
        [landmarks[36:42].mean(0), landmarks[42:48].mean(0), landmarks[30], landmarks[48], landmarks[54]], np.float64
    )
    matrix = similarity(points, _TEMPLATE)
    return np.asarray(cv2.warpAffine(rgb, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR), np.uint8)
