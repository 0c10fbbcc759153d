"""Lossless that is lossless: planes after decoding equal those before, and R, G, B stay R, G, B."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_clips import digests, draw
from noise_clips import SIZE_WH, fast, info_of, joined, noise
from numpy.typing import NDArray

from lookalike.color import picture_to_rgb
from lookalike.errors import EncoderError
from lookalike.pipeline.config import CutOptions
from lookalike.pipeline.cut import cut
from lookalike.types import Frame
from lookalike.video import EncodeOptions, check_output, output_format, probe, read_frames
from lookalike.video.codecs import CODECS
from lookalike.video.layouts import Chroma, Layout, layout_named
from lookalike.video.planes import Rotation

SUFFIX = {"h264": ".mp4", "h265": ".mp4", "vp9": ".webm", "ffv1": ".mkv"}
EVERY = [(codec, layout) for codec in SUFFIX for layout in CODECS[codec].layouts if not layout.alpha]  # type: ignore[index]


def planes(frames: Iterator[Frame]) -> list[str]:
    return [digest for _, _, digest in digests(frames)]


@pytest.mark.parametrize(("codec", "layout"), EVERY, ids=lambda item: getattr(item, "name", item))
def test_planes_stay(tmp_path: Path, codec: str, layout: Layout) -> None:
    info = info_of(layout)
    out = joined(tmp_path, SUFFIX[codec], info, fast(codec, lossless=True), noise(info))
    new = probe(out)
    assert layout_named(new.pixel_format) == layout
    assert (new.color, new.tags) == (info.color, info.tags)
    assert planes(read_frames(out)) == planes(noise(info))


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9"])
def test_without_lossless_something_is_lost(tmp_path: Path, codec: str) -> None:
    info = info_of(Layout("420", 8))
    out = joined(tmp_path, SUFFIX[codec], info, fast(codec, crf=1), noise(info))
    assert planes(read_frames(out)) != planes(noise(info))


@pytest.mark.parametrize(
    "layout", [Layout("420", 8), Layout("444", 10), Layout("rgb", 8)], ids=lambda layout: layout.name
)
@pytest.mark.parametrize("codec", SUFFIX)
def test_a_drawn_clip_stays(tmp_path: Path, codec: str, layout: Layout) -> None:
    """A second of smooth moving pictures: SVT-AV1 keeps noise exactly, and spoils this."""
    if layout not in CODECS[codec].layouts:  # type: ignore[index]
        pytest.skip(f"{codec} cannot hold {layout.name}")
    stored = "bgr0" if layout.chroma == "rgb" else layout.name
    source = draw(tmp_path / "a.mkv", codec="ffv1", options={"level": "3"}, pixel_format=stored, size_wh=(160, 96))
    out = joined(tmp_path, SUFFIX[codec], probe(source), fast(codec, lossless=True), read_frames(source))
    assert planes(read_frames(out)) == planes(read_frames(source))


def test_slow_presets_lose_nothing(tmp_path: Path) -> None:
    info = info_of(Layout("420", 10))
    for codec in ("h264", "h265"):
        (tmp_path / codec).mkdir()
        out = joined(tmp_path / codec, ".mkv", info, EncodeOptions(codec=codec, lossless=True), noise(info))
        assert planes(read_frames(out)) == planes(noise(info))


@pytest.mark.parametrize("rotation", [90, 180])
@pytest.mark.parametrize("chroma", ["420", "422", "rgb"])
def test_turned_pictures_stay(tmp_path: Path, rotation: Rotation, chroma: Chroma) -> None:
    info = info_of(Layout(chroma, 8), rotation)
    out = joined(tmp_path, ".mp4", info, fast("h264", lossless=True), noise(info))
    assert probe(out).rotation == rotation
    assert planes(read_frames(out)) == planes(noise(info))


@pytest.mark.parametrize("bits", [8, 16])
class TestImagesAsVideo:
    def images(self, folder: Path, bits: int) -> list[NDArray[np.integer]]:
        folder.mkdir()
        rng = np.random.default_rng(bits)
        kind = np.uint8 if bits == 8 else np.uint16
        every = [rng.integers(0, 1 << bits, (*SIZE_WH[::-1], 3), kind) for _ in range(3)]
        for number, rgb in enumerate(every):
            cv2.imwrite(str(folder / f"{number}.png"), rgb[..., ::-1])
        return every

    def test_pixels_stay(self, tmp_path: Path, bits: int) -> None:
        images = self.images(tmp_path / "images", bits)
        info = probe(tmp_path / "images")
        kinds = [fast("ffv1")] + (
            [fast(codec, lossless=True) for codec in ("h264", "h265", "vp9")] if bits == 8 else []
        )
        for options in kinds:
            out = joined(tmp_path, SUFFIX[options.codec], info, options, read_frames(info.path))
            got = [np.rint(picture_to_rgb(f.picture) * ((1 << bits) - 1)) for f in read_frames(out)]
            assert np.array_equal(got, images), options.codec

    def test_what_may_lose_becomes_444_of_limited_range(self, tmp_path: Path, bits: int) -> None:
        images = self.images(tmp_path / "images", bits)
        info = probe(tmp_path / "images")
        out = joined(tmp_path, ".mp4", info, EncodeOptions(crf=1), read_frames(info.path))
        new = probe(out)
        assert new.pixel_format == ("yuv444p" if bits == 8 else "yuv444p10le")
        assert (new.tags.matrix, new.tags.range, new.color.matrix, new.color.full_range) == (6, 1, "bt601", False)
        got = picture_to_rgb(next(read_frames(out)).picture)
        assert np.abs(got - images[0] / ((1 << bits) - 1)).mean() < 0.02


def test_whole_chroma_keeps_luma(tmp_path: Path) -> None:
    info = info_of(Layout("420", 8))
    out = joined(tmp_path, ".mp4", info, fast("h264", lossless=True, chroma="444"), noise(info))
    assert probe(out).pixel_format == "yuv444p"
    for new, old in zip(read_frames(out), noise(info), strict=True):
        assert np.array_equal(new.picture.planes[0], old.picture.planes[0])
        assert np.abs(new.picture.planes[1][::2, ::2].astype(int) - old.picture.planes[1]).mean() < 45


def test_rgb_of_a_video_is_what_it_shows(tmp_path: Path) -> None:
    source = draw(tmp_path / "a.mp4", pts=range(4))
    info = probe(source)
    out = joined(tmp_path, ".mkv", info, fast("ffv1", chroma="rgb"), read_frames(source, 0, 6))
    assert probe(out).color.matrix == "rgb"
    for new, old in zip(read_frames(out), read_frames(source), strict=True):
        assert np.abs(picture_to_rgb(new.picture) - picture_to_rgb(old.picture)).max() <= 0.51 / 255


def test_cut_without_loss(tmp_path: Path) -> None:
    source = draw(tmp_path / "a.mp4", sounds=1)
    for codec in ("h264", "h265"):
        out = tmp_path / f"{codec}.mp4"
        list(cut(source, CutOptions(begin="5f"), fast(codec, lossless=True), output=out))
        assert planes(read_frames(out)) == planes(read_frames(source, 4))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"codec": "prores", "lossless": True}, "prores always loses a little; use --codec ffv1 or h265"),
        ({"codec": "av1", "lossless": True}, "av1 is not exact here: .*; use --codec ffv1 or h265"),
        ({"lossless": True, "crf": 3}, "leave out crf and bitrate"),
        ({"lossless": True, "bitrate": 3}, "leave out crf and bitrate"),
        ({"codec": "av1", "chroma": "444"}, "av1 cannot store 444 here; use --codec h264, h265, vp9, prores or ffv1"),
        ({"codec": "prores", "chroma": "rgb"}, "prores cannot store rgb here; use --codec ffv1, or --chroma 444"),
        ({"lossless": True, "hardware": "auto"}, "lossless is written in software only"),
        ({"chroma": "rgb", "hardware": "nvenc"}, "rgb is written in software only"),
        ({"preset": "slow", "hardware": "nvenc"}, "presets are of software encoders, got slow"),
    ],
)
def test_options_that_contradict(options: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        EncodeOptions.model_validate(options)


@pytest.mark.parametrize(
    ("codec", "layout", "text"),
    [
        (
            "vp9",
            Layout("420", 10),
            r"vp9 cannot store 4:2:0 of 10 bits exactly; use --codec h264 or h265 or ffv1$",
        ),
        ("h264", Layout("rgb", 16), r"h264 cannot store RGB of 16 bits exactly; use --codec ffv1$"),
        ("h265", Layout("422", 9), r"h265 cannot store 4:2:2 of 9 bits exactly; use --codec ffv1$"),
    ],
)
def test_what_cannot_be_held_exactly_is_refused_before_work(
    tmp_path: Path, codec: str, layout: Layout, text: str
) -> None:
    with pytest.raises(EncoderError, match=text):
        check_output(tmp_path / "out.mkv", info_of(layout), fast(codec, lossless=True))
    check_output(tmp_path / "out.mkv", info_of(layout), fast(codec))


def test_odd_sizes_without_loss() -> None:
    with pytest.raises(EncoderError, match=r"exactly; use --codec vp9 or ffv1$"):
        output_format("h264", "yuv420p", (63, 64), lossless=True)
    assert output_format("ffv1", "yuv420p", (63, 63), lossless=True) == "yuv420p"
    assert output_format("h264", "gbrp", (63, 63), lossless=True) == "rgb24"


def test_times_stay(tmp_path: Path) -> None:
    info = info_of(Layout("rgb", 8))
    out = joined(tmp_path, ".mp4", info, fast("h264", lossless=True), noise(info))
    assert [f.pts * f.time_base for f in read_frames(out)] == [Fraction(f.pts, 1000) for f in noise(info)]
