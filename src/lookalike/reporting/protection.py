"""Whether a disguise holds: what was measured of every frame, judged. Pure; imports no numpy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal

from pydantic import Field

from lookalike.options import Options

FORMAT: Final = 1
UNCHANGED: Final = 2.0
"""Mean change of a face in 8-bit codes of smoothed luma below which it was not replaced.

On a clip of 472 frames the 462 replaced faces had 6.8 to 13.6, the 10 others, which were only encoded, 0.2 to 0.33.
"""
FLAT: Final = 3.0
"""Standard deviation of a face's luma below which there is nothing left of it to recognise."""
_SURE: Final = 0.6
"""Score of the detector from which a face of somebody else is mentioned."""
_NEAR: Final = 5
"""Frames beside one that shows the person in which the person is still expected."""

State = Literal["hidden", "recognised", "possible", "unseen"]
"""Of a frame; the gravest of its faces."""
_RANK: Final[dict[State, int]] = {"hidden": 0, "unseen": 1, "possible": 2, "recognised": 3}

NOT_HIDDEN: Final = (
    "the voice and what is said, if the result has sound",
    "hair, ears, neck, hands, scars and tattoos, clothes, jewellery",
    "the way the person moves: gestures, gait, posture, expressions, which are the witness's own",
    "where it was filmed and when, and who else is in the picture",
    "what people who know the witness see: no recogniser measures that; let somebody who does look at the result",
    "faces that are smaller than the detector sees, and parts of a face that it takes for none",
)
"""What a recogniser of faces says nothing about."""


class Threshold(Options):
    """From which distance a recogniser tells a result from the person."""

    recogniser: str
    title: str
    """For people to read."""
    recognised: float
    """Nearer than this, the recogniser takes two pictures for one person: its own threshold."""
    possible: float
    """Nearer than this, pictures of one person still lie; see `faces.recognisers`."""


class Distance(Options):
    """How far the face of the result is from the person, to one recogniser."""

    mean: float
    """From the mean of the person's faces, the nearest if dst has several people."""
    nearest: float
    """From the nearest of some single faces of the person."""
    frame: float | None = None
    """From dst's own face of this frame; None if dst shows none there."""
    double: float | None = None
    """From the mean of src's faces; None without a faceset of src."""

    @property
    def least(self) -> float:
        """The smallest that is compared with the larger threshold."""
        return self.mean if self.frame is None else min(self.mean, self.frame)


@dataclass(frozen=True, slots=True)
class FaceLook:
    """A face of a frame, looked at in dst and in the result."""

    kind: Literal["faceset", "missed", "made"]
    """In the faceset; found in dst only now; found in the result where dst has none."""
    box_xyxy: tuple[float, float, float, float]
    score: float
    changed: float
    """Mean change in codes of luma."""
    flat: bool
    """Whether the result shows one colour there."""
    beside: tuple[int, ...] = ()
    """Frames nearby whose faces of the faceset lie at the same place."""
    original: Mapping[str, float] = field(default_factory=dict)
    """Distance of dst's own face, or its mirror image, from the nearest of the person's, by recogniser."""
    result: Mapping[str, Distance] = field(default_factory=dict)
    """By recogniser."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A place where the person was a moment ago, or will be, in a frame that shows no face there."""

    near: int
    """The frame that shows the person."""
    box_xyxy: tuple[float, float, float, float]
    changed: float
    flat: bool


@dataclass(frozen=True, slots=True)
class FrameLook:
    """All faces of a frame."""

    frame: int
    """From 0."""
    seconds: float
    cut: bool
    """The frame begins a shot."""
    faces: tuple[FaceLook, ...]
    expected: tuple[Expected, ...] = ()


class ProtectedFrame(Options):
    """What was found in a frame that shows the person, or may."""

    frame: int
    """From 1, as faces and images are named."""
    seconds: float
    state: State
    replaced: bool = True
    """False where the result shows dst's own face."""
    reasons: list[str] = Field(default_factory=list)
    changed: float | None = None
    """Of the gravest face; see UNCHANGED."""
    distances: dict[str, Distance] = Field(default_factory=dict)
    """Of the gravest face, by recogniser."""
    box_xyxy: tuple[float, float, float, float]
    """Of the gravest face, in frame pixels."""
    boxes: list[tuple[float, float, float, float]] = Field(default_factory=list)
    """Of all faces that are not hidden, and of the place of one that is not seen."""


class FrameRange(Options):
    """Frames that follow each other."""

    first: int
    """From 1."""
    last: int
    begin: float
    """Seconds."""
    end: float
    replaced: bool
    """False where the result shows dst's own face."""
    reason: str
    """That of the first."""


class DoubleFigures(Options):
    """What a recogniser says of the double's own face: a swap can hardly come further from the witness."""

    recogniser: str
    mean: float
    """Usual distance of src's faces from the mean of dst's."""
    recognised: float = Field(ge=0, le=1)
    """Share of src's own faces that would pass for the person."""
    possible: float = Field(ge=0, le=1)
    """Share that might."""


class Protection(Options):
    """`protection.json`: everything that is known of a disguise."""

    format: int = FORMAT
    version: str
    result: str
    result_stamp: str
    protected: bool
    """Nothing is left in which the person could be recognised, as far as was looked."""
    thresholds: list[Threshold]
    doubles: list[DoubleFigures]
    frames_dst: int
    frames_result: int
    frames_compared: int
    """Each of them was looked at, and each face in it measured; none was skipped."""
    frames_with_person: int
    faces_measured: int
    recognised: list[FrameRange]
    """Frames in which the person is recognised, or not replaced."""
    possible: list[FrameRange]
    """Frames in which the person could be recognised."""
    unseen: list[FrameRange]
    """Frames beside others that show the person, in which no face is found and the picture is dst's: look at them."""
    looked_at: list[int]
    """Of the unseen frames, those that somebody looked at and answers for."""
    others: list[FrameRange]
    """Frames that show faces of others, which nobody hid."""
    sound: bool
    """Whether the result has sound: the voice is not hidden."""
    not_hidden: list[str]
    frames: list[ProtectedFrame]
    """All that show the person."""
    pictures: dict[int, str] = Field(default_factory=dict)
    """Files in the report's folder of the worst frames, by number from 1."""


def judge(frames: Sequence[FrameLook], thresholds: Sequence[Threshold]) -> list[ProtectedFrame]:
    """What became of the person in each frame that shows it, or may."""
    cuts = [frame.frame for frame in frames if frame.cut]
    found = (_judged(frame, thresholds, cuts) for frame in frames)
    return [one for one in found if one is not None]


def others(frames: Sequence[FrameLook], thresholds: Sequence[Threshold]) -> list[FrameRange]:
    """Frames with faces that are not the person's."""
    cuts = [frame.frame for frame in frames if frame.cut]
    shown = [
        (frame.frame + 1, frame.seconds, "a face of somebody else, or of something like a face")
        for frame in frames
        if any(
            face.kind == "missed" and face.score >= _SURE and not _is_person(face, frame.frame, thresholds, cuts)
            for face in frame.faces
        )
    ]
    return ranges(shown, replaced=False)


def ranges(frames: Iterable[tuple[int, float, str]], *, replaced: bool) -> list[FrameRange]:
    """Runs of frames, given as number, seconds and reason, in order."""
    found = []
    for _, run in groupby(enumerate(frames), lambda item: item[1][0] - item[0]):
        inside = [one for _, one in run]
        (first, begin, reason), (last, end, _) = inside[0], inside[-1]
        times = {"begin": round(begin, 3), "end": round(end, 3)}
        found.append(FrameRange(first=first, last=last, replaced=replaced, reason=reason, **times))
    return found


def of_state(frames: Iterable[ProtectedFrame], state: State) -> list[FrameRange]:
    """Runs of frames in one state; first those that were not replaced."""
    chosen = [frame for frame in frames if frame.state == state]
    runs = []
    for replaced in (False, True):
        alike = ((f.frame, f.seconds, "; ".join(f.reasons)) for f in chosen if f.replaced == replaced)
        runs += ranges(alike, replaced=replaced)
    return runs


def _judged(frame: FrameLook, thresholds: Sequence[Threshold], cuts: Sequence[int]) -> ProtectedFrame | None:
    graded = [
        (*_grade(face, thresholds), face)
        for face in frame.faces
        if face.kind == "faceset" or _is_person(face, frame.frame, thresholds, cuts)
    ]
    if graded:
        state, reasons, face = max(graded, key=lambda one: (_RANK[one[0]], -min(_least(one[2]), default=9.0)))
        return ProtectedFrame(
            frame=frame.frame + 1,
            seconds=round(frame.seconds, 3),
            state=state,
            replaced=face.flat or face.changed >= UNCHANGED or face.kind == "made",
            reasons=reasons,
            changed=round(face.changed, 2),
            distances=dict(face.result),
            box_xyxy=face.box_xyxy,
            boxes=[one.box_xyxy for its, _, one in graded if its != "hidden"],
        )
    place = _expected(frame, cuts)
    if place is None:
        return None
    hidden = place.flat or place.changed >= UNCHANGED
    return ProtectedFrame(
        frame=frame.frame + 1,
        seconds=round(frame.seconds, 3),
        state="hidden" if hidden else "unseen",
        replaced=hidden,
        reasons=[] if hidden else [f"no face is found, while frame {place.near + 1} shows the person"],
        changed=round(place.changed, 2),
        box_xyxy=place.box_xyxy,
        boxes=[] if hidden else [place.box_xyxy],
    )


def _grade(face: FaceLook, thresholds: Sequence[Threshold]) -> tuple[State, list[str]]:
    """How well a face of the person is hidden."""
    if face.flat:
        return "hidden", []
    if face.kind != "made" and face.changed < UNCHANGED:
        return "recognised", ["not replaced" + (", as the faceset lacks it" if face.kind == "missed" else "")]
    grave, doubtful = list[str](), list[str]()
    for limit in thresholds:
        if limit.recogniser not in face.result:
            continue
        far = face.result[limit.recogniser]
        if far.least < limit.recognised:
            grave.append(f"recognised by {limit.title} ({far.least:.2f})")
        elif far.least < limit.possible:
            doubtful.append(f"near to the person for {limit.title} ({far.least:.2f})")
        elif far.nearest < limit.recognised:
            doubtful.append(f"like one of the person's faces for {limit.title} ({far.nearest:.2f})")
        elif far.double is not None and far.mean < far.double:
            doubtful.append(f"nearer to the person than to the double for {limit.title} ({far.mean:.2f})")
    if grave:
        return "recognised", grave + doubtful
    return ("possible", doubtful) if doubtful else ("hidden", [])


def _is_person(face: FaceLook, frame: int, thresholds: Sequence[Threshold], cuts: Sequence[int]) -> bool:
    """Whether a face that the faceset lacks may be the person's."""
    if face.kind == "made":
        return any(_near(face.result[t.recogniser], t) for t in thresholds if t.recogniser in face.result)
    if any(_one_shot(frame, near, cuts) for near in face.beside):
        return True
    return any(face.original[t.recogniser] < t.possible for t in thresholds if t.recogniser in face.original)


def _near(far: Distance, limit: Threshold) -> bool:
    return far.mean < limit.possible or far.nearest < limit.recognised


def _least(face: FaceLook) -> list[float]:
    return [far.least for far in face.result.values()]


def _expected(frame: FrameLook, cuts: Sequence[int]) -> Expected | None:
    """The place of a person that is not found: between two sightings of a shot, or a few frames from one."""
    places = [place for place in frame.expected if _one_shot(frame.frame, place.near, cuts)]
    sides = {place.near < frame.frame for place in places}
    near = [place for place in places if abs(place.near - frame.frame) <= _NEAR]
    if len(sides) < 2 and not near:
        return None
    return min(places, key=lambda place: (place.flat or place.changed >= UNCHANGED, abs(place.near - frame.frame)))


def _one_shot(frame: int, other: int, cuts: Sequence[int]) -> bool:
    low, high = sorted((frame, other))
    return not any(low < cut <= high for cut in cuts)


def figures(found: Protection) -> list[str]:
    """The distances in words, a line a recogniser."""
    lines = []
    for limit in found.thresholds:
        means = sorted(f.distances[limit.recogniser].mean for f in found.frames if limit.recogniser in f.distances)
        if not means:
            continue
        middle = means[len(means) // 2]
        lines.append(
            f"{limit.title}: distance from the person {means[0]:.2f} to {means[-1]:.2f}, usually {middle:.2f}; "
            f"recognised below {limit.recognised:g}, possible below {limit.possible:g}"
        )
    for double in found.doubles:
        lines.append(
            f"the double's own faces are {double.mean:.2f} from the person's ({double.recogniser}); "
            f"{double.recognised:.0%} of them would be taken for the person, {double.possible:.0%} might be"
        )
    return lines
