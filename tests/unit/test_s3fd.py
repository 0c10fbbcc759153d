"""S3FD equals the published implementation, with the same weights; what is checked is the network and its reading."""

import copy
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lookalike.errors import WeightsError
from lookalike.faces.build import DETECTORS, DetectorSettings
from lookalike.faces.s3fd import S3fdDetector, search_size
from lookalike.models.pretrained import load_published
from lookalike.models.s3fd import S3FD, STRIDES, candidates, strongest, suppress

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it imports
    from face_alignment.detection.sfd.bbox import nms as their_nms
    from face_alignment.detection.sfd.detect import batch_detect
    from face_alignment.detection.sfd.net_s3fd import s3fd as TheirS3FD


def _random_net(seed: int) -> S3FD:
    """Weights under which every scale reports faces here and there, and boxes of many shapes."""
    torch.manual_seed(seed)
    net = S3FD().eval().requires_grad_(False)
    for name, parameter in net.named_parameters():
        if name.endswith("_norm.weight"):
            parameter.mul_(torch.rand_like(parameter) + 0.5)
        elif "_mbox_" not in name and name.endswith("weight"):
            torch.nn.init.kaiming_normal_(parameter)
    heads = [name for name, _ in net.named_children() if name.endswith("_mbox_conf")]
    with torch.no_grad():
        for name, maps in zip(heads, net(_pictures(1, 200, 264, seed)), strict=True):
            for head, values, spread in ((name, maps[0], 2.0), (name.replace("conf", "loc"), maps[1], 1.5)):
                layer = net.get_submodule(head)
                assert isinstance(layer, torch.nn.Conv2d)
                assert layer.bias is not None
                layer.weight *= spread / values.std(unbiased=False)
                layer.bias *= spread / values.std(unbiased=False)
                middle = values.mean((0, 2, 3)) * spread / values.std(unbiased=False)
                layer.bias -= torch.cat([middle[:1].expand(len(layer.bias) - len(middle)), middle])
            net.get_submodule(name).get_parameter("bias")[-1] -= 3.0  # most places are no face
    return net


def _pictures(count: int, height: int, width: int, seed: int) -> Tensor:
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, height // 16 + 1, width // 16 + 1))).float()
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (smooth + torch.from_numpy(rng.normal(0, 20, smooth.shape)).float()).clamp(0, 255).round()


def _theirs(net: S3FD) -> torch.nn.Module:
    theirs = TheirS3FD().eval()
    theirs.load_state_dict(net.state_dict(), strict=True)
    return theirs  # type: ignore[no-any-return]


def _largest_difference(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Between two sets of rows in any order, each row with its own partner."""
    apart = np.abs(boxes[:, None] - others[None]).max(-1)
    partners = apart.argmin(1)
    assert sorted(partners) == list(range(len(others)))
    return float(apart.min(1).max())


SIZES = [(1, 96, 128), (2, 113, 201), (3, 64, 67), (1, 200, 264)]


@pytest.mark.parametrize(("count", "height", "width"), SIZES)
def test_the_maps_are_the_published_ones(count: int, height: int, width: int) -> None:
    net, rgb = _random_net(1), _pictures(count, height, width, 2)
    with torch.no_grad():
        ours = net(rgb)
        theirs = _theirs(net)(rgb.flip(1) - torch.tensor([104.0, 117.0, 123.0])[:, None, None])
    assert len(theirs) == 2 * len(ours) == 12
    for (logits, offsets), want_logits, want_offsets in zip(ours, theirs[::2], theirs[1::2], strict=True):
        torch.testing.assert_close(logits, want_logits, rtol=0, atol=1e-4)
        torch.testing.assert_close(offsets, want_offsets, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("count", "height", "width"), SIZES)
def test_the_boxes_are_the_published_ones(count: int, height: int, width: int) -> None:
    net, rgb = _random_net(3), _pictures(count, height, width, 4)
    with torch.no_grad():
        found = candidates(net(rgb))
    published = batch_detect(_theirs(net), rgb, "cpu")
    assert len(found) == len(published) == count
    for ours, theirs in zip(found, published, strict=True):
        theirs = np.unique(theirs[theirs[:, 4] > 0.05], axis=0)  # a candidate of one picture is one of all pictures
        assert len(ours) == len(theirs) > 100
        assert _largest_difference(ours, theirs) < 1e-4
        kept = theirs[their_nms(theirs, 0.3)]
        kept = kept[kept[:, 4] >= 0.5]
        (best,) = strongest([ours], 0.5)
        assert 5 < len(best) < len(ours) / 2
        np.testing.assert_allclose(best, kept, rtol=0, atol=1e-4)


def test_all_scales_were_looked_at() -> None:
    with torch.no_grad():
        maps = _random_net(1)(_pictures(1, 200, 264, 2))
    shares = [float((logits.softmax(1)[:, 1] > 0.05).float().mean()) for logits, _ in maps]
    assert all(0.02 < share < 0.98 for share in shares), shares


@pytest.mark.parametrize("seed", range(5))
def test_suppression_is_the_published_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner, side = rng.uniform(0, 100, (400, 2)), rng.uniform(0, 40, (400, 2))
    boxes = np.concatenate([corner, corner + side, rng.uniform(size=(400, 1))], 1).astype(np.float32)
    kept = suppress(boxes, 0.3)
    assert kept.tolist() == their_nms(boxes, 0.3)
    assert 10 < len(kept) < 300


def test_suppression_counts_both_end_pixels() -> None:
    boxes = np.array([[0, 0, 9, 9, 0.9], [5, 0, 14, 9, 0.8], [8, 0, 17, 9, 0.7], [30, 30, 30, 30, 0.6]], np.float32)
    # 50 of 150 pixels are shared by the first two, 20 of 180 by first and third
    assert suppress(boxes, 0.33).tolist() == [0, 2, 3]
    assert suppress(boxes, 0.34).tolist() == [0, 1, 3]  # now the second lives, and shares 70 of 130 with the third
    assert suppress(np.zeros((0, 5), np.float32)).tolist() == []


def test_a_cell_without_offsets_is_a_square_of_four_strides() -> None:
    maps = [(torch.full((1, 2, 3, 4), 0.0), torch.zeros(1, 4, 3, 4)) for _ in STRIDES]
    for logits, _ in maps:
        logits[:, 0] = 9.0
    maps[1][0][0, :, 2, 3] = torch.tensor([0.0, 9.0])
    maps[1][1][0, :, 2, 3] = torch.tensor([0.5, -0.5, 5 * np.log(2), 0.0])
    (found,) = candidates(maps)
    # stride 8: centre (28, 20), side 32; moved by 0.05 sides, twice as wide
    np.testing.assert_allclose(found[0, :4], [29.6 - 32, 18.4 - 16, 29.6 + 32, 18.4 + 16], rtol=1e-6)
    assert found.shape == (1, 5)


@pytest.mark.parametrize(
    ("size_wh", "want"),
    [((1280, 720), (640, 360)), ((1920, 1080), (640, 360)), ((1279, 720), (639, 360)), ((720, 1280), (360, 640)),
     ((100, 50), (64, 32)), ((90, 10), (64, 7))],
)  # fmt: skip
def test_pictures_are_searched_at_half_their_size(size_wh: tuple[int, int], want: tuple[int, int]) -> None:
    assert search_size(size_wh) == want


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "s3fd-619a316812.pth"
    torch.save(_random_net(5).state_dict(), path, _use_new_zipfile_serialization=False)  # as the published file
    return path


def _frame(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(_pictures(1, height, width, seed)[0].permute(1, 2, 0).numpy().astype(np.uint8))


def test_boxes_are_given_in_pixels_of_the_frame(weights: Path) -> None:
    frame = _frame(401, 503, 6)
    detector = DETECTORS["s3fd"].build(DetectorSettings(min_score=0.6, weights=weights))
    found = detector.detect(frame)
    net = load_published(S3FD(), weights)
    import cv2

    small = cv2.resize(frame, (251, 200), interpolation=cv2.INTER_LINEAR)
    (rows,) = strongest(candidates(net(torch.from_numpy(small).permute(2, 0, 1)[None].float())), 0.6)
    want = rows[:, :4] * [503 / 251, 401 / 200, 503 / 251, 401 / 200]
    want[:, 3] += 0.1 * (want[:, 3] - want[:, 1])
    assert len(found) == len(rows) > 5
    np.testing.assert_allclose([d.box_xyxy for d in found], want, rtol=1e-5, atol=1e-3)
    scores = [d.score for d in found]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= 0.6
    assert any(float(value) % 1 for value in want[:, 0])


def test_a_batch_gives_what_single_pictures_give(weights: Path) -> None:
    detector = S3fdDetector(weights, 0.5)
    frames = [_frame(240, 320, seed) for seed in (7, 8, 9)]
    for together, frame in zip(detector.detect_batch(frames), frames, strict=True):
        alone = detector.detect(frame)
        assert len(together) == len(alone) > 3
        np.testing.assert_allclose([d.box_xyxy for d in together], [d.box_xyxy for d in alone], rtol=1e-4, atol=1e-2)
    assert detector.detect_batch([]) == []
    with pytest.raises(ValueError, match="one size"):
        detector.detect_batch([frames[0], frames[0][:-1]])


@pytest.mark.parametrize(("height", "width"), [(20, 300), (300, 9), (40, 40)])
def test_slim_and_small_pictures_are_searched(weights: Path, height: int, width: int) -> None:
    S3fdDetector(weights, 0.5).detect(_frame(height, width, 1))


def test_files_of_other_spellings_are_read(tmp_path: Path) -> None:
    state = _random_net(5).state_dict()
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": t for name, t in state.items()}}, tmp_path / "a.pth")
    found = load_published(S3FD(), tmp_path / "a.pth").state_dict()
    assert all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize(
    "kind", ["missing", "empty", "text", "pops", "ends", "cut", "pickle", "list", "other", "lacking", "shape"]
)
def test_a_bad_file_is_one_line(weights: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bad.pth"
    state = copy.copy(torch.load(weights, weights_only=True))
    if kind in ("empty", "text"):
        path.write_bytes(b"" if kind == "empty" else b"<html>not found</html>\n" * 9)
    elif kind in ("pops", "ends"):  # IndexError and struct.error of the unpickler
        path.write_bytes(b"\x80\x02." if kind == "pops" else b"\x80\x02J\x01")
    elif kind == "cut":
        path.write_bytes(weights.read_bytes()[:100_000])
    elif kind == "lacking":
        del state["fc6.bias"]
        torch.save(state, path)
    elif kind == "shape":
        torch.save(state | {"fc6.bias": torch.zeros(3)}, path)
    elif kind != "missing":
        torch.save({"pickle": Path("x"), "list": [1, 2], "other": {"conv1.weight": torch.zeros(1)}}[kind], path)
    with pytest.raises(WeightsError, match=r"bad\.pth") as caught:
        S3fdDetector(path, 0.5)
    assert "\n" not in str(caught.value)
