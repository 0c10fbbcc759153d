"""Every way of sorting, on faces whose right order is known."""

import time
from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import SRC, drawn_record
from lookalike.curation import features, select
from lookalike.curation.chain import greedy_chain, length
from lookalike.curation.config import SORT_METHODS, SortConfig, SortMethod
from lookalike.curation.distances import Bhattacharyya, Distance, Euclidean, Manhattan, manhattan_sums, smallest, sums
from lookalike.curation.features import FEATURES
from lookalike.curation.methods import BEST_TARGET, METHODS, Faces, run
from lookalike.curation.order import around
from lookalike.curation.sharpness import cpbd, directional_sharpness
from lookalike.faceset import encode_array


def faces(values: dict[str, object], dst: dict[str, object] | None = None) -> Faces:
    """Faces by their features, each a list with one entry a face."""
    arrays = {name: np.array(v, np.float32).reshape(len(v), -1) for name, v in values.items()}  # type: ignore[arg-type]
    count = len(next(iter(arrays.values())))
    given = {name: np.array(v, np.float32) for name, v in (dst or {}).items()}
    return Faces([f"{n}.jpg" for n in range(count)], arrays, dst=given)


def order(by: SortMethod, **values: object) -> list[int]:
    return [int(face) for face in run(faces(values), SortConfig(by=by)).order]


def at(roots: list[int]) -> NDArray[np.float32]:
    """(N, 256): histograms with all pixels at one value."""
    return np.eye(256, dtype=np.float32)[roots]


def spread(place: float, width: float = 12) -> NDArray[np.float32]:
    """(256,) square roots of a histogram about `place`."""
    shares = np.exp(-((np.arange(256) - place) ** 2) / (2 * width**2))
    return np.asarray(np.sqrt(shares / shares.sum()), np.float32)


def test_the_command_line_knows_every_method() -> None:
    assert tuple(METHODS) == SORT_METHODS
    for method in METHODS.values():
        assert set(method.needs) <= {*FEATURES, "expression"}
        assert method.help


# Sharpness


NOISE = np.random.RandomState(1).randint(0, 256, (256, 256)).astype(np.uint8)


@pytest.mark.parametrize(("kernel", "value"), [(0, 0.899), (3, 0.764), (7, 0.299), (15, 0.224)])
def test_sharpness_of_the_specification(kernel: int, value: float) -> None:
    """Vector B.6; 0.01 leaves room for other roundings of OpenCV's blur: one level in 1 of 1000 pixels moves 0.003."""
    image = cv2.GaussianBlur(NOISE, (kernel, kernel), 0) if kernel else NOISE
    assert cpbd(np.asarray(image, np.uint8)) == pytest.approx(value, abs=0.01)


def test_a_flat_or_tiny_picture_has_no_sharpness() -> None:
    assert cpbd(np.full((256, 256), 90, np.uint8)) == 0
    assert cpbd(NOISE[:63, :63]) == 0
    assert directional_sharpness(np.full((64, 64), 90, np.uint8), np.ones((64, 64))) == 0


def test_edge_widths_are_counted_along_the_row() -> None:
    for width, sharp in ((2, 1.0), (6, 0.0)):  # a noticeable width is 3 pixels at this contrast
        ramp = np.clip((np.arange(64) - 30) * 200 / width, 0, 200).astype(np.uint8)
        assert cpbd(np.tile(ramp, (64, 1))) == sharp


def moved(image: NDArray[np.uint8], pixels: int, degrees: float) -> NDArray[np.uint8]:
    """Blurred by a straight motion."""
    along = np.linspace(-(pixels - 1) / 2, (pixels - 1) / 2, 101)
    total = np.zeros(image.shape, np.float64)
    for step in along:
        shift = np.array([[1, 0, step * np.cos(np.radians(degrees))], [0, 1, step * np.sin(np.radians(degrees))]])
        total += cv2.warpAffine(image.astype(np.float32), shift, image.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    return np.round(total / len(along)).astype(np.uint8)


def test_motion_blur_ranks_by_length_at_any_angle() -> None:
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.normal(128, 400, (256, 256)), (0, 0), 2).clip(0, 255).astype(np.uint8)
    inside = np.ones((256, 256))
    found = {
        pixels: [directional_sharpness(moved(picture, pixels, angle), inside) for angle in range(0, 180, 30)]
        for pixels in (1, 5, 9, 15)
    }
    assert min(found[1]) > max(found[5])
    assert min(found[5]) > max(found[9])
    assert min(found[9]) > max(found[15])
    # CPBD sees a motion along the rows and is nearly blind to one along the columns.
    assert cpbd(moved(picture, 15, 90)) > cpbd(moved(picture, 5, 0))


# Orders by one number


@pytest.mark.parametrize(
    ("by", "feature", "values", "right"),
    [
        ("blur", "blur", [0.5, 0.0, 0.9, 0.0, 0.5], [2, 0, 4, 1, 3]),  # 0 is last, not thrown away
        ("motion-blur", "motion", [1.0, 3.0, 2.0], [1, 2, 0]),
        ("pitch", "pose", [[0, 0, 0], [0.5, 0, 0], [-0.5, 0, 0]], [1, 0, 2]),
        ("yaw", "pose", [[0, 0, 0], [0, 0.5, 0], [0, -0.5, 0]], [1, 0, 2]),
        ("roll", "pose", [[0, 0, 0], [0, 0, 10], [0, 0, -10]], [1, 0, 2]),
        ("brightness", "brightness", [10, 200, 10, 90], [1, 3, 0, 2]),
        ("black", "black", [0.2, 0.0, 0.5, 0.0], [1, 3, 0, 2]),
        ("size", "side", [100, 300, 200], [1, 2, 0]),
    ],
)
def test_orders_by_one_number(by: SortMethod, feature: str, values: list[object], right: list[int]) -> None:
    assert order(by, **{feature: values}) == right


def test_hue_goes_round_the_circle() -> None:
    degrees = np.array([350.0, 20.0, 5.0, 335.0, 60.0])
    circle = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], 1)
    assert order("hue", hue=circle) == [4, 1, 2, 0, 3]  # 60, 20, 5, 350, 335: not torn apart at 0
    gray = np.vstack([circle[:2], np.zeros((1, 2)), circle[2:]])
    assert order("hue", hue=gray) == [5, 1, 3, 0, 4, 2]
    assert around(np.zeros((3, 2))).tolist() == [0, 1, 2]


def test_identity_begins_with_the_usual_look() -> None:
    near, far = np.full(128, 0.1), np.full(128, 0.9)
    embeddings = [far, near, np.full(128, np.nan), near * 2, near * 0.9, near * 1.1]
    assert order("identity", identity=embeddings) == [5, 1, 4, 3, 0, 2]
    assert order("identity", identity=np.full((2, 128), np.nan)) == [0, 1]


def test_origname_and_oneface_trust_the_records() -> None:
    frames = [("b.mp4", 1, 0), ("a.mp4", 10, 1), ("a.mp4", 9, 0), ("a.mp4", 10, 0), ("b.mp4", 9, 0)]
    some = Faces([f"{n}.jpg" for n in range(5)], {}, frames)
    assert run(some, SortConfig(by="origname")).order.tolist() == [2, 3, 1, 0, 4]
    found = run(some, SortConfig(by="oneface"))
    assert found.order.tolist() == [0, 2, 4]
    assert found.rejects == dict.fromkeys((1, 3), "one of 2 faces of its frame")


# Chains and distances


DISTANCES: list[tuple[str, Callable[[NDArray[np.float32]], Distance]]] = [
    ("bhattacharyya", lambda v: Bhattacharyya(np.sqrt(v / v.sum(1, keepdims=True)), 1)),
    ("euclidean", Euclidean),
    ("manhattan", Manhattan),
]


def plain(name: str, a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    if name == "bhattacharyya":
        return float(cv2.compareHist(a, b, cv2.HISTCMP_BHATTACHARYYA))
    apart = np.abs(a.astype(np.float64) - b)
    return float(apart.sum() if name == "manhattan" else np.sqrt((apart**2).sum()))


@pytest.mark.parametrize(("name", "make"), DISTANCES, ids=[name for name, _ in DISTANCES])
def test_distances_and_chain_are_those_of_the_plain_loop(
    name: str, make: Callable[[NDArray[np.float32]], Distance]
) -> None:
    values = np.random.default_rng(3).uniform(1, 9, (300, 12)).astype(np.float32)
    distance = make(values)
    expected = np.array([[plain(name, a, b) for b in values] for a in values])
    everything = np.arange(300)
    np.testing.assert_allclose(distance.between(everything, slice(0, 300)), expected, atol=2e-3)
    np.testing.assert_allclose(sums(distance), expected.sum(1), rtol=1e-3)
    np.fill_diagonal(expected, np.inf)
    free, here, right = set(range(1, 300)), 0, [0]
    while free:
        here = min(free, key=lambda other: expected[here, other])
        free.remove(here)
        right.append(here)
    for neighbours in (3, 64, 500):
        assert greedy_chain(distance, neighbours=neighbours).tolist() == right
    assert length(distance, np.array(right)) == pytest.approx(
        sum(expected[a, b] for a, b in pairwise(right)),
        rel=1e-3,
    )


@pytest.mark.parametrize("neighbours", [8, 64, 299])
def test_a_chain_of_equal_items_goes_by_number(neighbours: int) -> None:
    same = Euclidean(np.ones((300, 3)))
    assert greedy_chain(same, neighbours=neighbours).tolist() == list(range(300))
    apart = np.random.default_rng(0).integers(0, 3, (300, 300)).astype(np.float32)
    right = np.argsort(apart, axis=1, kind="stable")[:, :neighbours]
    np.testing.assert_array_equal(smallest(apart, neighbours), right)


def test_chain_of_few() -> None:
    for count in (1, 2, 3):
        assert greedy_chain(Euclidean(np.arange(count, dtype=np.float64)[:, None])).tolist() == list(range(count))


def test_manhattan_sums_are_those_of_all_pairs() -> None:
    values = np.random.default_rng(0).normal(size=(50, 7))
    expected = np.abs(values[:, None] - values).sum((1, 2))
    np.testing.assert_allclose(manhattan_sums(values), expected)


def test_face_and_face_dissim() -> None:
    x = np.array([0.0, 9.0, 2.0, 8.0, 1.0])
    points = np.repeat(x[:, None], 136, 1)
    assert order("face", points=points) == [0, 4, 2, 3, 1]
    assert order("face-dissim", points=points) == [1, 3, 0, 4, 2]  # sums 20, 25, 16, 22, 17 times 136
    assert order("face-dissim", points=points[::-1]) == [3, 1, 4, 0, 2]  # whatever the order they come in


def test_hist_and_hist_dissim() -> None:
    colors = [np.concatenate([spread(p), spread(100), spread(100)]) for p in (50, 90, 60, 80, 70)]
    assert order("hist", color=colors) == [0, 2, 4, 3, 1]
    grays = [spread(p) for p in (100, 101, 200, 99, 100)]
    assert order("hist-dissim", gray=grays)[0] == 2
    assert order("hist-dissim", gray=grays)[-2:] == [0, 4]


def test_expression_begins_with_the_plainest() -> None:
    jaw = np.array([0.9, 0.1, 0.5, 0.2, 0.8])
    shown = np.zeros((5, 52))
    shown[:, 25] = jaw
    assert order("expression", expression=shown) == [1, 3, 2, 4, 0]


def test_twenty_thousand_histograms_chain_quickly_enough_in_small() -> None:
    """2,000 take a hundredth of 20,000's work; two minutes for those are 1.2 s here, and it takes a tenth of that."""
    rng = np.random.default_rng(0)
    roots = np.stack([spread(p, w) for p, w in rng.uniform((20, 5), (230, 40), (2000, 2))])
    began = time.perf_counter()
    greedy_chain(Bhattacharyya(np.tile(roots, 3), 3))
    assert time.perf_counter() - began < 5  # ten times the usual, for a busy machine


# Choices


def test_best_keeps_exactly_as_many_as_asked_for() -> None:
    rng = np.random.default_rng(0)
    yaw = np.concatenate([rng.normal(0, 0.03, 900), rng.uniform(-1.2, 1.2, 100)])
    roots = np.stack([spread(p) for p in rng.uniform(30, 220, 1000)])
    for target in (1, 127, 128, 500, 999, 1000, 5000):
        found = select.best(yaw, rng.uniform(size=1000), roots, target)
        assert len(found.order) == min(target, 1000)
        assert sorted([*found.order, *found.rejects]) == list(range(1000))
        bins = np.digitize(-yaw[found.order], np.linspace(-1, 1, 128)[1:])
        assert (np.diff(bins) >= 0).all()  # from the picture's left to its right


def test_best_takes_the_sharp_then_the_varied() -> None:
    yaw = np.zeros(30)
    sharp = np.r_[np.full(20, 0.1), np.full(10, 0.9)]
    roots = np.stack([spread(p) for p in [*np.linspace(10, 90, 20), *([100] * 9), 200]])
    found = select.best(yaw, sharp, roots, 1)
    assert found.order.tolist() == [29]  # the odd one of the sharp ones
    assert {found.rejects[n] for n in range(20)} == {"less sharp than others of its yaw"}
    assert found.rejects[28] == "much like others of its yaw"
    assert select.best(yaw, None, roots, 1).order[0] in (0, 29)


def test_best_is_even_over_yaw() -> None:
    yaw = np.r_[np.full(50, 0.5), np.full(3, 0.0), np.full(20, -0.5)]
    roots = np.stack([spread(p) for p in np.linspace(20, 230, 73)])
    kept = select.best(yaw, np.ones(73), roots, 23).order
    assert [int((yaw[kept] == value).sum()) for value in (0.5, 0.0, -0.5)] == [10, 3, 10]


def test_best_of_few_leaves_out_bins_at_even_distances() -> None:
    yaw = np.linspace(0.9, -0.9, 90)
    roots = np.stack([spread(p) for p in np.linspace(20, 230, 90)])
    assert select.best(yaw, np.ones(90), roots, 1).order.tolist() == [45]
    gaps = np.diff(select.best(yaw, np.ones(90), roots, 9).order)
    assert gaps.min() == gaps.max() == 10


@pytest.mark.parametrize("by", ["best", "best-no-blur"])
def test_best_as_a_method(by: SortMethod) -> None:
    some = faces({"pose": [[0, 0.1, 0], [0, 0.5, 0]], "blur": [0.2, 0.4], "gray": [spread(9), spread(99)]})
    assert BEST_TARGET == 2000
    assert run(some, SortConfig(by=by)).order.tolist() == [1, 0]
    assert len(run(some, SortConfig(by=by, target=1)).order) == 1


def pose_and_expression(yaw: list[float]) -> dict[str, object]:
    return {"pose": [[0, y, 0] for y in yaw], "expression": np.zeros((len(yaw), 52))}


def test_match_dst_ranks_by_what_dst_shows() -> None:
    src = pose_and_expression([-0.8, -0.4, 0.0, 0.1, 0.4])
    dst = pose_and_expression([0.11, 0.09, 0.1, 0.42])
    found = run(faces(src, dst), SortConfig(by="match-dst"))
    # First 3, asked for by three dst faces, then 4 by one; second choices: 2 (three votes), 3 was taken; then 1, 0.
    assert found.order.tolist() == [3, 4, 2, 1, 0]
    best = run(faces(src, dst), SortConfig(by="match-dst", target=2))
    assert best.order.tolist() == [3, 4]
    assert best.rejects == dict.fromkeys((0, 1, 2), "beyond the first 2 by match-dst")


def test_match_dst_weighs_expression_like_pose() -> None:
    src = {"pose": np.zeros((2, 3)), "expression": np.eye(52)[[25, 9]]}
    dst = {"pose": np.zeros((1, 3)), "expression": np.eye(52)[[9]]}
    assert run(faces(src, dst), SortConfig(by="match-dst")).order.tolist() == [1, 0]  # type: ignore[arg-type]


def test_duplicates_keep_the_sharpest() -> None:
    level = [100, 101, 150, 102, 100]
    some = faces(
        {
            "blur": [0.1, 0.9, 0.5, 0.4, 0.3],
            "signature": np.repeat(np.array(level)[:, None], 256, 1),
            "points": np.r_[np.zeros((4, 136)), np.full((1, 136), 0.1)],  # the last has another shape
        }
    )
    found = run(some, SortConfig(by="duplicates", threshold=2.5))
    assert found.order.tolist() == [1, 2, 4]
    assert found.rejects == {0: "duplicate of 1.jpg", 3: "duplicate of 1.jpg"}
    assert run(some, SortConfig(by="duplicates", threshold=0.5)).rejects == {}


# Features of drawn faces


def test_features_of_a_face() -> None:
    crop, record = drawn_record(SRC, 3, 96)
    found = {name: feature.compute(crop, record) for name, feature in FEATURES.items()}
    assert {name: value.shape for name, value in found.items()} == {
        "color": (768,), "gray": (256,), "brightness": (1,), "hue": (2,), "black": (1,), "signature": (256,),
        "blur": (1,), "motion": (1,), "points": (136,), "pose": (3,), "side": (1,), "identity": (128,),
    }  # fmt: skip
    assert all(value.dtype == np.float32 for value in found.values())
    np.testing.assert_allclose((found["color"].reshape(3, 256) ** 2).sum(1), 1, atol=1e-5)
    assert (found["gray"] ** 2).sum() == pytest.approx(1)
    assert found["brightness"] == pytest.approx(crop.max(2).mean())
    np.testing.assert_allclose(found["points"].reshape(68, 2), record.crop_landmarks() / 96, atol=2e-3)
    assert found["side"] == pytest.approx(96 / np.hypot(*record.matrix_array()[:, 0]), rel=1e-3)
    assert np.isnan(found["identity"]).all()
    known = record.model_copy(update={"identity": encode_array(np.arange(128), np.float16)})
    np.testing.assert_array_equal(features.identity(crop, known), np.arange(128))


def test_hue_of_a_face_is_circular() -> None:
    _, record = drawn_record()
    half = np.zeros((64, 64, 3), np.uint8)
    half[:, :32], half[:, 32:] = (200, 20, 0), (200, 0, 20)  # 6 degrees to both sides of red
    x, y = features.hue(half, record)
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(0, abs=1)
    assert np.hypot(*features.hue(np.full((64, 64, 3), 9, np.uint8), record)) == 0


def test_black_counts_what_the_frame_cuts_off() -> None:
    _, record = drawn_record()
    half = np.full((64, 64, 3), 9, np.uint8)
    assert features.black(half, record) == 0
    assert features.black(half, record.model_copy(update={"outside": 0.25})) == 0.25
    half[:32, :, 0] = 0
    assert features.black(half, record) == pytest.approx(1 / 6)


def test_a_head_tilted_clockwise_has_positive_roll() -> None:
    crop, record = drawn_record()
    flat = record.landmarks_array()
    for degrees in (-30, 0, 30):
        turn = np.radians(degrees)
        turned = flat @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        moved_record = record.model_copy(update={"landmarks": [tuple(p) for p in turned.tolist()]})
        found = features.pose(crop, moved_record)[2] - features.pose(crop, record)[2]
        assert found == pytest.approx(degrees, abs=0.1)
    nowhere = record.model_copy(update={"landmarks": [(5.0, 5.0)] * 68})
    assert features.points(crop, nowhere).shape == (136,)
    assert features.side(crop, nowhere) == 0
