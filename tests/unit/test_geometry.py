"""Alignment, against the table of the specification (appendix B.1), and its properties."""

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import model_landmarks
from lookalike.geometry import (
    align_matrix,
    crop_corners,
    intersection_over_union,
    invert,
    rescale,
    similarity,
    transform,
)
from lookalike.mean_face import SOLID, TEMPLATE
from lookalike.options import FaceType, covers, geometry_of


def rotation(degrees: float) -> NDArray[np.float64]:
    """(2, 2), clockwise on a screen where positive."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])


def random_similarity(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.hstack([rotation(rng.uniform(-180, 180)) * rng.uniform(0.1, 10), rng.uniform(-500, 500, (2, 1))])


@dataclass(frozen=True)
class Aligned:
    """A row of the table."""

    face_type: FaceType
    size: int
    zoom: float
    degrees: float
    a: float
    b: float
    tx: float
    ty: float

    def __str__(self) -> str:
        return f"{self.face_type}-{self.size}-{self.zoom}-{self.degrees}"


ROWS = [
    Aligned("half", 256, 1, 0, 1.081635, -0.006477, -219.753742, -141.397904),
    Aligned("full", 256, 1, 0, 0.676022, -0.004048, -89.346088, -40.373690),
    Aligned("head", 256, 1, 0, 0.270409, -0.001619, 41.061565, 60.650524),
    Aligned("avatar", 256, 1, 0, 0.360551, 0, 12.623550, 34.256635),
    Aligned("full", 256, 1.1, 0, 0.614565, -0.003680, -69.587353, -25.066991),
    Aligned("full", 128, 0.5, 0, 0.676022, -0.004048, -153.346088, -104.373690),
    Aligned("full", 256, 1, 20, 0.636637, 0.227409, -136.921875, 43.932610),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_matrices_of_the_specification(row: Aligned) -> None:
    landmarks = (model_landmarks() - [320, 260]) @ rotation(row.degrees).T + [320, 260]
    matrix = align_matrix(landmarks, row.size, row.face_type, "2019", row.zoom)
    # The specification took unrounded landmarks; ours have two decimals, 0.01 frame pixels after doubling.
    np.testing.assert_allclose(matrix[:, :2], [[row.a, row.b], [-row.b, row.a]], atol=2e-5)
    np.testing.assert_allclose(matrix[:, 2], [row.tx, row.ty], atol=6e-3)


@pytest.mark.parametrize(("point", "place"), [(8, (125.438, 240.878)), (30, (127.655, 125.320))])
def test_chin_and_nose_of_the_specification(point: int, place: tuple[float, float]) -> None:
    aligned = transform(align_matrix(model_landmarks(), 256), model_landmarks())
    np.testing.assert_allclose(aligned[point], place, atol=0.01)


def test_the_jaw_does_not_count() -> None:
    moved = model_landmarks()
    moved[:17] += [30, -50]
    np.testing.assert_array_equal(align_matrix(moved, 256), align_matrix(model_landmarks(), 256))


def test_a_face_that_is_the_template_fills_its_crop() -> None:
    landmarks = np.concatenate([np.zeros((17, 2)), TEMPLATE * 100])
    np.testing.assert_allclose(align_matrix(landmarks, 100, "half"), [[1, 0, 0], [0, 1, 0]], atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_similarity_finds_any_similarity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, matrix = rng.normal(size=(12, 2)) * 40, random_similarity(rng)
    np.testing.assert_allclose(similarity(points, transform(matrix, points)), matrix, rtol=1e-9, atol=1e-8)


def test_similarity_never_mirrors() -> None:
    points = np.random.default_rng(1).normal(size=(12, 2))
    linear = similarity(points, points * [-1, 1])[:, :2]
    assert np.linalg.det(linear) >= 0


@pytest.mark.parametrize("seed", range(20))
def test_invert_undoes_transform(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, points = random_similarity(rng), rng.uniform(-1000, 1000, (3, 5, 2))
    np.testing.assert_allclose(transform(invert(matrix), transform(matrix, points)), points, atol=1e-8)
    np.testing.assert_allclose(transform(matrix, transform(invert(matrix), points)), points, atol=1e-8)


def test_landmarks_that_coincide_cannot_be_aligned() -> None:
    with pytest.raises(ValueError, match=r"cannot align 51 points that coincide at \[3.0, 4.0\]"):
        align_matrix(np.full((68, 2), (3.0, 4.0)), 256)


def test_other_numbers_of_landmarks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"landmarks must be \(68, 2\), got \(51, 2\)"):
        align_matrix(TEMPLATE, 256)


@pytest.mark.parametrize("zoom", [0.5, 0.8, 1.25, 2.0])
def test_zoom_keeps_the_middle_of_the_crop(zoom: float) -> None:
    middle = np.array([128.0, 128.0])
    plain = align_matrix(model_landmarks(), 256)
    there = transform(invert(plain), middle)
    np.testing.assert_allclose(transform(align_matrix(model_landmarks(), 256, zoom=zoom), there), middle, atol=1e-9)


@pytest.mark.parametrize("factor", [2, 4])
def test_rescaled_crop_reduced_again_is_the_crop(factor: int) -> None:
    y, x = np.mgrid[:200, :240].astype(np.float32)
    picture = 0.5 + 0.25 * np.sin(x / 9) + 0.25 * np.cos(y / 7)
    matrix = np.array([[0.5, -0.1, 10.3], [0.1, 0.5, -4.6]])
    crop = cv2.warpAffine(picture, matrix, (64, 64), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    side = 64 * factor
    large = cv2.warpAffine(
        picture, rescale(matrix, factor), (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    reduced = cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA)
    # Half a pixel of the small crop's offset, which a plain multiplication would leave, changes this by 0.05.
    assert np.abs(reduced - crop)[4:-4, 4:-4].max() < 0.012


@pytest.mark.parametrize("seed", range(5))
def test_rescaled_crop_has_the_same_corners(seed: int) -> None:
    matrix = random_similarity(np.random.default_rng(seed))
    np.testing.assert_allclose(crop_corners(rescale(matrix, 3), 96), crop_corners(matrix, 32), atol=1e-6)


def test_corners_of_an_unmoved_crop_are_its_pixels_outer_edges() -> None:
    corners = crop_corners(np.eye(2, 3), 10)
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [9.5, -0.5], [9.5, 9.5], [-0.5, 9.5]])


@pytest.mark.parametrize(
    ("a", "b", "overlap"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (2, 2, 7, 7), 0.25),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (0, 11, 10, 20), 0.0),
        ((0, 0, 10, 10), (3, 3, 3, 3), 0.0),
        ((-10, -10, 0, 0), (-5, -5, 5, 5), 1 / 7),
    ],
)
def test_overlap_of_boxes(a: tuple[int, ...], b: tuple[int, ...], overlap: float) -> None:
    first, second = np.array(a, np.float32), np.array(b, np.float32)
    assert intersection_over_union(first, second) == pytest.approx(overlap)
    assert intersection_over_union(second, first) == pytest.approx(overlap)


def corner_rule(landmarks: NDArray[np.float64], face_type: str, size: int) -> NDArray[np.float64]:
    """DeepFaceLab 2's square by its corners, as its format notes tell it: the way it was first written down."""
    padding = {"half": 0, "mid-full": 0.0675, "full": 0.2109375, "whole": 0.4, "head": 0.7}
    kind = face_type.removesuffix("-no-align")
    chosen = [*range(17, 49), 54]
    unit = similarity(landmarks[chosen], TEMPLATE[[i - 17 for i in chosen]])
    a, b, c, d, centre = transform(invert(unit), np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]]))
    half_diagonal = np.linalg.norm(a - c) * (padding[kind] * np.sqrt(2) + 0.5)
    if kind == "whole":
        centre = centre + 0.07 * (a - d)
    if kind == "head":
        aligned = transform(unit, landmarks)[:, 0]
        left = np.mean([aligned[27] - aligned[0], aligned[28] - aligned[1], aligned[29] - aligned[2]])
        right = np.mean([aligned[16] - aligned[27], aligned[15] - aligned[28], aligned[14] - aligned[29]])
        yaw = (right - left) * abs(np.tanh(2 * (right - left)))
        centre = centre - (a - b) * yaw / 2 + 0.5 * (a - d)
    along, across = (c - a) / np.linalg.norm(c - a), (b - d) / np.linalg.norm(b - d)
    corners = np.array(
        [centre - along * half_diagonal, centre + across * half_diagonal, centre + along * half_diagonal]
    )
    if kind != face_type:
        side = np.sqrt(2) * half_diagonal / 2
        corners = centre + np.array([[-side, -side], [side, -side], [side, side]])
    return np.asarray(
        cv2.getAffineTransform(corners.astype(np.float32), np.array([[0, 0], [size, 0], [size, size]], np.float32))
    )


@pytest.mark.parametrize("face_type", ["half", "mid-full", "full", "full-no-align", "whole", "head", "head-no-align"])
@pytest.mark.parametrize("degrees", [0, 35])
def test_the_second_geometry_is_that_of_its_corners(face_type: FaceType, degrees: float) -> None:
    turned_head = SOLID @ np.array([[0.9, 0, 0.43], [0, 1, 0], [-0.43, 0, 0.9]]).T
    landmarks = turned_head[:, :2] * 2 @ rotation(degrees).T + [320, 260]
    matrix = align_matrix(landmarks, 256, face_type, "dfl2")
    np.testing.assert_allclose(matrix, corner_rule(landmarks, face_type, 256), rtol=1e-4, atol=5e-3)


def test_each_face_type_shows_more_than_the_one_before() -> None:
    widths = [
        crop_corners(align_matrix(model_landmarks(), 64, kind, "dfl2"), 64)
        for kind in get_args(Literal["half", "mid-full", "full", "whole", "head"])
    ]
    sides = [float(np.linalg.norm(corners[1] - corners[0])) for corners in widths]
    assert sides == sorted(sides)
    assert sides[2] / sides[0] == pytest.approx(1 + 2 * np.sqrt(2) * 0.2109375)


def test_the_mouth_does_not_count_in_the_second_geometry() -> None:
    moved = model_landmarks()
    moved[[*range(49, 54), *range(55, 68)]] += [0, 25]
    np.testing.assert_array_equal(
        align_matrix(moved, 256, "whole", "dfl2"), align_matrix(model_landmarks(), 256, "whole", "dfl2")
    )


def test_a_face_type_finds_its_geometry() -> None:
    assert [geometry_of(kind) for kind in ("full", "avatar", "whole", "head-no-align")] == [
        "2019",
        "2019",
        "dfl2",
        "dfl2",
    ]
    np.testing.assert_array_equal(
        align_matrix(model_landmarks(), 256, "whole"), align_matrix(model_landmarks(), 256, "whole", "dfl2")
    )
    with pytest.raises(ValueError, match=r"geometry 2019 has no face type whole .* use geometry dfl2"):
        align_matrix(model_landmarks(), 256, "whole", "2019")


@pytest.mark.parametrize(
    ("have", "want", "enough"),
    [("full", "half", True), ("half", "full", False), ("whole", "full", True), ("head-no-align", "whole", False),
     ("head-no-align", "full", True), ("full-no-align", "full", False),
     ("avatar", "full", False), ("avatar", "avatar", True)],
)  # fmt: skip
def test_wider_faces_cover_narrower_ones(have: FaceType, want: FaceType, enough: bool) -> None:
    assert covers(have, want) is enough
