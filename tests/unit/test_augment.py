"""Batches: repeatable, points and masks move as the pixels do."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from drawn_faces import DST, SRC, drawn_record, face_at, model_landmarks
from lookalike.faceset import make_face
from lookalike.landmarks import GUIDE_POINTS
from lookalike.options import FaceType
from lookalike.training.augment import Batch, draw_batch, step_generator
from lookalike.training.data import Person, load_person, stack_faces

CPU = torch.device("cpu")
SIDE = 64


@pytest.fixture(scope="module")
def src() -> Person:
    return stack_faces([drawn_record(SRC, n, 128) for n in range(4)], 4, 2 * SIDE, "full", CPU)


@pytest.fixture(scope="module")
def dst() -> Person:
    return stack_faces([drawn_record(DST, n, 128) for n in range(3)], 3, 2 * SIDE, "full", CPU)


def drawn(person: Person, step: int = 3, count: int = 16, **options: bool | Person) -> Batch:
    return draw_batch(person, count, SIDE, step_generator(0, step, "src"), **options)  # type: ignore[arg-type]


def tensors(batch: Batch) -> list[Tensor]:
    return [batch.warped, batch.points, batch.target, batch.mask, batch.features]


def with_channels(person: Person, faces: Tensor) -> Person:
    return Person(faces, person.points, person.color_mean, person.color_std)


def test_same_seed_same_batch(src: Person, dst: Person) -> None:
    first, again = (drawn(src, flip=True, colors_of=dst) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(tensors(first), tensors(again), strict=True))


def test_other_step_side_or_seed_other_batch(src: Person) -> None:
    generators = [step_generator(*key) for key in ((0, 0, "src"), (0, 1, "src"), (0, 0, "dst"), (1, 0, "src"))]
    batches = [draw_batch(src, 4, SIDE, generator) for generator in generators]
    for i, batch in enumerate(batches):
        for other in batches[:i]:
            assert not any(torch.equal(a, b) for a, b in zip(tensors(batch), tensors(other), strict=True))


def test_shapes_and_ranges(src: Person, dst: Person) -> None:
    batch = drawn(src, flip=True, colors_of=dst)
    assert batch.warped.shape == batch.target.shape == (16, 3, SIDE, SIDE)
    assert batch.mask.shape == batch.features.shape == (16, 1, SIDE, SIDE)
    assert batch.points.shape == (16, GUIDE_POINTS, 2)
    assert all(tensor.dtype == torch.float32 for tensor in tensors(batch))
    for tensor in (batch.warped, batch.target, batch.mask, batch.features):
        assert 0 <= tensor.min() < tensor.max() <= 1


def test_without_warp_the_input_is_the_target(src: Person) -> None:
    batch = drawn(src, warp=False)
    assert torch.equal(batch.warped, batch.target)


def test_warp_bends_the_input_only(src: Person) -> None:
    bent, straight = drawn(src), drawn(src, warp=False)
    assert torch.equal(bent.target, straight.target)
    assert torch.equal(bent.points, straight.points)
    difference = (bent.warped - bent.target).abs().mean((1, 2, 3))
    assert (difference > 0.004).all()
    assert (difference < 0.15).all()  # yet the same face


@pytest.mark.parametrize("flip", [False, True])
def test_points_move_as_the_pixels_do(src: Person, flip: bool) -> None:
    # A dot for a point; red grows with the point's number, so that a point that swapped places is seen.
    faces = torch.zeros_like(src.faces)
    wanted = [8, 30, 36, 45, 48, 54]
    places = ((src.points + 1) * SIDE - 0.5).round().long()
    for face in range(len(src)):
        for rank, point in enumerate(wanted):
            x, y = places[face, point].tolist()
            faces[face, 0, y - 3 : y + 4, x - 3 : x + 4] = 60 + 30 * rank
            faces[face, 1, y - 3 : y + 4, x - 3 : x + 4] = 255
    batch = drawn(with_channels(src, faces), warp=False, flip=flip, count=24)
    mirrored = 0
    for picture, points in zip(batch.target, batch.points, strict=True):
        at = ((points + 1) * SIDE / 2 - 0.5).round().long()
        seen = torch.stack([picture[:, at[p, 1], at[p, 0]] for p in wanted])
        assert (seen[:, 1] > 0.85).all()
        # In a mirrored face the left eye takes the number of the right one, so colours show up exchanged.
        order = [0, 1, 2, 3, 4, 5] if seen[2, 0] < seen[3, 0] else [0, 1, 3, 2, 5, 4]
        mirrored += order[2] == 3
        expected = torch.tensor([60 + 30 * rank for rank in order]) / 255
        torch.testing.assert_close(seen[:, 0] / seen[:, 1], expected, atol=0.01, rtol=0)
        assert points[36, 0] < points[45, 0]  # point 36 is the eye at the picture's left, mirrored or not
    assert 5 < mirrored < 19 if flip else mirrored == 0


@pytest.mark.parametrize("flip", [False, True])
def test_picture_mask_and_features_share_their_geometry(src: Person, flip: bool) -> None:
    same = src.faces[:, 3:4].expand(-1, 5, -1, -1).clone()
    batch = drawn(with_channels(src, same), flip=flip)
    for channel in range(3):
        torch.testing.assert_close(batch.target[:, channel], batch.mask[:, 0])
    torch.testing.assert_close(batch.features, batch.mask)


def test_flip_mirrors_about_half(src: Person) -> None:
    ramp = torch.linspace(0, 255, 2 * SIDE).to(torch.uint8).expand_as(src.faces).clone()
    target = drawn(with_channels(src, ramp), flip=True, count=64).target
    falling = (target[..., SIDE - 1] < target[..., 0]).float().mean()
    assert 0.3 < falling < 0.7
    assert not (drawn(with_channels(src, ramp), count=64).target.diff(dim=-1).mean((1, 2, 3)) < 0).any()


def test_recolour_brings_means_to_the_other_person(src: Person, dst: Person) -> None:
    batch = drawn(src, colors_of=dst, warp=False)
    inside = batch.mask > 0.99
    mean = (batch.target * inside).sum((2, 3)) / inside.sum((2, 3))
    low, high = dst.color_mean.min(0).values, dst.color_mean.max(0).values
    assert (mean > low - 0.03).all()
    assert (mean < high + 0.03).all()
    plain = drawn(src, warp=False)
    assert (((plain.target * inside).sum((2, 3)) / inside.sum((2, 3))) > high + 0.1).any()


@pytest.mark.parametrize("face_type", ["half", "full", "head"])
def test_points_lie_on_the_pixels_of_the_stack(face_type: FaceType) -> None:
    # Bright dots at known places of the frame, a face cut out at one side and stacked at another.
    landmarks = (model_landmarks() - [320, 260]) * 0.4 + [100, 95]
    face, picture = face_at(landmarks), np.zeros((180, 200, 3), np.uint8)
    y, x = np.mgrid[:180, :200]
    for point in (30, 36, 45):
        distance = np.hypot(x - landmarks[point, 0], y - landmarks[point, 1])
        picture = np.maximum(picture, (255 * np.exp(-(distance**2) / 8))[..., None].astype(np.uint8))
    crop, record = make_face(
        picture, face, source="x", frame=0, time_seconds=0, number=0, size=256, face_type="full", track=0
    )
    person = stack_faces([(crop, record)], 1, 96, face_type, CPU)
    image = person.faces[0, 0].float().numpy()
    reach = 6
    for point in (30, 36, 45):
        place = (person.points[0, point].numpy() + 1) * 48 - 0.5
        left, top = (round(float(v)) - reach for v in place)
        patch = image[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
        dy, dx = np.mgrid[: len(patch), : len(patch)]
        centre = np.array([(dx * patch).sum(), (dy * patch).sum()]) / patch.sum() + [left, top]
        np.testing.assert_allclose(centre, place, atol=0.08)


def test_load_person_reads_a_faceset(facesets: tuple[Path, Path]) -> None:
    person = load_person(facesets[0], 32, "full", CPU)
    assert len(person) == 8
    assert person.faces.shape == (8, 5, 64, 64)
    assert person.faces.dtype == torch.uint8
    skin = torch.tensor(SRC.skin) / 255
    assert ((person.color_mean - skin).abs() < 0.12).all()
    assert person.points.abs().max() < 1.5
