"""A label and a halo: what they touch, and what they leave."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from lookalike.color import picture_to_rgb, rgb_to_picture
from lookalike.errors import ConfigError
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.halo import with_halo
from lookalike.merging.label import check_label, labelled
from lookalike.merging.merge import merge_frame
from lookalike.tone_map import graphics_white
from lookalike.types import ColorSpace, ColorTags, Picture
from merge_scene import merged_with, prediction, scene, target_of

LABEL = "AI-generated"


def plain(wh: tuple[int, int], shade: float, bits: int = 8, shift: int = 1, matrix: str = "bt709") -> Picture:
    rgb = np.full((wh[1], wh[0], 3), shade, np.float32)
    return rgb_to_picture(rgb, ColorSpace(matrix, matrix == "rgb", bits), shift, shift)  # type: ignore[arg-type]


def changed(before: Picture, after: Picture) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the luma samples that differ."""
    rows, columns = np.nonzero(before.planes[0] != after.planes[0])
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def same(one: Picture, other: Picture) -> bool:
    return all((a == b).all() for a, b in zip(one.planes, other.planes, strict=True))


class TestLabel:
    @pytest.mark.parametrize("wh", [(640, 360), (1920, 1080), (720, 1280), (500, 480), (97, 65), (20, 16)])
    @pytest.mark.parametrize("shade", [0.02, 0.98])
    def test_it_lies_in_the_safe_area_and_is_readable(self, wh: tuple[int, int], shade: float) -> None:
        before = plain(wh, shade, shift=1 if wh[0] % 2 == 0 else 0)
        after = labelled(before, LABEL)
        left, top, right, bottom = changed(before, after)
        width, height = wh
        assert left >= int(0.05 * width)
        assert top >= int(0.05 * height)
        assert right <= width * 0.95 + 2
        assert bottom <= height * 0.95 + 2
        if min(wh) >= 360:
            assert bottom - top >= 2 * max(0.025 * min(wh), 9)
            luma = picture_to_rgb(after)[top:bottom, left:right].mean(2)
            assert luma.max() > 0.95
            assert np.percentile(luma, 30) < 0.45  # the plate

    @pytest.mark.parametrize(("bits", "shift", "matrix"), [(8, 0, "rgb"), (10, 1, "bt2020"), (16, 0, "bt709")])
    def test_every_kind_of_picture(self, bits: int, shift: int, matrix: str) -> None:
        before = plain((640, 360), 0.4, bits, shift, matrix)
        after = labelled(before, LABEL)
        assert after.color == before.color
        left, top, right, bottom = changed(before, after)
        for old, new in zip(before.planes, after.planes, strict=True):
            scale = len(before.planes[0]) // len(old)
            kept = np.ones(old.shape, bool)
            kept[top // scale : -(-bottom // scale), left // scale : -(-right // scale)] = False
            assert (old[kept] == new[kept]).all()
        assert picture_to_rgb(after)[top:bottom, left:right].max() > 0.97
        assert same(after, labelled(before, LABEL))

    def test_white_is_no_glare_in_hdr(self) -> None:
        for transfer, white in ((16, 0.58), (18, 0.75), (1, 1.0)):
            assert graphics_white(ColorTags(9, transfer, 9, 1)) == white
            drawn = labelled(plain((640, 360), 0.1, 10), LABEL, white)
            assert picture_to_rgb(drawn).max() == pytest.approx(white, abs=0.01)

    def test_letters_that_can_be_drawn(self) -> None:
        pictures = [labelled(plain((640, 360), 0), text) for text in ("A", "Généré par IA", "Создано ИИ")]
        assert len({int(picture.planes[0].sum()) for picture in pictures}) == 3
        check_label("")
        with pytest.raises(ConfigError, match="cannot draw 生 成"):
            check_label("AI生成")
        with pytest.raises(ValidationError, match="one line"):
            MergeRun(label="AI\ngenerated")
        with pytest.raises(ValidationError, match="60"):
            MergeRun(label="x" * 61)


def disc(side: int = 128, radius: int = 40) -> NDArray[np.float32]:
    y, x = np.indices((side, side)) - side // 2
    return ((x**2 + y**2) < radius**2).astype(np.float32)


class TestHalo:
    @pytest.mark.parametrize("shade", [0.05, 0.5])
    def test_bright_at_the_edge_and_nothing_far_away(self, shade: float) -> None:
        before = plain((400, 300), shade)
        matrix = np.array([[1, 0, -136], [0, 1, -86]], np.float64)  # the disc lies about (200, 150)
        after = with_halo(before, disc(), matrix)
        y, x = np.indices((300, 400))
        away = np.hypot(x - 200, y - 150)
        luma = after.planes[0].astype(float) - before.planes[0]
        assert luma[np.abs(away - 40) < 2].min() > 30 * (1 - shade)
        assert (luma[(away > 70) | (away < 25)] == 0).all()
        assert same(after, with_halo(before, disc(), matrix))

    def test_it_reaches_over_the_edge_of_the_frame_and_of_the_crop(self) -> None:
        before = plain((120, 90), 0.3)
        full = np.ones((64, 64), np.float32)
        for shift in ((0.0, 0.0), (-100.0, 10.0), (40.0, -60.0)):
            after = with_halo(before, full, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]))
            assert not same(before, after)
        gone = np.array([[1, 0, -5000.0], [0, 1, 0]])
        assert same(before, with_halo(before, full, gone))
        assert same(before, with_halo(before, np.zeros((64, 64), np.float32), np.eye(2, 3)))

    def test_small_faces_have_one_that_can_be_seen(self) -> None:
        before = plain((200, 150), 0.2)
        matrix = np.array([[8, 0, -800.0], [0, 8, -600.0]])  # the disc is 10 pixels wide
        after = with_halo(before, disc(), matrix)
        left, _, right, _ = changed(before, after)
        assert 14 <= right - left <= 40


class TestMerge:
    @pytest.mark.parametrize("bits", [8, 10])
    def test_marks_touch_nothing_but_their_places(self, bits: int) -> None:
        picture, record = scene(bits)
        target = target_of(picture, record)
        without = merged_with(picture, target, prediction(), MergeConfig())
        marked = merged_with(picture, target, prediction(), MergeConfig(), MergeRun(label=LABEL, halo=True))
        halo = merged_with(picture, target, prediction(), MergeConfig(), MergeRun(halo=True))
        assert not same(without.picture, halo.picture)
        left, top, right, bottom = changed(without.picture, halo.picture)
        low, high = record.landmarks_array().min(0), record.landmarks_array().max(0)
        room = 0.5 * float((high - low).max())
        assert left > low[0] - room
        assert top > low[1] - room
        assert right < high[0] + room
        assert bottom < high[1] + room
        assert same(marked.picture, labelled(halo.picture, LABEL))

    def test_a_frame_without_a_face_has_the_label_and_no_halo(self) -> None:
        picture, _ = scene()
        merged = merge_frame(picture, [], MergeConfig(), MergeRun(label=LABEL, halo=True))
        assert same(merged.picture, labelled(picture, LABEL))
        assert same(merge_frame(picture, [], MergeConfig(), MergeRun()).picture, picture)

    def test_marks_are_opaque_in_layers(self) -> None:
        picture, record = scene()
        run = MergeRun(label=LABEL, halo=True, alpha=True)
        merged = merged_with(picture, target_of(picture, record), prediction(), MergeConfig(), run).picture
        plain_run = MergeRun(alpha=True)
        bare = merged_with(picture, target_of(picture, record), prediction(), MergeConfig(), plain_run).picture
        assert merged.alpha is not None
        assert bare.alpha is not None
        touched = merged.planes[0] != bare.planes[0]
        assert (merged.alpha[touched] == 255).all()
        assert (merged.alpha.astype(int) >= bare.alpha.astype(int)).all()

    def test_raw_modes_have_no_halo(self) -> None:
        picture, record = scene()
        target, config = target_of(picture, record), MergeConfig(mode="raw-rgb")
        one, other = (merged_with(picture, target, prediction(), config, MergeRun(halo=halo)) for halo in (True, False))
        assert same(one.picture, other.picture)
