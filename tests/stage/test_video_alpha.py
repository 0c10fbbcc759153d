"""Alpha in, alpha out; the reader drops it, so files are looked at by themselves."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from noise_clips import COUNT, fast, info_of, joined, noise, stored_alpha

from lookalike.color import converted, paste_rgb
from lookalike.errors import EncoderError
from lookalike.types import ColorSpace, Frame
from lookalike.video import CodecName, EncodeOptions, check_output, holds_alpha, probe, read_frames
from lookalike.video.layouts import Chroma, Layout
from lookalike.video.planes import Rotation, turned


@pytest.mark.parametrize(
    "layout",
    [Layout("420", 8), Layout("422", 10), Layout("444", 16), Layout("rgb", 8), Layout("rgb", 12), Layout("rgb", 16)],
    ids=lambda layout: layout.name,
)
@pytest.mark.parametrize("rotation", [0, 90])
def test_ffv1_keeps_it_exactly(tmp_path: Path, layout: Layout, rotation: Rotation) -> None:
    info = info_of(layout, rotation)
    out = joined(tmp_path, ".mkv", info, fast("ffv1", lossless=True), noise(info, alpha=True), alpha=True)
    for (alpha, top), frame in zip(stored_alpha(out), noise(info, alpha=True), strict=True):
        assert frame.picture.alpha is not None
        assert top == (1 << layout.bits) - 1
        assert np.array_equal(alpha, np.rot90(frame.picture.alpha, -rotation // 90))
    for new, old in zip(read_frames(out), noise(info, alpha=True), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(new.picture.planes, old.picture.planes, strict=True))
        assert new.picture.alpha is None


@pytest.mark.parametrize(("chroma", "bits"), [("420", 8), ("422", 10), ("444", 16), ("rgb", 8)])
def test_prores_keeps_it_within_a_step(tmp_path: Path, chroma: Chroma, bits: int) -> None:
    info = info_of(Layout(chroma, bits))
    out = joined(tmp_path, ".mov", info, fast("prores"), noise(info, alpha=True), alpha=True)
    assert probe(out).pixel_format.startswith("yuva444p1")
    for (alpha, top), frame in zip(stored_alpha(out), noise(info, alpha=True), strict=True):
        assert frame.picture.alpha is not None
        want = frame.picture.alpha.astype(np.float64) / ((1 << bits) - 1)
        assert np.abs(alpha / top - want).max() <= 1 / 1023


def test_a_depth_without_alpha_is_widened(tmp_path: Path) -> None:
    info = info_of(Layout("420", 12))
    out = joined(tmp_path, ".mkv", info, fast("ffv1"), noise(info, alpha=True), alpha=True)
    for (alpha, top), frame in zip(stored_alpha(out), noise(info, alpha=True), strict=True):
        assert frame.picture.alpha is not None
        assert top == 65535
        assert np.array_equal(np.rint(alpha * (4095 / 65535)), frame.picture.alpha)


def test_pictures_without_it_are_opaque(tmp_path: Path) -> None:
    info = info_of(Layout("420", 8))
    one, *others = noise(info, alpha=True)
    frames = [Frame(replace(one.picture, alpha=None), one.index, one.pts, one.time_base), *others]
    found = stored_alpha(joined(tmp_path, ".mkv", info, fast("ffv1"), iter(frames), alpha=True))
    assert (found[0][0] == 255).all()
    assert (found[1][0] != 255).any()
    assert len(found) == COUNT


def test_a_writer_without_alpha_drops_it(tmp_path: Path) -> None:
    info = info_of(Layout("420", 8))
    out = joined(tmp_path, ".mkv", info, fast("ffv1"), noise(info, alpha=True))
    assert probe(out).pixel_format == "yuv420p"


@pytest.mark.parametrize("codec", ["h264", "h265", "av1", "vp9"])
def test_other_codecs_are_refused(tmp_path: Path, codec: CodecName) -> None:
    info = info_of(Layout("420", 8))
    assert not holds_alpha(codec)
    with pytest.raises(EncoderError, match=rf"{codec} has no alpha here; use --codec prores \(\.mov\) or --codec ffv1"):
        check_output(tmp_path / "out.mkv", info, EncodeOptions(codec=codec), alpha=True)


def test_accepted(tmp_path: Path) -> None:
    info = info_of(Layout("420", 8))
    check_output(tmp_path / "out.mov", info, EncodeOptions(codec="prores"), alpha=True)
    check_output(tmp_path / "out.mkv", info, EncodeOptions(codec="ffv1"), alpha=True)


def test_it_goes_where_the_picture_goes() -> None:
    picture = next(islice(noise(info_of(Layout("420", 8)), alpha=True), 1)).picture
    assert picture.alpha is not None
    quarter = turned(picture, 90)
    assert quarter.alpha is not None
    assert np.array_equal(quarter.alpha, np.rot90(picture.alpha))
    pasted = paste_rgb(picture, np.zeros((8, 8, 3), np.float32), np.ones((8, 8), np.float32), (0, 0, 8, 8))
    assert pasted.alpha is picture.alpha
    deeper = converted(picture, ColorSpace("rgb", True, 16))
    assert deeper.alpha is not None
    assert np.array_equal(deeper.alpha, picture.alpha.astype(np.uint16) * 257)
