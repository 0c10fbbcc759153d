"""Face boxes by S3FD, the detector of DeepFaceLab."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lookalike.faces.detection import Detection
from lookalike.models.pretrained import inference_compute, load_published
from lookalike.models.s3fd import LEAST_SIDE, S3FD, candidates, strongest

_LONG_SIDE, _LEAST_LONG_SIDE = 640, 64
_CHIN = 0.1


class S3fdDetector:
    """RGB pictures in, boxes out, strongest first.

    As in DeepFaceLab, a picture is searched at half its size or at a long side of 640, and boxes are drawn down by a
    tenth so that the chin is inside; unlike there, corners keep their fractions, and small faces are not dropped.
    """

    def __init__(self, weights: Path, min_score: float) -> None:
        """Load the network.

        Args:
            weights: the published file.
            min_score: lowest probability of a face that is given out.

        Raises:
            WeightsError: the file is missing, damaged or another network's.
        """
        self._compute = inference_compute(exact=False)
        self._net = load_published(S3FD(), weights).to(self._compute.device)
        # Half the time on a processor. The type stubs do not know of it.
        self._net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._min_score = min_score

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces in an (H, W, 3) uint8 RGB picture, strongest first."""
        return self.detect_batch([rgb])[0]

    def detect_batch(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Faces of each of several (H, W, 3) uint8 RGB pictures of one size, in one pass of the network.

        Made for graphics cards, but never run on one: so far it was only tried on a processor.

        Raises:
            ValueError: the pictures differ in size.
        """
        if not pictures:
            return []
        sizes = {picture.shape for picture in pictures}
        if len(sizes) > 1:
            raise ValueError(f"pictures of one batch must have one size, got {sorted(sizes)}")
        height, width = pictures[0].shape[:2]
        small_wh = search_size((width, height))
        batch = torch.from_numpy(np.stack([_reduced(picture, small_wh) for picture in pictures]))
        with torch.inference_mode(), self._compute.autocast():
            maps = self._net(batch.to(self._compute.device).permute(0, 3, 1, 2).float())  # still channels last
        back = np.array([width / small_wh[0], height / small_wh[1]] * 2, np.float32)
        return [
            [_with_chin(row[:4] * back, float(row[4])) for row in found]
            for found in strongest(candidates(maps), self._min_score)
        ]


def search_size(size_wh: tuple[int, int]) -> tuple[int, int]:
    """Width and height at which a picture is searched: half, but 640 at most and 64 at least on the long side."""
    long_side = max(size_wh)
    target = _LONG_SIDE if long_side >= 2 * _LONG_SIDE else max(long_side / 2, _LEAST_LONG_SIDE)
    return max(1, int(size_wh[0] * target / long_side)), max(1, int(size_wh[1] * target / long_side))


def _reduced(rgb: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture at that size, bilinear as the published detector had it, with black beside it if it is too slim."""
    small = cv2.resize(rgb, size_wh, interpolation=cv2.INTER_LINEAR)
    right, below = (max(0, LEAST_SIDE - side) for side in size_wh)
    return np.asarray(cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_CONSTANT), np.uint8)


def _with_chin(box_xyxy: NDArray[np.float32], score: float) -> Detection:
    box = box_xyxy.astype(np.float32)
    box[3] += _CHIN * (box[3] - box[1])
    return Detection(box, score)
