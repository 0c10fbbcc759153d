"""Where faces look, in words, and what src lacks."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from drawn_faces import DST, SRC, drawn_record
from lookalike.curation.coverage import NEAR_DEGREES, cells, compare, counts, direction_name, directions, distances
from lookalike.curation.facts import Facts
from lookalike.curation.plots import plot_coverage, plot_faceset


@pytest.mark.parametrize(
    ("yaw", "pitch", "name"),
    [
        (0, 0, "straight ahead"),
        (-15, 14.9, "straight ahead"),
        (15, 0, "right"),
        (-20, 0, "left"),
        (-64, -20, "down and far left"),
        (-20, -20, "down-left"),
        (20, 74, "up-right"),
        (0, -74, "down"),
        (200, 200, "up and far right"),
        (-200, 0, "far left"),
    ],
)
def test_directions_have_names_as_seen_on_the_picture(yaw: float, pitch: float, name: str) -> None:
    assert direction_name(yaw, pitch) == name


def test_every_cell_is_named_once_and_counts_its_own() -> None:
    names = [name for name, _, _ in cells()]
    assert len(set(names)) == len(names) == 15
    views = np.array([(yaw, pitch) for _, yaw, pitch in cells()])
    assert set(counts(views).values()) == {1}
    assert all(direction_name(yaw, pitch) == name for name, yaw, pitch in cells())


def test_distances_are_in_degrees() -> None:
    known = np.array([(0.0, 0.0), (40.0, 0.0)])
    asked = np.array([(0.0, 0.0), (3.0, 4.0), (30.0, 0.0), (0.0, -74.0)])
    np.testing.assert_allclose(distances(known, asked), [0, 5, 10, 74], atol=0.01)


def test_the_hole_is_named_with_both_counts() -> None:
    rng = np.random.default_rng(0)
    ahead = rng.uniform(-10, 10, (300, 2))
    down_left = rng.uniform(-31, -29, (214, 2))
    src = np.concatenate([ahead, down_left[:3] + 5])
    found = compare(src, np.concatenate([ahead, down_left]))
    assert [hole.text for hole in found.holes] == ["dst looks down-left in 214 frames, src has 3 such faces"]
    assert found.covered == 1.0
    found = compare(ahead * [-1, 1], np.concatenate([ahead, down_left[:1]]))
    assert not found.holes  # one frame in three hundred is none
    one = compare(ahead, down_left[:1])
    assert [hole.text for hole in one.holes] == ["dst looks down-left in 1 frame, src has no such face"]
    assert (one.covered, one.covered_mirrored) == (0.0, 0.0)


def test_two_faces_of_a_frame_are_one_frame() -> None:
    src, dst = np.zeros((50, 2)), np.tile([(-30.0, -30.0)], (40, 1))
    (hole,) = compare(src, dst, [("a", number // 2) for number in range(40)]).holes
    assert hole.text == "dst looks down-left in 20 frames, src has no such face"
    assert (hole.dst, hole.alone) == (20, 20)


def test_a_mirror_may_fill_a_hole() -> None:
    left = np.tile([(-30.0, 0.0)], (50, 1))
    found = compare(left * [-1, 1], left)
    assert [hole.text for hole in found.holes] == [
        "dst looks left in 50 frames, src has no such face (50 in the mirror)"
    ]
    assert (found.covered, found.covered_mirrored) == (0.0, 1.0)


def test_a_direction_with_faces_far_from_those_asked_for_is_a_hole() -> None:
    src, dst = np.tile([(16.0, 0.0)], (50, 1)), np.tile([(44.0, 0.0)], (50, 1))
    said = f"dst looks right in 50 frames, src has 50 such faces, none within {NEAR_DEGREES:.0f} degrees of 50 of those"
    assert [hole.text for hole in compare(src, dst).holes] == [f"{said} frames"]


def test_pictures_are_drawn() -> None:
    src = [Facts.of(str(n), drawn_record(SRC, n)[1]) for n in range(4)]
    dst = [Facts.of(str(n), drawn_record(DST, n)[1]) for n in range(1)]
    for png in (
        plot_faceset("src", src),
        plot_faceset("src", dst),
        plot_coverage(src, dst, compare(directions(src), directions(dst) + 30)),
    ):
        with Image.open(io.BytesIO(png)) as picture:
            assert picture.width > 1000
            assert np.asarray(picture.convert("L")).std() > 10


def test_counts_go_into_json() -> None:
    assert json.dumps(counts(np.zeros((2, 2))))
