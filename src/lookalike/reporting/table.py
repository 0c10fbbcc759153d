"""The figures of a report as rows: what each means, and whether it is good. Imports no numpy."""

from dataclasses import dataclass

from lookalike.reporting.figures import PSNR_CAP, VISIBLE_STEP, Correlation, IdentityFigures, Report, TrustFacts

NEARER_TO_SRC = 0.9
LANDMARK_ERROR = 0.05
MOUTH = 0.8
EYES = 0.5
PSNR = 42.0
FACES_FOUND = 0.95
POSE_ERROR = 3.0
"""Degrees."""
EXPRESSION_ERROR = 0.08
SIGNED = ("trusted", "valid")
"""States of content credentials that hold."""
WARPING = 1.1
"""The result's temporal warping error over dst's."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    name: str
    value: str
    meaning: str
    """One plain sentence."""
    good: bool | None = None
    """None for a figure that is neither good nor bad by itself, or that could not be measured."""
    wanted: str = ""
    """The threshold in words."""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that belong together."""

    title: str
    rows: list[Row]


def sections(report: Report) -> list[Section]:
    """Every figure of a report."""
    return [
        Section("Frames", _frames(report)),
        *(Section(f"Identity by {i.recogniser}", _identity(i)) for i in report.identities()),
        Section("Landmarks", _landmarks(report)),
        Section("Pose", _pose(report)),
        Section("Expression", _motion(report) + _expression(report)),
        Section("Outside the face", _outside(report)),
        Section("Inside the face", _inside(report)),
        Section("From frame to frame", _temporal(report)),
        *([Section("Trust", _trust(report.trust))] if report.trust else []),
        *([Section("Time", _steps(report))] if report.steps else []),
    ]


def _frames(report: Report) -> list[Row]:
    f = report.frames
    share = f.face_found / f.with_face if f.with_face else None
    return [
        Row("Frames of dst", str(f.dst), "Pictures in the video that receives the face."),
        Row("Frames of the result", str(f.result), "Pictures in the finished video."),
        Row("Frames lost", str(f.lost), "How many pictures of dst are missing in the result.", f.lost == 0, "0"),
        Row(
            "Largest time difference",
            f"{f.max_time_difference_ms:.3f} ms",
            "How far any picture is from the time at which dst shows it.",
            f.times_agree,
            "under 1 ms",
        ),
        Row("Frames with a face", str(f.with_face), "Pictures of dst whose face was to be replaced."),
        Row(
            "Faces found in the result",
            f"{f.face_found}" + (f" ({share:.1%})" if share is not None else ""),
            "In how many of those a face is still recognised as one; where none is, the drawn face broke.",
            share >= FACES_FOUND if share is not None else None,
            f"{FACES_FOUND:.0%} or more",
        ),
    ]


def _identity(i: IdentityFigures) -> list[Row]:
    return [
        Row(
            "Nearer to src",
            "not measured" if i.nearer_to_src is None else f"{i.nearer_to_src:.1%}",
            f"Share of {i.measured} measured faces that look more like src than like dst.",
            _at_least(i.nearer_to_src, NEARER_TO_SRC),
            f"{NEARER_TO_SRC:.0%} or more",
        ),
        Row(
            "Result to src",
            _number(i.result_to_src),
            f"Distance from the result to src; under {i.same_person:g} counts as the same person.",
        ),
        Row("Result to dst", _number(i.result_to_dst), "Distance from the result to dst; larger is better."),
        Row("src to dst", _number(i.means_apart), "How unlike the two people are to begin with."),
        Row(
            "dst to src",
            _number(i.dst_to_src),
            f"Distance from dst's own faces ({i.dst_measured} measured) to src: what doing nothing would give.",
        ),
        Row(
            "dst to dst",
            _number(i.dst_to_dst),
            "How far dst's own faces are from their mean: what a perfect match gives.",
        ),
    ]


def _landmarks(report: Report) -> list[Row]:
    m = report.landmarks
    regions = (("Jaw", m.jaw), ("Brows", m.brows), ("Nose", m.nose), ("Eyes", m.eyes), ("Mouth", m.mouth))
    return [
        Row(
            "Mean error",
            _number(m.mean),
            "How far the result's features lie from dst's, in distances between the eyes.",
            _at_most(m.mean, LANDMARK_ERROR),
            f"{LANDMARK_ERROR} or less",
        ),
        Row("95th percentile", _number(m.p95), "Only one frame in twenty is worse than this."),
        *(Row(name, _number(value), f"The error of the {name.lower()} alone.") for name, value in regions),
    ]


def _pose(report: Report) -> list[Row]:
    p = report.pose
    return [
        Row(
            "Mean angle",
            _degrees(p.mean),
            "How far the result's head is turned away from dst's, all directions in one.",
            _at_most(p.mean, POSE_ERROR),
            f"{POSE_ERROR:g}° or less",
        ),
        Row("95th percentile", _degrees(p.p95), "Only one frame in twenty is turned further away."),
        Row("Up or down", _degrees(p.pitch), "The part of it up or down (pitch)."),
        Row("Left or right", _degrees(p.yaw), "The part of it to the sides (yaw)."),
        Row("Tilt", _degrees(p.roll), "The part of it that tilts the head (roll)."),
    ]


def _motion(report: Report) -> list[Row]:
    m = report.motion
    return [
        _correlation("Mouth", m.mouth, "Whether the mouth opens and closes with dst's; 1 is perfect.", MOUTH),
        _correlation("Eyes", m.eyes, "Whether the eyes open and close with dst's; 1 is perfect.", EYES),
        _correlation("Gaze", m.gaze, "Whether the eyes turn left and right with dst's; 1 is perfect.", None),
    ]


def _expression(report: Report) -> list[Row]:
    e = report.expression
    parts = (("Brows", e.brows), ("Lids and gaze", e.eyes), ("Mouth", e.mouth), ("Jaw", e.jaw))
    return [
        Row(
            "Expression error",
            _number(e.mean),
            "Mean difference of 51 coefficients between 0 and 1, from smile to blink (MediaPipe's blendshapes).",
            _at_most(e.mean, EXPRESSION_ERROR),
            f"{EXPRESSION_ERROR} or less",
        ),
        Row("Expression error, 95th percentile", _number(e.p95), "Only one frame in twenty is worse than this."),
        *(Row(f"{name}, error", _number(value), f"The same of the {name.lower()} alone.") for name, value in parts),
    ]


def _correlation(name: str, c: Correlation, meaning: str, wanted: float | None) -> Row:
    good = _at_least(c.value, wanted) if wanted is not None else None
    value = "not measured" if c.value is None else f"{c.value:.3f}"
    return Row(name, value, f"{meaning} {c.note}".strip(), good, f"{wanted} or more" if wanted is not None else "")


def _outside(report: Report) -> list[Row]:
    o = report.outside
    worst = "" if o.luma_worst_frame is None else f" (frame {o.luma_worst_frame})"
    return [
        Row(
            "Brightness",
            _decibels(o.luma_psnr),
            "How little the picture around the face changed (luma PSNR); from 42 dB on nobody sees it.",
            _at_least(o.luma_psnr, PSNR),
            f"{PSNR:g} dB or more",
        ),
        Row("Brightness, worst frame", _decibels(o.luma_psnr_worst), f"The frame that changed most{worst}."),
        Row("Colour", _decibels(o.chroma_psnr), "The same for colour (chroma PSNR)."),
        Row("Colour, worst frame", _decibels(o.chroma_psnr_worst), "The frame whose colour changed most."),
    ]


def _inside(report: Report) -> list[Row]:
    i, s = report.inside, report.seam
    return [
        Row(
            "Sharpness", _ratio(i.sharpness), f"Fine detail beside dst's at {i.crop_size} pixels; under 100% is softer."
        ),
        Row(
            "Colour at the edge",
            "not measured" if i.border is None else f"{i.border:.2f}",
            "Colour difference (CIE Lab) just inside the face's edge.",
        ),
        Row(
            "Step at the border",
            "not measured" if s.step is None else f"{s.step:.2f}",
            "Step (CIE Lab) across the border of what was changed that dst does not have; from 1.5 on an edge shows.",
            _at_most(s.step, VISIBLE_STEP),
            f"{VISIBLE_STEP:g} or less",
        ),
        Row(
            "Step, 95th percentile",
            "not measured" if s.p95 is None else f"{s.p95:.2f}",
            "Only one frame in twenty has a larger step.",
        ),
        Row("Border that shows", _ratio(s.share), "Share of the border whose step is 1.5 or more."),
    ]


def _temporal(report: Report) -> list[Row]:
    t = report.temporal
    return [
        Row(
            "Warping error",
            _ratio(t.ratio),
            "How much the face changes while it moves as dst does, beside dst's own face: over 100% flickers more.",
            _at_most(t.ratio, WARPING),
            f"{WARPING:.0%} or less",
        ),
        Row("Warping error, median", _ratio(t.median_ratio), "The same in the middle one of all pairs of frames."),
        Row("Warping error of dst", _codes(t.dst), "Its mean change along its own motion: noise and light."),
        Row("Warping error of the result", _codes(t.result), "Its mean change along dst's motion."),
        Row(
            "Flicker",
            _ratio(report.inside.flicker),
            "Change that does not follow a line over three frames, beside dst's; blur lowers it.",
        ),
    ]


def _trust(trust: TrustFacts) -> list[Row]:
    by = f", by {trust.signer}" if trust.signer else ""
    unseen = not trust.content_check or trust.content_check.startswith("off")
    return [
        Row(
            "Content credentials",
            f"{trust.credentials}{by}",
            "Whether the file says, signed, that its face was replaced. Trusted or valid: it was not changed since; "
            "trusted, too: the signer is known here.",
            trust.credentials in SIGNED,
            "trusted or valid",
        ),
        Row(
            "Content check",
            trust.content_check or "not noted",
            "What was found when dst was looked at for explicit pictures.",
            not unseen,
            "done",
        ),
        Row(
            "Records of consent",
            str(trust.consents) if trust.consents else "none",
            "How many were valid when the result was made; their hashes are in its credentials.",
        ),
    ]


def _steps(report: Report) -> list[Row]:
    rows = []
    for s in report.steps:
        parts = ["time not noted" if s.seconds is None else f"{s.seconds:.1f} s"]
        if s.iterations is not None:
            parts.append(f"{s.iterations} iterations")
        rows.append(Row(s.step, ", ".join(parts), f"What the step {s.step} took."))
    return rows


def _at_least(value: float | None, wanted: float) -> bool | None:
    return None if value is None else value >= wanted


def _at_most(value: float | None, wanted: float) -> bool | None:
    return None if value is None else value <= wanted


def _degrees(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1f}°"


def _codes(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f} codes"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _ratio(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1%}"


def _decibels(value: float | None) -> str:
    if value is None:
        return "not measured"
    return "identical" if value >= PSNR_CAP else f"{value:.2f} dB"
