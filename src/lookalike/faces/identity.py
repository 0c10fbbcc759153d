"""Who a face is: 128 numbers by dlib's recogniser."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.types import Face

SAME_PERSON = 0.6
"""Two embeddings nearer than this are taken for one person. Source: dlib's own threshold; 98 % right on our clips."""


class Recogniser:
    """Embeds faces. About 80 ms a face on one core, so embed a few faces of a track, not all.

    Source: King's dlib_face_recognition_resnet_model_v1 (public domain), 99.38 % on LFW.
    """

    def __init__(self) -> None:
        import dlib  # both heavy: only when faces are compared
        import face_recognition_models as weights

        self._dlib = dlib
        self._shape = dlib.shape_predictor(str(weights.pose_predictor_five_point_model_location()))
        self._net = dlib.face_recognition_model_v1(str(weights.face_recognition_model_location()))

    def embed(self, rgb: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        """(128,) float32 embedding of a face in an (H, W, 3) RGB picture; compare by Euclidean distance."""
        return self.embed_chip(self.chip(rgb, face))

    def chip(self, rgb: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        """(150, 150, 3) uint8: all that the network sees of a face in an (H, W, 3) RGB picture."""
        picture, box = _around(rgb, face.box_xyxy)
        rectangle = self._dlib.rectangle(*(round(float(v)) for v in box))
        points = self._shape(picture, rectangle)
        return np.asarray(self._dlib.get_face_chip(picture, points, size=150), np.uint8)

    def embed_chip(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(128,) float32 embedding of what `chip` gave, here or in another process."""
        return np.array(self._net.compute_face_descriptor(chip), np.float32)


def _around(rgb: NDArray[np.uint8], box: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The part of a picture about a box, large faces reduced to 300 pixels, and the box within that part."""
    width, height = box[2] - box[0], box[3] - box[1]
    left, top = (int(max(0, box[0] - width)), int(max(0, box[1] - height)))
    part = np.ascontiguousarray(rgb[top : int(box[3] + height) + 1, left : int(box[2] + width) + 1])
    scale = min(1.0, 300 / max(width, height, 1))
    if scale < 1:
        part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    inside = (box - np.array([left, top, left, top], np.float32)) * scale
    return part, inside
