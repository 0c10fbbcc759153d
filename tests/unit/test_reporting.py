"""The report: figures of a frame, their summary, and the page."""

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
from lookalike.reporting import measure, summary
from lookalike.reporting.charts import Chart, Line, draw_chart, thin_out
from lookalike.reporting.curves import draw_curves
from lookalike.reporting.figures import Correlation, Example, Report, StepTime
from lookalike.reporting.measure import FaceFigures, FoundFigures, FrameFigures, Identity, MotionValues, OutsideError
from lookalike.reporting.page import render_page
from lookalike.reporting.pictures import pair_picture, pair_tile, strip_picture
from lookalike.reporting.table import sections
from lookalike.types import ColorSpace, Face, Picture

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


def make_figures(frame: int, mouth: float = 0.1, error: float = 0.02, margin: float = 0.2) -> FrameFigures:
    seen = FoundFigures(
        landmark_error=error,
        regions=dict.fromkeys(measure.REGIONS, error),
        dst=MotionValues(mouth, 0.3, 0.5),
        result=MotionValues(mouth * 2, 0.3, 0.5),
    )
    face = FaceFigures(0.8, 1.5, seen, Identity(0.5, 0.5 + margin), Identity(0.8, 0.2), 1.25)
    return FrameFigures(frame, frame / 25, 0.0, OutsideError(100.0, 100, 50.0, 50), face)


def make_report(frames: list[FrameFigures], name: str = "d.mp4") -> Report:
    return Report(
        version="0",
        src="s.mp4",
        dst=name,
        result="result.mp4",
        frames=summary.count_frames(frames, len(frames), len(frames), len(frames)),
        identity=summary.summarise_identity(frames, 0.7),
        landmarks=summary.summarise_landmarks(frames),
        motion=summary.summarise_motion(frames),
        outside=summary.summarise_outside(frames),
        inside=summary.summarise_inside(frames, 256),
        steps=[StepTime(step="train", seconds=12.5, iterations=300)],
        examples=[Example(file="frame-00001.jpg", kind="best", frame=1, seconds=0.04, landmark_error=0.02)],
    )


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
            measure.cut_out(p, p, make_record(), SIDE)
            for p in (replace(make_picture(0), planes=(n, *make_picture(0).planes[1:])) for n in noise)
        )
        assert measure.sharpness_ratio(now) == 1
        assert measure.flicker_ratio(before, now, after) == 1
        rgb = np.stack([noise[0]] * 3, -1)
        assert measure.border_difference(rgb, rgb, make_record()) == 0

    def test_a_flat_or_still_dst_gives_nothing_to_compare_with(self) -> None:
        crops = measure.cut_out(make_picture(100), make_picture(90), make_record(), SIDE)
        assert measure.sharpness_ratio(crops) is None
        assert measure.flicker_ratio(crops, crops, crops) is None

    def test_half_the_contrast_is_half_the_sharpness(self) -> None:
        noise = np.random.default_rng(1).integers(0, 2, (SIDE, SIDE)).astype(np.uint8)
        inside = np.ones((SIDE, SIDE), bool)
        crops = measure.FaceCrops(noise * np.uint8(100), noise * np.uint8(50), inside)
        assert measure.sharpness_ratio(crops) == pytest.approx(0.5)

    def test_crops_are_as_large_as_the_usual_face(self) -> None:
        assert measure.frame_side(make_record()) == SIDE
        assert [measure.measuring_size(s) for s in ([100.0, 120.0, 900.0], [10.0], [4000.0])] == [120, 64, 512]


class TestLandmarks:
    def test_a_shift_by_two_pixels_is_a_tenth_of_the_eye_distance(self) -> None:
        moved = replace(make_face(), landmarks=make_landmarks() + np.array([2, 0], np.float32))
        figures = measure.compare_landmarks(make_record(), moved)
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
        lost = replace(frames[4], face=replace(frames[4].face, found=None, identity=None))  # type: ignore[type-var]
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
        assert "not measured" in render_page(found, [])

    def test_chosen_frames_are_the_extremes_and_lie_apart(self) -> None:
        frames = [make_figures(k, error=k / 1000, margin=k / 1000) for k in range(100)]
        assert summary.worst_landmarks(frames, 4) == [99, 93, 87, 81]
        assert summary.worst_identity(frames, 4) == [0, 6, 12, 18]
        assert len(summary.best_frames(frames, 4)) == 4
        frames[50] = replace(frames[50], face=replace(frames[50].face, found=None))  # type: ignore[type-var]
        assert summary.worst_landmarks(frames, 1) == [50]

    def test_evenly(self) -> None:
        assert summary.evenly(range(100), 4) == [12, 37, 62, 87]
        assert summary.evenly([1, 2], 4) == [1, 2]


class TestPage:
    def test_every_figure_is_shown_and_text_is_escaped(self) -> None:
        found = make_report([make_figures(k, mouth=k / 10) for k in range(5)], name="<b>&'\".mp4")
        page = render_page(found, [Chart("<i>", "u", [Line("dst", [(0, 0.1), (1, None), (2, 0.2)])])])
        assert "<b>" not in page
        assert "<i>" not in page
        assert "&lt;b&gt;&amp;&#x27;&quot;.mp4" in page
        assert "<script" not in page
        rows = [row for section in sections(found) for row in section.rows]
        assert len(rows) == 30
        for row in rows:
            assert f"<td>{row.name}</td><td>{row.value}</td>" in page
        assert "frame-00001.jpg" in page

    def test_json_comes_back_the_same(self) -> None:
        found = make_report([make_figures(k) for k in range(5)])
        assert Report.model_validate_json(found.model_dump_json()) == found

    def test_every_field_is_documented(self) -> None:
        parts = (getattr(make_report([make_figures(0)]), name) for name in Report.model_fields)
        models: set[type[Options]] = {
            Report,
            Correlation,
            Example,
            StepTime,
            *(type(p) for p in parts if isinstance(p, Options)),
        }
        for model in models:
            for name, field in model.model_fields.items():
                nested = isinstance(field.annotation, type) and issubclass(field.annotation, Options)
                assert field.description or nested or name == "format", f"{model.__name__}.{name}"

    def test_a_long_curve_is_thinned_out_and_a_flat_one_is_drawn(self) -> None:
        points = [(float(k), 1.0 if k < 500 else None) for k in range(1000)]
        thin = thin_out(points, 100)
        assert (len(thin), thin[0], thin[-1]) == (100, (4.5, 1.0), (994.5, None))
        assert "<path" in draw_chart(Chart("flat", "", [Line("a", points)]))
        assert "Nothing was measured" in draw_chart(Chart("none", "", [Line("a", [(0, None)])]))


def test_curves_break_where_the_face_was_lost() -> None:
    frames = [make_figures(k) for k in range(3)]
    frames[1] = replace(frames[1], face=replace(frames[1].face, found=None, identity=None))  # type: ignore[type-var]
    mouth, _, identity = draw_curves(frames)
    assert [value for _, value in mouth.lines[1].points] == [0.2, None, 0.2]
    assert [value for _, value in identity.lines[0].points] == [0.7, 0.7]


def test_pictures_have_their_size() -> None:
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    assert pair_picture(rgb, rgb, make_record()).startswith(b"\xff\xd8")
    tile = pair_tile(rgb, rgb, make_record())
    assert tile.shape == (256, 128, 3)
    assert strip_picture([tile, tile]).startswith(b"\xff\xd8")


def test_without_a_result_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="has no result; make one with"):
        next(report(Workspace.create(tmp_path / "ws")))
