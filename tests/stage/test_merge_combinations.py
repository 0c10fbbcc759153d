"""Every mode with every mask and every colour transfer, on a clip of ten frames."""

from itertools import product
from typing import get_args

import numpy as np
import pytest

from lookalike.faceset import faces_by_frame
from lookalike.masks.onnx_network import MaskNetwork
from lookalike.merging.config import ColorTransfer, MaskName, MergeConfig, MergeRun, Mode
from lookalike.merging.predict import Predictor
from lookalike.merging.track import Tracks
from lookalike.pipeline.merge_job import MergeJob
from lookalike.pipeline.merge_settings import Settings
from lookalike.types import Frame
from lookalike.video import read_frames
from mask_onnx import write_mask_onnx
from merge_workspace import merge_workspace

COUNT = 10


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Frame], MergeJob]:
    folder = tmp_path_factory.mktemp("clip")
    workspace = merge_workspace(folder, COUNT)
    run = MergeRun(masks=True)
    job = MergeJob(
        Tracks(faces_by_frame(workspace.aligned("dst")), run.stabilize),
        Settings(MergeConfig(), (), ()),
        run,
        {"guided": Predictor(workspace.model("guided"), "cpu")},
        lambda spot: "guided",
        MaskNetwork(write_mask_onnx(folder / "mask.onnx")),
    )
    return list(read_frames(workspace.video("dst"))), job


def merged(clip: tuple[list[Frame], MergeJob], config: MergeConfig) -> list[tuple[Frame, Frame, np.ndarray]]:
    """Frames before and after, and the mask."""
    frames, job = clip
    one = MergeJob(
        job.tracks, Settings(config, (), ()), job.run, job.predictors, job.model_of, job.network, job.upscale
    )
    out = []
    for before, (after, result, faces) in zip(frames, one.merged(iter(frames), 0), strict=True):
        assert faces == 1
        assert result.cover is not None
        out.append((before, after, result.cover))
    return out


@pytest.mark.parametrize("mode", get_args(Mode))
@pytest.mark.parametrize("mask", get_args(MaskName))
def test_all_combinations(clip: tuple[list[Frame], MergeJob], mode: Mode, mask: MaskName) -> None:
    looks = {}
    for transfer in get_args(ColorTransfer) if not mode.startswith("raw") else ("none",):
        config = MergeConfig(mode=mode, mask=mask, color_transfer=transfer)
        frames = merged(clip, config)
        assert [after.index for _, after, _ in frames] == list(range(COUNT))
        for before, after, cover in frames:
            for plane, old in zip(after.picture.planes, before.picture.planes, strict=True):
                assert plane.dtype == np.uint8
                assert (plane != old).any()
                new = plane[plane != old].astype(int)
                assert new.min() >= 16
                assert new.max() <= 240
            assert 0 <= cover.min() < cover.max() <= 1
            if not mode.startswith("raw"):
                changed = before.picture.planes[0] != after.picture.planes[0]
                assert not changed[cover == 0].any()
            assert (after.picture.alpha is not None) == (mode == "raw-rgb-mask")
        looks[transfer] = np.concatenate([after.picture.planes[2].ravel() for _, after, _ in frames])
    for one, other in product(looks, repeat=2):
        assert one >= other or (looks[one] != looks[other]).any(), (one, other)


def test_modes_differ(clip: tuple[list[Frame], MergeJob]) -> None:
    looks = {}
    for mode in get_args(Mode):
        (_, after, _), *_ = merged(clip, MergeConfig(mode=mode, mask="hull", color_transfer="none"))
        alpha = b"" if after.picture.alpha is None else after.picture.alpha.tobytes()
        looks[mode] = b"".join(plane.tobytes() for plane in after.picture.planes) + alpha
    assert len(set(looks.values())) == len(looks)


def test_masks_differ(clip: tuple[list[Frame], MergeJob]) -> None:
    covers = {mask: merged(clip, MergeConfig(mask=mask))[0][2].tobytes() for mask in get_args(MaskName)}
    # A product with a mask that is 1 everywhere inside another may equal it; most do not.
    assert len(set(covers.values())) >= len(covers) - 2
