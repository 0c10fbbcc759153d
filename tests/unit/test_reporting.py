"""The report: figures of a frame, their summary, and the page."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import WorkspaceError
from lookalike.faceset import FaceRecord, encode_array
from lookalike.landmarks import MESH_OVAL
from lookalike.options import Options
from lookalike.pipeline.report import report
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting import crops, measure, summary
from lookalike.reporting.figures import Correlation, Reason, Report, StepTime, WorstFrame
from lookalike.reporting.likeness import ExpressionError
from lookalike.reporting.measure import OutsideError
from lookalike.reporting.page import render_page
from lookalike.reporting.pictures import pair_picture, pair_tile, strip_picture
from lookalike.reporting.plots import draw_plots, plot_rows, thin_out
from lookalike.reporting.table import sections
from lookalike.types import ColorSpace, Face, Picture
from made_figures import make_figures, make_report

SIDE = 64
VIDEO = ColorSpace("bt709", False, 8)


def make_picture(luma: int, chroma: int = 128, color: ColorSpace = VIDEO, sub: int = 2) -> Picture:
    kind = np.uint8 if color.bits == 8 else np.uint16
    small = np.full((SIDE // sub, SIDE // sub), chroma, kind)
    return Picture((np.full((SIDE, SIDE), luma, kind), small, small.copy()), color)


def make_mesh() -> NDArray[np.float32]:
    """Points on a circle of radius 16 about (32, 32), irises in the middle of eyes 10 pixels wide."""
    angle = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    mesh = np.stack([32 + 16 * np.cos(angle), 32 + 16 * np.sin(angle)], 1).astype(np.float32)
    turn = np.linspace(0, 2 * np.pi, len(MESH_OVAL), endpoint=False)
    mesh[list(MESH_OVAL)] = np.stack([32 + 16 * np.sin(turn), 32 - 16 * np.cos(turn)], 1)
    for iris, left, right, x in ((468, 33, 133, 20), (473, 362, 263, 36)):
        mesh[[left, right, iris]] = [(x, 28), (x + 10, 28), (x + 5, 28)]
    return mesh


def make_landmarks() -> NDArray[np.float32]:
    """Eye centres 20 pixels apart, the rest spread at random."""
    points = np.random.default_rng(0).uniform(20, 44, (68, 2)).astype(np.float32)
    points[36:42] += np.array([22, 28]) - points[36:42].mean(0)
    points[42:48] += np.array([42, 28]) - points[42:48].mean(0)
    return points


def make_record() -> FaceRecord:
    return FaceRecord(
        source="d.mp4",
        frame=0,
        time_seconds=0,
        score=0.9,
        box_xyxy=(16, 16, 48, 48),
        landmarks=[(float(x), float(y)) for x, y in make_landmarks()],
        mesh=encode_array(make_mesh(), np.float32),
        matrix=((1, 0, 0), (0, 1, 0)),
        size=SIDE,
        pitch_yaw_roll=(0, 0, 0),
        sharpness=1,
    )


def make_face(shift: float = 0.0) -> Face:
    box = np.array([16, 16, 48, 48], np.float32) + np.float32(shift)
    return Face(box, 0.9, make_landmarks() + np.float32(shift), make_mesh())


class TestOutside:
    def test_one_code_everywhere_is_48_13_db(self) -> None:
        error = measure.outside_error(make_picture(100), make_picture(101), np.zeros((SIDE, SIDE), bool))
        assert (error.luma_sum, error.luma_count) == (SIDE * SIDE, SIDE * SIDE)
        assert (error.chroma_sum, error.chroma_count) == (0, SIDE * SIDE // 2)
        assert summary.psnr(error.luma_sum, error.luma_count) == pytest.approx(48.13, abs=0.005)

    def test_what_lies_inside_does_not_count(self) -> None:
        changed = make_picture(100)
        for plane, step in zip(changed.planes, (1, 2, 2), strict=True):
            plane[16 // step : 48 // step, 16 // step : 48 // step] = 200
        inside = measure.inside_faces([make_record()], (SIDE, SIDE))
        error = measure.outside_error(make_picture(100), changed, inside)
        assert inside[32, 32 + 17]
        assert not inside[32, 32 + 20]
        assert error.luma_sum > 0  # the corners of the square
        assert measure.outside_error(make_picture(100), changed, np.ones_like(inside)).luma_count == 0
        changed.planes[0][~inside] = 100
        assert measure.outside_error(make_picture(100), changed, inside).luma_sum == 0

    @pytest.mark.parametrize(
        ("color", "luma", "chroma"),
        [
            (ColorSpace("bt709", False, 10), 400, 512),
            (ColorSpace("bt709", True, 8), round((100 - 16) * 255 / 219), 128),
        ],
    )
    def test_depth_and_range_are_brought_together(self, color: ColorSpace, luma: int, chroma: int) -> None:
        error = measure.outside_error(
            make_picture(100), make_picture(luma, chroma, color), np.zeros((SIDE, SIDE), bool)
        )
        assert error.luma_sum / error.luma_count < 0.2
        assert error.chroma_sum < 1e-6

    def test_chroma_of_another_sampling_is_left_out(self) -> None:
        error = measure.outside_error(make_picture(100), make_picture(100, sub=1), np.zeros((SIDE, SIDE), bool))
        assert error.chroma_count == 0

    @pytest.mark.parametrize(("squares", "count", "wanted"), [(0.0, 10, 100.0), (0.0, 0, None), (65025.0, 1, 0.0)])
    def test_psnr_is_safe_for_json(self, squares: float, count: int, wanted: float | None) -> None:
        assert summary.psnr(squares, count) == wanted


class TestInside:
    def test_a_picture_beside_itself(self) -> None:
        noise = np.random.default_rng(1).integers(0, 255, (3, SIDE, SIDE)).astype(np.uint8)
        before, now, after = (
            crops.cut_out(p, p, make_record(), SIDE)
            for p in (replace(make_picture(0), planes=(n, *make_picture(0).planes[1:])) for n in noise)
        )
        assert crops.sharpness_ratio(now) == 1
        assert crops.flicker_ratio(before, now, after) == 1
        rgb = np.stack([noise[0]] * 3, -1)
        assert measure.border_difference(rgb, rgb, make_record()) == 0

    def test_a_flat_or_still_dst_gives_nothing_to_compare_with(self) -> None:
        cut = crops.cut_out(make_picture(100), make_picture(90), make_record(), SIDE)
        assert crops.sharpness_ratio(cut) is None
        assert crops.flicker_ratio(cut, cut, cut) is None

    def test_half_the_contrast_is_half_the_sharpness(self) -> None:
        noise = np.random.default_rng(1).integers(0, 2, (SIDE, SIDE)).astype(np.uint8)
        inside = np.ones((SIDE, SIDE), bool)
        cut = crops.FaceCrops(noise * np.uint8(100), noise * np.uint8(50), inside)
        assert crops.sharpness_ratio(cut) == pytest.approx(0.5)

    def test_crops_are_as_large_as_the_usual_face(self) -> None:
        assert crops.frame_side(make_record()) == SIDE
        assert [crops.measuring_size(s) for s in ([100.0, 120.0, 900.0], [10.0], [4000.0])] == [120, 64, 512]


class TestLandmarks:
    def test_a_shift_by_two_pixels_is_a_tenth_of_the_eye_distance(self) -> None:
        moved = replace(make_face(), landmarks=make_landmarks() + np.array([2, 0], np.float32))
        figures = measure.compare_faces(make_record(), moved, ExpressionError(0, 0, 0, 0, 0))
        assert figures.landmark_error == pytest.approx(0.1, abs=1e-3)
        assert figures.regions == pytest.approx(dict.fromkeys(("jaw", "brows", "nose", "eyes", "mouth"), 0.1), abs=1e-3)

    def test_the_face_at_the_same_place_is_meant(self) -> None:
        near, far = make_face(2), make_face(30)
        assert measure.same_face([far, near], make_record()) is near
        assert measure.same_face([far], make_record()) is None
        assert measure.same_face([], make_record()) is None

    def test_gaze(self) -> None:
        mesh = make_mesh()
        assert measure.gaze(mesh) == pytest.approx(0.5)
        mesh[[468, 473], 0] += 2
        assert measure.gaze(mesh) == pytest.approx(0.7)


class TestSummary:
    def test_correlation(self) -> None:
        assert summary.correlate([0, 0.1, 0.3], [0, 0.2, 0.6], "mouth", 0.003).value == 1
        assert summary.correlate([0, 0.1, 0.3], [0.2, 0.2, 0.2], "mouth", 0.003).value == 0

    def test_a_dst_that_does_not_move_has_no_correlation(self) -> None:
        still = summary.correlate([0.1] * 5, [0.1, 0.2, 0.3, 0.4, 0.5], "mouth", 0.003)
        assert (still.value, still.measured) == (None, 5)
        assert still.note.startswith("dst's mouth hardly moves")
        assert "Too few" in summary.correlate([0.1], [0.1], "mouth", 0.003).note

    def test_figures_of_all_frames(self) -> None:
        frames = [make_figures(k, mouth=k / 10, error=k / 100, margin=0.1 if k else -0.1) for k in range(5)]
        lost = replace(frames[4], face=replace(frames[4].face, found=None, identity={}))  # type: ignore[type-var]
        late = replace(frames[3], time_difference_seconds=-0.02, outside=OutsideError(400.0, 100, 0.0, 0))
        none = replace(frames[0], frame=5, face=None)
        found = make_report([*frames[:3], late, lost, none])
        assert (found.frames.face_found, found.frames.times_agree) == (4, False)
        assert found.frames.max_time_difference_ms == 20
        assert (found.identity.measured, found.identity.nearer_to_src) == (4, 0.75)
        assert found.landmarks.mean == pytest.approx(0.015)
        assert found.motion.mouth.value == 1
        assert found.motion.eyes.value is None
        assert found.outside.luma_worst_frame == 3
        assert found.outside.luma_psnr_worst == pytest.approx(42.11, abs=0.01)
        assert found.outside.luma_psnr == pytest.approx(summary.psnr(900, 600))
        assert (found.inside.sharpness, found.inside.flicker, found.inside.border) == (0.8, 1.25, 1.5)

    def test_no_frame_at_all(self) -> None:
        found = make_report([])
        assert found.landmarks.mean is found.outside.luma_psnr is found.identity.nearer_to_src is None
        assert found.motion.mouth == Correlation(measured=0, note="Too few faces were found to compare the mouth.")
        assert "not measured" in render_page(found, "")

    def test_evenly(self) -> None:
        assert summary.evenly(range(100), 4) == [12, 37, 62, 87]
        assert summary.evenly([1, 2], 4) == [1, 2]


class TestPage:
    def test_every_figure_is_shown_and_text_is_escaped(self) -> None:
        found = make_report([make_figures(k, mouth=k / 10) for k in range(5)], name="<b>&'\".mp4")
        page = render_page(found, draw_plots([make_figures(k) for k in range(5)], [1]))
        assert "<b>" not in page
        assert "&lt;b&gt;&amp;&#x27;&quot;.mp4" in page
        assert "<script" not in page
        rows = [row for section in sections(found) for row in section.rows]
        assert len(rows) == 48
        for row in rows:
            assert f"<td>{row.name}</td><td>{row.value}</td>" in page
        assert "frame-00001.jpg" in page
        assert "mouth 0.12 off" in page
        assert "1 of 1 are past a limit" in page
        addresses = re.findall(r"(?:src|href)=['\"]([^'\"]*)", page)
        assert "frame-00001.jpg" in addresses
        assert all(a.startswith("#") or a == "frame-00001.jpg" for a in addresses)  # nothing from elsewhere
        assert "url(http" not in page
        assert "<!DOCTYPE svg" not in page

    def test_json_comes_back_the_same(self) -> None:
        found = make_report([make_figures(k) for k in range(5)])
        assert Report.model_validate_json(found.model_dump_json()) == found

    def test_every_field_is_documented(self) -> None:
        parts = (getattr(make_report([make_figures(0)]), name) for name in Report.model_fields)
        models: set[type[Options]] = {
            Report,
            Correlation,
            Reason,
            WorstFrame,
            StepTime,
            *(type(p) for p in parts if isinstance(p, Options)),
        }
        for model in models:
            for name, field in model.model_fields.items():
                nested = isinstance(field.annotation, type) and issubclass(field.annotation, Options)
                assert field.description or nested or name == "format", f"{model.__name__}.{name}"


class TestPlots:
    def test_a_long_curve_is_thinned_out_by_mean_or_by_largest(self) -> None:
        seconds = np.arange(1000.0)
        values = np.where(seconds < 500, seconds % 10, np.nan)
        thin_seconds, thin = thin_out(seconds, values, 100)
        assert (len(thin), thin_seconds[0], thin[0], thin_seconds[-1]) == (100, 4.5, 4.5, 994.5)
        assert np.isnan(thin[-1])
        assert thin_out(seconds, values, 100, errors=True)[1][0] == 9

    def test_curves_break_where_the_face_was_lost(self) -> None:
        frames = [make_figures(k) for k in range(3)]
        frames[1] = replace(frames[1], face=replace(frames[1].face, found=None, identity={}))  # type: ignore[type-var]
        rows = {row.title: dict(row.lines) for row in plot_rows(frames)}
        np.testing.assert_array_equal(rows["Mouth opening"]["result"], [0.2, np.nan, 0.2])
        np.testing.assert_array_equal(rows["Identity: distance to both people"]["to dst (dlib)"], [0.7, np.nan, 0.7])
        np.testing.assert_array_equal(rows["Change along dst's motion, codes"]["result"], [1.2, 1.2, 1.2])

    def test_the_drawing_takes_its_colours_from_the_page_and_is_the_same_again(self) -> None:
        frames = [make_figures(k, mouth=k / 10) for k in range(8)]
        drawn = draw_plots(frames, [3])
        assert drawn.startswith("<svg")
        assert "Mouth opening" in drawn
        assert "var(--line1)" in drawn
        assert "var(--soft)" in drawn
        assert "#0102" not in drawn
        assert "<style" not in drawn  # would hold for the whole page
        assert draw_plots(frames, [3]) == drawn
        assert draw_plots(frames, []) != drawn

    def test_nothing_measured_is_nothing_drawn(self) -> None:
        assert draw_plots([]) == ""
        assert draw_plots([replace(make_figures(0), face=None)]) == ""


def test_pictures_have_their_size() -> None:
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    assert pair_picture(rgb, rgb, make_record().box_xyxy).startswith(b"\xff\xd8")
    tile = pair_tile(rgb, rgb, make_record())
    assert tile.shape == (256, 128, 3)
    assert strip_picture([tile, tile]).startswith(b"\xff\xd8")


def test_without_a_result_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="has no result; make one with"):
        next(report(Workspace.create(tmp_path / "ws")))
