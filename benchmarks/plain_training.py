"""A training step as it is usually written: float32, one face at a time augmented by OpenCV in worker processes.

What `train.py` compares ours with. The network, the faces and the losses are the same.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lookalike.faceset import list_faces, load_face
from lookalike.landmarks import feature_mask, hull_mask
from lookalike.models.autoencoder import Df

Sample = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


class FaceDataset(Dataset[Sample]):
    """Faces decoded from their files every time they are used, warped and turned by OpenCV."""

    def __init__(self, folder: Path, resolution: int, length: int) -> None:
        self._paths, self._resolution, self._length = list_faces(folder), resolution, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> Sample:
        cv2.setNumThreads(1)
        random = np.random.default_rng(number)
        image, record = load_face(self._paths[int(random.integers(len(self._paths)))])
        landmarks = record.crop_landmarks()
        side, w = self._resolution, len(image)
        picture = image.astype(np.float32) / 255
        mask = hull_mask(landmarks, (w, w)).astype(np.float32)
        features = feature_mask(landmarks, w).astype(np.float32)
        turn = cv2.getRotationMatrix2D((w // 2, w // 2), random.uniform(-10, 10), random.uniform(0.95, 1.05))
        matrix = np.column_stack([turn[:, :2], turn[:, 2] + random.uniform(-0.05, 0.05, 2) * w])
        x, y = _warp(w, random)
        warped = cv2.remap(picture, x, y, cv2.INTER_CUBIC)
        turned = [
            cv2.warpAffine(p, matrix, (w, w), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            for p in (warped, picture, mask, features)
        ]
        small = [cv2.resize(p, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1) for p in turned]
        points = torch.from_numpy((np.concatenate([landmarks, landmarks[:10]]) / w * 2 - 1).astype(np.float32))
        return _tensor(small[0]), points, _tensor(small[1]), _tensor(small[2]), _tensor(small[3])


def plain_batches(folder: Path, resolution: int, batch_size: int, count: int) -> Iterator[list[Tensor]]:
    """`count` batches, made by two worker processes ahead of time."""
    data = FaceDataset(folder, resolution, count * batch_size)
    return iter(DataLoader(data, batch_size, num_workers=2, prefetch_factor=3, multiprocessing_context="spawn"))


class PlainStep:
    """Both people one after the other, DSSIM by depthwise convolutions, Adam as PyTorch gives it."""

    def __init__(self, model: Df) -> None:
        self._model = model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=5e-5, betas=(0.5, 0.999))

    def __call__(self, src: list[Tensor], dst: list[Tensor]) -> float:
        """Update all weights once; the loss."""
        model, total = self._model, torch.zeros(())
        for batch, decoder in ((src, model.decoder_src), (dst, model.decoder_dst)):
            warped, points, target, mask, _ = batch
            drawn = decoder(model.inter(model.encoder(warped, points)))
            window = int(target.shape[-1] / 11.6)
            soft = _blur(mask, max(1, target.shape[-1] // 32))
            for picture in (drawn.picture, *drawn.smaller):
                wanted, weight = (F.interpolate(p, picture.shape[-1:] * 2, mode="area") for p in (target, soft))
                total = total + 10 * _dssim(picture * weight, wanted * weight, window)
            if drawn.mask is not None:
                total = total + (drawn.mask - mask).square().mean()
        self._optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return total.item()


def _tensor(picture: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.atleast_3d(picture).transpose(2, 0, 1)))


def _warp(side: int, random: np.random.Generator) -> list[NDArray[np.float32]]:
    """The maps of x and of y of a random warp with 4 cells a side."""
    cell = side // 4
    nodes = np.mgrid[0 : side + 1 : cell, 0 : side + 1 : cell].astype(np.float32)
    nodes[:, 1:-1, 1:-1] += random.normal(0, 0.13 * cell, nodes[:, 1:-1, 1:-1].shape)
    large = [
        cv2.resize(n, (side + cell, side + cell))[cell // 2 : -(cell // 2), cell // 2 : -(cell // 2)] for n in nodes
    ]
    return [np.asarray(large[1], np.float32), np.asarray(large[0], np.float32)]


def _gaussian(window: int, sigma: float, channels: int) -> Tensor:
    offset = torch.arange(window) - (window - 1) / 2
    line = torch.exp(-(offset**2) / (2 * sigma**2))
    line = line / line.sum()
    return torch.outer(line, line).expand(channels, 1, window, window).contiguous()


def _blur(mask: Tensor, sigma: int) -> Tensor:
    return F.conv2d(mask, _gaussian(4 * sigma + 1, sigma, 1), padding=2 * sigma)


def _dssim(a: Tensor, b: Tensor, window: int) -> Tensor:
    kernel = _gaussian(window, 1.5, 3)
    mean_a, mean_b = F.conv2d(a, kernel, groups=3), F.conv2d(b, kernel, groups=3)
    squares = F.conv2d(a * a + b * b, kernel, groups=3) - mean_a**2 - mean_b**2
    product = F.conv2d(a * b, kernel, groups=3) - mean_a * mean_b
    ssim = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4) * (2 * product + 9e-4) / (squares + 9e-4)
    return (1 - ssim).mean() / 2
