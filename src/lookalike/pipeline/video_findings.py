"""What a look at a video says of it: each requirement, what was found, how good that is, what to do. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.coverage import counts, directions, distances
from lookalike.faces import Person, Track, group_people
from lookalike.pipeline.check_file import Finding, Verdict
from lookalike.pipeline.video_glimpses import Glimpse, Looked
from lookalike.pipeline.workspace import Side
from lookalike.types import VideoInfo

_NEAR_DEGREES = 15.0
"""A dst view this near to a src view is covered: wider than for whole facesets, as few frames are looked at."""
_SMALL, _LARGE = 110, 220
"""Sides of a face's square, in frame pixels, from which it feeds networks of 96 and of 256 pixels fairly."""
_HIDDEN = 0.12
"""Share of a face from which something is in front of it; faces in full view read 0 to 0.1."""
_CUT = 0.1
"""Share of a face from which it is cut off."""
_BLURRY = 1.45
"""Sharpness below which a face is blurred; a Gaussian of 1 % of the crop's side takes a sharp face there."""
_SAME_PERSON = 0.5
"""Distance of two groups of faces below which they are one person; in one of our clips one came apart at 0.4, and
another's nearest two people were 0.55 apart."""
_DARK = 80
"""Brightest spots of a face, of 255, below which it is in the dark."""
COVERED = 0.92
"""Share of dst that src has to have."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen of a video."""

    info: VideoInfo
    side: Side
    frames: int
    """How many were looked at."""
    faces: tuple[Glimpse, ...]
    """Of the person who fills most of the video, one a frame."""
    others: int
    """Other people."""
    crowded: int
    """Frames that show somebody else, too."""

    @property
    def views(self) -> NDArray[np.float64]:
        """(N, 2) yaw and pitch in degrees."""
        return directions([face.facts for face in self.faces])

    @property
    def face_frames(self) -> float:
        """Share of the frames with the person's face."""
        return len(self.faces) / max(self.frames, 1)


def seen(info: VideoInfo, side: Side, looked: Sequence[Looked]) -> Seen:
    """Tell the people apart, and keep the one who fills most of the frames.

    Faces of one person from odd sides may come apart: those near to the first person's, and never in a frame with
    them, are taken for theirs. A lone face that is like nobody's is nobody's.
    """
    everybody = dict(enumerate(face for one in looked for face in one.faces))
    people = group_people([Track(n, f.facts.side, [f.embedding], {f.frame}) for n, f in everybody.items()])
    mine = list(people[0].tracks) if people else []
    others = 0
    for person in people[1:]:
        beside = any(Person(mine).beside(track) for track in person.tracks)
        if not beside and people[0].distance(person.mean) < _SAME_PERSON:
            mine += person.tracks
        else:
            others += len(person.tracks) > 1
    faces = sorted((everybody[track.number] for track in mine), key=lambda face: face.frame)
    return Seen(info, side, len(looked), tuple(faces), others, sum(len(one.faces) > 1 for one in looked))


def findings(one: Seen, dst: Seen | None = None) -> list[Finding]:
    """All of one video; without a face only what can be said without.

    Args:
        one: the video.
        dst: what a src has to do for, if that is known.
    """
    about = [_resolution(one), _length(one), _presence(one)]
    if one.faces:
        about += [_size(one), _sharpness(one), _brightness(one), _evenness(one), _angles(one, dst)]
        about += [_expressions(one)] if one.side == "src" else []
        about += [_view(one), _people(one)]
    return about


def graded(value: float, fair: float, good: float) -> Verdict:
    """Good from `good` on, fair from `fair` on; where less is better, give all three with the sign turned."""
    return "good" if value >= good else "fair" if value >= fair else "poor"


def said(what: str, found: str, verdict: Verdict, good: str, fair: str, poor: str | None = None) -> Finding:
    """A finding with the advice of its verdict; `poor` is that of `fair` if left out."""
    return Finding(
        what=what,
        found=found,
        verdict=verdict,
        advice={"good": good, "fair": fair, "poor": fair if poor is None else poor}[verdict],
    )


def _resolution(one: Seen) -> Finding:
    width, height = one.info.size_wh
    verdict = graded(min(width, height), 480, 1080)
    if verdict == "poor" and one.faces and float(np.median([f.facts.side for f in one.faces])) >= _LARGE:
        verdict = "fair"  # the face fills the small picture
    return said(
        "Resolution",
        f"{width}x{height}" + (", interlaced" if one.info.interlaced else ""),
        verdict,
        "Large enough.",
        "1080 lines or more give finer skin; use a larger copy of this video if there is one.",
        "This is small; find a larger copy of this video, best 1080 lines or more.",
    )


def _length(one: Seen) -> Finding:
    seconds = one.info.duration_seconds
    minutes, rest = divmod(round(seconds), 60)
    found = f"{minutes}:{rest:02d}, {one.info.frame_count} frames"
    if one.side == "dst":
        return said("Length", found, "good", "Any length will do; every frame with the face is swapped.", "")
    likely = one.face_frames * one.info.frame_count
    verdict = graded(seconds, 10, 120) if likely >= 500 else graded(min(seconds / 10, likely / 200), 1, 1e9)
    return said(
        "Length",
        f"{found}, about {round(likely)} faces",
        verdict,
        "Enough to learn the face from.",
        "Two minutes or more are better: the model learns only what it is shown.",
        "This shows little of the face; use two minutes or more of it, interviews work well.",
    )


def _presence(one: Seen) -> Finding:
    share = one.face_frames
    found = f"in {len(one.faces)} of {one.frames} frames looked at"
    if not one.faces:
        return said("Face in the picture", found, "poor", "", "No face was found; choose a video that shows one.")
    if one.side == "dst":
        return said(
            "Face in the picture",
            found,
            graded(share, 0.3, 0.7),
            "Frames without the face stay as they are.",
            "Frames without the face stay as they are; if the face is there but not found, add it on the Align page.",
            "The face is found seldom; cut the video to where it is seen, or add it on the Align page.",
        )
    return said(
        "Face in the picture",
        found,
        graded(share, 0.4, 0.8),
        "The face is there nearly all the time.",
        "Parts without the face cost time and teach nothing; they are left out by themselves.",
        "Cut the video to the parts that show the face, or use another one.",
    )


def _size(one: Seen) -> Finding:
    sides = [face.facts.side for face in one.faces]
    middle, small = float(np.median(sides)), float(np.percentile(sides, 5))
    verdict = graded(middle, _SMALL, _LARGE)
    if verdict == "good" and small < 80:
        verdict = "fair"
    return said(
        "Size of the face",
        f"{middle:.0f} pixels in the usual frame, {min(sides):.0f} in the smallest",
        verdict,
        "As large as the network needs, or larger.",
        "Some faces are small and will be soft; closer shots are better."
        if middle >= _LARGE
        else "This suits small networks (up to 128 pixels); closer shots are better.",
        "The face is too far away: it will be soft; use closer shots.",
    )


def _sharpness(one: Seen) -> Finding:
    values = np.array([face.sharpness for face in one.faces])
    blurred = float((values < _BLURRY).mean())
    verdict = graded(float(np.median(values)), _BLURRY, 1.8)
    if verdict == "good" and blurred > 0.15:
        verdict = "fair"
    return said(
        "Sharpness",
        f"{share_said(blurred)} of the faces blurred, sharpness {np.median(values):.2f} (1.8 and more is sharp)",
        verdict,
        "Faces are sharp.",
        "Some faces are soft; sort by blur on the Faces page and put the worst aside."
        if one.side == "src"
        else "Some faces are soft; the result can be blurred to match them on the Merge page.",
        "Most faces are blurred or out of focus; use a sharper video."
        if one.side == "src"
        else "Most faces are blurred or out of focus; blur the result to match on the Merge page.",
    )


def _brightness(one: Seen) -> Finding:
    bright = float(np.median([face.bright for face in one.faces]))
    burnt = float(np.median([face.burnt for face in one.faces]))
    dark = float(np.mean([face.bright < _DARK for face in one.faces]))
    exposure, white, night = graded(bright, _DARK, 125), graded(-burnt, -0.15, -0.03), graded(-dark, -0.5, -0.1)
    worst = max((exposure, white, night), key=("good", "fair", "poor").index)
    if white == worst:
        advice = "Burnt-out skin has no detail to learn"
    else:
        advice = "Some faces are dark" if exposure == "good" else "The face is dark"
    return said(
        "Brightness",
        f"brightest skin at {bright / 255:.0%}"
        + (f", {share_said(burnt)} of it white" if burnt >= 0.005 else "")
        + (f", {share_said(dark)} of the faces in the dark" if dark else ""),
        worst,
        "Well exposed.",
        f"{advice}; a video that is lit better gives a better result.",
    )


def _evenness(one: Seen) -> Finding:
    even = float(np.median([face.evenness for face in one.faces]))
    return said(
        "Even light",
        f"the darker half of the face has {even:.0%} of the light of the other",
        graded(even, 0.5, 0.75),
        "Light falls evenly.",
        "Light comes from one side; best is a video of the other person with light from the same side.",
        "One half of the face is in shadow; use a video with even light.",
    )


def _angles(one: Seen, needed: Seen | None) -> Finding:
    views = one.views
    (left, down), (right, up) = np.percentile(views, [2, 98], axis=0)
    seen_views = sum(number > 0 for number in counts(views).values())
    found = f"{_way(left, 'left', 'right')} to {_way(right, 'left', 'right')}, "
    found += f"{_way(down, 'down', 'up')} to {_way(up, 'down', 'up')}; {seen_views} of 15 directions"
    if one.side == "dst":
        far = float((np.abs(views[:, 0]) > 55).mean())
        return said(
            "Angles",
            found,
            graded(-far, -0.3, -0.05),
            "No angle is extreme.",
            "Profiles are hard: look at them on the Align page, and see that src has them.",
        )
    if needed is not None and needed.faces and uncovered(one, needed).mean() <= 1 - COVERED:
        return said("Angles", found, "good", "The head turns as far as this dst needs.", "")
    return said(
        "Angles",
        found,
        graded(min((right - left) / 60, (up - down) / 20), 0.4, 1),
        "The head is seen from many sides.",
        "More angles are better: add another video in which the head turns and nods more.",
        "The head hardly turns; use a video in which it looks left, right, up and down.",
    )


def _way(degrees: float, low: str, high: str) -> str:
    return "0°" if abs(degrees) < 0.5 else f"{abs(degrees):.0f}° {low if degrees < 0 else high}"


def _expressions(one: Seen) -> Finding:
    mouth = np.ptp(np.percentile([face.mouth for face in one.faces], [3, 97]))
    eyes = np.ptp(np.percentile([face.eyes for face in one.faces], [3, 97]))
    return said(
        "Expressions",
        f"mouth moves by {mouth:.2f}, eyes by {eyes:.2f} (0.15 or more is lively)",
        graded(float(max(mouth, eyes / 2)), 0.08, 0.15),
        "The face moves.",
        "The face moves little; speech and laughter are better.",
        "The face keeps still; use a video in which the person speaks and laughs.",
    )


def _view(one: Seen) -> Finding:
    hidden = float(np.mean([face.hidden > _HIDDEN for face in one.faces]))
    cut = float(np.mean([face.facts.outside > _CUT for face in one.faces]))
    return said(
        "In full view",
        f"{share_said(hidden)} of the faces hidden in part, {share_said(cut)} cut off by the frame",
        graded(-max(hidden, cut), -0.4, -0.06),
        "Nothing is in front of the face.",
        "Put faces that are hidden or cut off aside on the Faces page, or mask what is in front on the Masks page."
        if one.side == "src"
        else "What is in front of the face has to be masked: look at the Masks page.",
    )


def _people(one: Seen) -> Finding:
    if not one.others:
        return said("People", "one person", "good", "Nobody else is there.", "")
    return said(
        "People",
        f"about {one.others + 1} people; {one.crowded} of {one.frames} frames show more than one",
        "fair",
        "",
        "The one who fills most of the video is taken; to take another, say so as person when faces are extracted.",
    )


def uncovered(src: Seen, dst: Seen) -> NDArray[np.bool_]:
    """Which of dst's faces look where src does not."""
    return distances(src.views, dst.views) > _NEAR_DEGREES


def share_said(value: float) -> str:
    """As percents, or none."""
    return f"{value:.0%}" if value else "none"
