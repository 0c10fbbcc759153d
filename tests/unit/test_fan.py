"""2DFAN-4 equals the published implementation, with the same weights; its peaks are read between pixels."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lookalike.errors import WeightsError
from lookalike.faces.build import LANDMARKERS
from lookalike.faces.detection import Detection
from lookalike.faces.fan import FanLandmarker, crop_matrix
from lookalike.faces.mesh import MeshLandmarker
from lookalike.geometry import transform
from lookalike.models.fan import FAN, peaks, peaks_quarter
from lookalike.models.pretrained import load_published

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it imports
    from face_alignment.models.fan import FAN as TheirFAN  # noqa: N811
    from face_alignment.utils import get_preds_fromhm


def _random_net(seed: int) -> FAN:
    """Random weights, and batch statistics as of a trained network: neither zero nor one."""
    torch.manual_seed(seed)
    net = FAN().eval().requires_grad_(False)
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
            layer.weight.uniform_(0.5, 1.5)
            layer.bias.normal_(0, 0.2)
    return net


def _crops(count: int, height: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, height // 16, width // 16, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")


def _theirs(net: FAN) -> torch.nn.Module:
    theirs = TheirFAN(4).eval()
    theirs.load_state_dict(net.state_dict(), strict=True)
    return theirs  # type: ignore[no-any-return]


@pytest.mark.parametrize(("count", "height", "width"), [(1, 256, 256), (3, 64, 64), (2, 128, 192)])
def test_the_maps_are_the_published_ones(count: int, height: int, width: int) -> None:
    net, rgb = _random_net(1), _crops(count, height, width, 2)
    with torch.no_grad():
        ours, theirs = net(rgb), _theirs(net)(rgb)
    assert len(ours) == len(theirs) == 4
    for maps, want in zip(ours, theirs, strict=True):
        assert maps.shape == (count, 68, height // 4, width // 4)
        assert float(want.std()) > 0.05
        torch.testing.assert_close(maps, want, rtol=0, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_plain_reading_is_the_published_one(seed: int) -> None:
    net = _random_net(seed)
    with torch.no_grad():
        drawn = net(_crops(2, 256, 256, seed))[-1]
    noise = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, 68, 64, 64))).float()
    border = torch.zeros(1, 68, 64, 64)
    for number in range(68):
        border[0, number, (number * 7) % 64, 0 if number % 2 else 63] = 1
    for maps in (drawn, noise, border):
        want, _, _ = get_preds_fromhm(maps.numpy())
        np.testing.assert_allclose(peaks_quarter(maps).numpy() + 0.5, want, atol=1e-4)


def _gaussians(
    centres: NDArray[np.float64], widths: tuple[float, float] = (1.75, 1.75), slant: float = 0.0, noise: float = 0.0
) -> Tensor:
    """(1, N, 64, 64) heat maps with peaks of 1 at (N, 2) places."""
    y, x = np.mgrid[:64, :64]
    u = (x - centres[:, 0, None, None]) / widths[0]
    v = (y - centres[:, 1, None, None]) / widths[1]
    maps = np.exp(-(u**2 - 2 * slant * u * v + v**2) / (2 * (1 - slant**2)))
    maps += np.random.default_rng(0).normal(0, noise, maps.shape)
    return torch.from_numpy(maps).float()[None]


def _error(found: Tensor, centres: NDArray[np.float64]) -> float:
    """Mean distance in pixels of the map, each a quarter of a crop's 64th."""
    return float(np.linalg.norm(found[0].numpy() - centres, axis=1).mean())


@pytest.mark.parametrize(
    ("widths", "slant", "noise", "most", "quarter"),
    [
        ((1.0, 1.0), 0.0, 0.0, 0.001, 0.18),
        ((1.75, 1.75), 0.0, 0.0, 0.001, 0.18),
        ((2.5, 1.5), 0.5, 0.0, 0.001, 0.28),
        ((1.0, 1.0), 0.0, 0.01, 0.02, 0.18),
        ((1.75, 1.75), 0.0, 0.01, 0.035, 0.18),
        ((1.75, 1.75), 0.0, 0.03, 0.1, 0.2),
    ],
)
def test_peaks_between_pixels_are_found(
    widths: tuple[float, float], slant: float, noise: float, most: float, quarter: float
) -> None:
    centres = np.random.default_rng(1).uniform(2, 61, (1000, 2))
    maps = _gaussians(centres, widths, slant, noise)
    assert _error(peaks(maps), centres) < most
    assert _error(peaks_quarter(maps), centres) > quarter


def test_peaks_on_the_border_are_found() -> None:
    centres = np.array([[0.2, 30.7], [63.0, 62.6], [-0.3, 0.4], [31.5, 63.3]])
    assert _error(peaks(_gaussians(centres)), centres) < 0.001


def test_what_is_no_hill_is_read_as_published() -> None:
    maps = torch.zeros(1, 5, 8, 8)
    maps[0, 0, 4, 3] = 1  # alone: its neighbours are 0, not positive
    maps[0, 1] = -1
    maps[0, 1, 2, 5] = 2
    maps[0, 2] = torch.arange(64.0).reshape(8, 8) + 1  # a slope up to the corner
    maps[0, 3] = 1  # flat
    assert torch.isfinite(peaks(maps)).all()
    assert torch.equal(peaks(maps)[0, :2], peaks_quarter(maps)[0, :2])
    assert torch.equal(peaks(maps)[0, 3:], peaks_quarter(maps)[0, 3:])


def _face(seed: int = 0) -> NDArray[np.float32]:
    """(478, 2) mesh-like points: only what the 68 derive from matters."""
    rng = np.random.default_rng(seed)
    return rng.uniform((200, 100), (300, 220), (478, 2)).astype(np.float32)


@pytest.mark.parametrize("angle", [0.0, 20.0, -90.0, 180.0])
def test_the_crop_is_level_and_as_in_the_evaluation_code(angle: float) -> None:
    level = np.random.default_rng(3).uniform((0, 0), (90, 105), (68, 2))
    level[0], level[1] = (0, 0), (90, 105)
    level[36], level[45] = (20, 30), (70, 30)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    points = level @ np.array([[cos, sin], [-sin, cos]]) * 2 + [400, 300]
    crop = transform(crop_matrix(points), points)
    side = (90 + 105) * 2 / 195 * 200
    np.testing.assert_allclose(np.ptp(crop, 0), np.array([180, 210]) * 256 / side, rtol=1e-6)
    middle = (crop.min(0) + crop.max(0)) / 2
    np.testing.assert_allclose(middle, [127.5, 127.5 + 0.12 * 210 * 256 / side], rtol=1e-6)
    assert crop[36, 1] == pytest.approx(crop[45, 1])
    assert crop[36, 0] < crop[45, 0]


class _Spots(torch.nn.Module):
    """In place of the network: finds the place of each landmark's own shade in the crop."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, rgb: Tensor) -> list[Tensor]:
        self.seen.append(len(rgb))
        quarter = torch.nn.functional.avg_pool2d(rgb, 4)
        spots = [torch.exp(-((quarter[:, 2:] - 0.5) ** 2) * 30) * quarter[:, :1] ** 8 + 1e-3]
        return [spots[0].expand(-1, 68, -1, -1)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "2DFAN4-11f355bf06.pth.tar"
    state = {k: v for k, v in _random_net(5).state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(state, path, _use_new_zipfile_serialization=False)  # as old as the published file
    return path


def test_points_come_back_in_frame_pixels_from_two_passes(weights: Path) -> None:
    """A bright spot with a Gaussian profile at a known place in the frame is found there."""
    landmarker = FanLandmarker(weights)
    spots = _Spots()
    landmarker._net = spots  # type: ignore[assignment]
    y, x = np.mgrid[:360, :480]
    place = np.array([251.3, 148.6])
    glow = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * 40.0**2))
    frame = np.stack([glow * 255, glow * 0, glow * 0 + 128], -1).round().astype(np.uint8)
    mesh = _face()
    crop = transform(crop_matrix(MeshLandmarker().of_mesh(mesh)), place)
    assert ((crop > 40) & (crop < 216)).all()
    found = landmarker._pass(frame, [MeshLandmarker().of_mesh(mesh)])
    np.testing.assert_allclose(found[0], np.tile(place, (68, 1)), atol=0.15)
    spots.seen.clear()
    detections = [Detection(np.array([200, 100, 300, 220], np.float32), 0.9)] * 3
    both = landmarker.landmarks(frame, detections, [mesh, _face(1), _face(2)])
    assert spots.seen == [3, 3]
    assert [points.shape for points in both] == [(68, 2)] * 3
    assert landmarker.landmarks(frame, [], []) == []


def test_faces_of_a_picture_do_not_mix(weights: Path) -> None:
    landmarker = LANDMARKERS["fan"](weights)
    frame = np.random.default_rng(0).integers(0, 255, (360, 480, 3), np.uint8)
    meshes = [_face(seed) + 20 * seed for seed in range(2)]
    detections = [Detection(np.array([200, 100, 300, 220], np.float32), 0.9)] * 2
    together = landmarker.landmarks(frame, detections, meshes)
    for points, detection, mesh in zip(together, detections, meshes, strict=True):
        (alone,) = landmarker.landmarks(frame, [detection], [mesh])
        assert points.dtype == np.float32
        np.testing.assert_allclose(points, alone, atol=0.05)


def test_an_old_file_without_batch_counters_is_read(weights: Path) -> None:
    found, want = load_published(FAN(), weights).state_dict(), _random_net(5).state_dict()
    assert found.keys() == want.keys()
    assert all(torch.equal(found[name], want[name]) for name in want if not name.endswith("num_batches_tracked"))


def test_another_networks_file_is_one_line(tmp_path: Path) -> None:
    torch.save({"conv1_1.weight": torch.zeros(1)}, tmp_path / "s3fd.pth")
    with pytest.raises(WeightsError, match=r"s3fd\.pth is another network's: it lacks al0\.bias and \d+ more$"):
        FanLandmarker(tmp_path / "s3fd.pth")
