"""`report.json`: what the result is like, in numbers. Imports no numpy."""

from typing import Annotated

from pydantic import Field

from lookalike.options import Options

FORMAT = 2
PSNR_CAP = 100.0
"""Decibels that stand for "nothing differs", where the true figure has no end."""
VISIBLE_STEP = 1.5
"""Step at a border, in CIE Lab units as `seam.find_seam` measures them, from which an edge shows."""


class FrameCounts(Options):
    """Whether every frame of dst is in the result, at its time."""

    dst: int
    """Frames decoded from the dst video."""
    result: int
    """Frames decoded from the result."""
    lost: int
    """dst minus result; negative when the result has more."""
    times_agree: bool
    """Every presentation time of the result is dst's to within a millisecond."""
    max_time_difference_ms: float
    """Largest difference of presentation times of frames with the same number, in milliseconds."""
    with_face: int
    """Frames of dst that have a face in its faceset; the first face of each is measured."""
    face_found: int
    """Frames of those in which a face is found in the result, overlapping dst's box by at least 0.3."""


class IdentityFigures(Options):
    """Whom the result looks like: distances of embeddings by one recogniser.

    Values are None when nothing could be measured.
    """

    recogniser: str
    """Its name: dlib (Euclidean distance) or sface (one minus the cosine)."""
    same_person: float
    """Distance below which it takes two faces for one person."""
    measured: int
    """Frames measured, spread evenly over those with a face."""
    nearer_to_src: float | None = None
    """Share of measured frames whose face is nearer to src than to dst, 0..1."""
    result_to_src: float | None = None
    """Mean distance of the result's faces to the mean embedding of src's faceset."""
    result_to_dst: float | None = None
    """Mean distance of the result's faces to the mean embedding of dst's faceset."""
    means_apart: float | None = None
    """Distance between the two mean embeddings: how unlike src and dst are."""
    dst_measured: int = 0
    """Frames, of those measured, in which dst's own face was embedded for reference."""
    dst_to_src: float | None = None
    """Mean distance of dst's own faces to src's mean embedding."""
    dst_to_dst: float | None = None
    """Mean distance of dst's own faces to dst's mean embedding."""


class LandmarkFigures(Options):
    """How far the result's landmarks lie from dst's, in dst's eye distances. None when no face was found."""

    measured: int
    """Frames measured."""
    mean: float | None = None
    """Mean over frames of the mean over 68 landmarks."""
    p95: float | None = None
    """95th percentile over frames."""
    jaw: float | None = None
    """Mean over landmarks 0 to 16."""
    brows: float | None = None
    """Mean over landmarks 17 to 26."""
    nose: float | None = None
    """Mean over landmarks 27 to 35."""
    eyes: float | None = None
    """Mean over landmarks 36 to 47."""
    mouth: float | None = None
    """Mean over landmarks 48 to 67."""


class PoseFigures(Options):
    """How far the result's heads are turned away from dst's, in degrees. None when no face was found."""

    measured: int
    """Frames measured."""
    mean: float | None = None
    """Mean over frames of the angle of the one rotation that brings one head onto the other."""
    p95: float | None = None
    """95th percentile over frames."""
    pitch: float | None = None
    """Mean absolute difference up or down."""
    yaw: float | None = None
    """Mean absolute difference left or right."""
    roll: float | None = None
    """Mean absolute difference of the tilt."""


class ExpressionFigures(Options):
    """How far the result's expression is from dst's: mean absolute difference of MediaPipe's blendshape coefficients.

    Coefficients are about 0..1. None when no face was found.
    """

    measured: int
    """Frames measured."""
    mean: float | None = None
    """Over all 51 coefficients and all frames."""
    p95: float | None = None
    """95th percentile over frames."""
    brows: float | None = None
    """Over the coefficients of the brows."""
    eyes: float | None = None
    """Over the coefficients of lids and gaze."""
    mouth: float | None = None
    """Over the coefficients of the mouth."""
    jaw: float | None = None
    """Over the coefficients of the jaw."""


class TemporalFigures(Options):
    """Temporal warping error: change of luma along dst's optical flow, from each frame to the next, inside the face.

    Measured in crops of at most 256 pixels. None when no motion could be followed.
    """

    measured: int
    """Pairs of frames measured."""
    ratio: float | None = None
    """The result's error over dst's, both summed over all pairs; 1 is as steady as dst."""
    median_ratio: float | None = None
    """Median over pairs of the ratio."""
    dst: float | None = None
    """dst's own mean error, in 8-bit codes."""
    result: float | None = None
    """The result's mean error, in 8-bit codes."""


class SeamFigures(Options):
    """Whether the border of the changed region shows. None when no frame has a face."""

    measured: int
    """Frames measured."""
    step: float | None = None
    """Mean over frames of the mean step across the border, in CIE Lab, that the result makes and dst does not."""
    p95: float | None = None
    """95th percentile over frames."""
    share: float | None = None
    """Mean share of the border, 0..1, with a step of 1.5 or more."""


class Correlation(Options):
    """Whether something moves in the result as it does in dst."""

    measured: int
    """Frames compared."""
    value: float | None = None
    """Pearson correlation over time, -1..1; 0 when the result does not move at all; None when it says nothing."""
    dst_deviation: float | None = None
    """Standard deviation in dst, in the unit of what is measured."""
    note: str = ""
    """Why there is no value."""


class MotionFigures(Options):
    """Expression over time."""

    mouth: Correlation
    """Gap between the lips over the eye distance."""
    eyes: Correlation
    """Height over width of the eyes."""
    gaze: Correlation
    """Place of the irises between the eye corners, 0 left to 1 right, in frames where both have open eyes."""


class OutsideFigures(Options):
    """What changed outside the faces' ovals (and two pixels around them): the encoder's loss, and nothing else.

    Decibels against 255, on 8-bit codes; at most 100, which stands for no difference. None when nothing was compared.
    """

    luma_psnr: float | None = None
    """From the mean squared error of luma over all frames."""
    luma_psnr_worst: float | None = None
    """Of the worst frame."""
    luma_worst_frame: int | None = None
    """Number of that frame, from 0."""
    chroma_psnr: float | None = None
    """From the mean squared error of Cb and Cr; None also when the two videos sample chroma differently."""
    chroma_psnr_worst: float | None = None
    """Of the worst frame."""


class InsideFigures(Options):
    """What the drawn face is like, in crops cut out by dst's matrices. None when dst gives nothing to compare with."""

    crop_size: int
    """Side of the crops in pixels: about that of the usual face in the frame."""
    sharpness: float | None = None
    """Median over frames of the Laplacian's standard deviation, result over dst; below 1 is softer."""
    flicker: float | None = None
    """Median over frames of the mean |x[t-1] - 2 x[t] + x[t+1]| of luma, result over dst; above 1 flickers more."""
    border: float | None = None
    """Median over frames of the CIE Lab distance between result and dst in a ring just inside the oval's edge."""


class StepTime(Options):
    """What a step of the pipeline noted."""

    step: str
    """Its name, e.g. extract_src."""
    seconds: float | None = None
    """Wall time; None where it was not noted."""
    iterations: int | None = None
    """Optimizer steps, of training."""


class Reason(Options):
    """One thing that is wrong in a frame."""

    measure: str
    """found, landmarks, mouth, eyes, expression, pose, identity, temporal, seam, sharpness or outside."""
    text: str
    """In words, as: mouth 0.12 off."""
    severity: float
    """How far beyond what is bad, which is 1."""


class WorstFrame(Options):
    """A frame that needs a look, with a picture: dst on the left, the result on the right."""

    frame: int
    """Number, from 0."""
    seconds: float
    """Presentation time."""
    score: float
    """Rises with the worst of its reasons, and somewhat with the others; from 1 on something is bad."""
    reasons: list[Reason]
    """The worst first; where nothing is bad, what comes nearest to it."""
    file: str
    """Name of its picture in the report's folder."""


class TrustFacts(Options):
    """What a result says of itself, and who was asked."""

    credentials: str
    """State of its content credentials: trusted, valid, tampered, removed or absent."""
    signer: str = ""
    """Who signed it; empty if nobody did."""
    content_check: str = ""
    """Who looked at dst for explicit pictures, and what they found; empty if nothing was noted."""
    consents: int = Field(default=0, ge=0)
    """Records of consent that were valid when it was made."""


class Report(Options):
    """Everything that the report says of a result."""

    format: int = FORMAT
    version: str
    """Of Lookalike."""
    src: str
    """File name of the src video."""
    dst: str
    """File name of the dst video."""
    result: str
    """File name of the result."""
    result_stamp: str = ""
    """Size and time of the result's file, to know it again."""
    frames: FrameCounts
    identity: IdentityFigures
    second_identity: IdentityFigures | None = None
    """The same by a second recogniser, where one is installed."""
    landmarks: LandmarkFigures
    pose: PoseFigures
    expression: ExpressionFigures
    motion: MotionFigures
    outside: OutsideFigures
    inside: InsideFigures
    temporal: TemporalFigures
    seam: SeamFigures
    trust: TrustFacts | None = None
    """None in a report of a version that did not look."""
    steps: list[StepTime] = Field(default_factory=list)
    """In the order of the pipeline; only those that were done."""
    worst: list[WorstFrame] = Field(default_factory=list)
    """At most 20 frames, the worst first, none beside another."""
    strip: str | None = None
    """Picture of evenly spaced faces, dst above and the result below; its name in the report's folder."""
    strip_frames: list[Annotated[int, Field(ge=0)]] = Field(default_factory=list)
    """Numbers of its frames."""
    notes: list[str] = Field(default_factory=list)
    """What could not be measured, and why."""

    def identities(self) -> list[IdentityFigures]:
        """By each recogniser that was used."""
        return [self.identity, *([self.second_identity] if self.second_identity is not None else [])]
