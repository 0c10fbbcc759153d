"""Examples for mask networks: faces changed and covered, with what is still seen of them."""

import numpy as np
import pytest

from drawn_faces import DST, SRC, drawn_record
from lookalike.landmarks import oval_mask
from lookalike.masks.examples import make_example
from lookalike.masks.labelled import LabelledFace
from lookalike.masks.labels import labelled_by, overlap, spread
from lookalike.masks.layers import Layer, Scene, lay_over
from lookalike.masks.things import KINDS, Draw, glare, obstruction

SIDE = 256


def face(number: int = 0) -> LabelledFace:
    image, record = drawn_record(SRC, number, SIDE)
    return labelled_by(image, record, oval_mask(record.crop_mesh(), (SIDE, SIDE)))


def scene(number: int = 0) -> Scene:
    image, record = drawn_record(SRC, number, SIDE)
    stranger = drawn_record(DST, number, SIDE)[0]
    return Scene(
        np.asarray(image / 255, np.float32),
        record.crop_landmarks(),
        np.array([0.8, 0.6, 0.5], np.float32),
        np.array([0.1, 0.1, 0.1], np.float32),
        np.asarray(stranger / 255, np.float32),
    )


class TestExample:
    def test_is_drawn_by_its_seed(self) -> None:
        one, same, other = (make_example(face(), face(1), SIDE, np.random.default_rng(s)) for s in (3, 3, 4))
        assert np.array_equal(one.picture, same.picture)
        assert np.array_equal(one.label, same.label)
        assert np.array_equal(one.outline, same.outline)
        assert not np.array_equal(one.picture, other.picture)

    def test_label_lies_where_the_face_went(self) -> None:
        """Without anything in front the oval of the landmarks is still what is labelled, wherever it moved."""
        agreed = []
        for seed in range(30):
            example = make_example(face(), face(1), SIDE, np.random.default_rng(seed), covered=0)
            if example.outline.any():
                inside = example.label[example.outline > 0]
                agreed.append((inside > 127).mean())
        assert len(agreed) > 15
        assert np.median(agreed) > 0.97

    def test_covered_faces_are_seen_less(self) -> None:
        free, covered = (
            np.mean(
                [make_example(face(), face(1), SIDE, np.random.default_rng(s), share).label.mean() for s in range(25)]
            )
            for share in (0.0, 1.0)
        )
        assert covered < 0.93 * free

    def test_outline_is_left_out_at_times(self) -> None:
        told = [make_example(face(), face(1), SIDE, np.random.default_rng(s)).outline.any() for s in range(60)]
        assert 0.7 < np.mean(told) < 0.97


class TestObstructions:
    @pytest.mark.parametrize("draw", [draw for draw, _ in KINDS], ids=lambda draw: draw.__name__)
    def test_each_kind_covers_something(self, draw: Draw) -> None:
        shares = []
        for seed in range(12):
            layer = draw(scene(seed), np.random.default_rng(seed))
            assert layer.color.shape == (SIDE, SIDE, 3)
            assert layer.alpha.shape == (SIDE, SIDE)
            for part in (layer.color, layer.alpha):
                assert part.dtype == np.float32
                assert np.isfinite(part).all()
                assert part.min() >= 0
                assert part.max() <= 1 + 1e-6
            shares.append(layer.alpha.mean())
        assert 0 < np.mean(shares) < 0.7
        assert max(shares) > 0.005

    def test_all_kinds_come_up(self) -> None:
        colors = {obstruction(scene(), np.random.default_rng(seed)).alpha.mean().item() for seed in range(20)}
        assert len(colors) > 15

    def test_one_sees_the_face_through_glare(self) -> None:
        assert glare(scene(), np.random.default_rng(1)).alpha.max() < 0.75

    def test_what_covers_fully_is_what_is_seen(self) -> None:
        here = scene()
        color = np.full((SIDE, SIDE, 3), 0.25, np.float32)
        alpha = np.zeros((SIDE, SIDE), np.float32)
        alpha[:, :80] = 1
        laid = lay_over(here.picture, Layer(color, alpha, depth=0), np.random.default_rng(0))
        assert np.allclose(laid[:, :80], 0.25)
        assert np.array_equal(laid[:, 80:], here.picture[:, 80:])
        shadowed = lay_over(here.picture, Layer(color, alpha, depth=6), np.random.default_rng(0))
        assert shadowed[:, 81:84].sum() < here.picture[:, 81:84].sum()
        assert (shadowed <= np.maximum(here.picture, 0.25) + 1e-6).all()


class TestLabels:
    def test_overlap(self) -> None:
        one, other = np.zeros((10, 10), np.float32), np.zeros((10, 10), np.float32)
        one[:, :6], other[:, 3:] = 1, 1
        assert overlap(one, other) == pytest.approx(0.3)
        assert overlap(one, one) == 1
        assert overlap(one * 0, other * 0) == 1
        left = np.zeros((10, 10), np.float32)
        left[:, :5] = 1
        assert overlap(one, other, left) == pytest.approx(0.4)

    def test_spread(self) -> None:
        assert spread(100, 5) == [0, 25, 50, 74, 99]
        assert spread(3, 5) == [0, 1, 2]
        assert spread(0, 5) == []
