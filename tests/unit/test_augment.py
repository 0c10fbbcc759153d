"""Batches: repeatable, points and masks move as the pixels do."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from drawn_faces import DST, SRC, drawn_record, face_at, model_landmarks
from lookalike.faceset import list_faces, load_face, make_face
from lookalike.landmarks import GUIDE_POINTS
from lookalike.options import FaceType
from lookalike.training import data
from lookalike.training.augment import Augmentation, Batch, draw_batch, plain_batch, random_warp, step_generator
from lookalike.training.data import Person, load_person, stack_faces
from lookalike.training.sampling import Picks

CPU = torch.device("cpu")
SIDE = 64


@pytest.fixture(scope="module")
def src() -> Person:
    return stack_faces([drawn_record(SRC, n, 128) for n in range(4)], 4, 2 * SIDE, "full")


@pytest.fixture(scope="module")
def dst() -> Person:
    return stack_faces([drawn_record(DST, n, 128) for n in range(3)], 3, 2 * SIDE, "full")


def drawn(
    person: Person,
    step: int = 3,
    count: int = 16,
    colors_of: Person | None = None,
    mirrored: bool = False,
    **how: bool | float | str,
) -> Batch:
    picks = Picks(torch.arange(count) % len(person), torch.full((count,), mirrored))
    augmentation = Augmentation(**how)  # type: ignore[arg-type]
    return draw_batch(person, picks, SIDE, step_generator(0, step, "src"), augmentation, CPU, colors_of)


def tensors(batch: Batch) -> list[Tensor]:
    return [batch.warped, batch.points, batch.target, batch.mask, batch.features]


def with_channels(person: Person, faces: Tensor) -> Person:
    return Person(faces, person.points, person.yaw)


def test_same_seed_same_batch(src: Person, dst: Person) -> None:
    first, again = (drawn(src, flip=True, colors="rct", hsv=0.1, blur=0.5, colors_of=dst) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(tensors(first), tensors(again), strict=True))


def test_other_step_side_or_seed_other_batch(src: Person) -> None:
    generators = [step_generator(*key) for key in ((0, 0, "src"), (0, 1, "src"), (0, 0, "dst"), (1, 0, "src"))]
    picks = Picks(torch.arange(4), torch.zeros(4, dtype=torch.bool))
    batches = [draw_batch(src, picks, SIDE, generator, Augmentation(), CPU) for generator in generators]
    for i, batch in enumerate(batches):
        for other in batches[:i]:
            assert not any(torch.equal(a, b) for a, b in zip(tensors(batch), tensors(other), strict=True))


def test_shapes_and_ranges(src: Person, dst: Person) -> None:
    batch = drawn(src, flip=True, colors="rct", hsv=0.1, blur=0.5, colors_of=dst)
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
        if at[wanted].min() < 1 or at[wanted].max() > SIDE - 2:
            continue  # a dot was moved out of the picture
        seen = torch.stack([picture[:, at[p, 1], at[p, 0]] for p in wanted])
        assert (seen[:, 1] > 0.85).all()
        # In a mirrored face the left eye takes the number of the right one, so colours show up exchanged.
        order = [0, 1, 2, 3, 4, 5] if seen[2, 0] < seen[3, 0] else [0, 1, 3, 2, 5, 4]
        mirrored += order[2] == 3
        expected = torch.tensor([60 + 30 * rank for rank in order]) / 255
        torch.testing.assert_close(seen[:, 0] / seen[:, 1], expected, atol=0.01, rtol=0)
        assert points[36, 0] < points[45, 0]  # point 36 is the eye at the picture's left, mirrored or not
    assert 4 < mirrored < 16 if flip else mirrored == 0


@pytest.mark.parametrize("flip", [False, True])
def test_picture_mask_and_features_share_their_geometry(src: Person, flip: bool) -> None:
    same = src.faces[:, 3:4].expand(-1, 5, -1, -1).clone()
    batch = drawn(with_channels(src, same), flip=flip)
    for channel in range(3):
        torch.testing.assert_close(batch.target[:, channel], batch.mask[:, 0])
    torch.testing.assert_close(batch.features, batch.mask)


def test_flip_mirrors_four_in_ten(src: Person) -> None:
    ramp = torch.linspace(0, 255, 2 * SIDE).to(torch.uint8).expand_as(src.faces).clone()
    ramps = with_channels(src, ramp)

    def falling(batch: Batch) -> float:
        return float((batch.target[..., SIDE - 1] < batch.target[..., 0]).float().mean())

    assert 0.3 < falling(drawn(ramps, flip=True, count=256)) < 0.5
    assert falling(drawn(ramps, count=64)) == 0
    assert falling(drawn(ramps, count=64, mirrored=True)) == 1
    assert 0.5 < falling(drawn(ramps, flip=True, count=256, mirrored=True)) < 0.7


def test_src_s_faces_can_be_enlarged(src: Person) -> None:
    for share in (-0.3, 0.3):
        plain, scaled = drawn(src, warp=False), drawn(src, warp=False, enlarge=share)
        sizes = [torch.linalg.vector_norm(b.points[:, 16] - b.points[:, 0], dim=1) for b in (plain, scaled)]
        # The scale itself is 1 +- 0.05, to which the share is added.
        assert (sizes[1] / sizes[0] - 1) / share == pytest.approx(torch.ones(16).numpy(), abs=0.06)


def test_scale_shift_and_rotation_stay_in_their_bounds(src: Person) -> None:
    batch = drawn(src, warp=False, count=400)
    eyes = batch.points[:, 45] - batch.points[:, 36]
    still = (src.points[:, 45] - src.points[:, 36])[torch.arange(400) % 4]
    turn = torch.rad2deg(torch.atan2(eyes[:, 1], eyes[:, 0]) - torch.atan2(still[:, 1], still[:, 0]))
    scale = torch.linalg.vector_norm(eyes, dim=1) / torch.linalg.vector_norm(still, dim=1)
    assert 9 < turn.abs().max() <= 10.001
    assert 0.95 - 1e-4 <= scale.min() < 0.955
    assert 1.045 < scale.max() <= 1.05 + 1e-4


def test_nodes_of_the_warp_move_as_in_the_specification() -> None:
    """Node k of n lies at k / n of the side; its move has a standard deviation of 0.54 * 0.24 cells."""
    resolution = 129  # with aligned corners the nodes of 2, 4 and 8 cells lie on pixels
    field = random_warp(1500, resolution, torch.Generator().manual_seed(0))
    for border in (field[:, 0], field[:, -1], field[:, :, 0], field[:, :, -1]):
        assert border.abs().max() < 1e-6
    middle = field[:, 64, 64]  # a node of every grid
    cells = (middle.abs()[:, :, None] * torch.tensor([1.0, 2, 4]) <= 2.5 * 0.24 * 0.54 + 1e-6).all(1)
    assert cells[:, 0].all()  # the largest move of a cell of half the side
    kinds = torch.randint(3, (1500,), generator=torch.Generator().manual_seed(0))
    for kind, count in enumerate((2, 4, 8)):
        moves = middle[kinds == kind]
        assert 400 < len(moves) < 600
        assert moves.std() == pytest.approx(0.24 * 0.54 * 2 / count, rel=0.08)
        assert np.corrcoef(moves.T.numpy())[0, 1] == pytest.approx(0, abs=0.12)  # x and y move independently


def test_recolour_brings_means_to_the_other_person(src: Person, dst: Person) -> None:
    batch = drawn(src, colors="rct", colors_of=dst, warp=False)
    inside = batch.mask > 0.99
    mean = (batch.target * inside).sum((2, 3)) / inside.sum((2, 3))
    skin = torch.tensor(DST.skin) / 255
    plain = drawn(src, warp=False)
    before = (plain.target * inside).sum((2, 3)) / inside.sum((2, 3))
    assert ((mean - skin).abs().mean() < 0.5 * (before - skin).abs().mean()) & ((mean - skin).abs().max() < 0.2)


def test_a_plain_batch_is_the_faces_as_they_are(src: Person) -> None:
    batch = plain_batch(src, torch.tensor([2, 0]), SIDE, CPU)
    assert torch.equal(batch.warped, batch.target)
    assert torch.equal(batch.points, src.points[[2, 0]])
    small = torch.nn.functional.avg_pool2d(src.faces[[2, 0]].float() / 255, 2)
    torch.testing.assert_close(batch.target, small[:, :3])
    torch.testing.assert_close(batch.mask, small[:, 3:4])


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
    person = stack_faces([(crop, record)], 1, 96, face_type)
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
    person = load_person(facesets[0], 32, "full")
    assert len(person) == 8
    assert person.faces.shape == (8, 5, 64, 64)
    assert person.faces.dtype == torch.uint8
    inside = person.faces[:, 3:4] > 250
    mean = (person.faces[:, :3] * inside).float().sum((2, 3)) / inside.sum((2, 3)) / 255
    assert ((mean - torch.tensor(SRC.skin) / 255).abs() < 0.12).all()
    assert person.points.abs().max() < 1.5
    assert person.yaw.abs().max() <= 1
    assert len(set(person.yaw.tolist())) > 1


def test_faces_are_kept_at_no_more_than_they_have(facesets: tuple[Path, Path]) -> None:
    size = load_face(list_faces(facesets[0])[0])[1].size
    assert load_person(facesets[0], size, "full").faces.shape[-1] == size
    assert load_person(facesets[0], size * 2 // 32 * 16, "full").faces.shape[-1] == size * 2 // 32 * 16


def test_decoded_faces_are_kept_and_found_again(
    facesets: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(facesets[0], tmp_path / "aligned"))
    cache, told = tmp_path / "cache", []
    fresh = load_person(folder, 32, "full")
    first = load_person(folder, 32, "full", cache=cache, noted=lambda done, count: told.append((done, count)))
    assert told == [(number, 8) for number in range(1, 9)]
    files = sorted(path.name for path in cache.iterdir())
    assert len(files) == 2
    with monkeypatch.context() as patch:
        patch.setattr(data, "stack_faces", None)  # nothing is decoded again
        again = load_person(folder, 32, "full", cache=cache)
    for person in (first, again):
        for name in ("faces", "points", "yaw"):
            assert torch.equal(getattr(person, name), getattr(fresh, name))
    list_faces(folder)[0].unlink()
    assert len(load_person(folder, 32, "full", cache=cache)) == 7
    assert len(list(cache.iterdir())) == 2  # what was made of the old faceset is gone
    load_person(folder, 32, "half", cache=cache)
    load_person(folder, 24, "full", cache=cache)
    assert len(list(cache.iterdir())) == 4


def test_a_cache_cut_short_is_not_used(
    facesets: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StopError(Exception):
        pass

    def stop(done: int, count: int) -> None:
        if done == 5:
            raise StopError

    with pytest.raises(StopError):
        load_person(facesets[0], 32, "full", cache=tmp_path, noted=stop)
    assert not list(tmp_path.iterdir())
    assert torch.equal(
        load_person(facesets[0], 32, "full", cache=tmp_path).faces, load_person(facesets[0], 32, "full").faces
    )
