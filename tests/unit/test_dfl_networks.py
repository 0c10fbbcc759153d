"""Imported networks draw what DeepFaceLab's would: against its networks evaluated with numpy alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dfl_model_files import AE, INTER, RESOLUTION, D, E, M, Made, amp_model, quick96_model, saehd_model, xseg_model
from dfl_numpy import Array, amp, saehd, xseg
from lookalike.interchange import dfl_sizes
from lookalike.interchange.dfl_sizes import sizes_of
from lookalike.landmarks import GUIDE_POINTS
from lookalike.masks.segmenter import open_segmenter
from lookalike.models.autoencoder import Faces
from lookalike.models.checkpoint import load_checkpoint, restore_model
from lookalike.models.config import SaehdConfig
from lookalike.pipeline.import_model import XSEG_FILE, import_model
from lookalike.pipeline.workspace import Workspace

CLOSE = 1e-4
ARCHIS = (
    "df", "liae", "df-u", "df-d", "df-ud", "df-t", "df-td", "df-udt", "liae-u", "liae-d", "liae-ud", "liae-t",
    "liae-udt", "liae-dtu", "df-c", "df-cud", "df-udtc", "liae-c", "liae-udc", "liae-tcdu",
)  # fmt: skip


def imported(made: Made, place: Path) -> Path:
    """The folder of the model that it becomes."""
    workspace = Workspace.create(place)
    list(import_model(workspace, made.folder, name="taken"))
    return workspace.model("taken")


def pictures(side: int, count: int = 2) -> Array:
    """Random faces, blue, green, red."""
    return np.random.default_rng(5).uniform(0, 1, (count, side, side, 3)).astype(np.float32)


@torch.inference_mode()
def swapped(folder: Path, bgr: Array, morph: float = 1.0) -> tuple[NDArray[np.floating], ...]:
    """Picture (as theirs), its mask and dst's mask, by our network."""
    checkpoint = load_checkpoint(folder)
    model = restore_model(checkpoint, torch.device("cpu")).eval()
    rgb = torch.from_numpy(bgr[..., ::-1].transpose(0, 3, 1, 2).copy())
    drawing, seen = model.swap(Faces(rgb, torch.zeros(len(rgb), GUIDE_POINTS, 2)), morph)
    assert drawing.mask is not None
    assert seen is not None
    picture = drawing.picture.numpy().transpose(0, 2, 3, 1)[..., ::-1]
    return picture, drawing.mask.numpy().transpose(0, 2, 3, 1), seen.numpy().transpose(0, 2, 3, 1)


def assert_alike(ours: tuple[NDArray[np.floating], ...], theirs: tuple[Array, Array, Array]) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        assert np.ptp(other) > 0.05  # else everything would be alike
        assert np.abs(mine - other).max() < CLOSE


@pytest.mark.parametrize("archi", ARCHIS)
def test_saehd_draws_the_same(archi: str, tmp_path: Path) -> None:
    made = saehd_model(tmp_path / "theirs", archi)
    seen = pictures(RESOLUTION)
    ours = swapped(imported(made, tmp_path / "ws"), seen)
    assert_alike(ours, saehd(made.files, archi, RESOLUTION, AE, seen))


@pytest.mark.parametrize("morph", [0, 0.3, 1])
def test_amp_draws_the_same(morph: float, tmp_path: Path) -> None:
    made = amp_model(tmp_path / "theirs")
    seen = pictures(RESOLUTION)
    ours = swapped(imported(made, tmp_path / "ws"), seen, morph)
    assert_alike(ours, amp(made.files, RESOLUTION, INTER, seen, morph))


def test_quick96_draws_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = sizes_of("Quick96", {}, "there")
    assert genuine == SaehdConfig(
        resolution=96, archi="df-ud", ae_dims=128, e_dims=64, d_dims=64, d_mask_dims=16, geometry="dfl2"
    )
    small = {"archi": "df-ud", "resolution": 96, "ae_dims": AE, "e_dims": E, "d_dims": D, "d_mask_dims": M}
    monkeypatch.setattr(dfl_sizes, "QUICK96", small | {"face_type": "f"})
    made = quick96_model(tmp_path / "theirs")
    seen = pictures(96, 1)
    folder = imported(made, tmp_path / "ws")
    assert_alike(swapped(folder, seen), saehd(made.files, "df-ud", 96, AE, seen))


def test_xseg_sees_the_same(tmp_path: Path) -> None:
    made = xseg_model(tmp_path / "theirs", face_type="f")
    seen = pictures(256, 1)
    segmenter = open_segmenter(imported(made, tmp_path / "ws") / XSEG_FILE, "cpu")
    theirs = xseg(made.files["256"], seen)[0, :, :, 0]
    assert np.ptp(theirs) > 0.2
    assert (theirs < 0.1).any()
    wanted = np.where(theirs < 0.1, 0, theirs)
    ours = segmenter.mask(seen[0, :, :, ::-1], np.zeros((68, 2)))
    unsure = np.abs(theirs - 0.1) < CLOSE
    assert np.abs(ours - wanted)[~unsure].max() < CLOSE
    assert (segmenter.side, segmenter.face_type, segmenter.geometry) == (256, "full", "dfl2")
