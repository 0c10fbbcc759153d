"""The small upscaler: better than bicubic on what it never saw, harmless on what is flat."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import WeightsError
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.merge import merge_frame
from lookalike.merging.paint import paint
from lookalike.merging.predict import FaceUpscaler, Prediction
from lookalike.models.upscaler import load_upscaler
from lookalike.sample import load_portraits
from merge_scene import TINY, scene, target_of


def halved(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(picture, (0, 0), sigma) if sigma else picture
    size_wh = (picture.shape[1] // 2, picture.shape[0] // 2)
    return np.asarray(cv2.resize(soft, size_wh, interpolation=cv2.INTER_AREA), np.float32)


@pytest.mark.parametrize("sigma", [0, 0.8])
def test_portraits_come_out_nearer_than_by_bicubic(sigma: float) -> None:
    upscale = FaceUpscaler("cpu")
    for portrait in load_portraits():
        side = min(portrait.image.shape[:2]) // 4 * 4
        large = portrait.image[:side, :side].astype(np.float32) / np.float32(255)
        large = np.asarray(cv2.resize(large, (256, 256), interpolation=cv2.INTER_AREA), np.float32)
        small = halved(large, sigma)
        plain = cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC)
        errors = [float(((out - large) ** 2).mean()) for out in (plain, upscale(small))]
        assert errors[1] < 0.85 * errors[0]


def test_a_flat_picture_stays_flat() -> None:
    for value in (0.1, 0.5, 0.9):
        large = FaceUpscaler("cpu")(np.full((32, 24, 3), value, np.float32))
        assert large.shape == (64, 48, 3)
        np.testing.assert_allclose(large, value, atol=0.02)


def test_its_power_is_the_share_that_is_mixed_in() -> None:
    picture, record = scene()
    target, whole = target_of(picture, record, TINY), np.ones((32, 32), np.float32)
    rng = np.random.default_rng(0)
    drawing = Prediction(cv2.GaussianBlur(rng.uniform(0, 1, (32, 32, 3)), (0, 0), 1.5).astype(np.float32), whole, whole)
    planes = []
    for power in (0, 50, 100):
        config = MergeConfig(super_resolution=power, color_transfer="none", sharpen=0)
        merged = merge_frame(
            picture, [(target, paint(target, drawing, config))], config, MergeRun(), FaceUpscaler("cpu")
        )
        planes.append(merged.picture.planes[0].astype(int))
    assert 0 < np.abs(planes[1] - planes[0]).sum() < np.abs(planes[2] - planes[0]).sum()


def test_weights_that_are_missing_or_damaged_are_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="--super-resolution needs"):
        load_upscaler(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="no weights of the upscaler"):
        load_upscaler(tmp_path / "bad.safetensors")
