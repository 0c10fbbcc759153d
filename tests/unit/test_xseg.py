"""The mask network: its shape, its file, and its use."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from drawn_faces import SRC, drawn_record
from lookalike.errors import WeightsError
from lookalike.masks.segmenter import XsegSegmenter, open_segmenter, seen_of
from lookalike.models.xseg import CHANNELS, SIDE, begun_xseg, fused, generic_weights, load_xseg, save_xseg
from mask_onnx import write_mask_onnx

SIZES = ("fast", "good")


@pytest.mark.parametrize("size", SIZES)
class TestNetwork:
    def test_says_one_number_a_pixel(self, size: str) -> None:
        network = begun_xseg(size, 0).eval()  # type: ignore[arg-type]
        with torch.inference_mode():
            assert network(torch.rand(2, CHANNELS, SIDE, SIDE)).shape == (2, 1, SIDE, SIDE)

    def test_begins_as_its_seed_says(self, size: str) -> None:
        torch.manual_seed(3)
        one = begun_xseg(size, 5).state_dict()  # type: ignore[arg-type]
        torch.manual_seed(4)
        same, other = begun_xseg(size, 5).state_dict(), begun_xseg(size, 6).state_dict()  # type: ignore[arg-type]
        assert all(torch.equal(value, same[name]) for name, value in one.items())
        assert any(not torch.equal(value, other[name]) for name, value in one.items())

    def test_says_the_same_with_normalisation_drawn_in(self, size: str) -> None:
        network = begun_xseg(size, 1)  # type: ignore[arg-type]
        generator = torch.Generator().manual_seed(0)
        with torch.inference_mode():
            for _ in range(3):
                network(torch.rand(2, CHANNELS, SIDE, SIDE, generator=generator))
            seen = torch.rand(1, CHANNELS, SIDE, SIDE, generator=generator)
            before = network.eval()(seen)
            assert torch.allclose(fused(network)(seen), before, atol=1e-3, rtol=1e-3)


def test_the_package_has_weights() -> None:
    path = generic_weights()
    network, facts = load_xseg(path)
    assert network.size == "fast"
    assert facts["trained"].startswith("generic")
    assert path.stat().st_size < 5 * 2**20
    assert all(value.dtype == torch.float16 for value in load_file(path).values())


class TestFile:
    def test_comes_back_as_half_floats(self, tmp_path: Path) -> None:
        network, path = begun_xseg("fast", 0), tmp_path / "a.safetensors"
        save_xseg(path, network.state_dict(), "fast", {"step": "7"})
        again, facts = load_xseg(path)
        assert facts["step"] == "7"
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                assert torch.allclose(again.state_dict()[name], value, atol=1e-3)

    def test_what_is_no_mask_network_is_refused(self, tmp_path: Path) -> None:
        good = tmp_path / "good.safetensors"
        save_xseg(good, begun_xseg("fast", 0).state_dict(), "fast")
        tensors = load_file(good)
        name = next(iter(tensors))
        broken = {
            "cut.safetensors": good.read_bytes()[:1000],
            "text.safetensors": b"no weights",
        }
        for file, data in broken.items():
            (tmp_path / file).write_bytes(data)
        header = {"format": "1", "network": "xseg", "size": "fast"}
        save_file(tensors, tmp_path / "nobody.safetensors")
        save_file(tensors, tmp_path / "newer.safetensors", header | {"format": "9"})
        save_file(tensors, tmp_path / "huge.safetensors", header | {"size": "huge"})
        save_file({k: v for k, v in tensors.items() if k != name}, tmp_path / "lacks.safetensors", header)
        save_file(tensors | {name: tensors[name][:1].clone()}, tmp_path / "shape.safetensors", header)
        files = ("missing", "cut", "text", "nobody", "newer", "huge", "lacks", "shape")
        for stem in files:
            path = tmp_path / f"{stem}.safetensors"
            with pytest.raises(WeightsError) as caught:
                load_xseg(path)
            assert str(path) in str(caught.value)
            assert "\n" not in str(caught.value)


class TestSegmenter:
    def test_a_file_says_by_its_name_what_it_is(self, tmp_path: Path) -> None:
        onnx = tmp_path / "net.onnx"
        write_mask_onnx(onnx)
        assert open_segmenter(onnx).face_type == "full"
        assert open_segmenter(generic_weights()).face_type == "whole"

    def test_bytes_and_shares_are_the_same_picture(self) -> None:
        network = XsegSegmenter(generic_weights(), "cpu")
        rng = np.random.default_rng(0)
        face, points = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8), rng.uniform(60, 200, (68, 2))
        one = network.mask(face, points)
        other = network.mask(face.astype(np.float32) / np.float32(255), points)
        assert one.shape == (SIDE, SIDE)
        assert one.dtype == np.float32
        assert 0 <= one.min() <= one.max() <= 1
        assert np.abs(one - other).max() < 1e-3

    def test_a_narrower_face_is_seen_in_its_own_crop(self) -> None:
        image, record = drawn_record(SRC, 0, 128)
        mask = seen_of(XsegSegmenter(generic_weights(), "cpu"), image, record)
        assert mask.shape == (128, 128)
        x, y = record.crop_landmarks()[30]
        assert mask[round(y), round(x)] > mask[2, 2]
