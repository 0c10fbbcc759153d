"""Figures of frames and reports made up, for tests of what is done with them."""

from collections.abc import Sequence

from lookalike.reporting import measure, summary
from lookalike.reporting.figures import Reason, Report, StepTime, WorstFrame
from lookalike.reporting.likeness import ExpressionError, PoseError
from lookalike.reporting.measure import FaceFigures, FoundFigures, FrameFigures, Identity, MotionValues, OutsideError
from lookalike.reporting.seam import Seam


def make_figures(frame: int, mouth: float = 0.1, error: float = 0.02, margin: float = 0.2) -> FrameFigures:
    seen = FoundFigures(
        landmark_error=error,
        regions=dict.fromkeys(measure.REGIONS, error),
        dst=MotionValues(mouth, 0.3, 0.5),
        result=MotionValues(mouth * 2, 0.3, 0.5),
        pose=PoseError(2.0, 1.0, -1.5, 0.5),
        expression=ExpressionError(0.03, 0.05, 0.04, 0.02, 0.01),
    )
    face = FaceFigures(
        sharpness=0.8,
        border=1.5,
        found=seen,
        seam=Seam(0.5, 0.1),
        identity={"dlib": Identity(0.5, 0.5 + margin)},
        dst_identity={"dlib": Identity(0.8, 0.2)},
        flicker=1.25,
        warping=(1.0, 1.2),
    )
    return FrameFigures(frame, frame / 25, 0.0, OutsideError(100.0, 100, 50.0, 50), face)


def make_report(frames: Sequence[FrameFigures], name: str = "d.mp4") -> Report:
    return Report(
        version="0",
        src="s.mp4",
        dst=name,
        result="result.mp4",
        frames=summary.count_frames(frames, len(frames), len(frames), len(frames)),
        identity=summary.summarise_identity(frames, "dlib", 0.6, 0.7),
        landmarks=summary.summarise_landmarks(frames),
        pose=summary.summarise_pose(frames),
        expression=summary.summarise_expression(frames),
        motion=summary.summarise_motion(frames),
        outside=summary.summarise_outside(frames),
        inside=summary.summarise_inside(frames, 256),
        temporal=summary.summarise_temporal(frames),
        seam=summary.summarise_seam(frames),
        steps=[StepTime(step="train", seconds=12.5, iterations=300)],
        worst=[
            WorstFrame(
                frame=1,
                seconds=0.04,
                score=1.5,
                reasons=[Reason(measure="mouth", text="mouth 0.12 off", severity=1.5)],
                file="frame-00001.jpg",
            )
        ],
    )
