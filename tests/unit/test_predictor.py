"""A trained model as a function of pictures."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from lookalike.errors import CheckpointError
from lookalike.landmarks import GUIDE_POINTS
from lookalike.merging.config import MergeConfig
from lookalike.merging.paint import whole_mask
from lookalike.merging.predict import Predictor
from lookalike.merging.regions import drawn_region
from lookalike.models.autoencoder import Faces
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, save_checkpoint
from lookalike.models.config import model_config
from merge_scene import TINY, scene, target_of


def test_a_predictor_swaps_as_its_model_does(tmp_path: Path) -> None:
    model = build_model(TINY, 3)
    save_checkpoint(tmp_path, model.state_dict(), {}, TrainState(model=TINY, step=7))
    predictor = Predictor(tmp_path, "cpu")
    assert predictor.config == TINY
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    points = rng.uniform(-1, 1, (2, GUIDE_POINTS, 2)).astype(np.float32)
    both = predictor.swap(faces, points)
    with torch.inference_mode():
        shown = Faces(torch.from_numpy(faces).permute(0, 3, 1, 2) / 255, torch.from_numpy(points))
        drawing, seen = model.eval().swap(shown)
    assert drawing.mask is not None
    assert seen is not None
    for i, one in enumerate(both):
        assert one.picture.shape == (32, 32, 3)
        np.testing.assert_allclose(one.picture, drawing.picture[i].permute(1, 2, 0).numpy(), atol=1e-5)
        assert one.mask is not None
        assert one.dst_mask is not None
        np.testing.assert_allclose(one.mask, drawing.mask[i, 0].numpy(), atol=1e-5)
        np.testing.assert_allclose(one.dst_mask, seen[i, 0].numpy(), atol=1e-5)
    alone = predictor.swap(faces, points, dst_mask=False)
    assert alone[0].dst_mask is None
    np.testing.assert_allclose(alone[0].picture, both[0].picture, atol=1e-5)


def test_amp_is_merged_as_far_as_the_morph_factor_says(tmp_path: Path) -> None:
    sizes = {"model": "amp", "resolution": 32, "ae_dims": 16, "inter_dims": 16, "e_dims": 4, "d_dims": 4}
    config = model_config(sizes)
    save_checkpoint(tmp_path, build_model(config, 3).state_dict(), {}, TrainState(model=config))
    faces = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    points = np.zeros((1, GUIDE_POINTS, 2), np.float32)
    predictor = Predictor(tmp_path, "cpu")
    drawn = [predictor.swap(faces, points, morph=morph)[0].picture for morph in (0.0, 0.5, 1.0)]
    assert all(np.abs(a - b).max() > 1e-4 for a, b in pairwise(drawn))


def test_a_model_without_a_mask_is_merged_by_the_outline(tmp_path: Path) -> None:
    config = model_config({"model": "sae", "resolution": 32, "ae_dims": 16, "e_ch_dims": 2, "learn_mask": False})
    save_checkpoint(tmp_path, build_model(config).state_dict(), {}, TrainState(model=config))
    faces, points = np.zeros((1, 32, 32, 3), np.uint8), np.zeros((1, GUIDE_POINTS, 2), np.float32)
    predictor = Predictor(tmp_path, "cpu")
    drawn = predictor.swap(faces, points)[0]
    assert drawn.mask is None
    picture, record = scene()
    target = target_of(picture, record, config)
    for learned, stands_in in (("learned-prd*dst", "hull"), ("learned-prd", "hull"), ("learned-prd*face", "face")):
        configs = [MergeConfig.model_validate({"mask": name}) for name in (learned, stands_in)]
        one, other = (whole_mask(target, drawn_region(c.mask, target, drawn), c, 64) for c in configs)
        assert one.any()
        assert np.array_equal(one, other)


def test_a_predictor_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="run train first"):
        Predictor(tmp_path, "cpu")
