"""Laying drawn faces into frames: what changes, what must not, and what each option does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import DST, SRC
from lookalike.color import picture_to_rgb
from lookalike.faceset.record import Polygon
from lookalike.landmarks import GUIDE_POINTS
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.merge import merge_frame
from lookalike.merging.paint import paint, whole_mask
from lookalike.merging.predict import Prediction
from lookalike.merging.regions import drawn_region
from lookalike.merging.target import Target, find_target
from lookalike.merging.track import spot_of
from lookalike.types import Picture
from merge_scene import TINY, colours, merged_with, prediction, scene, target_of

PLAIN = MergeConfig(color_transfer="none", sharpen=0)


def options(**given: Any) -> MergeConfig:
    return MergeConfig.model_validate(PLAIN.model_dump() | given)


def changed(before: Picture, after: Picture) -> list[NDArray[np.bool_]]:
    return [np.asarray(a != b) for a, b in zip(before.planes, after.planes, strict=True)]


def mask_of(target: Target, drawn: Prediction, config: MergeConfig, side: int = 96) -> NDArray[np.float32]:
    return whole_mask(target, drawn_region(config.mask, target, drawn), config, side)


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("shift", [0, 1])
def test_only_the_face_changes(bits: int, shift: int) -> None:
    picture, record = scene(bits, shift)
    copies = [plane.copy() for plane in picture.planes]
    merged = merged_with(picture, target_of(picture, record), prediction(), PLAIN).picture
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


def test_an_empty_mask_changes_nothing() -> None:
    picture, record = scene()
    target = target_of(picture, record)
    for config in (MergeConfig(), MergeConfig(mask="learned-prd", sharpen=100)):
        assert merged_with(picture, target, prediction(mask=0), config).picture is picture
    assert merged_with(picture, target, prediction(), MergeConfig(erode=200, blur=400)).picture is picture


def test_colours_of_the_face_that_is_replaced() -> None:
    picture, record = scene()
    target = target_of(picture, record)
    noise = np.random.default_rng(0).normal(0, 0.03, (32, 32, 3))
    whole = np.ones((32, 32), np.float32)
    bright = Prediction((np.array(SRC.skin) / 255 + noise).clip(0, 1).astype(np.float32), whole, whole)
    inside = mask_of(target, bright, MergeConfig(blur=0), 32) > 0.5
    x, y = np.round(record.landmarks_array()[30]).astype(int)
    means = {}
    for transfer in ("none", "rct"):
        rgb = picture_to_rgb(merged_with(picture, target, bright, options(color_transfer=transfer)).picture)
        means[transfer] = rgb[y - 10 : y + 10, x - 10 : x + 10].mean((0, 1))
    np.testing.assert_allclose(means["none"], np.array(SRC.skin) / 255, atol=0.03)
    np.testing.assert_allclose(means["rct"], target.crop[inside].mean(0) / 255, atol=0.06)


@pytest.mark.parametrize("mode", ["hist-match", "hist-match-bw"])
def test_a_match_of_histograms_leaves_no_rim(mode: str) -> None:
    """Where the mask fades out, the face is as bright as dst. (DeepFaceLab took what is outside for white.)"""
    picture, record = scene()
    target = target_of(picture, record, TINY.model_copy(update={"resolution": 64}))
    again = target.crop.astype(np.float32) / np.float32(255) * np.float32(0.8)
    whole = np.ones((64, 64), np.float32)
    config, run = options(mode=mode, mask="hull", blur=250), MergeRun(masks=True)
    merged = merged_with(picture, target, Prediction(again, whole, whole), config, run)
    assert merged.cover is not None
    ring = (merged.cover > 0.1) & (merged.cover < 0.4)
    rise = picture_to_rgb(merged.picture).mean(2) - picture_to_rgb(picture).mean(2)
    assert ring.sum() > 500
    assert abs(rise[ring].mean()) < 0.01


def test_sharpening_adds_contrast() -> None:
    picture, record = scene()
    target, whole = target_of(picture, record), np.ones((32, 32), np.float32)
    drawing = Prediction(colours(3, 0.2, 0.8)[:32, :32].copy(), whole, whole)
    spread = []
    for sharpen in (0, 100, 300):
        rgb = picture_to_rgb(merged_with(picture, target, drawing, options(sharpen=sharpen)).picture)
        x, y = np.round(record.landmarks_array()[30]).astype(int)
        spread.append(rgb[y - 15 : y + 15, x - 15 : x + 15].std())
    assert spread[0] < spread[1] < spread[2]


@pytest.mark.parametrize("moved", [(-90, 0), (170, 0), (0, -80), (190, 130), (-110, -100)])
@pytest.mark.parametrize("mask", ["learned-prd", "learned-prd*face"])
def test_a_face_cut_by_the_frame_s_edge_is_merged_as_far_as_it_is_seen(moved: tuple[float, float], mask: str) -> None:
    picture, record = scene(moved=moved)
    merged = merged_with(picture, target_of(picture, record), prediction(), options(mask=mask)).picture
    assert changed(picture, merged)[0].any()


@pytest.mark.parametrize("side", [512, 1000])
def test_a_face_smaller_than_the_network_s_is_not_aliased(side: int) -> None:
    """A fine checkerboard drawn into a small face comes out grey, as an average."""
    picture, record = scene()
    target = target_of(picture, record, TINY.model_copy(update={"resolution": side}))
    board = np.indices((side, side)).sum(0) % 2
    whole = np.ones((side, side), np.float32)
    drawing = Prediction(np.repeat(board[..., None], 3, 2).astype(np.float32), whole, whole)
    rgb = picture_to_rgb(merged_with(picture, target, drawing, PLAIN).picture)
    x, y = np.round(record.landmarks_array()[30]).astype(int)
    middle = rgb[y - 8 : y + 8, x - 8 : x + 8]
    assert target.natural < side
    np.testing.assert_allclose(middle.mean(), 0.5, atol=0.03)
    assert middle.std() < 0.2


def test_the_network_sees_the_face_with_its_points() -> None:
    picture, record = scene()
    target = target_of(picture, record, TINY.model_copy(update={"resolution": 64}))
    assert target.crop.shape == (64, 64, 3)
    assert target.points.shape == (GUIDE_POINTS, 2)
    eye, mouth = ((target.points[p] + 1) * len(target.crop) / 2 - 0.5 for p in (68, 66))
    for place, color in ((eye, DST.eyes), (mouth, (30, 10, 10))):
        x, y = np.round(place).astype(int)
        np.testing.assert_allclose(target.crop[y, x], color, atol=45)


def test_drawing_what_was_seen_changes_little() -> None:
    picture, record = scene(shift=0)
    target = target_of(picture, record, TINY.model_copy(update={"resolution": 128}))
    whole = np.ones((128, 128), np.float32)
    again = Prediction(target.crop.astype(np.float32) / np.float32(255), whole, whole)
    for config in (MergeConfig(), MergeConfig(mask="hull", erode=0, blur=0), MergeConfig(mode="seamless")):
        rgb = picture_to_rgb(merged_with(picture, target, again, config).picture)
        difference = np.abs(rgb - picture_to_rgb(picture))
        assert difference.mean() < 0.002
        assert np.quantile(difference, 0.995) < 0.06  # only hard edges are softened


def test_the_scale_makes_the_face_larger_or_smaller() -> None:
    picture, record = scene()
    target = target_of(picture, record)
    areas = [
        changed(picture, merged_with(picture, target, prediction(), options(mask="hull", scale=scale)).picture)[0].sum()
        for scale in (-30, 0, 30)
    ]
    assert areas[0] == pytest.approx(areas[1] * 0.7**2, rel=0.08)
    assert areas[2] == pytest.approx(areas[1] * 1.3**2, rel=0.08)


def test_motion_blurs_along_the_way_of_the_face() -> None:
    picture, record = scene()
    target = target_of(picture, record, TINY.model_copy(update={"resolution": 64}))
    whole = np.ones((64, 64), np.float32)
    upright = np.repeat((np.indices((64, 64))[1] // 3 % 2)[..., None], 3, 2).astype(np.float32)
    drawing = Prediction(upright, whole, whole)

    def contrast(move: tuple[float, float], power: float) -> float:
        moving = replace(target, spot=replace(target.spot, move=np.array(move)))
        merged = merged_with(picture, moving, drawing, options(motion_blur=power)).picture
        return float(np.ptp(picture_to_rgb(merged)[90:110, 85:105].mean((0, 2))))

    still = contrast((0, 0), 100)
    assert contrast((12, 0), 0) == still
    assert contrast((12, 0), 100) < 0.6 * still
    assert contrast((0, 12), 100) > 0.9 * still  # along the stripes there is nothing to blur


@pytest.mark.parametrize("option", ["denoise", "degrade_bicubic", "degrade_color"])
def test_a_frame_is_made_poorer_around_the_face(option: str) -> None:
    picture, record = scene()
    rng = np.random.default_rng(0)
    noisy = tuple(
        (p.astype(int) + rng.integers(-9, 10, p.shape)).clip(16, 235).astype(np.uint8) for p in picture.planes
    )
    picture = Picture((noisy[0], noisy[1], noisy[2]), picture.color)
    target = target_of(picture, record)
    corner = [
        picture_to_rgb(merged_with(picture, target, prediction(), options(**{option: power})).picture)[:60, :60]
        for power in (0, 40, 80)
    ]
    assert 0 < np.abs(corner[1] - corner[0]).mean() < np.abs(corner[2] - corner[0]).mean() < 0.1
    if option != "degrade_color":
        assert corner[2].std() < corner[0].std()


def test_polygons_say_the_last_word() -> None:
    picture, record = scene()
    x, y = record.landmarks_array()[30]
    square = [(x - 8, y - 8), (x + 8, y - 8), (x + 8, y + 8), (x - 8, y + 8)]
    beside = [(px + 80, py) for px, py in square]
    drawn = [Polygon(kind="exclude", points=square), Polygon(kind="include", points=beside)]
    for mask in ("hull", "learned-prd", "learned-prd*face"):
        target = target_of(picture, record.model_copy(update={"polygons": drawn}))
        merged = merged_with(picture, target, prediction(), options(mask=mask, blur=0, erode=0)).picture
        moved = changed(picture, merged)[0]
        assert not moved[int(y) - 5 : int(y) + 5, int(x) - 5 : int(x) + 5].any()
        assert moved[int(y) - 20, int(x)]
        assert moved[int(y), int(x) + 80]
        assert mask == "learned-prd" or not moved[int(y) - 12, int(x) + 80]


def test_two_faces_with_alpha() -> None:
    """The old program died of a second face with alpha: the first had left four channels."""
    picture, record = scene()
    spot, step = spot_of(record), np.array([70, 10], np.float32)
    spots = [spot, replace(spot, landmarks=spot.landmarks + step, mesh=spot.mesh + step)]
    targets = [find_target(picture, one, TINY) for one in spots]
    config = options(mask="hull")
    painted = [(target, paint(target, prediction(), config)) for target in targets]
    run = MergeRun(alpha=True, masks=True, patches=True)
    both = merge_frame(picture, painted, config, run)
    one, other = (merge_frame(picture, [face], config, run) for face in painted)
    assert both.picture.alpha is not None
    assert both.cover is not None
    assert one.cover is not None
    assert other.cover is not None
    np.testing.assert_allclose(both.cover, 1 - (1 - one.cover) * (1 - other.cover), atol=1e-6)
    assert (both.picture.alpha == np.rint(both.cover * 255)).all()
    assert len(both.patches) == 2
    assert {0, 255} <= set(np.unique(both.picture.alpha).tolist())


def test_alpha_lies_over_the_unblended_face() -> None:
    """Laid over the frame by its alpha, the picture gives the overlay, to a code."""
    picture, record = scene(shift=0)
    target = target_of(picture, record)
    config = options(mask="hull")
    whole = merged_with(picture, target, prediction(), config).picture
    layer = merged_with(picture, target, prediction(), config, MergeRun(alpha=True)).picture
    assert layer.alpha is not None
    share = layer.alpha.astype(float) / 255
    for plane, over, under in zip(whole.planes, layer.planes, picture.planes, strict=True):
        laid = over.astype(float) * share + under.astype(float) * (1 - share)
        assert np.abs(laid - plane.astype(float)).max() < 1.6


def test_a_patch_lies_where_its_matrix_says() -> None:
    picture, record = scene(shift=0)
    target = target_of(picture, record)
    merged = merged_with(picture, target, prediction(), options(mask="hull"), MergeRun(patches=True))
    (patch,) = merged.patches
    place = patch.matrix @ [*record.landmarks_array()[30], 1]
    x, y = np.round(place).astype(int)
    assert patch.mask[y, x] == 1
    assert patch.mask[0, 0] == 0
    np.testing.assert_allclose(patch.rgb[y, x], np.array(SRC.skin) / 255, atol=1e-3)
