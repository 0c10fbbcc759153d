"""Random colours of training against OpenCV."""

import cv2
import numpy as np
import torch
from torch import Tensor

from lookalike.training.colors import random_blur, random_hsv


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=seeded(seed))


def test_hsv_is_opencv_s_and_each_picture_moves_by_itself() -> None:
    a = noise(1, 6, 3, 16, 16)
    result = random_hsv(a, 0.2, seeded())
    hues = []
    for before, after in zip(a, result, strict=True):
        one, two = (cv2.cvtColor(p.permute(1, 2, 0).contiguous().numpy(), cv2.COLOR_RGB2HSV) for p in (before, after))
        sure = (two[..., 1] > 0.05) & (two[..., 1] < 0.95) & (two[..., 2] < 0.95) & (one[..., 1] > 0.05)
        turn = (two[..., 0] - one[..., 0])[sure] / 360
        turn = (turn + 0.5) % 1 - 0.5
        assert np.ptp(turn) < 1e-3
        assert np.ptp((two[..., 1] - one[..., 1])[sure]) < 1e-3
        assert abs((two[..., 1] - one[..., 1])[sure].mean()) <= 0.1 + 1e-6
        hues.append(turn.mean())
    assert max(np.abs(hues)) <= 0.2
    assert len(np.unique(np.round(hues, 4))) == 6
    assert random_hsv(a, 0, seeded()) is a


def test_blur_softens_a_share_of_the_pictures() -> None:
    a = noise(1, 64, 3, 128, 128)
    result = random_blur(a, 0.5, seeded())
    changed = (result != a).flatten(1).any(1)
    assert 20 < changed.sum() < 44
    assert (result[changed].std((1, 2, 3)) < 0.98 * a[changed].std((1, 2, 3))).all()
    torch.testing.assert_close(result.mean((1, 2, 3)), a.mean((1, 2, 3)), atol=0.01, rtol=0)
    assert random_blur(a, 0, seeded()) is a
    flat = torch.full((4, 3, 32, 32), 0.4)
    torch.testing.assert_close(random_blur(flat, 1, seeded()), flat)  # borders do not darken
