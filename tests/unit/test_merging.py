"""Masks, colours and pasting, with a network that is made up here."""

from itertools import pairwise
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from drawn_faces import DST, SRC, draw_person
from lookalike.color import picture_to_rgb, rgb_to_picture
from lookalike.color_transfer import reinhard
from lookalike.errors import CheckpointError
from lookalike.faceset import FaceRecord, make_face
from lookalike.landmarks import GUIDE_POINTS
from lookalike.merging.config import MergeConfig
from lookalike.merging.mask import blur_side, erode_radius, finish_mask, mask_size
from lookalike.merging.merge import Target, face_mask, find_target, merge_face
from lookalike.merging.predict import Prediction, Predictor
from lookalike.models.autoencoder import Faces
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, save_checkpoint
from lookalike.models.config import GuidedConfig, model_config
from lookalike.types import ColorSpace, Picture

TINY = GuidedConfig(resolution=32, ae_dims=16, e_dims=4, d_dims=2)
PERCENTS = (30, 50, 100, 130, 200)


@pytest.mark.parametrize(
    ("size", "radii"),
    [
        (50, (1, 3, 6, 8, 12)),
        (100, (3, 6, 12, 15, 24)),
        (200, (7, 11, 23, 30, 46)),
        (300, (10, 16, 33, 43, 67)),
        (400, (12, 21, 43, 56, 86)),
        (600, (17, 29, 59, 76, 118)),
        (800, (21, 35, 71, 93, 143)),
    ],
)
def test_erode_radii_of_the_specification(size: int, radii: tuple[int, ...]) -> None:
    assert tuple(erode_radius(size, percent) for percent in PERCENTS) == radii
    assert tuple(erode_radius(size, -percent) for percent in PERCENTS) == tuple(-radius for radius in radii)


@pytest.mark.parametrize(("percent", "side"), [(0, 0), (10, 4), (50, 20), (100, 40), (200, 80)])
def test_blur_sides_of_the_specification(percent: float, side: int) -> None:
    assert blur_side(400, percent) == side


def ellipse(side: int, share: float = 0.8) -> NDArray[np.float32]:
    """A mask whose axes are `share` of the crop's side high and three quarters of that wide."""
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) / (side / 2 * share)
    return np.asarray(np.hypot(x / 0.75, y) <= 1, np.float32)


def test_mask_size_is_the_mean_side() -> None:
    mask = np.zeros((50, 60), np.float32)
    assert mask_size(mask) == 0
    mask[10:30, 5:45] = 1
    assert mask_size(mask) == 30


@pytest.mark.parametrize("side", [32, 64, 257])
@pytest.mark.parametrize("erode", [-200, -50, 0, 10, 100, 200])
@pytest.mark.parametrize("blur", [0, 20, 80, 400])
@pytest.mark.parametrize("limited", [True, False])
def test_a_finished_mask_keeps_its_limits(side: int, erode: float, blur: float, limited: bool) -> None:
    for share in (0.5, 0.9, 2.0):  # the last fills the crop
        mask = ellipse(side, share)
        limit = mask if limited else np.ones_like(mask)
        finished = finish_mask(mask, limit, erode, blur)
        assert finished.shape == mask.shape
        assert finished.dtype == np.float32
        assert 0 <= finished.min() <= finished.max() <= 1
        assert (finished <= limit).all()
        border = np.ones_like(mask, bool)
        border[1:-1, 1:-1] = False
        assert not finished[border].any()


@pytest.mark.parametrize("side", [64, 256, 512])
@pytest.mark.parametrize(("erode", "blur"), [(0, 0), (10, 80), (30, 100), (-30, 50)])
def test_at_moderate_settings_the_middle_is_the_drawn_face(side: int, erode: float, blur: float) -> None:
    finished = finish_mask(ellipse(side), ellipse(side), erode, blur)
    middle = finished[side * 2 // 5 : side * 3 // 5, side * 2 // 5 : side * 3 // 5]
    assert middle.min() == pytest.approx(1, abs=1e-5)


def test_blur_ends_where_the_hard_edge_was() -> None:
    mask = ellipse(256)
    hard, soft = finish_mask(mask, np.ones_like(mask), 0, 0), finish_mask(mask, np.ones_like(mask), 0, 80)
    assert not soft[hard == 0].any()
    ramp = soft[128, : 256 // 2]
    assert (np.diff(ramp) >= -1e-6).all()
    assert np.diff(ramp).max() < 0.15  # a ramp, not a step


def test_erosion_shrinks_and_dilation_grows() -> None:
    mask, free = ellipse(128, 0.6), np.ones((128, 128), np.float32)
    areas = [finish_mask(mask, free, erode, 0).sum() for erode in (100, 50, 0, -50, -100)]
    assert areas == sorted(areas)
    assert areas[2] == mask.sum()
    # A radius of r on each side.
    assert mask_size(finish_mask(mask, free, 50, 0)) == mask_size(mask) - 2 * erode_radius(mask_size(mask), 50)


def test_an_empty_mask_stays_empty() -> None:
    empty = np.zeros((64, 64), np.float32)
    for erode in (-200, 0, 200):
        assert not finish_mask(empty, np.ones_like(empty), erode, 80).any()


def colours(seed: int, low: float, high: float) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return cv2.GaussianBlur(rng.uniform(low, high, (48, 48, 3)), (0, 0), 1).astype(np.float32)


def lab_statistics(rgb: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2, 3): mean and spread of L, a, b where there is weight."""
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float64)
    mean = np.average(lab, (0, 1), np.repeat(weight[..., None], 3, 2))
    spread = np.sqrt(np.average((lab - mean) ** 2, (0, 1), np.repeat(weight[..., None], 3, 2)))
    return np.stack([mean, spread])


def test_reinhard_brings_statistics_over() -> None:
    content, weight = colours(0, 0.2, 0.5), ellipse(48)
    reference = np.asarray(colours(1, 0.4, 0.8) * [1, 0.9, 0.8], np.float32)
    moved = reinhard(content, reference, weight)
    np.testing.assert_allclose(lab_statistics(moved, weight), lab_statistics(reference, weight), atol=0.15)
    assert moved.dtype == np.float32
    assert 0 <= moved.min() <= moved.max() <= 1


def test_reinhard_counts_what_has_weight_only() -> None:
    content, reference, weight = colours(0, 0.3, 0.6), colours(1, 0.4, 0.7), ellipse(48, 0.5)
    moved = reinhard(content, reference, weight)
    outside = weight == 0
    other_content, other_reference = content.copy(), reference.copy()
    other_content[outside], other_reference[outside] = (1, 0, 0), 0
    again = reinhard(other_content, other_reference, weight)
    np.testing.assert_allclose(again[~outside], moved[~outside], atol=1e-5)
    np.testing.assert_allclose(reinhard(content, reference, weight * 0.25), moved, atol=1e-5)


def test_reinhard_takes_a_weight_of_the_reference_s_own() -> None:
    content, reference = colours(0, 0.3, 0.6), colours(1, 0.4, 0.7)
    left, right = np.zeros((48, 48), np.float32), np.zeros((48, 48), np.float32)
    left[:, :24], right[:, 24:] = 1, 1
    moved = reinhard(content, reference, left, right)
    np.testing.assert_allclose(lab_statistics(moved, left), lab_statistics(reference, right), atol=0.15)


def test_reinhard_of_a_picture_towards_itself_is_itself() -> None:
    content = colours(0, 0.1, 0.9)
    np.testing.assert_allclose(reinhard(content, content, ellipse(48)), content, atol=2e-3)


def test_reinhard_without_weight_is_the_content() -> None:
    content, none = colours(0, 0, 1), np.zeros((48, 48), np.float32)
    assert reinhard(content, colours(1, 0, 1), none) is content
    assert reinhard(content, colours(1, 0, 1), ellipse(48), none) is content


def test_reinhard_of_a_flat_picture_is_finite() -> None:
    flat = np.full((48, 48, 3), 0.5, np.float32)
    assert np.isfinite(reinhard(flat, colours(1, 0.2, 0.8), ellipse(48))).all()


def scene(bits: int = 8, shift: int = 1, moved: tuple[float, float] = (0, 0)) -> tuple[Picture, FaceRecord]:
    """A drawn frame and its face, put elsewhere in a larger picture by `moved`."""
    rgb, face = draw_person(DST, 1)
    matrix = np.array([[1, 0, moved[0]], [0, 1, moved[1]]], np.float64)
    large = cv2.warpAffine(rgb, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE)
    offset = np.array(moved, np.float32)
    box = face.box_xyxy + np.tile(offset, 2)
    face = type(face)(box, face.score, face.landmarks + offset, face.mesh + offset)
    _, record = make_face(
        np.asarray(large, np.uint8),
        face,
        source="x",
        frame=0,
        time_seconds=0,
        number=0,
        size=64,
        face_type="full",
        track=0,
    )
    return rgb_to_picture(np.asarray(large, np.uint8), ColorSpace("bt709", False, bits), shift, shift), record


def prediction(look: tuple[int, int, int] = SRC.skin, mask: float = 1, side: int = 32) -> Prediction:
    picture = np.full((side, side, 3), np.array(look) / 255, np.float32)
    return Prediction(picture, np.full((side, side), mask, np.float32))


def changed(before: Picture, after: Picture) -> list[NDArray[np.bool_]]:
    return [np.asarray(a != b) for a, b in zip(before.planes, after.planes, strict=True)]


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("shift", [0, 1])
def test_only_the_face_changes(bits: int, shift: int) -> None:
    picture, record = scene(bits, shift)
    copies = [plane.copy() for plane in picture.planes]
    merged = merge_face(picture, find_target(picture, record, TINY), prediction(), MergeConfig(color_transfer="none"))
    for plane, copy in zip(picture.planes, copies, strict=True):
        np.testing.assert_array_equal(plane, copy)  # the frame given stays as it was
    low, high = record.mesh_array().min(0), record.mesh_array().max(0)
    for plane, moved, halved in zip(merged.planes, changed(picture, merged), (0, shift, shift), strict=True):
        assert plane.dtype == (np.uint8 if bits == 8 else np.uint16)
        ys, xs = np.nonzero(moved)
        assert len(ys)
        scale = 1 << halved
        assert xs.min() * scale >= low[0] - 3
        assert xs.max() * scale <= high[0] + 3
        assert ys.min() * scale >= low[1] - 3
        assert ys.max() * scale <= high[1] + 3
    # In the middle of the face there is what was drawn.
    x, y = np.round(record.landmarks_array()[30]).astype(int)
    code = 1 / 255 if bits == 8 else 1 / 1023
    np.testing.assert_allclose(picture_to_rgb(merged)[y, x], np.array(SRC.skin) / 255, atol=3 * code)


@pytest.mark.parametrize("mask", ["learned", "hull", "learned*hull"])
def test_masks_by_name(mask: Literal["learned", "hull", "learned*hull"]) -> None:
    picture, record = scene()
    target = find_target(picture, record, TINY)
    config = MergeConfig(mask=mask, erode=0, blur=0)
    assert face_mask(target, prediction(), config).any()
    assert face_mask(target, prediction(mask=0), config).any() == (mask == "hull")
    hull = face_mask(target, prediction(), config.model_copy(update={"mask": "hull"}))
    assert (face_mask(target, prediction(), config) > hull).any() == (mask == "learned")


def test_an_empty_mask_changes_nothing() -> None:
    picture, record = scene()
    target = find_target(picture, record, TINY)
    for config in (MergeConfig(), MergeConfig(mask="learned", sharpen=100)):
        assert merge_face(picture, target, prediction(mask=0), config) is picture
    assert merge_face(picture, target, prediction(), MergeConfig(erode=200, blur=400)) is picture


def test_colours_of_the_face_that_is_replaced() -> None:
    picture, record = scene()
    target = find_target(picture, record, TINY)
    noise = np.random.default_rng(0).normal(0, 0.03, (32, 32, 3))
    bright = Prediction((np.array(SRC.skin) / 255 + noise).clip(0, 1).astype(np.float32), np.ones((32, 32), np.float32))
    inside = face_mask(target, bright, MergeConfig(blur=0)) > 0.5
    x, y = np.round(record.landmarks_array()[30]).astype(int)
    means = {}
    for transfer in ("none", "rct"):
        config = MergeConfig.model_validate({"color_transfer": transfer})
        rgb = picture_to_rgb(merge_face(picture, target, bright, config))
        means[transfer] = rgb[y - 10 : y + 10, x - 10 : x + 10].mean((0, 1))
    np.testing.assert_allclose(means["none"], np.array(SRC.skin) / 255, atol=0.03)
    np.testing.assert_allclose(means["rct"], target.crop[inside].mean(0), atol=0.06)


def test_sharpening_adds_contrast() -> None:
    picture, record = scene()
    target = find_target(picture, record, TINY)
    drawing = Prediction(colours(3, 0.2, 0.8)[:32, :32].copy(), np.ones((32, 32), np.float32))
    spread = []
    for sharpen in (0, 100, 300):
        rgb = picture_to_rgb(merge_face(picture, target, drawing, MergeConfig(color_transfer="none", sharpen=sharpen)))
        x, y = np.round(record.landmarks_array()[30]).astype(int)
        spread.append(rgb[y - 15 : y + 15, x - 15 : x + 15].std())
    assert spread[0] < spread[1] < spread[2]


@pytest.mark.parametrize("moved", [(-90, 0), (170, 0), (0, -80), (190, 130), (-110, -100)])
@pytest.mark.parametrize("mask", ["learned", "learned*hull"])
def test_a_face_cut_by_the_frame_s_edge_is_merged_as_far_as_it_is_seen(
    moved: tuple[float, float], mask: Literal["learned", "learned*hull"]
) -> None:
    picture, record = scene(moved=moved)
    target = find_target(picture, record, TINY)
    merged = merge_face(picture, target, prediction(), MergeConfig(mask=mask, color_transfer="none"))
    assert changed(picture, merged)[0].any()


def test_the_network_sees_the_face_with_its_points() -> None:
    picture, record = scene()
    target = find_target(picture, record, TINY)
    assert target.small.shape == (32, 32, 3)
    assert target.points.shape == (GUIDE_POINTS, 2)
    eye, mouth = ((target.points[p] + 1) * len(target.crop) / 2 - 0.5 for p in (68, 66))
    for place, color in ((eye, DST.eyes), (mouth, (30, 10, 10))):
        x, y = np.round(place).astype(int)
        np.testing.assert_allclose(target.crop[y, x] * 255, color, atol=40)


def test_drawing_what_was_seen_changes_little() -> None:
    picture, record = scene(shift=0)
    model = TINY.model_copy(update={"resolution": 128})
    target: Target = find_target(picture, record, model)
    again = Prediction(target.small.astype(np.float32) / np.float32(255), np.ones((128, 128), np.float32))
    for config in (MergeConfig(), MergeConfig(mask="hull", erode=0, blur=0)):
        rgb = picture_to_rgb(merge_face(picture, target, again, config))
        difference = np.abs(rgb - picture_to_rgb(picture))
        assert difference.mean() < 0.002
        assert np.quantile(difference, 0.995) < 0.06  # only hard edges are softened


def test_a_predictor_swaps_as_its_model_does(tmp_path: Path) -> None:
    model = build_model(TINY, 3)
    save_checkpoint(tmp_path, model.state_dict(), {}, TrainState(model=TINY, step=7))
    predictor = Predictor(tmp_path, "cpu")
    assert (predictor.config, predictor.step) == (TINY, 7)
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
        np.testing.assert_allclose(one.mask, (drawing.mask * seen)[i, 0].numpy(), atol=1e-5)


def test_amp_is_merged_as_far_as_the_morph_factor_says(tmp_path: Path) -> None:
    sizes = {"model": "amp", "resolution": 32, "ae_dims": 16, "inter_dims": 16, "e_dims": 4, "d_dims": 4}
    config = model_config(sizes)
    save_checkpoint(tmp_path, build_model(config, 3).state_dict(), {}, TrainState(model=config))
    faces = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    points = np.zeros((1, GUIDE_POINTS, 2), np.float32)
    drawn = [Predictor(tmp_path, "cpu", morph).swap(faces, points)[0].picture for morph in (0.0, 0.5, 1.0)]
    assert all(np.abs(a - b).max() > 1e-4 for a, b in pairwise(drawn))


def test_a_model_without_a_mask_is_merged_by_the_outline(tmp_path: Path) -> None:
    config = model_config({"model": "sae", "resolution": 32, "ae_dims": 16, "e_ch_dims": 2, "learn_mask": False})
    save_checkpoint(tmp_path, build_model(config).state_dict(), {}, TrainState(model=config))
    faces, points = np.zeros((1, 32, 32, 3), np.uint8), np.zeros((1, GUIDE_POINTS, 2), np.float32)
    prediction = Predictor(tmp_path, "cpu").swap(faces, points)[0]
    assert prediction.mask is None
    picture, record = scene()
    target = find_target(picture, record, config)
    outline = face_mask(target, prediction, MergeConfig(mask="hull"))
    assert outline.any()
    assert np.array_equal(face_mask(target, prediction, MergeConfig(mask="learned")), outline)
    assert np.array_equal(face_mask(target, prediction, MergeConfig(mask="learned*hull")), outline)


def test_a_predictor_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="run train first"):
        Predictor(tmp_path, "cpu")
