"""A player of .dfm files, written from what is known of the format alone; of Lookalike it has the mean face's numbers.

A .dfm is an ONNX file. Input 0 is called `in_face:0` and takes (N, R, R, 3) float32, BGR in [0, 1]; a second input,
`morph_value:0`, of one number, is AMP's. Outputs are told by their place: mask of the face given, face drawn, its mask.
Players read R from the shape of the input, and give one face at a time. The file need not say how faces are aligned.
"""

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.mean_face import TEMPLATE

Picture = NDArray[np.uint8]
"""(H, W, 3) BGR."""
_RIGID = [*range(17, 49), 54]
"""Landmarks that DeepFaceLab 2 aligns by."""
_PADDING = {"half": 0.0, "mid-full": 0.0675, "full": 0.2109375, "whole": 0.40}


class Played(NamedTuple):
    """What comes out of one face."""

    dst_mask: NDArray[np.float32]
    """(R, R)."""
    face: NDArray[np.float32]
    """(R, R, 3) BGR in [0, 1]."""
    mask: NDArray[np.float32]
    """(R, R)."""


class DfmPlayer:
    """A file opened."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self.session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        inputs = self.session.get_inputs()
        if not 1 <= len(inputs) <= 2 or "in_face" not in inputs[0].name:
            raise ValueError("no .dfm: its first input is no face, or it has more than two")
        self.side = self._static_side(inputs[0].shape)
        self.morphs = len(inputs) == 2
        if self.morphs and "morph_value" not in inputs[1].name:
            raise ValueError("no .dfm: its second input is no morph value")
        if len(self.session.get_outputs()) != 3:
            raise ValueError("no .dfm: three outputs are needed")

    def play(self, face: Picture, morph: float = 0.75) -> Played:
        """Draw an aligned (R, R, 3) BGR face."""
        feed = {"in_face:0": face[None].astype(np.float32) / np.float32(255)}
        if self.morphs:
            feed["morph_value:0"] = np.array([morph], np.float32)
        seen, drawn, mask = self.session.run(None, feed)
        return Played(seen[0, :, :, 0], drawn[0], mask[0, :, :, 0])

    def cut(self, frame: Picture, landmarks: NDArray[np.floating], face_type: str) -> Picture:
        """The aligned face of a frame; whole pixels of a larger crop are averaged where the face is larger than R."""
        times = max(1, round(min(_square(landmarks, face_type)[1], 1024.0) / self.side))
        size = times * self.side
        matrix = dfl2_matrix(landmarks, size, face_type)
        enlarges = np.hypot(*matrix[:, 0]) > 1
        flags = cv2.INTER_CUBIC if enlarges else cv2.INTER_LINEAR
        crop = cv2.warpAffine(frame, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(crop, (self.side, self.side), interpolation=cv2.INTER_AREA), np.uint8)

    @staticmethod
    def _static_side(shape: list[Any]) -> int:
        height, width, channels = shape[1:4]
        if not isinstance(height, int) or height != width or channels != 3:
            raise ValueError(f"no .dfm: a picture of {shape}")
        return height


def dfl2_matrix(landmarks: NDArray[np.floating], size: int, face_type: str) -> NDArray[np.float64]:
    """(2, 3) from the frame to the aligned square, by three of its corners."""
    (centre, right), side = _square(landmarks, face_type)
    down = np.array([-right[1], right[0]])
    half = side / 2
    corners = [centre - half * right - half * down, centre + half * right - half * down, centre + half * (right + down)]
    to = np.array([[0, 0], [size, 0], [size, size]], np.float32)
    return np.asarray(_affine(np.array(corners), to), np.float64)


def _square(
    landmarks: NDArray[np.floating], face_type: str
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], float]:
    """Centre, direction to the right, and side of the square, in the frame."""
    template, points = TEMPLATE[[i - 17 for i in _RIGID]], np.asarray(landmarks, np.float64)[_RIGID]
    a, b = template @ [1, 1j], points @ [1, 1j]
    # A turn and a scale are one complex number: that of the least squares from the frame to the template, undone.
    turn = (abs(b - b.mean()) ** 2).sum() / ((b - b.mean()).conj() * (a - a.mean())).sum()
    up = 0.07j if face_type == "whole" else 0
    centre = b.mean() + turn * (0.5 + 0.5j - up - a.mean())
    side = abs(turn) * (1 + 2 * np.sqrt(2) * _PADDING[face_type])
    right = turn / abs(turn)
    return (np.array([centre.real, centre.imag]), np.array([right.real, right.imag])), float(side)


def _affine(corners: NDArray[np.float64], to: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2, 3) that takes three points to three."""
    return np.linalg.solve(np.hstack([corners, np.ones((3, 1))]), to.astype(np.float64)).T
