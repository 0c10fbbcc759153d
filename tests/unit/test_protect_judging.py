"""What is said of a disguise, given what was measured in every frame."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lookalike.color import rgb_to_picture
from lookalike.errors import ConfigError, ProtectionError
from lookalike.merging.cover import cover
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.covers import add_covers, read_covers
from lookalike.pipeline.protect import frame_numbers, require_protected
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.protection import (
    NOT_HIDDEN,
    Distance,
    DoubleFigures,
    Expected,
    FaceLook,
    FrameLook,
    ProtectedFrame,
    Protection,
    Threshold,
    judge,
    of_state,
    others,
)
from lookalike.reporting.protection_page import render_protection
from lookalike.types import ColorSpace, Frame

DLIB = Threshold(recogniser="dlib", title="dlib's ResNet", recognised=0.6, possible=0.65)
SFACE = Threshold(recogniser="sface", title="SFace", recognised=0.637, possible=0.69)
FAR = Distance(mean=0.9, nearest=0.8, frame=0.95, double=0.3)
HERE = (10.0, 10.0, 50.0, 60.0)


def face(**facts: object) -> FaceLook:
    good = FaceLook("faceset", HERE, 0.9, changed=12.0, flat=False, result={"dlib": FAR})
    return replace(good, **facts)  # type: ignore[arg-type]


def frame(number: int, *faces: FaceLook, cut: bool = False, expected: tuple[Expected, ...] = ()) -> FrameLook:
    return FrameLook(number, number / 25, cut, faces, expected)


def only(*frames: FrameLook, thresholds: tuple[Threshold, ...] = (DLIB,)) -> ProtectedFrame:
    found = judge(frames, thresholds)
    assert len(found) == 1
    return found[0]


def test_a_face_that_was_replaced_by_one_far_away_is_hidden() -> None:
    found = only(frame(6, face()))
    assert (found.frame, found.state, found.reasons, found.boxes) == (7, "hidden", [], [])
    assert found.distances == {"dlib": FAR}


@pytest.mark.parametrize(
    ("distance", "state", "reason"),
    [
        (FAR.model_copy(update={"mean": 0.59}), "recognised", "recognised by dlib's ResNet (0.59)"),
        (FAR.model_copy(update={"frame": 0.55}), "recognised", "recognised by dlib's ResNet (0.55)"),
        (FAR.model_copy(update={"mean": 0.64}), "possible", "near to the person for dlib's ResNet (0.64)"),
        (FAR.model_copy(update={"nearest": 0.5}), "possible", "like one of the person's faces"),
        (FAR.model_copy(update={"double": 0.95}), "possible", "nearer to the person than to the double"),
    ],
)
def test_two_thresholds(distance: Distance, state: str, reason: str) -> None:
    found = only(frame(0, face(result={"dlib": distance})))
    assert found.state == state
    assert reason in found.reasons[0]
    assert found.boxes == [HERE]


def test_frames_that_show_the_person_are_told_apart_from_those_that_look_alike() -> None:
    alike = face(result={"dlib": Distance(mean=0.5, nearest=0.5)})
    found = judge([frame(0, alike), frame(1, alike), frame(2, face(changed=0.1)), frame(3, alike)], [DLIB])
    runs = [(one.first, one.last, one.replaced) for one in of_state(found, "recognised")]
    assert runs == [(3, 3, False), (1, 2, True), (4, 4, True)]


def test_every_recogniser_must_be_deceived() -> None:
    near = Distance(mean=0.5, nearest=0.5)
    assert only(frame(0, face(result={"dlib": FAR, "sface": near})), thresholds=(DLIB, SFACE)).state == "recognised"


def test_a_face_that_was_not_replaced_is_left_whatever_its_distance() -> None:
    shown = only(frame(0, face(changed=0.4)))
    assert (shown.reasons, shown.replaced) == (["not replaced"], False)
    missed = face(kind="missed", changed=0.4, original={"dlib": 0.3})
    assert only(frame(0, missed)).reasons == ["not replaced, as the faceset lacks it"]
    assert only(frame(0, face(flat=True, changed=0.4, result={}))).state == "hidden"


def test_a_face_that_the_faceset_lacks_is_the_persons_by_likeness_or_by_place() -> None:
    stranger = face(kind="missed", changed=0.1, original={"dlib": 0.9})
    assert judge([frame(0, stranger)], [DLIB]) == []
    assert [(r.first, r.last) for r in others([frame(0, stranger), frame(1, stranger)], [DLIB])] == [(1, 2)]
    beside = replace(stranger, beside=(4,))
    assert only(frame(5, beside)).state == "recognised"
    assert judge([frame(4), frame(5, beside, cut=True)], [DLIB]) == []  # before the cut was another place
    assert only(frame(5, replace(stranger, original={"dlib": 0.64}))).state == "recognised"


def test_the_gravest_face_of_a_frame_counts_and_all_that_are_left_are_covered() -> None:
    mirror = face(kind="missed", box_xyxy=(70.0, 0.0, 90.0, 20.0), changed=0.1, original={"dlib": 0.4})
    found = only(frame(0, face(), mirror))
    assert (found.state, found.box_xyxy, found.boxes) == ("recognised", mirror.box_xyxy, [mirror.box_xyxy])


def test_a_face_made_out_of_nothing_counts_if_it_is_like_the_person() -> None:
    made = face(kind="made", result={"dlib": FAR})
    assert judge([frame(0, made)], [DLIB]) == []
    assert only(frame(0, replace(made, result={"dlib": Distance(mean=0.62, nearest=0.61)}))).state == "possible"


def test_a_frame_without_a_face_beside_one_with_it_is_to_be_looked_at() -> None:
    def place(near: int, changed: float = 0.3) -> Expected:
        return Expected(near, HERE, changed, flat=False)

    assert only(frame(10, expected=(place(7),))).state == "unseen"
    assert judge([frame(10, expected=(place(4),))], [DLIB]) == []  # long gone
    assert only(frame(10, expected=(place(2), place(30)))).state == "unseen"  # between two sightings
    assert judge([frame(9, cut=True), frame(10, expected=(place(8),))], [DLIB]) == []
    assert only(frame(10, expected=(place(9, changed=20),))).state == "hidden"
    found = only(frame(10, expected=(place(9, changed=20), place(11))))
    assert (found.state, found.boxes) == ("unseen", [HERE])


def protection(frames: list[ProtectedFrame], **facts: object) -> Protection:
    lists = {state: of_state(frames, state) for state in ("recognised", "possible", "unseen")}
    return Protection(
        version="1",
        result="<out>.mp4",
        result_stamp="1-1",
        thresholds=[DLIB],
        doubles=[DoubleFigures(recogniser="dlib", mean=0.8, recognised=0, possible=0)],
        frames_dst=9,
        frames_result=9,
        frames_with_person=len(frames),
        faces_measured=9,
        looked_at=[],
        others=[],
        sound=True,
        not_hidden=list(NOT_HIDDEN),
        frames=frames,
        **{"protected": not any(lists.values()), "frames_compared": 9, **lists, **facts},  # type: ignore[arg-type]
    )


def test_nothing_is_called_protected_while_a_frame_is_left() -> None:
    good = protection(judge([frame(k, face()) for k in range(9)], [DLIB]))
    require_protected(good)
    assert "Disguise holds" in render_protection(good)
    bad = [frame(k, face(changed=0.1 if k in (2, 3, 4, 7) else 9)) for k in range(9)]
    left = protection(judge(bad, [DLIB]))
    assert [(one.first, one.last) for one in left.recognised] == [(3, 5), (8, 8)]
    with pytest.raises(ProtectionError, match="NOT protected: 4 frames that show the person's own face"):
        require_protected(left)
    page = render_protection(left)
    assert "NOT protected" in page
    assert "holds" not in page
    assert "<td>3 to 5</td>" in page
    assert "&lt;out&gt;.mp4" in page
    for facts, reason in (
        ({"protected": False, "frames_compared": 7}, "2 frames that are not dst's"),
        ({"protected": False, "frames_with_person": 0}, "nothing was proved"),
    ):
        with pytest.raises(ProtectionError, match=reason):
            require_protected(good.model_copy(update=facts))


def test_lists_of_frames() -> None:
    assert frame_numbers("3, 5-7,") == [3, 5, 6, 7]
    assert frame_numbers("") == []
    for wrong in ("0", "x", "7-5", "1-99999999999", "-4", "\u0663"):
        with pytest.raises(ConfigError, match="are no frames"):
            frame_numbers(wrong)
    assert (TrustOptions(cover=True).disguise, TrustOptions().disguise) == (True, False)


def test_what_is_covered_is_gone_and_all_else_untouched(place: Workspace) -> None:
    rng = np.random.default_rng(0)
    picture = rgb_to_picture(rng.uniform(0, 1, (60, 80, 3)).astype(np.float32), ColorSpace("bt709", False, 10), 1, 1)
    covered = cover(picture, [(20.0, 20.0, 40.0, 40.0), (70.0, 50.0, 200.0, 90.0), (-90.0, -50.0, -40.0, -20.0)])
    luma, chroma = covered.planes[0], covered.planes[1]
    assert (luma[14:46, 14:46] == 512).all()
    assert (chroma[7:23, 7:23] == 512).all()
    assert (luma[44:, 60:] == 512).all()
    assert (luma[:12] == picture.planes[0][:12]).all()
    assert (luma[:, :12] == picture.planes[0][:, :12]).all()
    left = protection(judge([frame(3, face(changed=0.1))], [DLIB]))
    assert add_covers(place, left) == 1
    assert add_covers(place, protection(judge([frame(5, face(changed=0.1))], [DLIB]))) == 2
    covers = read_covers(place)
    assert covers.frames == {4: [HERE], 6: [HERE]}
    shown = Frame(picture, 4, 0, Fraction(1))
    assert covers.hide(shown) is shown
    assert (covers.hide(replace(shown, index=3)).picture.planes[0][10:60, 10:50] == 512).all()
