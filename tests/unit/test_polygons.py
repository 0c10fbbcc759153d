"""Polygons on faces: filled in order, and carried to other frames."""

import numpy as np
import pytest

from drawn_faces import SRC, drawn_record
from lookalike.faceset import FaceRecord, encode_array
from lookalike.faceset.polygons import between, carried, polygon_masks, with_polygons
from lookalike.faceset.record import Polygon
from lookalike.geometry import transform

SQUARE = [(10.0, 10.0), (30.0, 10.0), (30.0, 30.0), (10.0, 30.0)]
INNER = [(15.0, 15.0), (25.0, 15.0), (25.0, 25.0), (15.0, 25.0)]
SAME = np.eye(2, 3)


def polygon(kind: str, points: list[tuple[float, float]]) -> Polygon:
    return Polygon.model_validate({"kind": kind, "points": points})


def moved(record: FaceRecord, matrix: np.ndarray, frame: int) -> FaceRecord:
    """The same face elsewhere in the frame, by a (2, 3) matrix."""
    landmarks = [(float(x), float(y)) for x, y in transform(matrix, record.landmarks_array())]
    mesh = encode_array(transform(matrix, record.mesh_array()), np.float32)
    return record.model_copy(update={"landmarks": landmarks, "mesh": mesh, "frame": frame})


class TestFilled:
    def test_no_polygons_say_nothing(self) -> None:
        assert polygon_masks([], SAME, 40) is None
        mask = np.full((40, 40), 0.5, np.float32)
        assert with_polygons(mask, [], SAME, 40) is mask
        assert with_polygons(None, [], SAME, 40) is None

    def test_the_later_lies_over_the_earlier(self) -> None:
        ring = [polygon("include", SQUARE), polygon("exclude", INNER)]
        mask = with_polygons(None, ring, SAME, 40)
        assert mask is not None
        assert mask[12, 12] == 1
        assert mask[20, 20] == 0
        assert mask[5, 5] == 0
        other = with_polygons(None, [ring[1], ring[0]], SAME, 40)
        assert other is not None
        assert other[20, 20] == 1

    def test_they_add_to_a_mask_and_take_from_it(self) -> None:
        mask = np.zeros((40, 40), np.float32)
        mask[:, 20:] = 1
        changed = with_polygons(mask, [polygon("exclude", SQUARE)], SAME, 40)
        assert changed is not None
        assert changed[20, 25] == 0
        assert changed[20, 35] == 1
        grown = with_polygons(mask, [polygon("include", SQUARE)], SAME, 40)
        assert grown is not None
        assert grown[20, 12] == 1

    def test_a_matrix_brings_them_to_the_canvas(self) -> None:
        half = np.array([[0.5, 0, 0], [0, 0.5, 0]])
        masks = polygon_masks([polygon("include", SQUARE)], half, 20)
        assert masks is not None
        assert masks[0][10, 10] == 1
        assert masks[0].sum() == pytest.approx(11 * 11, abs=12)


class TestCarried:
    def test_a_face_that_turns_and_grows_takes_them_along(self) -> None:
        record = drawn_record(SRC, 0)[1]
        turn = np.array([[1.1, -0.2, 12.0], [0.2, 1.1, -7.0]])
        there = moved(record, turn, 5)
        corners = record.landmarks_array()[[3, 13, 24]].astype(float)
        drawn = [polygon("exclude", [(float(x), float(y)) for x, y in corners])]
        found = carried(drawn, record, there)
        assert found[0].kind == "exclude"
        assert found[0].carried
        assert np.allclose(found[0].points, transform(turn, corners), atol=0.05)

    def test_the_chin_follows_the_landmarks_around_it(self) -> None:
        record = drawn_record(SRC, 0)[1]
        points, mesh = record.landmarks_array(), record.mesh_array()
        low = points[:, 1].max() - 25
        opened, lower = points.copy(), mesh.copy()
        opened[points[:, 1] > low, 1] += 6
        lower[mesh[:, 1] > low, 1] += 6
        there = record.model_copy(
            update={
                "landmarks": [(float(x), float(y)) for x, y in opened],
                "mesh": encode_array(lower, np.float32),
            }
        )
        chin, brow = points[8], points[19]
        (x, y), (brow_x, brow_y) = chin.tolist(), brow.tolist()
        corners = [(x - 4, y), (x + 4, y), (brow_x, brow_y)]
        found = np.array(carried([polygon("include", corners)], record, there)[0].points)
        assert found[:2, 1].mean() - chin[1] > 4
        assert abs(found[2, 1] - brow[1]) < 1

    def test_halfway_they_lie_in_the_middle(self) -> None:
        first = drawn_record(SRC, 0)[1].model_copy(update={"frame": 0})
        here = first.model_copy(update={"frame": 5})
        last = first.model_copy(update={"frame": 10})
        early = [polygon("include", SQUARE)]
        late = [polygon("include", [(x + 8, y) for x, y in SQUARE])]
        found = between((first, early), (last, late), here)
        assert np.allclose(found[0].points, [(x + 4, y) for x, y in SQUARE], atol=0.01)

    def test_other_corners_are_not_mixed_but_the_nearer_taken(self) -> None:
        first = drawn_record(SRC, 0)[1].model_copy(update={"frame": 0})
        last = first.model_copy(update={"frame": 10})
        early, late = [polygon("include", SQUARE)], [polygon("include", INNER[:3])]
        for frame, corners in ((3, 4), (7, 3)):
            found = between((first, early), (last, late), first.model_copy(update={"frame": frame}))
            assert len(found[0].points) == corners
