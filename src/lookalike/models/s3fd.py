"""S3FD, a face detector that looks for faces at six scales, and the reading of its output.

Source: Zhang et al., "S3FD: Single Shot Scale-invariant Face Detector", ICCV 2017.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

_MEAN_RGB = (123.0, 117.0, 104.0)
_TRUNK = (
    ("conv1", (64,) * 2),
    ("conv2", (128,) * 2),
    ("conv3", (256,) * 3),
    ("conv4", (512,) * 3),
    ("conv5", (512,) * 3),
)
"""VGG-16: names and widths of 3x3 convolutions; each row ends in a halving of the sides."""
_NORM_SCALE = {"conv3_3": 10.0, "conv4_3": 8.0, "conv5_3": 5.0}
"""Trunk layers that are looked at, with the length that their features had when training began."""
_TAIL = (
    ("fc6", 512, 1024, 3, 1, 3),
    ("fc7", 1024, 1024, 1, 1, 0),
    ("conv6_1", 1024, 256, 1, 1, 0),
    ("conv6_2", 256, 512, 3, 2, 1),
    ("conv7_1", 512, 128, 1, 1, 0),
    ("conv7_2", 128, 256, 3, 2, 1),
)
"""Name, channels in and out, kernel, stride, padding of what follows the trunk."""
_HEADS = (
    ("conv3_3_norm", 256, 4),
    ("conv4_3_norm", 512, 2),
    ("conv5_3_norm", 512, 2),
    ("fc7", 1024, 2),
    ("conv6_2", 512, 2),
    ("conv7_2", 256, 2),
)
"""Features, their width and the number of classes; the last class is the face, the others are background."""

STRIDES = (4, 8, 16, 32, 64, 128)
"""Pixels from cell to cell of each output map; the boxes looked for have four times that side."""
LEAST_SIDE = 32
"""Smallest side of a picture that the trunk can halve five times."""
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
_CANDIDATE = 0.05
_MAX_OVERLAP = 0.3

Maps = list[tuple[Tensor, Tensor]]
"""For each stride (B, 2, h, w) logits of background and face, and (B, 4, h, w) box offsets."""


class _ChannelNorm(nn.Module):
    """Features of unit length at each place, times a learned factor for each channel."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape; in float32, as squares overflow anything shorter."""
        x = x.float()
        length: Tensor = torch.linalg.vector_norm(x, dim=1, keepdim=True)
        return x / (length + 1e-10) * self.weight[:, None, None]


class S3FD(nn.Module):
    """The network; its parameters carry the names of the published file s3fd-619a316812.pth."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN_RGB)[:, None, None], persistent=False)
        width = 3
        for stage, widths in _TRUNK:
            for number, out in enumerate(widths, 1):
                self.add_module(f"{stage}_{number}", nn.Conv2d(width, out, 3, padding=1))
                width = out
        for name, channels, out, kernel, stride, padding in _TAIL:
            self.add_module(name, nn.Conv2d(channels, out, kernel, stride, padding))
        for name, channels, classes in _HEADS:
            if name.endswith("_norm"):
                self.add_module(name, _ChannelNorm(channels, _NORM_SCALE[name.removesuffix("_norm")]))
            self.add_module(f"{name}_mbox_conf", nn.Conv2d(channels, classes, 3, padding=1))
            self.add_module(f"{name}_mbox_loc", nn.Conv2d(channels, 4, 3, padding=1))

    def forward(self, rgb: Tensor) -> Maps:
        """Output maps of (B, 3, H, W) float32 RGB pictures of 0..255, neither side below 32 pixels."""
        features = self._features(rgb - self.mean)
        return [self._head(name, features[name]) for name, _, _ in _HEADS]

    def _features(self, rgb: Tensor) -> dict[str, Tensor]:
        x = rgb.flip(1)  # the trunk was trained on BGR
        found = {}
        for stage, widths in _TRUNK:
            for number in range(1, len(widths) + 1):
                x = F.relu(self.get_submodule(f"{stage}_{number}")(x), inplace=True)
            last = f"{stage}_{len(widths)}"
            if last in _NORM_SCALE:
                found[f"{last}_norm"] = self.get_submodule(f"{last}_norm")(x)
            x = F.max_pool2d(x, 2)
        for name, *_ in _TAIL:
            x = F.relu(self.get_submodule(name)(x), inplace=True)
            found[name] = x
        return found

    def _head(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.get_submodule(f"{name}_mbox_conf")(x)
        background = logits[:, :-1].amax(1, keepdim=True)  # the finest head has three kinds of it
        return torch.cat([background, logits[:, -1:]], 1), self.get_submodule(f"{name}_mbox_loc")(x)


def candidates(maps: Maps, min_score: float = _CANDIDATE) -> list[NDArray[np.float32]]:
    """All boxes above a score, many to a face.

    Args:
        maps: output of the network for B pictures.
        min_score: probability that a candidate must exceed.

    Returns:
        B arrays of (N, 5) float32 left, top, right, bottom, score, in pixels of the network's input where the top left
        corner of the picture is (0, 0); in no order.
    """
    pictures, rows = [], []
    for stride, (logits, offsets) in zip(STRIDES, maps, strict=True):
        score = logits.float().softmax(1)[:, 1]
        picture, row, column = torch.nonzero(score > min_score, as_tuple=True)
        cell = torch.stack([column, row], 1)
        boxes = _boxes(cell, offsets.float()[picture, :, row, column], stride)
        pictures.append(picture)
        rows.append(torch.cat([boxes, score[picture, row, column][:, None]], 1))
    whose = torch.cat(pictures).cpu().numpy()
    table = torch.cat(rows).cpu().numpy().astype(np.float32, copy=False)
    return [table[whose == number] for number in range(len(maps[0][0]))]


def _boxes(cells_xy: Tensor, offsets: Tensor, stride: int) -> Tensor:
    """(N, 4) corners from (N, 2) cells and (N, 4) offsets, which are relative to a square of four strides."""
    side = 4.0 * stride
    centre = (cells_xy + 0.5) * stride + offsets[:, :2] * (_CENTRE_VARIANCE * side)
    half = torch.exp(offsets[:, 2:] * _SIZE_VARIANCE) * (side / 2)
    return torch.cat([centre - half, centre + half], 1)


def suppress(boxes: NDArray[np.floating], max_overlap: float = _MAX_OVERLAP) -> NDArray[np.intp]:
    """The strongest box of each heap of boxes that overlap.

    Sides count one pixel more than the difference of their ends, in areas and in overlaps, as in the published code:
    a box from 3 to 3 is one pixel wide. On small boxes this makes overlaps a little larger.

    Args:
        boxes: (N, 5) left, top, right, bottom, score.
        max_overlap: intersection over union that two kept boxes may have.

    Returns:
        Numbers of the rows that are kept, strongest first.
    """
    order = np.argsort(-boxes[:, 4], kind="stable")
    low, high = boxes[order, :2], boxes[order, 2:4]
    area = (high - low + 1).prod(1)
    alive = np.ones(len(order), bool)
    kept = []
    for place, row in enumerate(order):
        if not alive[place]:
            continue
        kept.append(row)
        rest = np.flatnonzero(alive[place + 1 :]) + place + 1
        sides = np.minimum(high[place], high[rest]) - np.maximum(low[place], low[rest]) + 1
        shared = np.maximum(sides, 0).prod(1)
        alive[rest] = shared / (area[place] + area[rest] - shared) <= max_overlap
    return np.array(kept, np.intp)


def strongest(found: Sequence[NDArray[np.float32]], min_score: float) -> list[NDArray[np.float32]]:
    """Of each picture's candidates one to a face: (N, 5) with scores of at least `min_score`, strongest first."""
    kept = [boxes[suppress(boxes)] for boxes in found]
    return [boxes[boxes[:, 4] >= min_score] for boxes in kept]
