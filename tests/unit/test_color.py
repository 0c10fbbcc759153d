"""Planes to RGB and back, and pasting."""

from itertools import product

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from lookalike.color import (
    align_box,
    chroma_shifts,
    converted,
    in_one_space,
    legal_range,
    paste_rgb,
    picture_to_rgb,
    rgb_to_picture,
)
from lookalike.types import ColorSpace, Matrix, Picture

MATRICES: tuple[Matrix, ...] = ("bt601", "bt709", "bt2020", "smpte240m", "fcc")
SPACES = [ColorSpace(*item) for item in product(MATRICES[:3], (False, True), (8, 10))]
SHIFTS = [(0, 0), (1, 0), (1, 1)]


def smooth_rgb(height: int, width: int) -> np.ndarray:
    """Slow waves that stay inside RGB."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(x / 17 + 1), np.cos(y / 13), np.sin((x + y) / 23)]
    return (0.5 + 0.3 * np.stack(waves, axis=-1)).astype(np.float32)


@pytest.mark.parametrize(
    ("color", "rgb", "codes"),
    [
        (ColorSpace("bt709", False, 8), (0, 0, 0), (16, 128, 128)),
        (ColorSpace("bt709", False, 8), (1, 1, 1), (235, 128, 128)),
        (ColorSpace("bt601", False, 8), (1, 0, 0), (81, 90, 240)),
        (ColorSpace("bt709", False, 8), (1, 0, 0), (63, 102, 240)),
        (ColorSpace("bt601", True, 8), (0, 0, 1), (29, 255, 107)),
        (ColorSpace("bt709", False, 10), (1, 1, 1), (940, 512, 512)),
        (ColorSpace("bt2020", False, 10), (0, 1, 0), (658, 189, 100)),
    ],
)
def test_known_colours(color: ColorSpace, rgb: tuple[int, ...], codes: tuple[int, ...]) -> None:
    picture = rgb_to_picture(np.full((2, 2, 3), rgb, np.float32), color)
    assert tuple(int(plane[0, 0]) for plane in picture.planes) == codes


@pytest.mark.parametrize("color", SPACES, ids=str)
def test_444_there_and_back_loses_only_the_rounding_of_codes(color: ColorSpace) -> None:
    rgb = np.random.default_rng(0).random((40, 40, 3), np.float32)
    back = picture_to_rgb(rgb_to_picture(rgb, color))
    level = 1 / 255 if color.bits == 8 else 1 / 1023
    # Half a code of Y and of Cb, which counts 1.88 in BT.2020 blue: 1.44 levels at most, 1.66 in limited range.
    assert np.abs(back - rgb).max() <= (1.45 if color.full_range else 1.67) * level
    assert np.abs(back - rgb).mean() <= 0.5 * level


@pytest.mark.parametrize(
    ("matrix", "number"), [("bt601", 5), ("bt709", 1), ("bt2020", 9), ("smpte240m", 7), ("fcc", 4)]
)
@pytest.mark.parametrize("full", [False, True])
def test_agrees_with_ffmpeg(matrix: Matrix, number: int, full: bool) -> None:
    picture = rgb_to_picture(smooth_rgb(96, 128), ColorSpace(matrix, full, 8), 1, 1)
    frame = av.VideoFrame(128, 96, "yuv420p")
    for plane, samples in zip(frame.planes, picture.planes, strict=True):
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width] = samples
    flags = Interpolation.BILINEAR | Interpolation.ACCURATE_RND
    flags |= Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
    theirs = frame.reformat(
        format="rgb24",
        src_colorspace=Colorspace(number),
        dst_colorspace=Colorspace(number),
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=int(flags),
    ).to_ndarray()
    difference = picture_to_rgb(picture) * 255 - theirs
    assert np.abs(difference).max() <= 2.5
    assert np.abs(difference).mean() <= 0.6
    assert np.abs(difference.mean((0, 1))).max() <= 0.35


@pytest.mark.parametrize("color", SPACES, ids=str)
@pytest.mark.parametrize("shifts", SHIFTS)
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_own_rgb_pasted_back_moves_no_code_by_more_than_one(
    color: ColorSpace, shifts: tuple[int, int], size: tuple[int, int]
) -> None:
    picture = rgb_to_picture(smooth_rgb(*size), color, *shifts)
    assert worst_change(picture, (0, 0, 999, 999)) <= 1
    # At the edge of a box chroma does not know its neighbours: a code of 8 bits.
    assert worst_change(picture, (11, 7, 40, 30)) <= 1 << (color.bits - 8)


def worst_change(picture: Picture, wanted: tuple[int, int, int, int]) -> int:
    box = align_box(wanted, picture)
    rgb = picture_to_rgb(picture, box)
    pasted = paste_rgb(picture, rgb, np.ones(rgb.shape[:2], np.float32), box)
    pairs = zip(picture.planes, pasted.planes, strict=True)
    return max(int(np.abs(old.astype(int) - new.astype(int)).max()) for old, new in pairs)


def noise(color: ColorSpace, size: tuple[int, int], shifts: tuple[int, int]) -> Picture:
    """Codes of the whole range, legal or not."""
    rng = np.random.default_rng(1)
    kind = np.uint8 if color.bits == 8 else np.uint16
    height, width = size
    small = (-(-height >> shifts[1]), -(-width >> shifts[0]))
    return Picture(tuple(rng.integers(0, 1 << color.bits, s, kind) for s in (size, small, small)), color)  # type: ignore[arg-type]


@pytest.mark.parametrize("color", SPACES, ids=str)
@pytest.mark.parametrize("shifts", SHIFTS)
def test_mask_of_zero_keeps_every_code(color: ColorSpace, shifts: tuple[int, int]) -> None:
    picture = noise(color, (30, 42), shifts)
    before = [plane.copy() for plane in picture.planes]
    rgb = np.random.default_rng(2).random((10, 20, 3), np.float32)
    mask = np.zeros((10, 20), np.float32)
    mask[4:6, 6:10] = 1
    pasted = paste_rgb(picture, rgb, mask, (2, 4, 22, 14))
    for shift, old, new, kept in zip((0, 1, 1), before, pasted.planes, picture.planes, strict=True):
        sx, sy = (shift * shifts[0], shift * shifts[1])
        changed = np.argwhere(old != new)
        assert np.array_equal(old, kept), "the picture given is left alone"
        assert len(changed)
        assert (changed >= [8 >> sy, 8 >> sx]).all()
        assert (changed < [10 >> sy, 12 >> sx]).all()
    empty = paste_rgb(picture, rgb, np.zeros_like(mask), (2, 4, 22, 14))
    assert all(np.array_equal(old, new) for old, new in zip(before, empty.planes, strict=True))


@pytest.mark.parametrize("color", SPACES, ids=str)
def test_pasted_codes_are_legal(color: ColorSpace) -> None:
    picture = noise(color, (16, 16), (1, 1))
    rgb = np.random.default_rng(3).uniform(-1, 2, (16, 16, 3)).astype(np.float32)
    pasted = paste_rgb(picture, rgb, np.ones((16, 16), np.float32), (0, 0, 16, 16))
    luma, chroma = legal_range(color)
    for plane, (low, high) in zip(pasted.planes, (luma, chroma, chroma), strict=True):
        assert plane.min() >= low
        assert plane.max() <= high


def test_half_mask_is_halfway() -> None:
    picture = rgb_to_picture(np.zeros((8, 8, 3), np.float32), ColorSpace("bt709", False, 8), 1, 1)
    mask = np.full((8, 8), 0.5, np.float32)
    pasted = paste_rgb(picture, np.ones((8, 8, 3), np.float32), mask, (0, 0, 8, 8))
    assert np.abs(pasted.planes[0].astype(float) - (16 + 235) / 2).max() <= 0.5
    assert (pasted.planes[1] == 128).all()


@pytest.mark.parametrize("shifts", SHIFTS)
def test_a_box_shows_what_the_whole_picture_shows(shifts: tuple[int, int]) -> None:
    picture = noise(ColorSpace("bt709", False, 8), (31, 43), shifts)
    whole = picture_to_rgb(picture)
    for wanted in ((0, 0, 6, 6), (9, 5, 21, 17), (30, 20, 99, 99)):
        left, top, right, bottom = box = align_box(wanted, picture)
        assert np.allclose(picture_to_rgb(picture, box), whole[top:bottom, left:right], atol=1e-5)


def test_align_box_grows_and_clips() -> None:
    picture = noise(ColorSpace("bt709", False, 8), (31, 43), (1, 1))
    assert chroma_shifts(picture) == (1, 1)
    assert align_box((-3, 5, 7, 9), picture) == (0, 4, 8, 10)
    assert align_box((5, 5, 100, 100), picture) == (4, 4, 43, 31)
    with pytest.raises(ValueError, match="use align_box"):
        picture_to_rgb(picture, (1, 0, 4, 4))
    with pytest.raises(ValueError, match="differ in size"):
        paste_rgb(picture, np.zeros((4, 4, 3), np.float32), np.zeros((4, 5), np.float32), (0, 0, 4, 4))


def test_uint8_and_float_images_agree() -> None:
    image = np.random.default_rng(4).integers(0, 256, (9, 11, 3), np.uint8)
    color = ColorSpace("bt601", True, 8)
    ours = rgb_to_picture(image, color, 1, 1)
    floats = rgb_to_picture(image.astype(np.float32) / np.float32(255), color, 1, 1)
    assert all(np.array_equal(a, b) for a, b in zip(ours.planes, floats.planes, strict=True))
    assert ours.planes[1].shape == (5, 6)


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_green_blue_red_planes_are_exact(bits: int) -> None:
    color = ColorSpace("rgb", True, bits)
    kind = np.uint8 if bits == 8 else np.uint16
    red, green, blue = (np.random.default_rng(n).integers(0, 1 << bits, (30, 40), kind) for n in range(3))
    rgb = picture_to_rgb(Picture((green, blue, red), color))
    assert np.array_equal(np.rint(rgb * ((1 << bits) - 1)), np.dstack([red, green, blue]))
    assert all(np.array_equal(a, b) for a, b in zip(rgb_to_picture(rgb, color).planes, (green, blue, red), strict=True))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_images_are_stored_as_they_are(kind: type[np.uint8 | np.uint16]) -> None:
    image: NDArray[np.uint8 | np.uint16]
    image = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (30, 40, 3), kind, endpoint=True)
    picture = rgb_to_picture(image, ColorSpace("rgb", True, np.iinfo(kind).bits))
    assert np.array_equal(np.dstack([picture.planes[2], *picture.planes[:2]]), image)


def test_pasting_into_green_blue_red() -> None:
    rng = np.random.default_rng(0)
    picture = Picture(tuple(rng.integers(0, 256, (20, 30), np.uint8) for _ in range(3)), ColorSpace("rgb", True, 8))  # type: ignore[arg-type]
    box = (3, 5, 13, 12)
    pasted = paste_rgb(picture, np.full((7, 10, 3), (1, 0.5, 0), np.float32), np.ones((7, 10), np.float32), box)
    assert [int(plane[8, 8]) for plane in pasted.planes] == [128, 0, 255]
    for new, old in zip(pasted.planes, picture.planes, strict=True):
        outside = np.ones((20, 30), bool)
        outside[5:12, 3:13] = False
        assert np.array_equal(new[outside], old[outside])


def test_converted_pictures_show_the_same() -> None:
    picture = rgb_to_picture(smooth_rgb(48, 64), ColorSpace("bt709", False, 8), 1, 1)
    shown = picture_to_rgb(picture)
    for color in (ColorSpace("rgb", True, 8), ColorSpace("rgb", True, 16), ColorSpace("bt601", True, 10)):
        new = converted(picture, color)
        assert new.color == color
        assert chroma_shifts(new) == ((0, 0) if color.matrix == "rgb" else (1, 1))
        assert np.abs(picture_to_rgb(new) - shown).max() < 1.6 / 255
    assert converted(picture, picture.color) is picture


def test_pictures_that_are_compared_share_a_space() -> None:
    yuv = rgb_to_picture(smooth_rgb(48, 64), ColorSpace("bt709", False, 10))
    rgb = rgb_to_picture(smooth_rgb(48, 64), ColorSpace("rgb", True, 16))
    for one, other in (in_one_space(yuv, rgb), in_one_space(rgb, yuv)):
        assert one.color == other.color == yuv.color
        differences = [np.abs(a.astype(int) - b) for a, b in zip(one.planes, other.planes, strict=True)]
        assert max(int(d.max()) for d in differences) <= 1
    assert in_one_space(rgb, rgb) == (rgb, rgb)
    assert in_one_space(yuv, yuv) == (yuv, yuv)
