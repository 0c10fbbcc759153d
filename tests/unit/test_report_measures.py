"""The measures of a report on pictures and points whose answer is known: seam, flow, pose, expression."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import SRC, drawn_record, face_at
from lookalike.faces import EXPRESSIONS
from lookalike.mean_face import SOLID
from lookalike.reporting.crops import FaceCrops
from lookalike.reporting.likeness import compare_expression, compare_pose
from lookalike.reporting.seam import NO_SEAM, find_seam
from lookalike.reporting.temporal import warping_error

SIDE = 192


def skin(seed: int = 0, roughness: float = 6.0) -> NDArray[np.uint8]:
    """Something with the texture of skin, lit from the left."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 1.0)
    light = np.linspace(20, -20, SIDE, dtype=np.float32) + noise / noise.std() * roughness
    return np.asarray(np.clip(np.array([190, 150, 130]) + light[..., None], 0, 255), np.uint8)


def disc(soft: float = 0.0) -> NDArray[np.float32]:
    """(SIDE, SIDE, 1) of 1 inside a circle."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(mask, (SIDE // 2, SIDE // 2), SIDE // 3, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), soft) if soft else mask, np.float32)[..., None]


def changed(rgb: NDArray[np.uint8], by: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The picture with something added in CIE Lab."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) + by.astype(np.float32)
    return np.clip(np.rint(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * 255), 0, 255).astype(np.uint8)


class TestSeam:
    @pytest.mark.parametrize("step", [3.0, 5.0])
    def test_a_hard_edge_is_as_large_as_it_is(self, step: float) -> None:
        seam = find_seam(skin(), changed(skin(), disc() * np.array([step, 0, 0], np.float32)))
        assert seam.step == pytest.approx(0.9 * step, rel=0.1)
        assert seam.share > 0.95

    def test_a_soft_edge_of_the_same_change_hardly_shows(self) -> None:
        seam = find_seam(skin(), changed(skin(), disc(8) * np.array([3, 0, 0], np.float32)))
        assert 0 < seam.step < 0.6
        assert seam.share == 0

    def test_texture_that_only_the_result_has_is_no_edge(self) -> None:
        texture = (skin(1, 6)[..., :1].astype(np.float32) - skin(2, 6)[..., :1]) * 0.4
        assert texture.std() > 3  # as much as the hard edge
        seam = find_seam(skin(), changed(skin(), disc(5) * texture * np.array([1, 0, 0], np.float32)))
        assert seam.step < 1.5  # half of a hard edge as strong

    def test_an_outline_that_both_have_is_no_edge(self) -> None:
        both = changed(skin(), disc() * np.array([-25, 5, 5], np.float32))
        assert find_seam(both, both) == NO_SEAM
        assert find_seam(both, changed(both, disc(8) * np.array([3, 0, 0], np.float32))).step < 0.8

    def test_a_change_too_faint_or_too_small_has_no_border(self) -> None:
        speck = np.zeros((SIDE, SIDE, 1), np.float32)
        speck[90:96, 90:96] = 20
        assert find_seam(skin(), changed(skin(), speck * np.array([1, 0, 0], np.float32))) == NO_SEAM
        assert find_seam(skin(), changed(skin(), disc() * np.array([0.4, 0, 0], np.float32))).step < 0.5


class TestWarping:
    def crops(self, dst: NDArray[np.uint8], result: NDArray[np.uint8]) -> FaceCrops:
        return FaceCrops(dst, result, disc()[..., 0] > 0.5)

    def moved(self, picture: NDArray[np.uint8], x: float, y: float = 0.0) -> NDArray[np.uint8]:
        matrix = np.array([[1, 0, x], [0, 1, y]], np.float64)
        return np.asarray(cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT), np.uint8)

    def picture(self, seed: int) -> NDArray[np.uint8]:
        coarse = np.random.default_rng(seed).integers(40, 210, (24, 24)).astype(np.uint8)
        return np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)

    def test_what_moves_with_dst_costs_nothing(self) -> None:
        dst, result = self.picture(0), self.picture(1)
        errors = warping_error(self.crops(dst, result), self.crops(self.moved(dst, 3, 2), self.moved(result, 3, 2)))
        assert errors is not None
        assert errors[0] < 0.5
        assert errors[1] < 1.5  # the flow is dst's: a face that differs pays for its small mistakes
        still = warping_error(self.crops(dst, result), self.crops(self.moved(dst, 3, 2), result))
        assert still is not None
        assert still[0] == errors[0]
        assert still[1] > 5 * errors[1]

    def test_a_change_of_light_in_the_result_alone_is_counted_in_codes(self) -> None:
        dst = self.picture(0)
        flickering = (dst.astype(np.int16) + 4).astype(np.uint8)
        errors = warping_error(self.crops(dst, dst), self.crops(dst, flickering))
        assert errors == pytest.approx((0, 4), abs=0.01)

    def test_at_a_cut_nothing_is_measured(self) -> None:
        noise = np.random.default_rng(5).integers(0, 255, (2, SIDE, SIDE)).astype(np.uint8)
        assert warping_error(self.crops(noise[0], noise[0]), self.crops(noise[1], noise[1])) is None
        nowhere = replace(self.crops(noise[0], noise[0]), inside=np.zeros((SIDE, SIDE), bool))
        assert warping_error(nowhere, nowhere) is None


def seen(pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """(68, 2) landmarks of the solid face turned by degrees, before a camera."""
    x, y, z = np.radians([pitch, yaw, roll])
    turn = cv2.Rodrigues(np.array([0, 0, z]))[0] @ cv2.Rodrigues(np.array([0, y, 0]))[0]
    points = SOLID @ (turn @ cv2.Rodrigues(np.array([-x, 0, 0]))[0]).T
    return points[:, :2] / (points[:, 2:] + 700) * 800 + [320, 260]


class TestPose:
    @pytest.mark.parametrize("turned", [(0.0, 12.0, 0.0), (8.0, 0.0, 0.0), (0.0, 0.0, 10.0), (0.0, -12.0, 0.0)])
    def test_a_turned_head_is_turned_by_about_that_much(self, turned: tuple[float, float, float]) -> None:
        _, record = drawn_record(SRC)
        front = [(float(x), float(y)) for x, y in seen()]
        error = compare_pose(record.model_copy(update={"landmarks": front}), face_at(seen(*turned)))
        assert (error.pitch, error.yaw, error.roll) == pytest.approx(turned, abs=4)
        assert error.angle == pytest.approx(float(np.abs(turned).max()), abs=4)

    def test_the_same_head_is_not_turned(self) -> None:
        _, record = drawn_record(SRC)
        same = compare_pose(record, face_at(record.landmarks_array()))
        assert (same.angle, same.pitch, same.yaw, same.roll) == pytest.approx((0, 0, 0, 0), abs=0.01)


def test_expression_is_told_by_part() -> None:
    dst = np.zeros(len(EXPRESSIONS), np.float32)
    result = dst.copy()
    result[EXPRESSIONS.index("_neutral")] = 1.0  # does not count
    assert compare_expression(EXPRESSIONS, dst, result).mean == 0
    result[EXPRESSIONS.index("jawOpen")] = 0.4
    error = compare_expression(EXPRESSIONS, dst, result)
    assert error.mean == pytest.approx(0.4 / 51)
    assert (error.brows, error.eyes, error.mouth, error.jaw) == pytest.approx((0, 0, 0, 0.1))
