"""A mask network given as a file."""

from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import WeightsError
from lookalike.masks.onnx_network import MaskNetwork
from mask_onnx import write_mask_onnx


@pytest.mark.parametrize("side", [64, None])
@pytest.mark.parametrize("planar", [True, False])
@pytest.mark.parametrize("bgr", [True, False])
def test_every_layout_gives_the_same_mask(tmp_path: Path, side: int | None, planar: bool, bgr: bool) -> None:
    network = MaskNetwork(write_mask_onnx(tmp_path / "m.onnx", side=side, planar=planar, bgr=bgr))
    assert network.side == (side or 256)
    face = np.zeros((network.side, network.side, 3), np.uint8)
    face[: network.side // 2] = (128, 20, 250)
    mask = network.mask(face)
    assert mask.shape == (network.side, network.side)
    assert (mask[: network.side // 2] == 1).all()
    assert not mask[network.side // 2 :].any()
    np.testing.assert_array_equal(network.mask(face.astype(np.float32) / np.float32(255)), mask)


def test_faces_of_another_size_are_reduced(tmp_path: Path) -> None:
    network = MaskNetwork(write_mask_onnx(tmp_path / "m.onnx"))
    face = np.zeros((128, 128, 3), np.uint8)
    face[:, 64:] = 255
    np.testing.assert_array_equal(network.mask(face)[:, [0, 31, 32, 63]], np.tile([0, 0, 1, 1], (64, 1)))


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="does not exist"):
        MaskNetwork(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(WeightsError, match="no ONNX network"):
        MaskNetwork(tmp_path / "text.onnx")
