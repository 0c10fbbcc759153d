"""Which frames are the worst, and what is said of them."""

import itertools
from dataclasses import replace

from lookalike.reporting.likeness import PoseError
from lookalike.reporting.measure import FaceFigures, FoundFigures, FrameFigures, Identity, OutsideError
from lookalike.reporting.seam import Seam
from lookalike.reporting.worst import worst_frames
from made_figures import make_figures


def fine(frame: int) -> FrameFigures:
    return make_figures(frame, mouth=0.01)


def spoiled(frame: int, **changes: object) -> FrameFigures:
    good = fine(frame)
    assert good.face is not None
    return replace(good, face=replace(good.face, **changes))  # type: ignore[arg-type]


def face_of(frame: FrameFigures) -> FaceFigures:
    assert frame.face is not None
    return frame.face


def found_of(frame: FrameFigures) -> FoundFigures:
    found = face_of(frame).found
    assert found is not None
    return found


def test_each_fault_is_found_and_named() -> None:
    clip = [fine(k) for k in range(400)]
    turned = replace(found_of(clip[0]), pose=PoseError(9.0, 0, 9, 0))
    crooked = replace(found_of(clip[0]), regions={**found_of(clip[0]).regions, "mouth": 0.12})
    open_mouth = replace(found_of(clip[0]), result=replace(found_of(clip[0]).dst, mouth=0.2))
    clip[20] = spoiled(20, found=None)
    clip[60] = spoiled(60, found=turned)
    clip[100] = spoiled(100, found=crooked)
    clip[140] = spoiled(140, identity={"dlib": Identity(0.6, 0.5)})
    clip[180] = spoiled(180, warping=(1.0, 6.0))
    clip[220] = spoiled(220, seam=Seam(3.0, 0.9))
    clip[260] = spoiled(260, sharpness=0.3)
    clip[300] = spoiled(300, found=open_mouth)
    clip[340] = replace(fine(340), outside=OutsideError(40.0 * 100, 100, 0, 0))
    worst = {s.frame: s for s in worst_frames(clip, 20)}
    texts = {frame: [r.text for r in worst[frame].reasons] for frame in range(20, 360, 40)}
    assert texts == {
        20: ["no face found"],
        60: ["turned 9 degrees away"],
        100: ["mouth 0.12 off"],
        140: ["looks like dst (dlib)"],
        180: ["flickers (+5.0)"],
        220: ["edge visible (3.0)"],
        260: ["softer than the rest (30%)"],
        300: ["mouth 0.19 too open"],
        340: ["changed outside the face"],
    }
    assert all(worst[frame].score >= 1 for frame in texts)
    assert sum(s.score >= 1 for s in worst.values()) == len(texts)
    assert worst[60].seconds == 60 / 25


def test_worst_comes_first_and_more_faults_weigh_more() -> None:
    one, both = Seam(3.0, 0.9), Seam(3.0, 0.9)
    clip = [fine(k) for k in range(100)]
    clip[10] = spoiled(10, seam=one)
    clip[50] = spoiled(50, seam=both, found=None)
    clip[90] = spoiled(90, seam=Seam(5.0, 1.0))
    assert [s.frame for s in worst_frames(clip, 3)] == [50, 90, 10]
    (first, *_) = worst_frames(clip, 3)
    assert [r.measure for r in first.reasons] == ["found", "seam"]
    assert first.score == 4.2


def test_of_a_bad_stretch_only_some_are_shown() -> None:
    clip = [spoiled(k, found=None) if 100 <= k < 140 else fine(k) for k in range(400)]
    frames = sorted(s.frame for s in worst_frames(clip, 20))
    assert len(frames) == 20
    assert min(b - a for a, b in itertools.pairwise(frames)) >= 9
    assert sum(100 <= frame < 140 for frame in frames) == 5


def test_where_nothing_is_bad_the_nearest_is_named_and_no_score_says_bad() -> None:
    worst = worst_frames([fine(k) for k in range(10)], 20)
    assert len(worst) == 5  # not side by side
    assert all(s.score < 1 and len(s.reasons) == 1 for s in worst)
    assert worst_frames([replace(fine(0), face=None)], 20) == []
